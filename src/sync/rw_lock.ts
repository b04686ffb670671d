/** RwLock: a lock for many readers or one writer, made of robust mutexes. */

import { checkMaking, refuse } from "../sys/mod.ts";
import { deadlineOf } from "../wait/mod.ts";
import { type Holding, MutexGuard, ReadGuard } from "./guard.ts";
import { LockHandle } from "./handle.ts";
import {
  attachLock,
  formatLock,
  type FormattedLock,
  type LockKind,
  type LockPlace,
  LOOK_EVERY_MS,
} from "./lock_memory.ts";
import {
  type LockMemoryOptions,
  type LockOptions,
  type LockSyncOptions,
  MAKING,
  readName,
  readWait,
} from "./options.ts";
import { RobustMutex } from "./robust_mutex.ts";
import {
  READER_SLOTS,
  RW_LOCK,
  SLOT_BYTES,
  SLOTS_OFFSET,
  TURNSTILE_OFFSET,
} from "./rw_lock_layout.ts";
import { isAnnounced, isDamaged, type RwLockParts, takeSlot, WriteClaim } from "./rw_lock_steps.ts";
import {
  useGuard,
  useGuardSync,
  type WithLockOptions,
  type WithLockSyncOptions,
} from "./use_guard.ts";

const KIND: LockKind = { layout: RW_LOCK, lookEveryMs: LOOK_EVERY_MS };

/**
 * A lock in shared memory that up to 16 threads hold at once to read, or one to write, and that
 * survives its owners: a reader that dies blocks nobody, and if a writer dies while it writes, all
 * who come after find the lock `recovered`, until a writer has repaired what it left.
 *
 * Threads hold it, as with a {@linkcode Mutex}: all that a thread reads at once counts as one, and
 * guards work on their own thread only. A writer that waits goes before readers that come later.
 * That holds for a thread that reads already, too, where it awaits: a task that reads and awaits
 * `read()` again, while a writer waits for the first, waits for ever. (`readSync()` and `tryRead()`
 * go ahead then, for nothing else could end a blocked thread's wait.) A seventeenth thread that
 * wants to read waits until one of the others is done.
 *
 * While a thread writes, or awaits `write()`, its `readSync()` and `writeSync()` throw `EDEADLK`, and
 * so does its `writeSync()` while it reads.
 *
 * It is this library's own: POSIX has no such lock that survives its owner, and C cannot take it.
 * What is in the memory is trusted as for a {@linkcode Mutex}.
 *
 * @example Reading and writing
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { SharedMemory } from "@postbox/postbox";
 * import { RW_LOCK_BYTES, RwLock } from "@postbox/postbox/sync";
 *
 * using memory = SharedMemory.anonymous({ byteLength: RW_LOCK_BYTES + 8 });
 * using lock = RwLock.format(memory.bytes);
 * const pair = new Int32Array(memory.buffer, RW_LOCK_BYTES, 2); // always equal
 * await lock.withWrite(() => pair.fill(7), { repair: () => void pair.fill(0) });
 * assertEquals(await lock.withRead(({ recovered }) => recovered ? [] : [...pair]), [7, 7]);
 * ```
 */
export class RwLock implements Disposable {
  /** What errors call it. */
  readonly name: string;
  readonly #parts: RwLockParts;
  readonly #handle: LockHandle;
  readonly #reading: Holding;
  /** The slot that this thread reads by; one it used last is likely to be free. */
  #slot = Math.floor(Math.random() * READER_SLOTS);
  /** How many guards of this thread read by it. */
  #readers = 0;

  private constructor(making: typeof MAKING, lock: FormattedLock, parts: RwLockParts) {
    checkMaking(making, MAKING, "an RwLock", "RwLock.format or RwLock.attach");
    this.name = lock.name;
    this.#parts = parts;
    this.#handle = new LockHandle("rw lock", lock);
    this.#reading = { name: lock.name, unlock: () => this.#endReading() };
  }

  /**
   * Makes zeroed memory a lock. Once: the others attach.
   *
   * @param memory {@linkcode RW_LOCK_BYTES} at least, at a multiple of 64, of a SharedMemory.
   * @throws {LayoutError} If there is something else than zeros.
   * @throws {TypeError} If it is a read-only handle's, or no object that processes share.
   * @throws {RangeError} If it is too short, or begins at the wrong place.
   */
  static format(memory: Uint8Array<SharedArrayBuffer>, options: LockMemoryOptions = {}): RwLock {
    let parts: RwLockParts;
    const lock = formatLock(memory, KIND, readName(options), (place) => {
      parts = partsOf(place);
      for (const mutex of [parts.turnstile, ...parts.slots]) mutex.format();
    });
    return new RwLock(MAKING, lock, parts!);
  }

