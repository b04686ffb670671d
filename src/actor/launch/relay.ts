/**
 * Passes on what one child prints, line by line.
 *
 * Rule: while the child lives, it is read as fast as our own output takes it, so a child that prints
 * without end waits for who reads. Once it has ended, what it left in the pipe is taken at once.
 */

import type { OutputReader } from "../../life/inside.ts";
import { LabelledLines } from "./labelled_lines.ts";
import { type StandardStream, writeTo } from "./standard_streams.ts";

/** How much of the end of the output is kept, in characters: a runtime's last words. */
const LAST_WORDS = 16 * 1024;

/**
 * How long nothing may come after the child's end, and how long it may take altogether, in
 * milliseconds. Whoever the child started may have its output still, and print for ever.
 */
const QUIET_MS = 200, AFTER_END_MS = 1000;

/** One stream of one child. */
export class Relay {
  readonly #from: OutputReader;
  readonly #to: StandardStream;
  readonly #lines: LabelledLines;
  readonly #done: Promise<void>;
  #lastWords = "";
  #chunks = 0;
  /** Ends the wait for our own output. */
  #hurry: () => void = () => {};
  readonly #childEnded: Promise<void> = new Promise((resolve) => this.#hurry = resolve);

  /** Begins. */
  constructor(from: OutputReader, to: StandardStream, label: string) {
    this.#from = from;
    this.#to = to;
    this.#lines = new LabelledLines(label);
    this.#done = this.#run();
  }

  /** The end of what came so far, as Latin-1. */
  get lastWords(): string {
    return this.#lastWords;
  }

  /** Call it when the child has ended: resolves when all that it printed is passed on. */
  async finish(): Promise<void> {
    this.#hurry();
    let seen = -1;
    const deadline = performance.now() + AFTER_END_MS;
    // LINUX: what was in the pipe when the child ended can be read without waiting: a while in which
    // nothing came says that there is nothing, and that somebody else has it open.
    while (seen !== this.#chunks && performance.now() < deadline) {
      seen = this.#chunks;
      if (await this.#isDoneWithin(QUIET_MS)) return;
    }
    this.#from.stop();
    await this.#done;
  }

  async #run(): Promise<void> {
    for (;;) {
      const chunk = await this.#from.read();
      if (chunk === undefined) break;
      this.#chunks++;
      this.#lastWords = (this.#lastWords + latin1(chunk)).slice(-LAST_WORDS);
      const lines = this.#lines.push(chunk);
      if (lines.byteLength > 0) await Promise.race([writeTo(this.#to, lines), this.#childEnded]);
    }
    const rest = this.#lines.end();
    if (rest.byteLength > 0) writeTo(this.#to, rest);
  }

  async #isDoneWithin(ms: number): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<boolean>((resolve) => timer = setTimeout(resolve, ms, false));
    try {
      return await Promise.race([this.#done.then(() => true), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Byte by byte, so that a character that is cut off does no harm; what is looked for is ASCII. */
function latin1(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}
