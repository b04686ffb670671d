/**
 * For the tests of the npm package: the tarball, the tools that judge it, projects that use it.
 *
 * Rule: made once a test file, when the first test needs it, and removed when the file has run.
 */

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import process from "node:process";
import { assertEquals } from "../assert.ts";
import { type Finished, run, type StartOptions, temporaryFolder } from "../support/process.ts";
import { ROOT } from "../support/runtime.ts";

/** A JSON file of the checkout, by its path from the root. */
// deno-lint-ignore no-explicit-any
export function json(path: string): any {
  return JSON.parse(readFileSync(ROOT + path, "utf8"));
}

/** The specifiers of the package's entry points. */
export function entryPoints(): string[] {
  const { name, exports } = json("deno.json");
  return Object.keys(exports).map((key) => name + key.slice(1));
}

/** A folder that is there until the test file has run. */
export function keptFolder(): string {
  const folder = temporaryFolder();
  addEventListener("unload", () => folder[Symbol.dispose]());
  return folder.path;
}

/** Makes a thing when it is first asked for. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => made ??= make();
}

/** The path of the tarball; `deno task test` has made one for all files. */
export const tarball: () => Promise<string> = once(async () => {
  const made = process.env.POSTBOX_TEST_TARBALL;
  if (made !== undefined) return made;
  const { build } = await import("../../npm/build.ts");
  return await build(keptFolder());
});

/** The folder in which the tarball is unpacked, as npm leaves it: without node_modules beside it. */
export const unpacked: () => Promise<string> = once(async () => {
  const folder = keptFolder();
  await succeed("tar", ["-xzf", await tarball(), "-C", folder]);
  return `${folder}/package`;
});

/** Runs a command that must succeed; gives its standard output. */
export async function succeed(
  command: string,
  args: readonly string[],
  options: StartOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await start(command, args, options);
  assertEquals(code, 0, `${command} ${args.join(" ")}\n${stdout}${stderr}`);
  return stdout;
}

/** Runs a command to its end, without colours and without a look for updates of npm. */
export async function start(
  command: string,
  args: readonly string[],
  options: StartOptions = {},
): Promise<Finished> {
  const env = { NO_COLOR: "1", NO_UPDATE_NOTIFIER: "1", ...options.env };
  return await run(command, { ...options, args, env });
}

/** The arguments of an npm that does nothing but install. */
export const INSTALL = ["install", "--prefer-offline", "--no-audit", "--no-fund"] as const;

/** Makes an empty project in a folder and installs packages into it. */
export async function project(folder: string, ...npmArgs: string[]): Promise<string> {
  writeFileSync(`${folder}/package.json`, `{ "private": true }`);
  await succeed("npm", [...INSTALL, ...npmArgs], { cwd: folder });
  return folder;
}

/** A project with the package and nothing else, shared: tests only add files to it. */
export const sharedProject: () => Promise<string> = once(async () =>
  await project(keptFolder(), await tarball())
);

/** A project of its own, in a folder that is removed at the end of the scope. */
export async function ownProject(
  ...npmArgs: string[]
): Promise<Disposable & { path: string }> {
  const folder = temporaryFolder();
  await project(folder.path, ...npmArgs);
  return folder;
}

/** A tool in the version of tools.json, as npm is told it. */
export function versioned(name: string): string {
  return `${name}@${json("tests/npm/tools.json")[name]}`;
}

const installed = new Map<string, Promise<string>>();

/** Installs tools into a folder of their own, once; gives the folder. */
export async function tools(...names: string[]): Promise<string> {
  const key = names.join(" ");
  if (!installed.has(key)) installed.set(key, project(keptFolder(), ...names.map(versioned)));
  return await installed.get(key)!;
}

/** Runs a program, given as text, in a project; gives what it printed. */
export async function runIn(
  folder: string,
  program: Program,
  { node = "node", env = {} }: { node?: string; env?: Record<string, string> } = {},
): Promise<Finished> {
  const path = `${folder}/program_${crypto.randomUUID()}.${program.extension}`;
  writeFileSync(path, program.text);
  try {
    return await start(node, [path], { cwd: folder, env });
  } finally {
    rmSync(path);
  }
}

/** A program, and what tells Node which kind of module it is. */
export interface Program {
  text: string;
  extension: "mjs" | "cjs";
}

/** Uses a queue and memory; the names are there. Prints 7. */
const USE = `
const name = uniqueName("npm");
const queue = MessageQueue.create(name, { maxMessages: 1, maxMessageBytes: 16 });
MessageQueue.unlink(name);
queue.trySend("seven", { priority: 7 });
const memory = SharedMemory.anonymous({ byteLength: 64 });
Atomics.add(new Int32Array(memory.buffer, 0, 1), 0, queue.receiveSync().priority);
console.log(memory.bytes[0]);
queue.close();
memory.close();
`;

/** Imports every entry point and uses them. */
export const IMPORTS: Program = {
  extension: "mjs",
  text: `
import { MessageQueue, SharedMemory, uniqueName } from "@postbox/postbox";
import { MessageQueue as Queue } from "@postbox/postbox/mq";
import { SharedMemory as Memory } from "@postbox/postbox/shm";
import { run } from "@postbox/postbox/cli";
console.log(Queue === MessageQueue, Memory === SharedMemory);
${USE}
process.exitCode = await run(["--version"]);
`,
};

/** The same by require(). */
export const REQUIRES: Program = {
  extension: "cjs",
  text: `
const { MessageQueue, SharedMemory, uniqueName } = require("@postbox/postbox");
const { MessageQueue: Queue } = require("@postbox/postbox/mq");
const { SharedMemory: Memory } = require("@postbox/postbox/shm");
const { run } = require("@postbox/postbox/cli");
console.log(Queue === MessageQueue, Memory === SharedMemory);
${USE}
run(["--version"]).then((code) => process.exitCode = code);
`,
};

/** Asserts that both work in a folder in which the package can be found. */
export async function assertWorks(folder: string, node = "node"): Promise<void> {
  const { version } = json("deno.json");
  for (const program of [IMPORTS, REQUIRES]) {
    const { code, stdout, stderr } = await runIn(folder, program, { node });
    assertEquals([code, stdout], [0, `true true\n7\n${version}\n`], stderr);
  }
}
