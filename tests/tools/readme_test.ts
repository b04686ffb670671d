/**
 * What README shows is run as written; only the names of kernel objects are made unique. Its part
 * about Node is run in tests/npm.
 */

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { assert, assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { memoryName, queueName } from "../support/names.ts";
import { run } from "../support/process.ts";
import { execPath, FFI_ONLY, NO_DENO, ROOT } from "../support/runtime.ts";

const README = readFileSync(`${ROOT}README.md`, "utf8");

function blocks(language: string): string[] {
  const pattern = new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "gms");
  return [...README.matchAll(pattern)].map(([, code]) => code!);
}

test("the first example of README runs as written", { not: NO_DENO }, async () => {
  using queue = queueName();
  using memory = memoryName();
  const program = blocks("ts")[0]!
    .replaceAll("/jobs", queue.name)
    .replaceAll("/stats", memory.name);
  // A file beside deno.json, so that the package's own name resolves as it does for a user.
  const path = `${ROOT}tests/readme_example_${crypto.randomUUID()}.ts`;
  writeFileSync(path, program);
  try {
    const { code, stdout, stderr } = await run(execPath(), {
      args: ["run", ...FFI_ONLY, "--check", path],
    });
    assertEquals([code, stdout], [0, "resize 17.jpg 5\n1n\n"], stderr);
  } finally {
    rmSync(path);
  }
});

test("the commands of README run as written, one after the other", { not: NO_DENO }, async () => {
  using queue = queueName();
  const lines = blocks("sh").flatMap((block) => block.trim().split("\n"))
    .filter((line) => line.startsWith("deno task postbox"));
  assert(lines.length >= 6);
  for (const line of lines) {
    const command = line.replaceAll("/jobs", queue.name)
      .replace(/^deno/, JSON.stringify(execPath()));
    const { code, stderr } = await run("sh", { args: ["-c", command], cwd: ROOT });
    assertEquals(code, 0, `${line}\n${stderr}`);
  }
});
