/**
 * Locks as fields: how many bytes each takes, the same on every machine.
 *
 * Rule: `src/sync` says what is in them, and a test compares its sizes with these.
 */

import type { FieldType, LockKind, LockType } from "./types.ts";

/** What the byte offset of a lock is a multiple of. */
export const LOCK_ALIGN_BYTES = 64;

/** The size of each lock. */
export const LOCK_BYTES: Readonly<Record<LockKind, number>> = {
  mutex: 128,
  rwLock: 1280,
  semaphore: 128,
  event: 128,
  barrier: 128,
};

/** Whether a type is that of a lock. */
export function isLock(type: FieldType): type is LockType {
  return Object.hasOwn(LOCK_BYTES, type.kind);
}

function lock<K extends LockKind>(kind: K): LockType<K> {
  return Object.freeze({ kind, byteLength: LOCK_BYTES[kind], alignBytes: LOCK_ALIGN_BYTES });
}

/** A mutex that tells when its owner died; C takes it as a `pthread_mutex_t`. */
export const mutex: LockType<"mutex"> = lock("mutex");
/** A lock for many readers or one writer. */
export const rwLock: LockType<"rwLock"> = lock("rwLock");
/** A counting semaphore; C takes it as a `sem_t`. */
export const semaphore: LockType<"semaphore"> = lock("semaphore");
/** Something that happened or not, to be waited for. */
export const event: LockType<"event"> = lock("event");
/** A place where a number of parties wait for each other. */
export const barrier: LockType<"barrier"> = lock("barrier");
