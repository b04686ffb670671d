/** Other processes for tests: C programs compiled here, programs of ours, their lines, their end. */

import { type ChildProcess, spawn, type StdioOptions } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import process from "node:process";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { evalArgs, execPath, type ProgramOptions } from "./runtime.ts";

/** A signal's name. */
export type Signal = keyof typeof constants.signals;

/** What a finished process did. */
export interface Finished {
  /** 128 and the signal's number where a signal ended it. */
  code: number;
  signal: Signal | null;
  stdout: string;
  stderr: string;
}

/** The same, byte for byte. */
export interface FinishedBytes extends Omit<Finished, "stdout" | "stderr"> {
  stdout: Uint8Array;
  stderr: Uint8Array;
}

/** How a process is started. */
export interface StartOptions {
  args?: readonly string[];
  stdin?: Uint8Array | string;
  /** Beside the environment of this process. */
  env?: Record<string, string>;
  cwd?: string;
  /** What it gets for descriptors; standard output and error must be pipes. */
  stdio?: StdioOptions;
  /** Kills it after that time: it hangs, and its test shall fail and not the whole run. */
  timeoutMs?: number;
}

/** Runs a program to its end. */
export async function run(command: string, options: StartOptions = {}): Promise<Finished> {
  const { stdout, stderr, ...end } = await runForBytes(command, options);
  const decoder = new TextDecoder();
  return { ...end, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Runs a program to its end, for what it prints byte for byte. */
export async function runForBytes(
  command: string,
  options: StartOptions = {},
): Promise<FinishedBytes> {
  const { args = [], stdin, env, stdio, timeoutMs, ...rest } = options;
  const child = spawn(command, args, {
    ...rest,
    env: { ...process.env, ...env },
    stdio: stdio ?? [stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  const ended = endOf(child);
  if (stdin !== undefined) {
    child.stdin!.on("error", () => {}); // it may end without reading: its exit code says how
    child.stdin!.end(stdin);
  }
  const bound = timeoutMs === undefined ? undefined : setTimeout(
    () => killIfRunning(child),
    timeoutMs,
  );
  try {
    const [stdout, stderr, end] = await Promise.all([
      bytesOf(child.stdout!),
      bytesOf(child.stderr!),
      ended,
    ]);
    return { ...end, stdout, stderr };
  } finally {
    clearTimeout(bound);
  }
}

async function endOf(child: ChildProcess): Promise<{ code: number; signal: Signal | null }> {
  const [code, signal] = await once(child, "close") as [number | null, Signal | null];
  return { code: code ?? 128 + constants.signals[signal!], signal };
}

async function bytesOf(stream: Readable): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return new Uint8Array(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

/** Runs TypeScript given as text in another process of this runtime. */
export function runProgram(
  code: string,
  { permissions, v8Flags, ...options }: StartOptions & ProgramOptions = {},
): Promise<Finished> {
  const program = evalArgs(code, {
    ...(permissions && { permissions }),
    ...(v8Flags && { v8Flags }),
  });
  return run(execPath(), { ...options, args: [...program, ...(options.args ?? [])] });
}

/** Sends a signal to a process that may have ended already. */
export function killIfRunning(child: ChildProcess, signal: Signal = "SIGKILL"): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    // Not child.kill(): Deno then tells this signal as the end, whatever the end was.
    process.kill(child.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error; // it ended just now
  }
}

/** A running process whose lines can be waited for. It is killed at the end of the scope. */
export class Child implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #decoder: TextDecoder = new TextDecoder();
  readonly #stderr: Promise<Uint8Array>;
  readonly #ended: Promise<{ code: number; signal: Signal | null }>;
  #rest = "";

  /** Starts it; its standard input stays open until the end. */
  constructor(command: string, args: readonly string[], env: Record<string, string> = {}) {
    this.#process = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#ended = endOf(this.#process);
    this.#process.stdin!.on("error", () => {}); // nobody reads any more
    this.#chunks = this.#process.stdout![Symbol.asyncIterator]();
    this.#stderr = bytesOf(this.#process.stderr!);
  }

  /** Starts TypeScript given as text in another process of this runtime. */
  static program(code: string, ...args: string[]): Child {
    return new Child(execPath(), [...evalArgs(code), ...args]);
  }

  get pid(): number {
    return this.#process.pid!;
  }

  /** The next line of its standard output; throws when it ends before. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#rest.indexOf("\n");
      if (end !== -1) {
        const line = this.#rest.slice(0, end);
        this.#rest = this.#rest.slice(end + 1);
        return line;
      }
      if (!await this.#more()) throw new Error(`the child ended: ${await this.#complaint()}`);
    }
  }

  /** Writes to its standard input. */
  async write(text: string): Promise<void> {
    const stdin = this.#process.stdin!;
    await new Promise<void>((resolve, reject) => {
      stdin.write(text, (error) => error ? reject(error) : resolve());
    });
  }

  kill(signal: Signal = "SIGKILL"): void {
    killIfRunning(this.#process, signal);
  }

  /** Waits for its end; what it still printed is in the result. */
  async finished(): Promise<Finished> {
    while (await this.#more());
    const stdout = this.#rest;
    this.#rest = "";
    const { code, signal } = await this.#ended;
    return { code, signal, stdout, stderr: await this.#complaint() };
  }

  async #more(): Promise<boolean> {
    const { value, done } = await this.#chunks.next();
    if (done) return false;
    this.#rest += this.#decoder.decode(value, { stream: true });
    return true;
  }

  async #complaint(): Promise<string> {
    return new TextDecoder().decode(await this.#stderr);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    killIfRunning(this.#process);
    await this.finished();
    this.#process.stdin!.destroy();
  }
}

/**
 * Waits for programs that end by themselves and must end well. Whoever is killed in place of that, by
 * the end of the scope, leaves its doorbell.
 */
export async function endWell(children: readonly Child[]): Promise<void> {
  const ends = await Promise.all(children.map((child) => child.finished()));
  for (const { code, stderr } of ends) {
    if (code !== 0 || stderr !== "") throw new Error(`a program ended with ${code}: ${stderr}`);
  }
}

/** A folder that is removed at the end of the scope. */
export function temporaryFolder(): Disposable & { path: string } {
  const path = mkdtempSync(`${tmpdir()}/postbox-test-`);
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Compiles a C file next to the tests into a folder that is removed at the end of the scope. */
export async function compileC(
  source: string | URL,
  flags: string[] = [],
): Promise<Disposable & { path: string }> {
  const folder = temporaryFolder();
  const path = `${folder.path}/program`;
  const file = source instanceof URL ? fileURLToPath(source) : `${folder.path}/program.c`;
  if (!(source instanceof URL)) writeFileSync(file, source);
  const args = ["-O2", "-Wall", "-Wextra", "-Werror", "-o", path, file, "-lrt", ...flags];
  const { code, stderr } = await run("cc", { args });
  if (code === 0) return { path, [Symbol.dispose]: () => folder[Symbol.dispose]() };
  folder[Symbol.dispose]();
  throw new Error(`cc ${args.join(" ")} failed:\n${stderr}`);
}
