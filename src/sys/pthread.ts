/**
 * pthread.h: mutexes that processes share, and that tell when their owner has died. One thin
 * function per C function: call, judge the error number.
 *
 * SAFETY: an address is that of a mutex in a mapping that stays as long as this thread holds it: the
 * thread's list of what it holds, which the kernel walks when the thread ends, leads through it.
 */

import { C, machine } from "./abi.ts";
import { type Hint, refused } from "./check.ts";
import { timeIn } from "./clock.ts";
import { ERRNO } from "./errno.ts";
import { sys } from "./load.ts";
import type { Word } from "./port.ts";

/** In what state a mutex was got: its last owner may have died with it. */
export type MutexState = "consistent" | "ownerDied";

/** pthread_mutex_init(3): robust, shared by processes, and it refuses who holds it already. */
export function pthreadMutexInit(address: bigint, target: string): void {
  const { c } = sys();
  const attr = new Uint8Array(machine().pthread_mutexattr_t.bytes);
  const done = (errno: number, syscall: string) => {
    if (errno !== 0) throw refused(errno, syscall, "make", target);
  };
  done(c.pthread_mutexattr_init(attr), "pthread_mutexattr_init");
  done(
    c.pthread_mutexattr_setpshared(attr, C.PTHREAD_PROCESS_SHARED),
    "pthread_mutexattr_setpshared",
  );
  done(c.pthread_mutexattr_setrobust(attr, C.PTHREAD_MUTEX_ROBUST), "pthread_mutexattr_setrobust");
  done(c.pthread_mutexattr_settype(attr, C.PTHREAD_MUTEX_ERRORCHECK), "pthread_mutexattr_settype");
  done(c.pthread_mutex_init(address, attr), "pthread_mutex_init");
}

/**
 * pthread_mutex_trylock(3)
 *
 * @returns `undefined` when somebody has it, this thread included.
 */
export function pthreadMutexTrylock(
  address: Word,
  target: string,
  hint: Hint,
): MutexState | undefined {
  const errno = sys().c.pthread_mutex_trylock(address);
  if (errno === 0) return "consistent";
  // POSIX says EBUSY also to its owner; glibc says EDEADLK where the mutex is robust.
  if (errno === ERRNO.EBUSY || errno === ERRNO.EDEADLK) return undefined;
  return stateBehind(errno, "pthread_mutex_trylock", target, hint);
}

/**
 * pthread_mutex_timedlock(3), or where the C library has it pthread_mutex_clocklock(3), which no
 * change of the date prolongs: blocks this thread until it has the mutex or the time is up. A
 * signal does not end it.
 *
 * @param timeoutMs At least 0; never shorter.
 * @returns `undefined` when the time is up.
 * @throws {PosixError} `EDEADLK` when this thread has it already.
 */
export function pthreadMutexTimedlock(
  address: Word,
  timeoutMs: number,
  target: string,
  hint: Hint,
): MutexState | undefined {
  const { c } = sys();
  const clocklock = c.pthread_mutex_clocklock;
  const until = timeIn(clocklock ? "CLOCK_MONOTONIC" : "CLOCK_REALTIME", timeoutMs);
  const errno = clocklock
    ? clocklock(address, C.CLOCK_MONOTONIC, until)
    : c.pthread_mutex_timedlock(address, until);
  if (errno === 0) return "consistent";
  if (errno === ERRNO.ETIMEDOUT) return undefined;
  const syscall = clocklock ? "pthread_mutex_clocklock" : "pthread_mutex_timedlock";
  return stateBehind(errno, syscall, target, hint);
}

function stateBehind(errno: number, syscall: string, target: string, hint: Hint): MutexState {
  if (errno === ERRNO.EOWNERDEAD) return "ownerDied";
  throw refused(errno, syscall, "lock", target, hint);
}

/** pthread_mutex_unlock(3) */
export function pthreadMutexUnlock(address: Word, target: string, hint: Hint): void {
  const errno = sys().c.pthread_mutex_unlock(address);
  if (errno !== 0) throw refused(errno, "pthread_mutex_unlock", "unlock", target, hint);
}

/** pthread_mutex_consistent(3) */
export function pthreadMutexConsistent(address: Word, target: string): void {
  const errno = sys().c.pthread_mutex_consistent(address);
  if (errno !== 0) throw refused(errno, "pthread_mutex_consistent", "mark as consistent", target);
}

/** Which of the 32-bit words of a mutex says what kind it is, and how. */
export interface MutexKind {
  readonly index: number;
  readonly value: number;
}

let kind: MutexKind | undefined;

/**
 * The kind of our mutexes, learned from a fresh one in private memory: C libraries write it
 * differently. It is the only word of a fresh mutex that is not 0, and nothing ever changes it.
 */
export function mutexKind(): MutexKind {
  return kind ??= learnKind();
}

function learnKind(): MutexKind {
  const { bytes } = machine().pthread_mutex_t;
  // SAFETY: C writes it inside the call; a growable buffer does not move.
  const memory = new SharedArrayBuffer(bytes, { maxByteLength: bytes });
  pthreadMutexInit(sys().addressOf(new Uint8Array(memory)), "a mutex to learn from");
  const words = new Int32Array(memory, 0, bytes / 4);
  const index = words.findIndex((word) => word !== 0);
  return { index, value: words[index]! };
}
