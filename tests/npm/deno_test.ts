/** Whoever runs Deno downloads nothing that is for Node alone. */

import { writeFileSync } from "node:fs";
import { assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { temporaryFolder } from "../support/process.ts";
import { execPath, FFI_ONLY, moduleUrl, NO_DENO } from "../support/runtime.ts";
import { succeed } from "./support.ts";

/** The packages that Deno downloads for a program with one import. */
async function downloadedFor(module: string): Promise<string[]> {
  using folder = temporaryFolder();
  writeFileSync(
    `${folder.path}/program.ts`,
    `import { MessageQueue } from ${JSON.stringify(moduleUrl(module))};
     console.log(MessageQueue.limits().maxMessages > 0);`,
  );
  const cache = `${folder.path}/cache`;
  const printed = await succeed(execPath(), ["run", ...FFI_ONLY, "program.ts"], {
    cwd: folder.path,
    env: { DENO_DIR: cache },
  });
  assertEquals(printed, "true\n");
  return await packagesIn(cache);
}

test(
  "a program under Deno that uses queues downloads no package at all",
  { not: NO_DENO },
  async () => assertEquals(await downloadedFor("src/mq/mod.ts"), []),
);

test(
  "a program under Deno that uses mod.ts downloads MessagePack, which actors speak, alone",
  { not: NO_DENO },
  async () => assertEquals(await downloadedFor("mod.ts"), ["@msgpack/msgpack"]),
);

test("the command under Deno downloads MessagePack and its parser", { not: NO_DENO }, async () => {
  using folder = temporaryFolder();
  const cache = `${folder.path}/cache`;
  await succeed(execPath(), ["cache", "--no-config", "--quiet", moduleUrl("cli/main.ts")], {
    cwd: folder.path,
    env: { DENO_DIR: cache },
  });
  assertEquals((await packagesIn(cache)).sort(), ["@msgpack/msgpack", "@stricli/core"]);
});

/** The packages in a folder that was Deno's cache. */
async function packagesIn(cache: string): Promise<string[]> {
  const found = await succeed("find", [cache, "-name", "package.json"]);
  return found.trim().split("\n").filter((path) => path !== "").map((path) =>
    path.replace(/^.*\/npm\/[^/]*\//, "").replace(/\/[^/]*\/package\.json$/, "")
  );
}
