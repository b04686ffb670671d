/** Other processes for tests: C programs compiled here, Deno programs, their lines and their end. */

/** The root of the checkout. */
export const ROOT: string = new URL("../../", import.meta.url).pathname;

/** What a finished process did. */
export interface Finished {
  code: number;
  signal: Deno.Signal | null;
  stdout: string;
  stderr: string;
}

/** How a process is started. */
export interface StartOptions {
  args?: string[];
  stdin?: Uint8Array | string;
  env?: Record<string, string>;
  cwd?: string;
}

/** Runs a program to its end. */
export async function run(command: string, options: StartOptions = {}): Promise<Finished> {
  const { args = [], stdin, ...rest } = options;
  const child = new Deno.Command(command, {
    args,
    ...rest,
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  if (stdin !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin);
    await writer.close();
  }
  const { code, signal, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, signal, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** What a Deno program of ours may do: FFI and nothing else. */
export const FFI_ONLY: readonly string[] = ["--allow-ffi", "--no-prompt", "--quiet"];

/** The arguments that run TypeScript given as text; `@postbox/postbox` is this checkout. */
export function evalArgs(code: string, permissions: readonly string[] = FFI_ONLY): string[] {
  return ["run", ...permissions, "--config", `${ROOT}deno.json`, programUrl(code)];
}

function programUrl(code: string): string {
  const here = code.replaceAll('"@postbox/postbox"', JSON.stringify(`file://${ROOT}mod.ts`));
  return `data:application/typescript,${encodeURIComponent(here)}`;
}

/** Runs TypeScript given as text in a Deno of its own. */
export function runDeno(
  code: string,
  { permissions = FFI_ONLY, ...options }: StartOptions & { permissions?: readonly string[] } = {},
): Promise<Finished> {
  return run(Deno.execPath(), {
    ...options,
    args: [...evalArgs(code, permissions), ...(options.args ?? [])],
  });
}

/** Kills a process that may have ended already. */
export function killIfRunning(process: Deno.ChildProcess): void {
  try {
    process.kill("SIGKILL");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // it has ended already
  }
}

/** A running process whose lines can be waited for. It is killed at the end of the scope. */
export class Child implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #stderr: Promise<string>;
  #rest = "";

  /** Starts it; its standard input stays open until the end. */
  constructor(command: string, args: string[], env: Record<string, string> = {}) {
    this.#process = new Deno.Command(command, {
      args,
      env,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#lines = this.#process.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#stderr = new Response(this.#process.stderr).text();
  }

  /** Starts TypeScript given as text in a Deno of its own. */
  static deno(code: string, ...args: string[]): Child {
    return new Child(Deno.execPath(), [...evalArgs(code), ...args]);
  }

  get pid(): number {
    return this.#process.pid;
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
      const { value, done } = await this.#lines.read();
      if (done) throw new Error(`the child ended: ${await this.#stderr}`);
      this.#rest += value;
    }
  }

  /** Writes to its standard input. */
  async write(text: string): Promise<void> {
    const writer = this.#process.stdin.getWriter();
    await writer.write(new TextEncoder().encode(text));
    writer.releaseLock();
  }

  kill(signal: Deno.Signal = "SIGKILL"): void {
    this.#process.kill(signal);
  }

  /** Waits for its end; what it still printed is in the result. */
  async finished(): Promise<Finished> {
    let stdout = this.#rest;
    for (;;) {
      const { value, done } = await this.#lines.read();
      if (done) break;
      stdout += value;
    }
    const { code, signal } = await this.#process.status;
    return { code, signal, stdout, stderr: await this.#stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    killIfRunning(this.#process);
    await this.finished();
    await this.#process.stdin.close().catch((error) => {
      if (!(error instanceof Error)) throw error; // nobody reads any more
    });
  }
}

/** Compiles a C file next to the tests into a folder that is removed at the end of the scope. */
export async function compileC(
  source: string | URL,
  flags: string[] = [],
): Promise<Disposable & { path: string }> {
  const directory = await Deno.makeTempDir({ prefix: "postbox-c-" });
  const path = `${directory}/program`;
  const file = source instanceof URL ? source.pathname : `${directory}/program.c`;
  if (!(source instanceof URL)) await Deno.writeTextFile(file, source);
  const args = ["-O2", "-Wall", "-Wextra", "-Werror", "-o", path, file, "-lrt", ...flags];
  const { code, stderr } = await run("cc", { args });
  const program = {
    path,
    [Symbol.dispose]: () => Deno.removeSync(directory, { recursive: true }),
  };
  if (code === 0) return program;
  program[Symbol.dispose]();
  throw new Error(`cc ${args.join(" ")} failed:\n${stderr}`);
}
