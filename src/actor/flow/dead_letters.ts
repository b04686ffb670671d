/**
 * What could not be delivered, to be listed, read, and sent again.
 *
 * Rule: bounded, whatever comes: the oldest letter goes first. What is counted is never forgotten.
 */

import type { Address } from "../protocol/ref.ts";
import { type Clock, realClock } from "./clock.ts";
import { Listeners } from "./listeners.ts";

/**
 * Why a message is a dead letter.
 *
 * - `invalid-frame`: the bytes are no frame.
 * - `unknown-actor`: nobody is there to take it.
 * - `unknown-kind`: its tag is none of the protocol's.
 * - `undecodable`: the payload is not what its codec writes.
 * - `invalid-payload`: the schema refuses it.
 * - `expired`: its time to live was over.
 * - `dropped`: its mailbox was full, and it, or another, was not to wait.
 * - `handler-threw`: the actor ended by it.
 * - `attempts-spent`: it was given to the actor as often as is allowed, which ended each time.
 * - `torn`: it was taken, and who had taken it was killed before all of it was there.
 * - `stopped`: the actor was stopped before it took it.
 * - `payload-lost`: it travelled by reference, and what it refers to is not there.
 * - `unanswered`: an answer that nobody waits for.
 */
export type DeadReason =
  | "invalid-frame"
  | "unknown-actor"
  | "unknown-kind"
  | "undecodable"
  | "invalid-payload"
  | "expired"
  | "dropped"
  | "handler-threw"
  | "attempts-spent"
  | "torn"
  | "stopped"
  | "payload-lost"
  | "unanswered";

/** What is known of a message that was not delivered. */
export interface LetterParts {
  /** Why it was not. */
  readonly reason: DeadReason;
  /** Whom it was for, in words. */
  readonly label: string;
  /** Whom it was for; undefined when nobody knows. */
  readonly address: Address | undefined;
  /** The kind of message; undefined when nobody knows. */
  readonly kind: string | undefined;
  /** What is the case, in words; may be empty. */
  readonly detail: string;
  /** The frame. It belongs to the letter: nobody writes to it any more. */
  readonly bytes: Uint8Array | undefined;
  /** The error behind it, if there is one. */
  readonly error: unknown;
}

/** A message that was not delivered. */
export interface DeadLetter extends LetterParts {
  /** Its number among all letters of its system. */
  readonly id: number;
  /** When it was laid down, in milliseconds since 1970. */
  readonly at: number;
}

/** How much is kept. */
export interface DeadLettersOptions {
  /** So many letters. @default {1_000} */
  readonly maxCount?: number | undefined;
  /** So many bytes: of the frames, and of the words about them. @default {4 MiB} */
  readonly maxBytes?: number | undefined;
  /** Says when a letter came. @default {the machine's} */
  readonly clock?: Clock | undefined;
}

/** Which letters are listed. */
export interface ListOptions {
  /** Those of one reason. @default {all} */
  readonly reason?: DeadReason | undefined;
  /** So many at most: the latest. @default {all} */
  readonly limit?: number | undefined;
}

/** Words about a letter may come from a peer: more of them are not kept, in characters. */
const MAX_WORDS = 1024;

/** What a letter costs beside its frame and its words, about. */
const LETTER_BYTES = 256;

/** The letters of a system. */
export class DeadLetters {
  readonly #maxCount: number;
  readonly #maxBytes: number;
  readonly #clock: Clock;
  /** By id, the oldest first. */
  readonly #letters = new Map<number, DeadLetter>();
  readonly #counts = new Map<DeadReason, number>();
  readonly #listeners = new Listeners<DeadLetter>();
  #total = 0;
  #byteLength = 0;
  #evicted = 0;

  /** Begins without any. */
  constructor({ maxCount, maxBytes, clock = realClock }: DeadLettersOptions = {}) {
    this.#maxCount = maxCount ?? 1000;
    this.#maxBytes = maxBytes ?? 4 * 1024 * 1024;
    this.#clock = clock;
  }

  /** How many letters are kept now. */
  get length(): number {
    return this.#letters.size;
  }

  /** How many bytes they take, about. */
  get byteLength(): number {
    return this.#byteLength;
  }

  /** How many there ever were. */
  get total(): number {
    return this.#total;
  }

  /** How many of them had to go for newer ones. */
  get evicted(): number {
    return this.#evicted;
  }

  /** How many there ever were for a reason. */
  count(reason: DeadReason): number {
    return this.#counts.get(reason) ?? 0;
  }

  /**
   * Lays a letter down. Of a frame too large to be kept at all, only what is known about it is.
   *
   * @returns The letter. When there is no room for any, it has gone already.
   */
  add(parts: LetterParts): DeadLetter {
    const { bytes } = parts;
    const letter: DeadLetter = {
      ...parts,
      id: ++this.#total,
      at: this.#clock.now(),
      label: parts.label.slice(0, MAX_WORDS),
      kind: parts.kind?.slice(0, MAX_WORDS),
      detail: parts.detail.slice(0, MAX_WORDS),
      bytes: (bytes?.byteLength ?? 0) > this.#maxBytes ? undefined : bytes,
    };
    this.#counts.set(letter.reason, this.count(letter.reason) + 1);
    this.#letters.set(letter.id, letter);
    this.#byteLength += cost(letter);
    while (this.#letters.size > this.#maxCount || this.#byteLength > this.#maxBytes) {
      this.take(this.#letters.keys().next().value!);
      this.#evicted++;
    }
    this.#listeners.tell(letter);
    return letter;
  }

  /** The letters that are kept, the oldest first. */
  list({ reason, limit = Infinity }: ListOptions = {}): readonly DeadLetter[] {
    const letters = [...this.#letters.values()];
    const meant = reason === undefined
      ? letters
      : letters.filter((letter) => letter.reason === reason);
    return limit >= meant.length ? meant : meant.slice(meant.length - limit);
  }

  /** A letter; undefined when it is not kept. */
  read(id: number): DeadLetter | undefined {
    return this.#letters.get(id);
  }

  /** Takes a letter out, to be sent again; undefined when it is not kept. */
  take(id: number): DeadLetter | undefined {
    const letter = this.#letters.get(id);
    if (letter === undefined) return undefined;
    this.#letters.delete(id);
    this.#byteLength -= cost(letter);
    return letter;
  }

  /**
   * Calls a function for each letter that comes.
   *
   * @returns Takes it back.
   */
  onLetter(listener: (letter: DeadLetter) => void): () => void {
    return this.#listeners.add(listener);
  }
}

function cost({ label, kind, detail, bytes }: DeadLetter): number {
  const characters = label.length + (kind?.length ?? 0) + detail.length;
  return LETTER_BYTES + 2 * characters + (bytes?.byteLength ?? 0);
}
