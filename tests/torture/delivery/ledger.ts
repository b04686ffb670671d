/**
 * What the torture of deliveries knows when its processes are dead: who sent what, and what became
 * of it, in shared memory.
 *
 * ```text
 * words    of all | of each life of a sender            flags    of each life, of each message
 *          +------+------------------------------+      +---------------------------------+
 *          |      | from, epoch, newest by class |      | promised, dead, times handled   |
 *          +------+------------------------------+      +---------------------------------+
 * ```
 *
 * A life is one start of a sender. Its messages are known by their sequence, which is in `turn.id`:
 * so those of no bytes are known as well.
 *
 * Rule: each fact is one atomic operation, by whoever knows it first.
 */

import process from "node:process";
import { SharedMemory } from "../../../mod.ts";

/** Who can be killed. */
export const ROLES = ["sender 1", "sender 2", "receiver", "supervisor"] as const;
/** One of {@linkcode ROLES}. */
export type Role = (typeof ROLES)[number];

/** Messages of one class are handled in their order. */
export const CLASSES = [
  { priority: 1, maxBytes: 200 },
  { priority: 5, maxBytes: 200 },
  // Around what a queue takes, and far more: these go through the slab.
  { priority: 9, maxBytes: 100_000 },
  { priority: 3, maxBytes: 0 },
] as const;

/** The class whose messages have no bytes. */
export const EMPTY = 3;

/** So many messages has a life at most; then it waits for its end. */
export const MAX_SEQUENCE = 8192;

/** Words of all. */
const STOP = 0, LIVES = 1, HANDLED = 2, DUPLICATES = 3, UNEXPLAINED = 4, REORDERED = 5, TORN = 6;
/** Words of each role: its process, and whether it has done all that it had to do. */
const PIDS = 8, IDLE = PIDS + ROLES.length, LIFE = 16;
/** Words of a life. */
const FROM = 0, EPOCH = 1, NEWEST = 2, LIFE_WORDS = NEWEST + CLASSES.length;
/** The flags of a message: how often it was handled is below them. */
const PROMISED = 0x80, DEAD = 0x40, TIMES = 0x3f;

/** What a message is known by. */
export interface MessageId {
  readonly from: number;
  readonly epoch: number;
  readonly sequence: number;
}

/** What became of all. */
export interface Sums {
  /** Messages whose sender was told that the mailbox has them. */
  promised: number;
  /** Messages that were handled, whether promised or not. */
  handled: number;
  /** Messages that were promised, and never handled, and are dead letters. */
  dead: number;
  /** Messages that were promised, and nobody has seen again. */
  lost: number;
  /** Times that a message was handled again. */
  duplicates: number;
  /** Those of them that no kill explains. */
  unexplained: number;
  /** Messages that were handled for the first time after a later one of their class. */
  reordered: number;
  /** Messages whose bytes are not those that were sent, or whose id is not. */
  torn: number;
}

/** The table, as each process has it. */
export class Ledger implements Disposable {
  readonly #memory: SharedMemory;
  readonly #words: Int32Array;
  readonly #flags: Uint8Array;
  readonly #lives: number;

  private constructor(memory: SharedMemory, lives: number) {
    this.#memory = memory;
    this.#lives = lives;
    const words = LIFE + lives * LIFE_WORDS;
    this.#words = new Int32Array(memory.buffer, 0, words);
    this.#flags = new Uint8Array(memory.buffer, words * 4, lives * MAX_SEQUENCE);
  }

  /** @param lives How many starts of senders there may be. */
  static create(name: string, lives: number): Ledger {
    const byteLength = (LIFE + lives * LIFE_WORDS) * 4 + lives * MAX_SEQUENCE;
    return new Ledger(SharedMemory.create(name, { byteLength }), lives);
  }

  static open(name: string, lives: number): Ledger {
    return new Ledger(SharedMemory.open(name), lives);
  }

