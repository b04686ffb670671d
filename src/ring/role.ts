/**
 * The roles of a ring, to be the consumer or a producer: one thread has each at a time, and that of
 * a thread that died is free at once.
 *
 * Rule: a robust lock says who has it, for the kernel frees that; memory that is no kernel object
 * cannot have one, and has a plain word in its place, which nobody frees for a worker that was
 * terminated.
 */

import { Mutex, MUTEX_BYTES } from "../sync/mod.ts";
import { TARGET } from "./lane.ts";
import { type LockKind, ROBUST_LOCKS, WORD_LOCKS } from "./ring_layout.ts";

/** A role that this thread has. */
export interface Role {
  /** Gives it up, on this thread. */
  release(): void;
}

/** Makes the lock of a role in zeroed memory. */
export function formatRole(buffer: SharedArrayBuffer, byteOffset: number): LockKind {
  try {
    Mutex.format(new Uint8Array(buffer, byteOffset, MUTEX_BYTES), { name: TARGET });
    return ROBUST_LOCKS;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return WORD_LOCKS; // no process shares it: the one kind of memory that is refused here
  }
}

/** Takes a role, unless somebody has it. */
export function tryTakeRole(
  buffer: SharedArrayBuffer,
  byteOffset: number,
  kind: LockKind,
): Role | undefined {
  return kind === ROBUST_LOCKS ? tryLock(buffer, byteOffset) : tryMark(buffer, byteOffset);
}

function tryLock(buffer: SharedArrayBuffer, byteOffset: number): Role | undefined {
  const memory = new Uint8Array(buffer, byteOffset, MUTEX_BYTES);
  const guard = Mutex.attach(memory, { name: TARGET }).tryLock();
  if (guard === undefined) return undefined;
  guard.markConsistent(); // whenever the last one died: the positions say what it had finished
  return { release: () => guard.unlock() };
}

function tryMark(buffer: SharedArrayBuffer, byteOffset: number): Role | undefined {
  const word = new Int32Array(buffer, byteOffset, 1);
  if (Atomics.compareExchange(word, 0, 0, 1) !== 0) return undefined;
  return { release: () => void Atomics.store(word, 0, 0) };
}
