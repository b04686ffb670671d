/**
 * futex(2): waiting until a word of memory changes, and waking who waits. One thin function per
 * operation.
 *
 * The word may lie in memory that processes share: it is known by its page, not by its address. In
 * a private mapping nobody else can wake, and waiting freezes the page, which then no longer
 * follows the object.
 */

import { C, machine, STRUCTS } from "./abi.ts";
import { Struct } from "./bytes.ts";
import { check, type Hint, refused } from "./check.ts";
import { ERRNO } from "./errno.ts";
import { sys } from "./load.ts";

/**
 * Why a wait on a word is over: somebody woke it (or nobody did: the kernel may, too), the word had
 * another value, the time was up.
 */
export type FutexEnd = "woken" | "changed" | "timeout";

const NS_PER_MS = 1e6, NS_PER_S = 1e9;

const timespec = new Struct(STRUCTS.timespec.bytes);

let known: bigint | undefined;

/** The number of the system call on this machine. */
function number(): bigint {
  return known ??= machine().SYS_futex;
}

/**
 * FUTEX_WAIT: blocks this thread as long as the word has a value, nobody wakes it, and time is
 * left.
 *
 * SAFETY: the address is that of four aligned bytes which the caller keeps mapped.
 *
 * @param expected The value, as an unsigned number.
 * @param timeoutMs At least 0; never shorter.
 * @throws {PosixError} `EINTR` when a signal that the program listens for arrived.
 */
export function futexWait(
  address: bigint,
  expected: number,
  timeoutMs: number,
  target: string,
  hint: Hint,
): FutexEnd {
  const ns = Math.ceil(timeoutMs * NS_PER_MS);
  timespec.setI64(STRUCTS.timespec.tv_sec, Math.floor(ns / NS_PER_S));
  timespec.setI64(STRUCTS.timespec.tv_nsec, ns % NS_PER_S);
  const call = number();
  const { c, errno, hearsSignals } = sys();
  if (c.futex(call, address, C.FUTEX_WAIT, expected, timespec.bytes) === 0) return "woken";
  const refusal = errno();
  if (refusal === ERRNO.ETIMEDOUT) return "timeout";
  if (refusal === ERRNO.EAGAIN) return "changed";
  if (refusal === ERRNO.EINTR && !hearsSignals()) return "woken"; // by nobody: look again
  throw refused(refusal, "futex", "wait for", target, hint);
}

/**
 * FUTEX_WAKE: wakes threads that wait on a word, of any process.
 *
 * SAFETY: as for {@linkcode futexWait}.
 *
 * @param count At most so many.
 * @returns How many were woken.
 */
export function futexWake(address: bigint, count: number, target: string): number {
  const call = number();
  return check(sys().c.futex(call, address, C.FUTEX_WAKE, count, null), "futex", "wake", target);
}