  /** Whether nothing more is to be sent. */
  get isStopped(): boolean {
    return Atomics.load(this.#words, STOP) === 1;
  }

  stop(): void {
    Atomics.store(this.#words, STOP, 1);
  }

  /** How many times a message was handled. */
  get times(): number {
    return Atomics.load(this.#words, HANDLED);
  }

  /** Says that a process has begun to play a role. */
  begin(role: Role): void {
    Atomics.store(this.#words, IDLE + ROLES.indexOf(role), 0);
    Atomics.store(this.#words, PIDS + ROLES.indexOf(role), process.pid);
  }

  /** The process that plays a role; 0 while there is none. */
  pidOf(role: Role): number {
    return Atomics.load(this.#words, PIDS + ROLES.indexOf(role));
  }

  /** It was killed. */
  ended(role: Role): void {
    Atomics.store(this.#words, PIDS + ROLES.indexOf(role), 0);
  }

  /** Says that nothing is left to do for a role. */
  setIdle(role: Role): void {
    Atomics.store(this.#words, IDLE + ROLES.indexOf(role), 1);
  }

  isIdle(role: Role): boolean {
    return Atomics.load(this.#words, IDLE + ROLES.indexOf(role)) === 1;
  }

  /** A sender has begun to live. @returns Which life it is. */
  beginLife({ from, epoch }: MessageId): number {
    const life = Atomics.add(this.#words, LIVES, 1);
    if (life >= this.#lives) throw new RangeError(`There are no more than ${this.#lives} lives`);
    Atomics.store(this.#words, LIFE + life * LIFE_WORDS + EPOCH, epoch);
    Atomics.store(this.#words, LIFE + life * LIFE_WORDS + FROM, from);
    return life;
  }

  /** Which life a message is of; -1 when none says that it is its own. */
  lifeOf({ from, epoch }: MessageId): number {
    for (let life = Atomics.load(this.#words, LIVES) - 1; life >= 0; life--) {
      const at = LIFE + life * LIFE_WORDS;
      if (this.#words[at + FROM] === from && this.#words[at + EPOCH] === epoch) return life;
    }
    return -1;
  }

  /** The sender was told that the mailbox has it. */
  promised(life: number, sequence: number): void {
    Atomics.or(this.#flags, life * MAX_SEQUENCE + sequence, PROMISED);
  }

  /** It is a dead letter. */
  dead(life: number, sequence: number): void {
    Atomics.or(this.#flags, life * MAX_SEQUENCE + sequence, DEAD);
  }

  /** @param mayRepeat Whether a kill explains that it was handled before. */
  handled(life: number, sequence: number, of: number, mayRepeat: boolean): void {
    const newest = LIFE + life * LIFE_WORDS + NEWEST + of;
    const before = Atomics.add(this.#flags, life * MAX_SEQUENCE + sequence, 1);
    if ((before & TIMES) > 0) {
      Atomics.add(this.#words, DUPLICATES, 1);
      if (!mayRepeat) Atomics.add(this.#words, UNEXPLAINED, 1);
    } else if (sequence < Atomics.load(this.#words, newest)) {
      Atomics.add(this.#words, REORDERED, 1);
    } else {
      Atomics.store(this.#words, newest, sequence);
    }
    Atomics.add(this.#words, HANDLED, 1);
  }

  /** Its bytes, or its id, are not what was sent. */
  torn(): void {
    Atomics.add(this.#words, TORN, 1);
  }

  sums(): Sums {
    const sums: Sums = {
      promised: 0,
      handled: 0,
      dead: 0,
      lost: 0,
      duplicates: this.#words[DUPLICATES]!,
      unexplained: this.#words[UNEXPLAINED]!,
      reordered: this.#words[REORDERED]!,
      torn: this.#words[TORN]!,
    };
    for (const flags of this.#flags) {
      if (flags & PROMISED) sums.promised++;
      if (flags & TIMES) sums.handled++;
      else if (flags & PROMISED && flags & DEAD) sums.dead++;
      else if (flags & PROMISED) sums.lost++;
    }
    return sums;
  }

  [Symbol.dispose](): void {
    this.#memory.close();
  }
}

/** What a message is known by: the end of its `turn.id`. */
export function messageId(turnId: string): MessageId {
  const [from, epoch, sequence] = turnId.split(".").slice(-3).map(Number);
  return { from: from!, epoch: epoch!, sequence: sequence! };
}
