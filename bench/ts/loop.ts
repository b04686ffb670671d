/**
 * What every TypeScript loop of the benchmarks shares; bench/c/loop.h is the same in C.
 *
 * A loop prints `ready`, reads a number of iterations from a line of standard input, runs, prints
 * the nanoseconds that took, and ends with its input.
 */

import { readSync, writeSync } from "node:fs";
import { createRequire } from "node:module";

// Not imported: in Node an import of node:process opens standard input for events, and readSync
// no longer waits there.
const { process } = globalThis as unknown as { process: typeof import("node:process") };

/** The arguments of this program, all of which it needs. */
export function args(...names: string[]): string[] {
  const given = process.argv.slice(2);
  if (given.length === names.length) return given;
  throw new Error(
    `Cannot run the loop with ${given.length} arguments, expected ${names.join(" ")}`,
  );
}

/** A package of npm that is installed in a folder. */
export function required(folder: string, name: string): unknown {
  return createRequire(`${folder}/package.json`)(name);
}

/** Prints a line at once. */
export function say(line: string): void {
  writeSync(1, new TextEncoder().encode(`${line}\n`));
}

/** Throws when a step of a loop did not do what the loop measures. */
export function must(done: boolean, what: string): void {
  if (!done) throw new Error(`Cannot go on with the loop: ${what} did not work, expected it to`);
}

/** The numbers on the lines of standard input, as they come. */
export function* numbers(): Generator<number> {
  const line = new Uint8Array(32);
  for (;;) {
    const length = readSync(0, line, 0, line.length, null);
    if (!length) return;
    yield Number(new TextDecoder().decode(line.subarray(0, length)));
  }
}

/** Runs the loop as often as it is told to. */
export function serve(loop: (iterations: number) => void): void {
  say("ready");
  for (const iterations of numbers()) {
    const start = process.hrtime.bigint();
    loop(iterations);
    say(String(process.hrtime.bigint() - start));
  }
}