  /**
   * Uses a lock that somebody made.
   *
   * @param memory As for {@linkcode RwLock.format}.
   * @throws {LayoutError} If there is none, or one of another C library.
   * @throws {TypeError} If it is a read-only handle's, or no object that processes share.
   * @throws {RangeError} If it is too short, or begins at the wrong place.
   */
  static attach(memory: Uint8Array<SharedArrayBuffer>, options: LockMemoryOptions = {}): RwLock {
    const lock = attachLock(memory, KIND, readName(options));
    const parts = partsOf(lock);
    for (const mutex of [parts.turnstile, ...parts.slots]) mutex.validate();
    return new RwLock(MAKING, lock, parts);
  }

  /**
   * Locks it for reading if nobody writes or waits to write, and not too many read.
   *
   * @returns `undefined` otherwise.
   * @throws {LayoutError} If the memory was closed or overwritten.
   */
  tryRead(): ReadGuard | undefined {
    this.#handle.checkOpen();
    return this.#tryRead();
  }

  /**
   * Blocks this thread until it may read.
   *
   * @returns `undefined` at the deadline.
   * @throws {PosixError} `EDEADLK` if this thread writes, or awaits it; `EINTR` on a signal that the
   * program listens for.
   * @throws {LayoutError} If the memory was closed or overwritten.
   */
  readSync(options: LockSyncOptions = {}): ReadGuard | undefined {
    const { timeoutMs } = readWait(options);
    this.#handle.checkOpen();
    const guard = this.#tryRead();
    if (guard !== undefined) return guard;
    if (this.#parts.turnstile.isOwn()) {
      const hint = "this thread writes, or awaits it: read in its place, or await read()";
      throw refuse("EDEADLK", "pthread_mutex_timedlock", "lock", this.name, hint);
    }
    return this.#handle.events.waitSync(() => this.#tryRead(), timeoutMs);
  }

  /**
   * Waits in the event loop until this thread may read.
   *
   * @returns Rejects with a `TimeoutError` or the signal's reason, and as
   * {@linkcode RwLock.tryRead} throws.
   */
  async read(options: LockOptions = {}): Promise<ReadGuard> {
    const wait = readWait(options);
    return await this.#handle.events.wait(
      () => isAnnounced(this.#parts) ? undefined : this.#tryRead(),
      wait,
    );
  }

  /**
   * Locks it for writing if nobody has it.
   *
   * @returns `undefined` when somebody has, this thread included; for an instant also when another
   * has found that a writer died.
   * @throws {LayoutError} If the memory was closed or overwritten.
   */
  tryWrite(): MutexGuard | undefined {
    this.#handle.checkOpen();
    const claim = new WriteClaim(this.#parts);
    return this.#givingBack(claim, () => claim.tryAll() ? this.#write(claim) : undefined);
  }

  /**
   * Blocks this thread until it may write.
   *
   * Signals wait until it is over: their listeners run in the event loop, which is blocked.
   *
   * @returns `undefined` at the deadline.
   * @throws {PosixError} `EDEADLK` if this thread has the lock, or awaits to write.
   * @throws {LayoutError} If the memory was closed or overwritten.
   */
  writeSync(options: LockSyncOptions = {}): MutexGuard | undefined {
    const { timeoutMs } = readWait(options);
    const deadline = deadlineOf(timeoutMs);
    this.#handle.checkOpen();
    const claim = new WriteClaim(this.#parts);
    return this.#givingBack(
      claim,
      () => claim.takeAllSync(deadline) ? this.#write(claim) : undefined,
    );
  }

  /**
   * Waits in the event loop until this thread may write.
   *
   * @returns Rejects with a `TimeoutError` or the signal's reason, and as
   * {@linkcode RwLock.tryWrite} throws. Nothing is held then.
   */
  async write(options: LockOptions = {}): Promise<MutexGuard> {
    const wait = readWait(options);
    const claim = new WriteClaim(this.#parts);
    try {
      return await this.#handle.events.wait(() => {
        if (claim.tryAll()) return this.#write(claim);
        claim.announce();
      }, wait);
    } catch (error) {
      this.#giveBack(claim);
      throw error;
    }
  }

