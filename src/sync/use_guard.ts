/** Working under a guard: repair, work, unlock, in this order, whatever fails. */

import type { MutexGuard } from "./guard.ts";
import type { LockOptions, LockSyncOptions } from "./options.ts";

/** How {@linkcode Mutex.withLockSync} gets the lock, and what it does first. */
export interface WithLockSyncOptions extends LockSyncOptions {
  /**
   * Puts in order what a dead owner left. It is called only then, and before the work; after it the
   * lock is marked as consistent. If it throws, it is not.
   * @default {none: the work sees `guard.recovered` and calls `guard.markConsistent()`}
   */
  repair?: ((guard: MutexGuard) => void) | undefined;
}

/** How {@linkcode Mutex.withLock} gets the lock, and what it does first. */
export interface WithLockOptions extends LockOptions {
  /** As for {@linkcode WithLockSyncOptions.repair}; it may be asynchronous. */
  repair?: ((guard: MutexGuard) => void | Promise<void>) | undefined;
}

/** Works under a guard in one go. */
export function useGuardSync<T>(
  guard: MutexGuard,
  work: (guard: MutexGuard) => T,
  repair: WithLockSyncOptions["repair"],
): T {
  try {
    if (guard.recovered && repair !== undefined) {
      repair(guard);
      guard.markConsistent();
    }
    return work(guard);
  } finally {
    guard.unlock();
  }
}

/** Works under a guard, awaiting what it does. */
export async function useGuard<T>(
  guard: MutexGuard,
  work: (guard: MutexGuard) => T | Promise<T>,
  repair: WithLockOptions["repair"],
): Promise<T> {
  try {
    if (guard.recovered && repair !== undefined) {
      await repair(guard);
      guard.markConsistent();
    }
    return await work(guard);
  } finally {
    guard.unlock();
  }
}
