/**
 * The programs that are measured: C compiled into bench/build, JavaScript in a runtime of its own.
 *
 * Rule: each loop has its process to itself, so no loop is compiled for what another one did.
 */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Contender, Measured, Timed } from "./measure.ts";
import type { Runtime, RuntimeName } from "./runtimes.ts";
import type { Goal } from "./subject.ts";

/** This folder; ends in a slash. */
export const HERE: string = fileURLToPath(new URL("./", import.meta.url));

/** What is made for the benchmarks and kept; git ignores it. */
export const BUILD: string = `${HERE}build`;

/** A program with its arguments. */
export type Command = readonly [string, ...string[]];

/**
 * A folder of {@linkcode BUILD} that is made once and kept.
 *
 * It is filled beside its place and then moved there: another run may be making it too.
 */
export async function kept(
  name: string,
  fill: (folder: string) => void | Promise<void>,
): Promise<string> {
  const folder = `${BUILD}/${name}`, fresh = `${folder}.${process.pid}`;
  if (existsSync(folder)) return folder;
  mkdirSync(fresh, { recursive: true });
  try {
    await fill(fresh);
    if (!existsSync(folder)) renameSync(fresh, folder);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return folder;
}

const built = new Map<string, string>();

/** The command for bench/c/NAME.c, compiled once a run. */
export function c(name: string, ...args: string[]): Command {
  let path = built.get(name);
  if (path === undefined) {
    path = `${BUILD}/${name}`;
    // Moved into place: another run may be using the file.
    const fresh = `${path}.${process.pid}`;
    mkdirSync(BUILD, { recursive: true });
    const source = ["-I", BUILD, `${HERE}c/${name}.c`];
    execute(["cc", "-O2", "-Wall", "-Wextra", "-o", fresh, ...source, "-lrt"]);
    renameSync(fresh, path);
    built.set(name, path);
  }
  return [path, ...args];
}

/** The command on one processor, the first or the second of those that are allowed, or on both. */
export function pinned(cpu: 0 | 1 | "both", command: Command): Command {
  const [first, second] = allowedProcessors();
  return c("pin", cpu === "both" ? `${first},${second}` : String([first, second][cpu]), ...command);
}

/** The numbers of the processors that this process may use; a pinned child may leave its own. */
function allowedProcessors(): number[] {
  const status = readFileSync("/proc/self/status", "utf8");
  const { list } = /^Cpus_allowed_list:\s*(?<list>\S+)$/m.exec(status)!.groups!;
  return list!.split(",").flatMap((range) => {
    const [from = 0, to = from] = range.split("-").map(Number);
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
}

/** Where a command runs. */
export interface ExecuteOptions {
  cwd?: string;
  /** Beside the environment of this process. */
  env?: Record<string, string>;
}

/** Runs a command to its end and gives what it printed. */
export function execute([command, ...args]: Command, options: ExecuteOptions = {}): string {
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    encoding: "utf8",
    maxBuffer: 2 ** 24, // a compiler may have much to say
    ...options.cwd !== undefined && { cwd: options.cwd },
    ...options.env !== undefined && { env: { ...process.env, ...options.env } },
  });
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

/** How long a program may take to end. */
const END_MS = 5_000;

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
    return Number(await this.tell(iterations));
  }

  /** Gives it a number, and what it says then. */
  async tell(iterations: number): Promise<string> {
    this.#child.stdin!.write(`${iterations}\n`);
    return await this.#line();
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (!done) return value;
    throw new Error(`Cannot measure ${this.#child.spawnargs.join(" ")}: ${await this.#ended}`);
  }

  /** Ends its input, and with that the program; one that waits for a dead peer is killed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin!.end();
    const timer = setTimeout(() => this.#child.kill(), END_MS);
    await this.#ended;
    clearTimeout(timer);
  }
}

/** Goals of Postbox by runtime. */
export type Goals = { readonly [name in RuntimeName]?: Goal };

/** What runs for one row; ends with the scope. */
export class Programs implements AsyncDisposable {
  readonly #running = new AsyncDisposableStack();

  /** Takes what is being started. */
  async add(
    label: string,
    starting: Promise<Measured["timed"] & AsyncDisposable>,
  ): Promise<Contender> {
    return { label, timed: this.#running.use(await starting) };
  }

  /** Starts Postbox on each runtime. */
  async addEach(
    runtimes: readonly Runtime[],
    start: (runtime: Runtime) => Promise<Timed & AsyncDisposable>,
    goals: Goals = {},
  ): Promise<Contender[]> {
    const contenders: Contender[] = [];
    for (const runtime of runtimes) {
      const contender = await this.add(runtime.label, start(runtime));
      contenders.push({ ...contender, goal: goals[runtime.name] });
    }
    return contenders;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running.disposeAsync();
  }
}
