/**
 * Locks in shared memory that survive their owner, and the other ways to wait for each other there.
 *
 * Each lies in memory that it is given, and is used by threads that block and by event loops that
 * await, in any process of the machine; {@linkcode Mutex} and {@linkcode Semaphore} by C too.
 *
 * @example A lock between processes
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { SharedMemory, uniqueName } from "@postbox/postbox";
 * import { Mutex, MUTEX_BYTES } from "@postbox/postbox/sync";
 *
 * const name = uniqueName("doc");
 * using memory = SharedMemory.create(name, { byteLength: MUTEX_BYTES });
 * try {
 *   using mutex = Mutex.format(memory.bytes);
 *   // Another process: Mutex.attach(SharedMemory.open(name).bytes)
 *   assertEquals(mutex.withLockSync(() => "alone", { timeoutMs: 1000 }), "alone");
 * } finally {
 *   SharedMemory.unlink(name);
 * }
 * ```
 *
 * @module
 */

export {
  ClosedError,
  LayoutError,
  type LayoutErrorInit,
  PosixError,
  type PosixErrorInit,
} from "../errors.ts";
export { type Owner } from "../sys/mod.ts";
export { Barrier, type FormatBarrierOptions } from "./barrier.ts";
export { BARRIER_BYTES } from "./barrier_layout.ts";
export { Event, type FormatEventOptions } from "./event.ts";
export { EVENT_BYTES } from "./event_layout.ts";
export { MutexGuard, ReadGuard } from "./guard.ts";
export { lockAbi } from "./lock_abi.ts";
export { type LockKindInMemory, lockState } from "./lock_state.ts";
export { Mutex } from "./mutex.ts";
export { MUTEX_BYTES } from "./mutex_layout.ts";
export { type LockMemoryOptions, type LockOptions, type LockSyncOptions } from "./options.ts";
export { RwLock } from "./rw_lock.ts";
export { RW_LOCK_BYTES } from "./rw_lock_layout.ts";
export {
  type CreateSemaphoreOptions,
  type FormatSemaphoreOptions,
  type OpenOrCreateSemaphoreOptions,
  type OpenSemaphoreOptions,
  Semaphore,
} from "./semaphore.ts";
export { SEMAPHORE_BYTES } from "./semaphore_layout.ts";
export { type WithLockOptions, type WithLockSyncOptions } from "./use_guard.ts";
