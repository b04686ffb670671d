/**
 * What can be seen of a lock without using it: for who looks at memory that is not to be written.
 *
 * Rule: it only reads, each word once, so it may look at anything. It reads plainly: nobody relies
 * on an order here, and one engine's atomic loads are writes.
 */

import { mutexKind } from "../sys/mod.ts";
import { PARTIES } from "./barrier_layout.ts";
import { STATE } from "./event_layout.ts";
import { ANNOUNCED, WRITING } from "./rw_lock_layout.ts";

/** The locks that lie in memory. */
export type LockKindInMemory = "mutex" | "rwLock" | "semaphore" | "event" | "barrier";

/** LINUX: the lock word of a robust mutex, futex(2): the owner's thread, and that it died. */
const FUTEX_TID_MASK = 0x3fffffff, FUTEX_OWNER_DIED = 0x40000000;

/** The C libraries count a semaphore in its first word; musl's highest bit says that one waits. */
const COUNT_MASK = 0x7fffffff;

const STATES: Readonly<Record<LockKindInMemory, (words: Int32Array) => string>> = {
  mutex(words) {
    // glibc has its lock word first, and musl the kind and then the lock word.
    const word = words[mutexKind().index === 0 ? 1 : 0]!;
    const owner = word & FUTEX_TID_MASK;
    if ((word & FUTEX_OWNER_DIED) !== 0) return "its owner died";
    return owner === 0 ? "free" : `locked by thread ${owner}`;
  },
  rwLock(words) {
    if (words[WRITING] !== 0) return "being written";
    return words[ANNOUNCED] !== 0 ? "awaited by a writer" : "free, or being read";
  },
  semaphore: (words) => `count ${words[0]! & COUNT_MASK}`,
  event: (words) => words[STATE] === 1 ? "set" : "not set",
  barrier: (words) => `${words[0]} of ${words[PARTIES]} arrived`,
};

/**
 * The state of a lock in words, for people.
 *
 * @param memory Where it lies, shared with its users or a private view of it.
 */
export function lockState(kind: LockKindInMemory, memory: Uint8Array<SharedArrayBuffer>): string {
  return STATES[kind](new Int32Array(memory.buffer, memory.byteOffset, memory.byteLength >> 2));
}
