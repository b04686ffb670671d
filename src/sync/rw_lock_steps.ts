/**
 * How readers and writers get an {@linkcode RwLock}, step by step, and why no death harms it.
 *
 * ```text
 * reader                                  writer
 * ──────────────────────────────────      ──────────────────────────────────────────────────────
 * announced? leave it to the writer,      lock the turnstile                             1
 *   unless nobody has the turnstile:      announced = 1, if it has to wait for slots     2
 *   then announced = 0                    lock slot 0, 1, … 15, keeping each             3
 * lock any slot                           was writing 1? then it is recovered            4
 * writing 1? then it is recovered         writing = 1                                    5
 * read                                    write                                          6
 * unlock the slot                         writing = 0, unless recovered and not repaired 7
 *                                         unlock the slots                               8
 *                                         announced = 0                                  9
 *                                         unlock the turnstile                          10
 * wake who waits                          wake who waits                                11
 * ```
 *
 * Who reads has a slot and who writes has all of them, and the slots are mutexes: nobody reads
 * while somebody writes, whatever the words say. The words only say who goes first, and what a dead
 * writer left.
 *
 * The kernel gives back the slots and the turnstile of whoever dies, as robust mutexes. What else a
 * death leaves:
 *
 * - A reader leaves nothing: its slot guards no data, and the next one takes it as it is.
 * - A writer killed after 1 leaves the turnstile, after 3 some slots too: taken as they are.
 * - Killed after 2, also `announced`. A reader who finds that tries the turnstile: if it gets it,
 *   no writer lives who could have meant it, and none comes meanwhile, so it clears the word. It may
 *   die there itself: then the next one finds the same.
 * - Killed after 5, also `writing`. Everybody who later has a slot reads it: no writer can be
 *   writing then, so 1 is what a dead one left. It stays until a writer has repaired and says so (7),
 *   however many come and go before; a repairing writer who dies leaves it again.
 * - Killed after 7, the data is whole and `writing` is 0: the rest is as after 3, 2 and 1.
 * - Killed before 11, nobody is woken. Blocked writers are, by their mutex; all others look again by
 *   themselves.
 *
 * No lock waits for another in a circle: a reader that waits has nothing; a writer waits for the
 * turnstile first, with nothing, and then for slots, whose owners wait for nothing of this lock.
 */

import type { RobustMutex } from "./robust_mutex.ts";
import { ANNOUNCED, READER_SLOTS, WRITING } from "./rw_lock_layout.ts";

/** The parts of a lock, as this thread uses them. */
export interface RwLockParts {
  readonly words: Int32Array;
  readonly turnstile: RobustMutex;
  readonly slots: readonly RobustMutex[];
}

/** Whether a writer waits for slots; what a dead one announced is taken back. */
export function isAnnounced({ words, turnstile }: RwLockParts): boolean {
  if (Atomics.load(words, ANNOUNCED) === 0) return false;
  if (!turnstile.tryTake()) return true;
  // SYNC: with the turnstile in hand, so it is no other writer's announcement that is taken back.
  Atomics.store(words, ANNOUNCED, 0);
  turnstile.unlock();
  return false;
}

/** Takes a free slot, the first one from a place on; `undefined` when there is none. */
export function takeSlot({ slots }: RwLockParts, from: number): number | undefined {
  for (let tried = 0; tried < READER_SLOTS; tried++) {
    const index = (from + tried) % READER_SLOTS;
    if (slots[index]!.tryTake()) return index;
  }
  return undefined;
}

/** Whether a writer died while it wrote; to be asked by who has a slot. */
export function isDamaged({ words }: RwLockParts): boolean {
  // SYNC: a writer has all slots while it changes the word, so with one in hand it stands still.
  return Atomics.load(words, WRITING) !== 0;
}

/** What a writer has taken until now, on its way to everything. */
export class WriteClaim {
  readonly #parts: RwLockParts;
  #hasTurnstile = false;
  #hasAnnounced = false;
  /** How many slots it has: the first ones. */
  #slots = 0;

  constructor(parts: RwLockParts) {
    this.#parts = parts;
  }

  /** Takes what is free; true when that is everything. */
  tryAll(): boolean {
    const { turnstile, slots } = this.#parts;
    this.#hasTurnstile ||= turnstile.tryTake();
    if (!this.#hasTurnstile) return false;
    while (this.#slots < READER_SLOTS && slots[this.#slots]!.tryTake()) this.#slots++;
    return this.#slots === READER_SLOTS;
  }

  /** Has readers hold off, if it is its turn: it has the turnstile, and waits for slots. */
  announce(): void {
    if (!this.#hasTurnstile || this.#hasAnnounced) return;
    Atomics.store(this.#parts.words, ANNOUNCED, 1);
    this.#hasAnnounced = true;
  }

  /**
   * Blocks this thread until it has everything; false at the deadline.
   *
   * @throws {PosixError} `EDEADLK` when this thread has the lock, or reads.
   */
  takeAllSync(deadline: number): boolean {
    const { turnstile, slots } = this.#parts;
    this.#hasTurnstile ||= turnstile.takeSync(deadline);
    if (!this.#hasTurnstile) return false;
    if (this.tryAll()) return true;
    this.announce();
    while (this.#slots < READER_SLOTS && slots[this.#slots]!.takeSync(deadline)) this.#slots++;
    return this.#slots === READER_SLOTS;
  }

  /** Begins to write; true when the last writer died while it wrote. */
  beginWriting(): boolean {
    // SYNC: before anything is written. A process that dies has done all that it did before.
    return Atomics.exchange(this.#parts.words, WRITING, 1) !== 0;
  }

  /** Says that what is written is whole. */
  endWriting(): void {
    // SYNC: after everything that was written; the next owner of a slot reads it.
    Atomics.store(this.#parts.words, WRITING, 0);
  }

  /** Gives back what it has, be it all or a part. */
  giveBack(): void {
    const { words, turnstile, slots } = this.#parts;
    while (this.#slots > 0) slots[--this.#slots]!.unlock();
    if (this.#hasAnnounced) Atomics.store(words, ANNOUNCED, 0);
    this.#hasAnnounced = false;
    if (this.#hasTurnstile) turnstile.unlock();
    this.#hasTurnstile = false;
  }
}
