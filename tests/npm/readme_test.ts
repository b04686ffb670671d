/** What README says about Node is run as written; only the names of kernel objects are unique. */

import { readFileSync, writeFileSync } from "node:fs";
import { assertEquals, assertMatch } from "../assert.ts";
import { test } from "../harness.ts";
import "../support/loaded.ts";
import { memoryName, queueName } from "../support/names.ts";
import { run, temporaryFolder } from "../support/process.ts";
import { BUILT_BY_DENO, ROOT } from "../support/runtime.ts";
import { succeed, tarball } from "./support.ts";

const README = readFileSync(`${ROOT}README.md`, "utf8");
const SECTION = README.slice(README.indexOf("## On Node"), README.indexOf("## The command line"));

function block(language: string): string {
  return SECTION.match(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "ms"))![1]!;
}

test("the Node example of README runs as written", { not: BUILT_BY_DENO }, async () => {
  using folder = temporaryFolder();
  using queue = queueName();
  using memory = memoryName();
  // The two commands: the first one's output is the second one's argument.
  const [make, install] = block("sh").trim().split("\n");
  assertMatch(make!, /^npx -y deno@2\.9\.5 task npm\b/);
  const words = install!.replace(/\S+\.tgz$/, await tarball()).split(" ");
  await succeed(words[0]!, words.slice(1), { cwd: folder.path });

  const program = block("js").replaceAll("/orders", queue.name).replaceAll("/sold", memory.name);
  writeFileSync(`${folder.path}/example.mjs`, program);
  const { code, stdout, stderr } = await run("node", {
    args: ["example.mjs"],
    cwd: folder.path,
  });
  assertEquals([code, stdout, stderr], [0, "two coffees\n2\n", ""]);
});
