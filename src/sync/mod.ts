/** Locks in shared memory that survive their owner. */

export {
  ClosedError,
  LayoutError,
  type LayoutErrorInit,
  PosixError,
  type PosixErrorInit,
} from "../errors.ts";
export { MutexGuard, ReadGuard } from "./guard.ts";
export { Mutex } from "./mutex.ts";
export { MUTEX_BYTES } from "./mutex_layout.ts";
export { type LockMemoryOptions, type LockOptions, type LockSyncOptions } from "./options.ts";
export { type WithLockOptions, type WithLockSyncOptions } from "./use_guard.ts";
