/**
 * The mailbox of an actor without a kernel queue of its own: frames in this thread's memory.
 *
 * Rule: it outlives the incarnations of its actor. Senders of this thread are bounded by its
 * capacity; what comes from other threads is bounded by their credit, and always taken in.
 */

import { onAbort } from "../../wait/mod.ts";
import { MailboxFull } from "../errors.ts";
import { MailboxBuffer } from "../flow/mailbox_buffer.ts";
import type { Flow } from "./post.ts";
import type { Source } from "./source.ts";

/** A frame and its priority. */
export interface Letter {
  readonly bytes: Uint8Array;
  readonly priority: number;
}

/** One that waits for room. */
interface WaitingSender {
  readonly letter: Letter;
  admit(): void;
}

/** One that waits for a frame. */
interface WaitingTaker {
  give(bytes: Uint8Array | undefined): void;
}

/** The buffer between senders and the cells that take from it: one, or those of a pool. */
export class LocalMailbox implements Source {
  readonly #buffer: MailboxBuffer<Letter>;
  readonly #senders = new Set<WaitingSender>();
  readonly #takers = new Set<WaitingTaker>();
  #priority = 0;

  constructor(capacity: number) {
    this.#buffer = new MailboxBuffer(capacity);
  }

  /** How many frames fit; those that are in stay, if they are more. */
  get capacity(): number {
    return this.#buffer.capacity;
  }

  set capacity(capacity: number) {
    this.#buffer.capacity = capacity;
  }

  /** How many frames wait. */
  get depth(): number {
    return this.#buffer.length;
  }

  get priority(): number {
    return this.#priority;
  }

  /** Takes in what came from another thread, or comes back from a cell that ended. */
  accept(letter: Letter): void {
    if (this.#giveToTaker(letter)) return;
    this.#buffer.admit(letter, letter.priority);
  }

  giveBack(bytes: Uint8Array, priority: number): void {
    const letter = { bytes, priority };
    if (!this.#giveToTaker(letter)) this.#buffer.unshift(letter, priority);
  }

  /**
   * A message of a sender in this thread.
   *
   * @returns Whether it is in: what was dropped for it, or it, when one was dropped.
   * @throws {MailboxFull} If there is no room, and `onFull` is "fail".
   */
  put(
    letter: Letter,
    { onFull, timeoutMs, signal }: Flow,
    label: string,
    dropped: (letter: Letter) => void,
    after: (ms: number, run: () => void) => () => void,
  ): boolean | Promise<boolean> {
    if (this.#giveToTaker(letter)) return true;
    const { priority } = letter;
    if (onFull === "drop-old") {
      const old = this.#buffer.pushDroppingOld(letter, priority);
      if (old !== undefined && old !== letter) dropped(old);
      return old !== letter;
    }
    if (this.#senders.size === 0 && this.#buffer.push(letter, priority)) return true;
    switch (onFull) {
      case "drop-new":
        return false;
      case "fail":
        throw new MailboxFull(label, this.depth, this.capacity);
      case "wait":
        return new Promise((resolve, reject) => {
          const end = (settle: () => void) => {
            this.#senders.delete(sender);
            cancel?.();
            stopListening?.();
            settle();
          };
          const sender = { letter, admit: () => end(() => resolve(true)) };
          const cancel = timeoutMs === undefined
            ? undefined
            : after(timeoutMs, () =>
              end(() =>
                reject(
                  new DOMException(
                    `Mailbox "${label}" had no room within ${timeoutMs} ms`,
                    "TimeoutError",
                  ),
                )
              ));
          const stopListening = signal && onAbort(signal, () => end(() => reject(signal.reason)));
          this.#senders.add(sender);
        });
    }
  }

  tryNext(): Uint8Array | undefined {
    const letter = this.#buffer.shift();
    if (letter === undefined) return undefined;
    this.#priority = letter.priority;
    for (const sender of this.#senders) {
      if (!this.#buffer.push(sender.letter, sender.letter.priority)) break;
      sender.admit();
    }
    return letter.bytes;
  }

  next(signal: AbortSignal): Promise<Uint8Array | undefined> {
    if (signal.aborted) return Promise.resolve(undefined);
    const found = this.tryNext();
    if (found !== undefined) return Promise.resolve(found);
    return new Promise((resolve) => {
      const give = (bytes: Uint8Array | undefined) => {
        this.#takers.delete(taker);
        signal.removeEventListener("abort", abort);
        resolve(bytes);
      };
      const abort = () => give(undefined);
      const taker = { give };
      signal.addEventListener("abort", abort);
      this.#takers.add(taker);
    });
  }

  /** Takes out all that waits, for the dead letters. */
  drain(): Letter[] {
    const letters: Letter[] = [];
    for (let letter; (letter = this.#buffer.shift()) !== undefined;) letters.push(letter);
    for (const sender of [...this.#senders]) {
      letters.push(sender.letter);
      sender.admit();
    }
    return letters;
  }

  #giveToTaker(letter: Letter): boolean {
    for (const taker of this.#takers) {
      this.#priority = letter.priority;
      taker.give(letter.bytes);
      return true;
    }
    return false;
  }
}
