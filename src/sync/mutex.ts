/**
 * Mutex: a robust, process-shared `pthread_mutex_t` that threads block for and event loops await.
 *
 * Rule: it is locked and unlocked on the thread that asks, never on one of a pool: it belongs to
 * the thread that locked it, and the kernel declares the owner dead when that thread ends.
 */

import { checkMaking, type MutexState } from "../sys/mod.ts";
import { deadlineOf } from "../wait/mod.ts";
import { MutexGuard, type RecoverableHolding } from "./guard.ts";
import { LockHandle } from "./handle.ts";
import {
  attachLock,
  formatLock,
  type FormattedLock,
  type LockKind,
  LOOK_EVERY_MS,
} from "./lock_memory.ts";
import { MUTEX } from "./mutex_layout.ts";
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
  useGuard,
  useGuardSync,
  type WithLockOptions,
  type WithLockSyncOptions,
} from "./use_guard.ts";

const KIND: LockKind = { layout: MUTEX, lookEveryMs: LOOK_EVERY_MS };

/**
 * A lock in shared memory that one thread of one process holds at a time, and that survives its
 * owner: if the owner dies, the next one gets it `recovered`, and repairs what it guards.
 *
 * It belongs to the thread that locked it. That thread cannot lock it again: `lockSync()` throws
 * `EDEADLK` there, `tryLock()` gives `undefined`, and `lock()` waits in line behind the thread's
 * other tasks, first come, first served. A guard works on its own thread only.
 *
 * ```text
 *                  owner unlocks                     owner dies
 *   free ◄──────────────────────────── held ────────────────────────► free, owner dead
 *     │           lock: consistent      ▲                                 │
 *     └─────────────────────────────────┤          lock: recovered        │
 *                                       └── markConsistent ── held ◄──────┘
 *                                                              │ unlock without markConsistent
 *                                                              ▼
 *                                                       ENOTRECOVERABLE, for everybody and ever
 * ```
 *
 * In C the memory begins with a `pthread_mutex_t`: lock it by `pthread_mutex_lock()`, expect
 * `EOWNERDEAD`, unlock it by `pthread_mutex_unlock()`. C need call nothing more: blocked threads
 * are woken by that, and who awaits the lock in an event loop finds it free within 20 ms, as it
 * finds the death of an owner. C may make the lock only through this library.
 *
 * What is in the memory is trusted as far as POSIX makes that necessary: a robust mutex keeps list
 * pointers there, which its owner follows when it unlocks. Whoever may write the memory can crash
 * this process.
 *
 * A worker that is terminated while it holds the lock dies as an owner does, and leaves the pages
 * that its locks are in mapped until the process ends.
 *
 * @example One lock, two handles
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { SharedMemory } from "@postbox/postbox";
 * import { Mutex, MUTEX_BYTES } from "@postbox/postbox/sync";
 *
 * using memory = SharedMemory.anonymous({ byteLength: MUTEX_BYTES + 4 });
 * using mutex = Mutex.format(memory.bytes.subarray(0, MUTEX_BYTES)); // another process attaches
 * const count = new Int32Array(memory.buffer, MUTEX_BYTES, 1);
 *
 * const addOne = async () => {
 *   const before = count[0]!;
 *   await new Promise((resolve) => setTimeout(resolve, 1));
 *   count[0] = before + 1;
 * };
 * await Promise.all([mutex.withLock(addOne), mutex.withLock(addOne)]);
 * assertEquals(count[0], 2);
 * ```
 *
 * @see pthread_mutex_lock(3p), pthread_mutexattr_setrobust(3)
 */
export class Mutex implements Disposable {
  /** What errors call it. */
  readonly name: string;
  readonly #mutex: RobustMutex;
  readonly #handle: LockHandle;
  readonly #holding: RecoverableHolding;

