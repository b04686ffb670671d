/**
 * The programs that are measured: C compiled into bench/build, TypeScript in a runtime of its own.
 *
 * Rule: each loop has its process to itself, so no loop is compiled for what another one did.
 */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, renameSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Timed } from "./measure.ts";

const HERE = fileURLToPath(new URL("./", import.meta.url));
const BUILD = `${HERE}build`;

/** A program with its arguments. */
export type Command = readonly [string, ...string[]];

const built = new Map<string, string>();

/** The command for bench/c/NAME.c, compiled once a run. */
export function c(name: string, ...args: string[]): Command {
  let path = built.get(name);
  if (path === undefined) {
    path = `${BUILD}/${name}`;
    // Moved into place: another run may be using the file.
    const fresh = `${path}.${process.pid}`;
    mkdirSync(BUILD, { recursive: true });
    execute(["cc", "-O2", "-Wall", "-Wextra", "-o", fresh, `${HERE}c/${name}.c`, "-lrt"]);
    renameSync(fresh, path);
    built.set(name, path);
  }
  return [path, ...args];
}

/** The command for bench/ts/NAME.ts, with the permissions that the library needs. */
export function ts(name: string, ...args: string[]): Command {
  return runtime(`${HERE}ts/${name}.ts`, ...args);
}

/** The command for a module of the checkout, by its path from the root. */
export function entryPoint(path: string, ...args: string[]): Command {
  return runtime(`${HERE}../${path}`, ...args);
}

function runtime(path: string, ...args: string[]): Command {
  return [process.execPath, "run", "--quiet", "--no-prompt", "--allow-ffi", path, ...args];
}

/** The command on one processor: the first or the second of those that are allowed. */
export function pinned(cpu: 0 | 1, command: Command): Command {
  return c("pin", String(cpu), ...command);
}

/** Runs a command to its end and gives what it printed. */
export function execute([command, ...args]: Command): string {
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
  if (error !== undefined) throw error;
  if (status === 0) return stdout;
  throw new Error(`Cannot run ${command} ${args.join(" ")}: exit code ${status}\n${stderr}`);
}

/** A whole process as an iteration: from its start to its end. */
export function wholeProcess(command: Command, after: () => void = () => {}): Timed {
  return {
    time(iterations) {
      let ns = 0;
      for (let i = 0; i < iterations; i++) {
        const start = process.hrtime.bigint();
        execute(command);
        ns += Number(process.hrtime.bigint() - start);
        after();
      }
      return Promise.resolve(ns);
    },
  };
}

/** A running program; ends with the scope. */
export class Program implements Timed, AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #ended: Promise<string>;

  private constructor([command, ...args]: Command) {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    this.#ended = new Promise((resolve) => {
      child.on("error", (error) => resolve(error.message));
      child.on("exit", (code, signal) => resolve(`exit code ${code}, signal ${signal}`));
    });
  }

  /** Starts it and waits until it is ready. */
  static async start(command: Command): Promise<Program> {
    const program = new Program(command);
    await program.#line();
    return program;
  }

  async time(iterations: number): Promise<number> {
    this.#child.stdin!.write(`${iterations}\n`);
    return Number(await this.#line());
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (!done) return value;
    throw new Error(`Cannot measure ${this.#child.spawnargs.join(" ")}: ${await this.#ended}`);
  }

  /** Ends its input, and with that the program. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin!.end();
    await this.#ended;
  }
}
