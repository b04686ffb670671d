/** Locks for one test: memory for one, and how it looks when somebody else has it or died with it. */

import "./loaded.ts";
import { SharedMemory } from "../../mod.ts";
import { EVENTS_OFFSET } from "../../src/sync/lock_layout.ts";
import { mutexKind } from "../../src/sys/mod.ts";
import { isDead } from "../../src/wait/doorbell.ts";
import { BELL_SLOTS, BELLS_OFFSET } from "../../src/wait/event_layout.ts";

/** Memory of the kernel's for a lock, zeroed; closed at the end of the scope. */
export function lockMemory(byteLength = 4096): Disposable & {
  memory: SharedMemory;
  bytes: Uint8Array<SharedArrayBuffer>;
  words: Int32Array<SharedArrayBuffer>;
} {
  const memory = SharedMemory.anonymous({ byteLength });
  return {
    memory,
    bytes: memory.bytes,
    words: new Int32Array(memory.buffer, 0, byteLength / 4),
    [Symbol.dispose]: () => memory.close(),
  };
}

/** Takes away the doorbells of those who were killed while they awaited the lock at a place. */
export function removeDeadBells(memory: SharedMemory, at = 0): void {
  const table = at + EVENTS_OFFSET + BELLS_OFFSET;
  for (const bell of new BigUint64Array(memory.buffer, table, BELL_SLOTS)) {
    if (bell !== 0n) isDead(bell);
  }
}

/** LINUX: futex(2), robust futexes: what the kernel writes when an owner dies. */
const FUTEX_OWNER_DIED = 0x40000000;

/** A thread that lives as long as the system, and is none of this process. */
const THREAD_OF_INIT = 1;

/** The lock word of the pthread_mutex_t at a place: musl has its kind before it, glibc after. */
function lockWord(at: number): number {
  return at / 4 + (mutexKind().index === 0 ? 1 : 0);
}

/** Makes the mutex at a place look as the kernel leaves it when its owner dies. */
export function leaveDead(words: Int32Array, at = 0): void {
  Atomics.store(words, lockWord(at), FUTEX_OWNER_DIED);
}

/** Makes the mutex at a place look as if a thread of another process had it. */
export function giveAway(words: Int32Array, at = 0): void {
  Atomics.store(words, lockWord(at), THREAD_OF_INIT);
}

/** Makes the mutex at a place free, as its owner in another process would, and tells nobody. */
export function release(words: Int32Array, at = 0): void {
  Atomics.store(words, lockWord(at), 0);
}

/** Whether somebody has the mutex at a place. */
export function isTaken(words: Int32Array, at = 0): boolean {
  return Atomics.load(words, lockWord(at)) !== 0;
}
