/** Barrier: a place in shared memory where a number of parties wait for each other. */

import { LayoutError } from "../errors.ts";
import { checkMaking, wholeNumber } from "../sys/mod.ts";
import { BARRIER, GENERATION_SHIFT, MAX_PARTIES, PARTIES, PROGRESS } from "./barrier_layout.ts";
import { LockHandle } from "./handle.ts";
import { attachLock, formatLock, type FormattedLock, type LockKind } from "./lock_memory.ts";
import {
  type LockMemoryOptions,
  type LockOptions,
  type LockSyncOptions,
  MAKING,
  readName,
  readWait,
} from "./options.ts";

const KIND: LockKind = { layout: BARRIER };

/** How {@linkcode Barrier.format} makes a barrier. */
export interface FormatBarrierOptions extends LockMemoryOptions {
  /** How many wait for each other, 1 to 65535. */
  parties: number;
}

/**
 * A place in shared memory where a number of parties wait until all of them have come. Then all go
 * on, one of them told that it is the one, and the barrier is there for the next time.
 *
 * A party is whoever calls {@linkcode Barrier.wait} or {@linkcode Barrier.waitSync}: a task, a
 * thread, a process. One that gives up, by its deadline or its signal, takes its arrival back. One
 * that dies after it came stays counted: the others go on without it, once.
 *
 * @example Two parties
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { SharedMemory } from "@postbox/postbox";
 * import { Barrier, BARRIER_BYTES } from "@postbox/postbox/sync";
 *
 * using memory = SharedMemory.anonymous({ byteLength: BARRIER_BYTES });
 * using barrier = Barrier.format(memory.bytes, { parties: 2 });
 * const told = await Promise.all([barrier.wait(), barrier.wait()]);
 * assertEquals(told.sort(), [false, true]); // one of them is the one
 * ```
 *
 * @see pthread_barrier_wait(3p)
 */
export class Barrier implements Disposable {
  /** What errors call it. */
  readonly name: string;
  /** How many wait for each other. */
  readonly parties: number;
  readonly #progress: BigUint64Array;
  readonly #handle: LockHandle;

  private constructor(making: typeof MAKING, lock: FormattedLock) {
    checkMaking(making, MAKING, "a Barrier", "Barrier.format or Barrier.attach");
    const { name, words, buffer, byteOffset } = lock;
    this.name = name;
    this.#progress = new BigUint64Array(buffer, byteOffset, PROGRESS + 1);
    this.#handle = new LockHandle("barrier", lock);
    this.parties = Atomics.load(words, PARTIES);
    if (this.parties < 1 || this.parties > MAX_PARTIES) {
      throw this.#layoutError(`${this.parties} parties`, `1 to ${MAX_PARTIES}`);
    }
  }

  /**
   * Makes zeroed memory a barrier. Once: the others attach.
   *
   * @param memory {@linkcode BARRIER_BYTES} at least, at a multiple of 64.
   * @throws {LayoutError} If there is something else than zeros.
   * @throws {TypeError} If it is no shared memory, or a read-only handle's.
   * @throws {RangeError} If it is too short, or begins at the wrong place, or for the number of
   * parties.
   */
  static format(memory: Uint8Array<SharedArrayBuffer>, options: FormatBarrierOptions): Barrier {
    const name = readName(options);
    const parties = wholeNumber(options.parties, { name: "parties", min: 1, max: MAX_PARTIES });
    const lock = formatLock(memory, KIND, name, ({ words }) => {
      Atomics.store(words, PARTIES, parties);
    });
    return new Barrier(MAKING, lock);
  }

  /**
   * Uses a barrier that somebody made.
   *
   * @param memory As for {@linkcode Barrier.format}.
   * @throws {LayoutError} If there is none.
   * @throws {TypeError} If it is no shared memory, or a read-only handle's.
   * @throws {RangeError} If it is too short, or begins at the wrong place.
   */
  static attach(memory: Uint8Array<SharedArrayBuffer>, options: LockMemoryOptions = {}): Barrier {
    return new Barrier(MAKING, attachLock(memory, KIND, readName(options)));
  }

