/**
 * What README shows is run as written; only the names of kernel objects are made unique. Its part
 * about Node is run in tests/npm.
 */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { assert, assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { uniqueName } from "../../mod.ts";
import { memoryName, queueName } from "../support/names.ts";
import { type Finished, run } from "../support/process.ts";
import { execPath, FFI_ONLY, NO_DENO, ROOT } from "../support/runtime.ts";

const README = readFileSync(`${ROOT}README.md`, "utf8");

function blocks(language: string): string[] {
  const pattern = new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "gms");
  return [...README.matchAll(pattern)].map(([, code]) => code!);
}

/** Puts files beside deno.json, so that the package's own name resolves as it does for a user. */
async function beside(
  files: Record<string, string>,
  args: (folder: string) => readonly string[],
): Promise<Finished> {
  const folder = `${ROOT}tests/readme_example_${crypto.randomUUID()}`;
  mkdirSync(folder);
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(`${folder}/${name}`, text);
    return await run(execPath(), { args: args(folder) });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function runBeside(
  files: Record<string, string>,
  main: string,
  permissions: readonly string[],
): Promise<Finished> {
  return beside(files, (folder) => ["run", ...permissions, `${folder}/${main}`]);
}

/** The blocks that are whole files of a program, which their first line names. */
function named(language: string): Record<string, string> {
  const files = blocks(language).flatMap((code) => {
    const name = code.match(/^\/\/ (\w+\.\w+)\n/)?.[1];
    return name === undefined ? [] : [[name, code]];
  });
  return Object.fromEntries(files);
}

/** The blocks that are programs of their own; a line that only shows an import is none. */
function standalone(): string[] {
  return blocks("ts").filter((code) => !code.startsWith("// ") && code.includes("\n\n"));
}

test("the programs of README have the right types", { not: NO_DENO }, async () => {
  const programs = [...standalone().entries()].map(([index, code]) => [`${index}.ts`, code]);
  const files = { ...named("ts"), ...named("js"), ...Object.fromEntries(programs) };
  const { code, stderr } = await beside(files, (folder) => ["check", "--quiet", folder]);
  assertEquals([code, stderr], [0, ""]);
});

test("the first actor of README runs as written", { not: NO_DENO }, async () => {
  const system = JSON.stringify(uniqueName("readme").slice(1));
  const files = named("ts");
  assertEquals(Object.keys(files), ["counter.ts", "main.ts"]);
  const main = files["main.ts"]!.replace('"shop"', system);
  const permissions = [...FFI_ONLY, "--allow-run"];
  const { code, stdout, stderr } = await runBeside(
    { ...files, "main.ts": main },
    "main.ts",
    permissions,
  );
  assertEquals([code, stdout], [0, "{ n: 42 }\n"], stderr);
});

const PRINTED: [what: string, index: number, printed: string][] = [
  ["the first example", 0, "resize 17.jpg 5\n1n\n"],
  ["the example of a system for tests", 1, ""],
  ["the example of a region", 2, '1n { ratio: 0.5, tag: "half" }\n'],
  ["the example of a ring", 3, "fast\n"],
];

for (const [what, index, printed] of PRINTED) {
  test(`${what} in README runs as written`, { not: NO_DENO }, async () => {
    using queue = queueName();
    using memory = memoryName();
    const program = standalone()[index]!
      .replaceAll("/jobs", queue.name)
      .replaceAll(/"\/(stats|ring)"/g, JSON.stringify(memory.name));
    const { code, stdout, stderr } = await runBeside({ "main.ts": program }, "main.ts", FFI_ONLY);
    assertEquals([code, stdout], [0, printed], stderr);
  });
}

test("the worker of README and its parent run as written", { not: NO_DENO }, async () => {
  using queue = queueName();
  const files = named("js");
  assertEquals(Object.keys(files), ["parent.mjs", "worker.mjs"]);
  const permissions = [...FFI_ONLY, "--allow-read"];
  for (const [name, code] of Object.entries(files)) {
    files[name] = code.replaceAll('"/work"', JSON.stringify(queue.name));
  }
  const { code, stdout, stderr } = await runBeside(files, "parent.mjs", permissions);
  assertEquals([code, stdout], [0, ""], stderr);
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