  /**
   * Blocks this thread until it may read, works, and unlocks, whatever the work throws.
   *
   * @param work What it returns must not be a promise: the lock is free when that is fulfilled.
   * @returns What the work returned; `undefined`, without it, at the deadline.
   * @throws As {@linkcode RwLock.readSync} does, and what the work throws.
   */
  withReadSync<T>(work: (guard: ReadGuard) => T, options: LockSyncOptions = {}): T | undefined {
    const guard = this.readSync(options);
    if (guard === undefined) return undefined;
    try {
      return work(guard);
    } finally {
      guard.unlock();
    }
  }

  /**
   * Waits until this thread may read, works, and unlocks, whatever the work throws. The lock is
   * held until what the work returns is fulfilled.
   *
   * @returns What the work returned. Rejects as {@linkcode RwLock.read} does, and with what the work
   * throws.
   */
  async withRead<T>(
    work: (guard: ReadGuard) => T | Promise<T>,
    options: LockOptions = {},
  ): Promise<T> {
    const guard = await this.read(options);
    try {
      return await work(guard);
    } finally {
      guard.unlock();
    }
  }

  /**
   * Blocks this thread until it may write, works, and unlocks, whatever the work throws.
   *
   * @param work What it returns must not be a promise: the lock is free when that is fulfilled.
   * @returns What the work returned; `undefined`, without it, at the deadline.
   * @throws As {@linkcode RwLock.writeSync} does, and what the work throws.
   */
  withWriteSync<T>(
    work: (guard: MutexGuard) => T,
    options: WithLockSyncOptions = {},
  ): T | undefined {
    const guard = this.writeSync(options);
    return guard && useGuardSync(guard, work, options.repair);
  }

  /**
   * Waits until this thread may write, works, and unlocks, whatever the work throws. The lock is
   * held until what the work returns is fulfilled.
   *
   * @returns What the work returned. Rejects as {@linkcode RwLock.write} does, and with what the
   * work throws.
   */
  async withWrite<T>(
    work: (guard: MutexGuard) => T | Promise<T>,
    options: WithLockOptions = {},
  ): Promise<T> {
    return await useGuard(await this.write(options), work, options.repair);
  }

  /**
   * Forgets the lock: who awaits it through this handle gets a {@linkcode ClosedError}. What is
   * held stays held, and its guard unlocks it as before. Closing twice does nothing.
   */
  close(): void {
    this.#handle.close();
  }

  /** The same as {@linkcode RwLock.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** A thread that reads already may read more; nothing else could end a blocked thread's wait. */
  #tryRead(): ReadGuard | undefined {
    if (this.#readers === 0) {
      const slot = isAnnounced(this.#parts) ? undefined : takeSlot(this.#parts, this.#slot);
      if (slot === undefined) return undefined;
      this.#slot = slot;
    }
    this.#readers++;
    return new ReadGuard(MAKING, this.#reading, isDamaged(this.#parts));
  }

  #endReading(): void {
    if (--this.#readers > 0) return;
    this.#parts.slots[this.#slot]!.unlock();
    this.#handle.notify();
  }

  /** Begins to write, with everything in hand. */
  #write(claim: WriteClaim): MutexGuard {
    const recovered = claim.beginWriting();
    let isWhole = !recovered;
    const holding = {
      name: this.name,
      markConsistent: () => void (isWhole = true),
      unlock: () => {
        if (isWhole) claim.endWriting();
        this.#giveBack(claim);
      },
    };
    return new MutexGuard(MAKING, holding, recovered);
  }

  /** What a step gives; without that, the claim is given back. */
  #givingBack(
    claim: WriteClaim,
    step: () => MutexGuard | undefined,
  ): MutexGuard | undefined {
    let guard: MutexGuard | undefined;
    try {
      return guard = step();
    } finally {
      if (guard === undefined) this.#giveBack(claim);
    }
  }

  #giveBack(claim: WriteClaim): void {
    claim.giveBack();
    this.#handle.notify();
  }
}

/** The parts of a lock where it is in memory. */
function partsOf({ buffer, byteOffset, words, name }: LockPlace): RwLockParts {
  const mutexAt = (offset: number) => new RobustMutex(buffer, byteOffset + offset, name);
  const slots = Array.from(
    { length: READER_SLOTS },
    (_, index) => mutexAt(SLOTS_OFFSET + index * SLOT_BYTES),
  );
  return { words, turnstile: mutexAt(TURNSTILE_OFFSET), slots };
}
