/**
 * One robust `pthread_mutex_t` in shared memory, as this thread uses it.
 *
 * Rule: before each call that C waits or decides in, the word that says what kind of mutex it is
 * must be ours. With another kind C would follow other rules: wait for ever, or end the process.
 */

import { LayoutError, PosixError } from "../errors.ts";
import {
  type Hint,
  mutexKind,
  type MutexState,
  pageBytes,
  pthreadMutexConsistent,
  pthreadMutexInit,
  pthreadMutexTimedlock,
  pthreadMutexTrylock,
  pthreadMutexUnlock,
  sys,
  type Word,
} from "../sys/mod.ts";
import { blockInSlices } from "../wait/mod.ts";
import { LOCK_ALIGN_BYTES } from "./lock_layout.ts";
import { hex } from "./lock_memory.ts";
import { checkStillShared, type LockPage, lockPage } from "./lock_pages.ts";

/** How much room the C libraries are given for a `pthread_mutex_t`; they take 40 or 48 bytes. */
export const ROBUST_MUTEX_BYTES = LOCK_ALIGN_BYTES;

/** A robust mutex; who made it, and who locks it, may be C. */
export class RobustMutex {
  /** The same bytes, for JavaScript; holds on to the buffer, and with it to the page. */
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #page: LockPage;
  readonly #address: bigint;
  /** The same, as the runtime likes it best. */
  readonly #place: Word;
  readonly #name: string;

  /** @throws {TypeError} If the memory is no object of the kernel's that processes share. */
  constructor(buffer: SharedArrayBuffer, byteOffset: number, name: string) {
    this.#words = new Int32Array(buffer, byteOffset, ROBUST_MUTEX_BYTES / 4);
    this.#page = lockPage(buffer, byteOffset, name);
    this.#address = this.#page.address + BigInt(byteOffset % pageBytes());
    this.#place = sys().word(this.#address);
    this.#name = name;
  }

  /** Makes zeros a mutex. */
  format(): void {
    const { buffer, byteOffset } = this.#words;
    checkStillShared(buffer, byteOffset, this.#name);
    pthreadMutexInit(this.#address, this.#name);
  }

  /** @throws {LayoutError} If it is no mutex of ours. */
  validate(): void {
    const { index, value } = mutexKind();
    const found = Atomics.load(this.#words, index);
    if (found === value) return;
    throw new LayoutError({
      action: "use the pthread_mutex_t of",
      target: this.#name,
      found: `the kind ${hex(found)}`,
      expected: hex(value),
    });
  }

  /** Locks it unless somebody has it, this thread included; `undefined` then. */
  tryLock(): MutexState | undefined {
    this.validate();
    const state = pthreadMutexTrylock(this.#place, this.#name, lockHint);
    if (state !== undefined) this.#page.take(this.#words.buffer);
    return state;
  }

  /**
   * Blocks this thread until it has it, or until the deadline: `undefined` then.
   *
   * @param deadline On the clock of `performance.now()`.
   * @throws {PosixError} `EDEADLK` when this thread has it.
   */
  lockSync(deadline: number): MutexState | undefined {
    return blockInSlices(() => this.tryLock(), (ms) => this.#lockFor(ms), deadline);
  }

  /** As {@linkcode RobustMutex.tryLock}, for one that guards no data: a dead owner left none. */
  tryTake(): boolean {
    return this.#accept(this.tryLock());
  }

  /** As {@linkcode RobustMutex.lockSync}, for one that guards no data. */
  takeSync(deadline: number): boolean {
    return this.#accept(this.lockSync(deadline));
  }

  #accept(state: MutexState | undefined): boolean {
    if (state === "ownerDied") this.markConsistent();
    return state !== undefined;
  }

  /** Whether this thread has it. */
  isOwn(): boolean {
    try {
      if (this.#accept(this.#lockFor(0))) this.unlock();
      return false;
    } catch (error) {
      if (error instanceof PosixError && error.code === "EDEADLK") return true;
      throw error;
    }
  }

  #lockFor(timeoutMs: number): MutexState | undefined {
    this.validate();
    const state = pthreadMutexTimedlock(this.#place, timeoutMs, this.#name, lockHint);
    if (state !== undefined) this.#page.take(this.#words.buffer);
    return state;
  }

  /** Says that what its dead owner left is in order again. */
  markConsistent(): void {
    pthreadMutexConsistent(this.#place, this.#name);
  }

  /** Unlocks it, on the thread that locked it. */
  unlock(): void {
    pthreadMutexUnlock(this.#place, this.#name, lockHint);
    this.#page.giveBack();
  }
}

/** The way out of a refusal. */
const lockHint: Hint = (code) => HINTS[code];

const HINTS: Readonly<Record<string, string>> = {
  EDEADLK: "this thread has it: unlock the guard first, or await it, which lets others of this " +
    "thread finish",
  ENOTRECOVERABLE: "its owner died, and the next one unlocked it without markConsistent(), by " +
    "which POSIX gives it up for good: repair what it guards, and make it anew in zeroed memory",
  EPERM: "only the thread that locked it can unlock it",
};