  private constructor(making: typeof MAKING, lock: FormattedLock, mutex: RobustMutex) {
    checkMaking(making, MAKING, "a Mutex", "Mutex.format or Mutex.attach");
    const handle = new LockHandle("mutex", lock);
    this.name = lock.name;
    this.#mutex = mutex;
    this.#handle = handle;
    this.#holding = {
      name: lock.name,
      unlock() {
        mutex.unlock();
        handle.notify();
      },
      markConsistent: () => mutex.markConsistent(),
    };
  }

  /**
   * Makes zeroed memory a mutex. Once: the others attach.
   *
   * @param memory {@linkcode MUTEX_BYTES} at least, at a multiple of 64, of a SharedMemory.
   * @throws {LayoutError} If there is something else than zeros.
   * @throws {TypeError} If it is a read-only handle's, or no object that processes share.
   * @throws {RangeError} If it is too short, or begins at the wrong place.
   */
  static format(memory: Uint8Array<SharedArrayBuffer>, options: LockMemoryOptions = {}): Mutex {
    let mutex: RobustMutex;
    const lock = formatLock(memory, KIND, readName(options), ({ buffer, byteOffset, name }) => {
      mutex = new RobustMutex(buffer, byteOffset, name);
      mutex.format();
    });
    return new Mutex(MAKING, lock, mutex!);
  }

  /**
   * Uses a mutex that somebody made.
   *
   * @param memory As for {@linkcode Mutex.format}.
   * @throws {LayoutError} If there is none, or one of another C library.
   * @throws {TypeError} If it is a read-only handle's, or no object that processes share.
   * @throws {RangeError} If it is too short, or begins at the wrong place.
   */
  static attach(memory: Uint8Array<SharedArrayBuffer>, options: LockMemoryOptions = {}): Mutex {
    const lock = attachLock(memory, KIND, readName(options));
    const mutex = new RobustMutex(lock.buffer, lock.byteOffset, lock.name);
    mutex.validate();
    return new Mutex(MAKING, lock, mutex);
  }

  /**
   * Locks it if nobody holds it.
   *
   * @returns `undefined` when somebody does, this thread included.
   * @throws {PosixError} `ENOTRECOVERABLE` if it was given up ({@linkcode MutexGuard.unlock}).
   * @throws {LayoutError} If the memory was closed or overwritten.
   */
  tryLock(): MutexGuard | undefined {
    this.#handle.checkOpen();
    return this.#guarded(this.#mutex.tryLock());
  }

  /**
   * Blocks this thread until it holds the lock.
   *
   * Signals wait until it is over: their listeners run in the event loop, which is blocked.
   *
   * @returns `undefined` at the deadline.
   * @throws {PosixError} `EDEADLK` if this thread holds it, `ENOTRECOVERABLE` if it was given up.
   * @throws {LayoutError} If the memory was closed or overwritten.
   */
  lockSync(options: LockSyncOptions = {}): MutexGuard | undefined {
    const { timeoutMs } = readWait(options);
    const deadline = deadlineOf(timeoutMs);
    this.#handle.checkOpen();
    return this.#guarded(this.#mutex.lockSync(deadline));
  }

  /**
   * Waits in the event loop until this thread holds the lock.
   *
   * @returns Rejects with a `TimeoutError` or the signal's reason, and as
   * {@linkcode Mutex.tryLock} throws.
   */
  async lock(options: LockOptions = {}): Promise<MutexGuard> {
    const wait = readWait(options);
    return await this.#handle.events.wait(() => this.#guarded(this.#mutex.tryLock()), wait);
  }

  /**
   * Blocks this thread until it holds the lock, works, and unlocks, whatever the work throws.
   *
   * @param work What it returns must not be a promise: the lock is free when that is fulfilled.
   * @returns What the work returned; `undefined`, without it, at the deadline.
   * @throws As {@linkcode Mutex.lockSync} does, and what the work throws.
   */
  withLockSync<T>(
    work: (guard: MutexGuard) => T,
    options: WithLockSyncOptions = {},
  ): T | undefined {
    const guard = this.lockSync(options);
    return guard && useGuardSync(guard, work, options.repair);
  }

  /**
   * Waits until this thread holds the lock, works, and unlocks, whatever the work throws. The lock
   * is held until what the work returns is fulfilled.
   *
   * @example Repairing what a dead owner left
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { SharedMemory } from "@postbox/postbox";
   * import { Mutex, MUTEX_BYTES } from "@postbox/postbox/sync";
   *
   * using memory = SharedMemory.anonymous({ byteLength: MUTEX_BYTES + 8 });
   * const mutex = Mutex.format(memory.bytes);
   * const pair = new Int32Array(memory.buffer, MUTEX_BYTES, 2); // always equal
   * const sum = await mutex.withLock(() => pair[0]! + pair[1]!, {
   *   repair: () => void (pair[1] = pair[0]!),
   *   timeoutMs: 1000,
   * });
   * assertEquals(sum, 0);
   * ```
   *
   * @returns What the work returned. Rejects as {@linkcode Mutex.lock} does, and with what the work
   * throws.
   */
  async withLock<T>(
    work: (guard: MutexGuard) => T | Promise<T>,
    options: WithLockOptions = {},
  ): Promise<T> {
    return await useGuard(await this.lock(options), work, options.repair);
  }

  /**
   * Forgets the lock: who awaits it through this handle gets a {@linkcode ClosedError}. What is
   * held stays held, and its guard unlocks it as before. Closing twice does nothing.
   */
  close(): void {
    this.#handle.close();
  }

  /** The same as {@linkcode Mutex.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #guarded(state: MutexState | undefined): MutexGuard | undefined {
    return state && new MutexGuard(MAKING, this.#holding, state === "ownerDied");
  }
}
