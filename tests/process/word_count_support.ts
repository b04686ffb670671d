/** For the tests of examples/word_count: a plain count, generated input, the command as a process. */

import { Random } from "../support/random.ts";
import { type Finished, killIfRunning, ROOT } from "../support/process.ts";
import { within } from "../support/until.ts";

/** What `deno task demo` may do. */
const PERMISSIONS = ["--allow-ffi", "--allow-run", "--allow-read", "--allow-env", "--no-prompt"];

/** Counts words byte by byte, the naive way; words are strings with one character a byte. */
export function naiveCount(...files: Uint8Array[]): Map<string, number> {
  const words = new Map<string, number>();
  for (const bytes of files) {
    let word = "";
    for (let at = 0; at <= bytes.length; at++) {
      const character = String.fromCharCode(bytes[at] ?? 32);
      if (/[A-Za-z0-9_\x80-\xff]/.test(character)) {
        word += /[A-Z]/.test(character) ? character.toLowerCase() : character;
        continue;
      }
      if (word !== "" && word.length <= 65535) words.set(word, (words.get(word) ?? 0) + 1);
      word = "";
    }
  }
  return words;
}

/** Entries in one order, to compare maps. */
export function sorted(words: Map<string, number>): [string, number][] {
  return [...words].sort(([a], [b]) => a < b ? -1 : 1);
}

/** Text with frequent and rare words, upper case, CRLF, UTF-8 and bytes that are none. */
export function generateText(
  byteLength: number,
  { seed, vocabulary: words = 3000 }: { seed: number; vocabulary?: number },
): Uint8Array<ArrayBuffer> {
  const random = new Random(seed);
  const encoder = new TextEncoder();
  const letters = [..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"];
  const vocabulary = Array.from({ length: words }, () => {
    const word = Array.from({ length: 1 + random.below(9) }, () => random.pick(letters)).join("");
    const bytes = [...encoder.encode(word + random.pick(["", "", "", "ä", "語"]))];
    if (random.oneIn(50)) bytes.push(0xff, 0xc0); // no UTF-8
    return bytes;
  });
  const separators = [" ", " ", " ", "\r\n", "\n", ", ", "\0", "("]
    .map((text) => [...encoder.encode(text)]);
  const text = new Uint8Array(byteLength).fill(32);
  for (let at = 0; at < byteLength;) {
    // The product makes small ranks frequent.
    const rank = Math.floor(random.below(words) * random.below(1000) / 1000);
    for (const bytes of [vocabulary[rank]!, random.pick(separators)]) {
      if (at + bytes.length > byteLength) return text;
      text.set(bytes, at);
      at += bytes.length;
    }
  }
  return text;
}

/** A folder with files, which is removed at the end of the scope. */
export async function folderWith(
  files: Record<string, Uint8Array | string>,
): Promise<AsyncDisposable & { path: string; pathOf: (name: string) => string }> {
  const path = await Deno.makeTempDir({ prefix: "postbox-words-" });
  for (const [name, content] of Object.entries(files)) {
    const file = `${path}/${name}`;
    await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    await Deno.writeFile(
      file,
      typeof content === "string" ? new TextEncoder().encode(content) : content,
    );
  }
  return {
    path,
    pathOf: (name) => `${path}/${name}`,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** The command that runs the demo, with the permissions of the task and no others. */
export function demoCommand(...args: string[]): { command: string; args: string[] } {
  const script = `${ROOT}examples/word_count/main.ts`;
  return { command: Deno.execPath(), args: ["run", ...PERMISSIONS, "--quiet", script, ...args] };
}

/** A running demo with `--verbose`, whose lines on stderr are waited for. */
export class Demo implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #stderr: ReadableStreamDefaultReader<string>;
  readonly #stdout: Promise<string>;
  #stderrText = "";

  constructor(...args: string[]) {
    const { command, args: all } = demoCommand("--verbose", ...args);
    this.#process = new Deno.Command(command, {
      args: all,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#stderr = this.#process.stderr.pipeThrough(new TextDecoderStream()).getReader();
    this.#stdout = new Response(this.#process.stdout).text();
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Waits until stderr has a match; of several, the first. */
  async says(pattern: RegExp): Promise<RegExpMatchArray> {
    for (;;) {
      const match = this.#stderrText.match(pattern);
      if (match !== null) return match;
      const { value, done } = await within(`${pattern}`, this.#stderr.read());
      if (done) throw new Error(`it ended without ${pattern}:\n${this.#stderrText}`);
      this.#stderrText += value;
    }
  }

  /** The process of a worker. */
  async workerPid(worker: number): Promise<number> {
    return Number((await this.says(new RegExp(`worker ${worker} is process (\\d+)\n`)))[1]);
  }

  /** Waits until at least so many pieces are counted. */
  async counted(pieces: number): Promise<void> {
    for (;;) {
      const counts = [...this.#stderrText.matchAll(/(\d+) of \d+ pieces are counted\n/g)];
      if (counts.some(([, count]) => Number(count) >= pieces)) return;
      const { value, done } = await within(`${pieces} pieces`, this.#stderr.read());
      if (done) throw new Error(`it ended before ${pieces} pieces:\n${this.#stderrText}`);
      this.#stderrText += value;
    }
  }

  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /**
   * Waits for its end. Its workers write to the same stderr, so this is the end of them too.
   */
  async finished(): Promise<Finished> {
    for (;;) {
      const { value, done } = await within("the end", this.#stderr.read());
      if (done) break;
      this.#stderrText += value;
    }
    const { code, signal } = await this.#process.status;
    return { code, signal, stdout: await this.#stdout, stderr: this.#stderrText };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    killIfRunning(this.#process);
    await this.finished();
  }
}

/** The names that a process has queues of the demo open by, and whether the name still stands. */
export function queueNames(pid: number): { name: string; linked: boolean }[] {
  const names: { name: string; linked: boolean }[] = [];
  for (const { name: fd } of Deno.readDirSync(`/proc/${pid}/fd`)) {
    const target = linkOf(`/proc/${pid}/fd/${fd}`);
    const match = target?.match(/^(\/word-count-[0-9a-f-]+)( \(deleted\))?$/);
    if (match) names.push({ name: match[1]!, linked: match[2] === undefined });
  }
  return names;
}

function linkOf(path: string): string | undefined {
  try {
    return Deno.readLinkSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined; // just closed
    throw error;
  }
}

/** Whether a process is there; a zombie has ended. */
export function isRunning(pid: number): boolean {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return stat.slice(stat.lastIndexOf(")") + 2)[0] !== "Z";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    if (error instanceof Error && error.message.includes("os error 3")) return false; // just now
    throw error;
  }
}
