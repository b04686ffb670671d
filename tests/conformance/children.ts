/**
 * Second processes: a function of a group's `programs` runs in a process of its own.
 *
 * Rule: a child has --allow-ffi and nothing else, where there are permissions; it gets strings and
 * answers with its return value. Whoever waits for it waits for what it says or does, never for
 * time to pass.
 */

import process from "node:process";
import { readFileSync } from "node:fs";
import { Child, type Finished, run } from "../support/process.ts";
import { evalArgs, execPath } from "../support/runtime.ts";

/** Functions that run in children. What they return is sent home as JSON. */
export type Programs = Record<string, (...args: string[]) => unknown>;

/** The children of one file. */
export interface Children<P extends Programs> {
  /** Runs a program to its end and gives what it returned; throws when it failed. */
  run<N extends keyof P & string>(
    program: N,
    ...args: Parameters<P[N]>
  ): Promise<Awaited<ReturnType<P[N]>>>;
  /** Starts a program, whose lines can then be waited for. The last line is its return value. */
  start<N extends keyof P & string>(program: N, ...args: Parameters<P[N]>): Child;
  /** Runs a program that may end badly. */
  finish<N extends keyof P & string>(program: N, ...args: Parameters<P[N]>): Promise<Finished>;
}

/** The children of a file that exports its programs as `programs`. */
export function children<P extends Programs>(file: string, _programs: P): Children<P> {
  const argsOf = (program: string, args: string[]) =>
    evalArgs(
      `import process from "node:process";
       import { programs } from ${JSON.stringify(file)};
       const result = await programs[${JSON.stringify(program)}](...${JSON.stringify(args)});
       console.log(JSON.stringify(result ?? null));
       process.exit(0);`,
    );
  const finish = (program: string, args: string[]) =>
    run(execPath(), { args: argsOf(program, args) });
  return {
    async run(program, ...args) {
      const { code, signal, stdout, stderr } = await finish(program, args);
      if (code !== 0) throw new Error(`${program} ended with ${signal ?? code}:\n${stderr}`);
      return JSON.parse(stdout.trim().split("\n").at(-1)!);
    },
    start: (program, ...args) => new Child(execPath(), argsOf(program, args)),
    finish: (program, ...args) => finish(program, args),
  };
}

/** Waits until the main thread of a process is inside a system call. */
export async function untilInside(child: Child, systemCall: number): Promise<void> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const now = readFileSync(`/proc/${child.pid}/syscall`, "utf8");
    if (Number.parseInt(now) === systemCall) return;
    if (performance.now() > deadline) throw new Error(`the child never waited: ${now.trim()}`);
    await pause();
  }
}

/** Lets others run for a moment, between two looks. */
export function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2));
}

/** In a child: one line for the parent. */
export function say(line: string): void {
  console.log(line);
}

let lines: AsyncIterator<unknown> | undefined;

/** In a child: waits for a line of the parent. */
export async function heard(): Promise<void> {
  lines ??= process.stdin[Symbol.asyncIterator]();
  if ((await lines.next()).done) throw new Error("the parent is gone");
}