  /**
   * Arrives, and blocks this thread until all parties have.
   *
   * @returns `true` for exactly one of the parties, `false` for the others; `undefined` at the
   * deadline: the arrival is taken back.
   * @throws {PosixError} `EINTR` on a signal that the program listens for; it is taken back, too.
   * @throws {LayoutError} If the memory was closed or overwritten.
   */
  waitSync(options: LockSyncOptions = {}): boolean | undefined {
    const { timeoutMs } = readWait(options);
    this.#handle.checkOpen();
    const generation = this.#arrive();
    if (generation === undefined) return true;
    try {
      if (this.#handle.events.waitSync(() => this.#isOver(generation), timeoutMs)) return false;
    } catch (error) {
      if (this.#takeBack(generation)) throw error;
      return false;
    }
    return this.#takeBack(generation) ? undefined : false;
  }

  /**
   * Arrives, and waits in the event loop until all parties have.
   *
   * @returns `true` for exactly one of the parties, `false` for the others. Rejects with a
   * `TimeoutError` or the signal's reason; the arrival is taken back then.
   */
  async wait(options: LockOptions = {}): Promise<boolean> {
    const wait = readWait(options);
    this.#handle.checkOpen();
    wait.signal?.throwIfAborted();
    const generation = this.#arrive();
    if (generation === undefined) return true;
    try {
      await this.#handle.events.wait(() => this.#isOver(generation), wait);
    } catch (error) {
      if (this.#takeBack(generation)) throw error;
    }
    return false;
  }

  /**
   * Forgets the barrier: who awaits it through this handle gets a {@linkcode ClosedError}, and has
   * not arrived. Closing twice does nothing.
   */
  close(): void {
    this.#handle.close();
  }

  /** The same as {@linkcode Barrier.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * Counts one that came.
   *
   * @returns The generation to wait for the end of; `undefined` for the last one, which ends it.
   */
  #arrive(): bigint | undefined {
    for (;;) {
      const before = Atomics.load(this.#progress, PROGRESS);
      const arrived = arrivedOf(before) + 1;
      if (arrived > this.parties) {
        throw this.#layoutError(`${arrived - 1} that have arrived`, `less than ${this.parties}`);
      }
      const isLast = arrived === this.parties;
      // Count and generation in one word: whoever dies has arrived, and ended it, or has not.
      const after = isLast ? generationOf(before) + 1n << GENERATION_SHIFT : before + 1n;
      if (Atomics.compareExchange(this.#progress, PROGRESS, before, after) !== before) continue;
      if (!isLast) return generationOf(before);
      this.#handle.notify();
      return undefined;
    }
  }

  #isOver(generation: bigint): true | undefined {
    return generationOf(Atomics.load(this.#progress, PROGRESS)) !== generation || undefined;
  }

  /** Takes an arrival back; false when it is too late for that: the parties were let go. */
  #takeBack(generation: bigint): boolean {
    for (;;) {
      const before = Atomics.load(this.#progress, PROGRESS);
      if (generationOf(before) !== generation) return false;
      if (arrivedOf(before) === 0) throw this.#layoutError("nobody that has arrived", "1 or more");
      const after = before - 1n;
      if (Atomics.compareExchange(this.#progress, PROGRESS, before, after) === before) return true;
    }
  }

  #layoutError(found: string, expected: string): LayoutError {
    return new LayoutError({ action: "use barrier", target: this.name, found, expected });
  }
}

function arrivedOf(progress: bigint): number {
  return Number(BigInt.asUintN(Number(GENERATION_SHIFT), progress));
}

function generationOf(progress: bigint): bigint {
  return progress >> GENERATION_SHIFT;
}
