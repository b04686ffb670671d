/**
 * `postbox`: queues, shared memory and mapped files from a shell.
 *
 * Nothing runs on import: a program may call {@linkcode run} itself. Started as the main module it
 * runs its arguments. Under Deno it needs `--allow-ffi` and no other permission; the npm package
 * has it as the command `postbox`.
 *
 * ```sh
 * deno run --allow-ffi cli/main.ts mq create /jobs
 * deno run --allow-ffi cli/main.ts mq send /jobs "first job" --priority 9
 * deno run --allow-ffi cli/main.ts mq recv /jobs
 * ```
 *
 * | exit code | meaning |
 * |---|---|
 * | 0 | done; also when the reader of the output went away |
 * | 1 | refused: message, code and hint are on standard error |
 * | 2 | wrong usage |
 * | 3 | nothing there in time: the queue was empty, or full, until the deadline |
 *
 * @module
 */

import { gc } from "./commands/gc.ts";
import { limits } from "./commands/limits.ts";
import { map } from "./commands/map.ts";
import { mq } from "./commands/mq.ts";
import { shm } from "./commands/shm.ts";
import { note } from "./note.ts";
import { group, runCommandLine } from "./parser.ts";
import { VERSION } from "./version.ts";

const ROOT = group(
  "POSIX message queues and shared memory",
  "POSIX message queues, shared memory and mapped files.\n\n" +
    "Data goes to standard output byte for byte, notes go to standard error. Exit codes: 0 done,\n" +
    "1 refused (message, code and hint on standard error), 2 wrong usage, 3 nothing there in time.",
  { mq, shm, map, limits, gc },
  [
    "postbox mq create /jobs --max-messages 4 --max-bytes 64",
    'postbox mq send /jobs "first job" --priority 9',
    "postbox mq recv /jobs -v",
    "postbox mq unlink /jobs",
  ],
);

/**
 * Runs one command line, with the standard input and output of this process.
 *
 * @example The version, as `postbox --version` prints it
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { run } from "@postbox/postbox/cli";
 *
 * assertEquals(await run(["--version"]), 0);
 * ```
 *
 * @param args The words after `postbox`.
 * @returns The exit code: 0 done, 1 refused, 2 wrong usage, 3 nothing there in time.
 */
export async function run(args: string[]): Promise<number> {
  return await runCommandLine(ROOT, { name: "postbox", version: VERSION }, args, {
    print: async (text) => (await import("./stdio.ts")).write(new TextEncoder().encode(text)),
    complain: note,
    report: async (error) => (await import("./failure.ts")).report(error),
  });
}

// Without `await` out here, or Node could not require() this module.
async function main(): Promise<void> {
  const { process } = globalThis;
  process.exitCode = await run(process.argv.slice(2));
}

if (import.meta.main) main();
