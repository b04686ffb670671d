/** Guards: what holds a lock, until it is unlocked once. */

import { ClosedError } from "../errors.ts";
import { checkMaking } from "../sys/mod.ts";
import { MAKING } from "./options.ts";

/** What a guard holds. */
export interface Holding {
  /** What errors call it. */
  readonly name: string;
  unlock(): void;
}

/** What is held alone, and may be found as a dead owner left it. */
export interface RecoverableHolding extends Holding {
  markConsistent(): void;
}

/**
 * Holds an {@linkcode RwLock} for reading. It works on the thread that got it, and nowhere else.
 *
 * A guard that is forgotten, without `unlock()`, `using` or `withRead()`, holds the lock until its
 * thread ends.
 *
 * @example Reading
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { SharedMemory } from "@postbox/postbox";
 * import { RW_LOCK_BYTES, RwLock } from "@postbox/postbox/sync";
 *
 * using memory = SharedMemory.anonymous({ byteLength: RW_LOCK_BYTES });
 * const lock = RwLock.format(memory.bytes);
 * using guard = await lock.read();
 * assertEquals(guard.recovered, false);
 * ```
 */
export class ReadGuard implements Disposable {
  /** Whether a writer died while it wrote, and nobody has repaired since what it left. */
  readonly recovered: boolean;
  #holding: Holding | undefined;

  /** Locks make guards. */
  constructor(making: typeof MAKING, holding: Holding, recovered: boolean) {
    checkMaking(making, MAKING, "a guard", "a lock's methods");
    this.#holding = holding;
    this.recovered = recovered;
  }

  /** Gives the lock back. Later calls do nothing. */
  unlock(): void {
    const holding = this.#holding;
    this.#holding = undefined;
    holding?.unlock();
  }

  /** The same as {@linkcode ReadGuard.unlock}, for `using`. */
  [Symbol.dispose](): void {
    this.unlock();
  }
}

/**
 * Holds a {@linkcode Mutex}, or an {@linkcode RwLock} for writing. It works on the thread that got
 * it, and nowhere else.
 *
 * A guard that is forgotten, without `unlock()`, `using` or `withLock()`, holds the lock until its
 * thread ends, and then the next owner gets it `recovered`.
 *
 * @example What a dead owner left
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { SharedMemory } from "@postbox/postbox";
 * import { Mutex, MUTEX_BYTES } from "@postbox/postbox/sync";
 *
 * using memory = SharedMemory.anonymous({ byteLength: MUTEX_BYTES + 8 });
 * const mutex = Mutex.format(memory.bytes);
 * const pair = new Int32Array(memory.buffer, MUTEX_BYTES, 2); // always equal
 *
 * using guard = await mutex.lock();
 * if (guard.recovered) {
 *   pair[1] = pair[0]!; // whoever held it died, perhaps between the two
 *   guard.markConsistent();
 * }
 * pair[0]! += 1;
 * pair[1]! += 1;
 * assertEquals(pair, Int32Array.of(1, 1));
 * ```
 */
export class MutexGuard implements Disposable {
  /** Whether the last owner died, so what the lock guards may be half changed. */
  readonly recovered: boolean;
  readonly #name: string;
  #holding: RecoverableHolding | undefined;
  #isConsistent: boolean;

  /** Locks make guards. */
  constructor(making: typeof MAKING, holding: RecoverableHolding, recovered: boolean) {
    checkMaking(making, MAKING, "a guard", "a lock's methods");
    this.#holding = holding;
    this.#name = holding.name;
    this.recovered = recovered;
    this.#isConsistent = !recovered;
  }

  /**
   * Says that what a dead owner left is in order again. Does nothing where nothing was `recovered`,
   * or a second time.
   *
   * @throws {ClosedError} After {@linkcode MutexGuard.unlock}, which has told otherwise.
   */
  markConsistent(): void {
    if (this.#isConsistent) return;
    if (this.#holding === undefined) throw new ClosedError("guard of", this.#name);
    this.#holding.markConsistent();
    this.#isConsistent = true;
  }

  /**
   * Gives the lock back. Later calls do nothing.
   *
   * A {@linkcode Mutex} that was `recovered` and is not marked as consistent becomes unusable for
   * everybody, as POSIX has it: `ENOTRECOVERABLE`. An {@linkcode RwLock} stays `recovered`.
   *
   * @throws {PosixError} `EPERM` if the memory says that another thread holds it.
   */
  unlock(): void {
    const holding = this.#holding;
    this.#holding = undefined;
    holding?.unlock();
  }

  /** The same as {@linkcode MutexGuard.unlock}, for `using`. */
  [Symbol.dispose](): void {
    this.unlock();
  }
}
