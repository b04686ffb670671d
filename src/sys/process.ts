/**
 * poll(2), sched_yield(2), getrlimit(2), sysconf(3), geteuid(2), pidfd_open(2): one thin function
 * each.
 */

import { C, machine, STRUCTS } from "./abi.ts";
import { size, Struct } from "./bytes.ts";
import { check, type Hint, refused } from "./check.ts";
import { ERRNO } from "./errno.ts";
import { sys } from "./load.ts";

const pollfd = new Struct(STRUCTS.pollfd.bytes);

/**
 * poll(2) on one descriptor: true when it is ready, false after `timeoutMs` (whole, ≥ 0), or sooner
 * when a signal interrupted it that is none of the program's.
 */
export function poll(
  fd: number,
  events: number,
  timeoutMs: number,
  target: string,
  hint: Hint,
): boolean {
  pollfd.setI32(STRUCTS.pollfd.fd, fd);
  pollfd.setU16(STRUCTS.pollfd.events, events);
  const { c, errno, hearsSignals } = sys();
  const ready = c.poll(pollfd.bytes, size(1), timeoutMs);
  if (ready !== -1) return ready > 0;
  const number = errno();
  if (number === ERRNO.EINTR && !hearsSignals()) return false;
  throw refused(number, "poll", "wait for", target, hint);
}

/** sched_yield(2): lets another thread have the processor. */
export function schedYield(): void {
  sys().c.sched_yield();
}

/** A limit as it is now and as it may be raised without privileges; Infinity for none. */
export interface Limit {
  /** What is enforced now. */
  soft: number;
  /** What the soft limit can be raised to. */
  hard: number;
}

/** getrlimit(2) */
export function getrlimit(resource: number): Limit {
  const struct = new Struct(STRUCTS.rlimit.bytes);
  check(sys().c.getrlimit(resource, struct.bytes), "getrlimit", "read limit", String(resource));
  const limit = (offset: number) => {
    const value = struct.u64(offset);
    return value >= 2 ** 63 ? Infinity : value; // RLIM_INFINITY is all ones
  };
  return { soft: limit(STRUCTS.rlimit.rlim_cur), hard: limit(STRUCTS.rlimit.rlim_max) };
}

/** geteuid(2) */
export function geteuid(): number {
  return sys().c.geteuid();
}

/** sysconf(3): the size of a memory page, in bytes. */
export function pageBytes(): number {
  return sys().c.sysconf(C._SC_PAGESIZE);
}

/**
 * pidfd_open(2): a descriptor that stands for a process and is readable once that has ended. It is
 * closed with the program, and stands for nobody else when the number is given anew.
 *
 * @returns `undefined` when no process has that number.
 */
export function pidfdOpen(pid: number): number | undefined {
  const { c, errno } = sys();
  const number = machine().SYS_pidfd_open;
  const fd = c.pidfd_open(number, pid, 0);
  if (fd !== -1) return fd;
  const error = errno();
  if (error === ERRNO.ESRCH) return undefined;
  throw refused(error, "pidfd_open", "watch process", String(pid));
}

/**
 * pidfd_send_signal(2)
 *
 * @returns False when the process has ended.
 */
export function pidfdSendSignal(fd: number, signal: number, target: string): boolean {
  const { c, errno } = sys();
  const number = machine().SYS_pidfd_send_signal;
  if (c.pidfd_send_signal(number, fd, signal, null, 0) === 0) return true;
  const error = errno();
  if (error === ERRNO.ESRCH) return false;
  throw refused(error, "pidfd_send_signal", "signal process", target);
}
