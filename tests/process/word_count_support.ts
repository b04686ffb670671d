/** For the tests of examples/word_count: a plain count, generated input, the command as a process. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { dirname } from "node:path";
import { text } from "node:stream/consumers";
import { Random } from "../support/random.ts";
import { type Finished, killIfRunning, type Signal, temporaryFolder } from "../support/process.ts";
import { execPath, fileArgs, siblingUrl } from "../support/runtime.ts";
import { within } from "../support/until.ts";

/** What `deno task demo` may do. */
const PERMISSIONS = [
  ...["--allow-ffi", "--allow-run", "--allow-read", "--allow-env", "--allow-write=/tmp"],
  ...["--no-prompt", "--quiet"],
];

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
export function folderWith(
  files: Record<string, Uint8Array | string>,
): Disposable & { path: string; pathOf: (name: string) => string } {
  const folder = temporaryFolder(), { path } = folder;
  for (const [name, content] of Object.entries(files)) {
    const file = `${path}/${name}`;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  return { ...folder, pathOf: (name) => `${path}/${name}` };
}

/** The command that runs the demo, with the permissions of the task and no others. */
export function demoCommand(...args: string[]): { command: string; args: string[] } {
  const script = siblingUrl("../../examples/word_count/main.ts", import.meta.url);
  return {
    command: execPath(),
    args: [...fileArgs(script, { permissions: PERMISSIONS }), ...args],
  };
}

/** A running demo with `--verbose`, whose lines on stderr are waited for. */
export class Demo implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #stderr: AsyncIterator<string>;
  readonly #stdout: Promise<string>;
  readonly #ended: Promise<unknown[]>;
  #stderrText = "";

  constructor(...args: string[]) {
    const { command, args: all } = demoCommand("--verbose", ...args);
    this.#process = spawn(command, all, { stdio: ["ignore", "pipe", "pipe"] });
    this.#ended = once(this.#process, "close");
    const { stdout, stderr } = this.#process;
    this.#stderr = stderr!.setEncoding("utf8")[Symbol.asyncIterator]();
    this.#stdout = text(stdout!);
  }

  get pid(): number {
    return this.#process.pid!;
  }

  /** Waits until stderr has a match; of several, the first. */
  async says(pattern: RegExp): Promise<RegExpMatchArray> {
    for (;;) {
      const match = this.#stderrText.match(pattern);
      if (match !== null) return match;
      const { value, done } = await within(`${pattern}`, this.#stderr.next());
      if (done) throw new Error(`it ended without ${pattern}:\n${this.#stderrText}`);
      this.#stderrText += value;
    }
  }

  /** The process that a counter was first. */
  async pidOf(counter: string): Promise<number> {
    return Number((await this.says(new RegExp(`${counter} is process (\\d+)\n`)))[1]);
  }

  /** Waits until at least so many pieces are counted. */
  async counted(pieces: number): Promise<void> {
    for (;;) {
      const counts = [...this.#stderrText.matchAll(/(\d+) of \d+ pieces are counted\n/g)];
      if (counts.some(([, count]) => Number(count) >= pieces)) return;
      const { value, done } = await within(`${pieces} pieces`, this.#stderr.next());
      if (done) throw new Error(`it ended before ${pieces} pieces:\n${this.#stderrText}`);
      this.#stderrText += value;
    }
  }

  kill(signal: Signal): void {
    killIfRunning(this.#process, signal);
  }

  /**
   * Waits for its end. Its C program writes to the same stderr, so this is the end of that too.
   */
  async finished(): Promise<Finished> {
    for (;;) {
      const { value, done } = await within("the end", this.#stderr.next());
      if (done) break;
      this.#stderrText += value;
    }
    const [code, signal] = await this.#ended as [number | null, Signal | null];
    return {
      code: code ?? 128 + constants.signals[signal!],
      signal,
      stdout: await this.#stdout,
      stderr: this.#stderrText,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    killIfRunning(this.#process);
    await this.finished();
  }
}

/** Whether a process is there; a zombie has ended. */
export function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2)[0] !== "Z";
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH") return false; // ESRCH: just now
    throw error;
  }
}
