/**
 * Blocking this thread until a descriptor is ready: how every `…Sync` call waits.
 *
 * Rule: never longer than a slice without coming back to JavaScript, so that a terminated worker
 * ends and a process that is told to end does. (A web Worker of Deno 2.9 that is terminated while
 * it runs JavaScript, blocking or not, keeps its process alive all the same; one of
 * node:worker_threads does not.)
 */

import { C, poll } from "../sys/mod.ts";
import { deadlineOf } from "./deadline.ts";
import { spinner } from "./spin.ts";

/** The longest time in one system call. */
export const SLICE_MS = 100;

/** What is waited for. */
export type Readiness = "readable" | "writable";

/**
 * Tries until it works or the deadline has passed.
 *
 * The first tries cost no wait: now, and a few more after the processor was given away, which on a
 * shared core is when the peer does its part, and on another core about as long as it takes.
 *
 * @param fd A nonblocking descriptor that poll(2) takes.
 * @param attempt Does the work, or returns `undefined` when it would have to wait.
 * @param timeoutMs How long to try; `undefined` and Infinity: for ever, 0: once.
 * @returns What `attempt` gave, or `undefined` at the deadline.
 * @throws {PosixError} `EINTR` when a signal that the program listens for arrived.
 */
export function blockUntil<T>(
  fd: number,
  readiness: Readiness,
  attempt: () => T | undefined,
  timeoutMs: number | undefined,
  target: string,
): T | undefined {
  const deadline = deadlineOf(timeoutMs);
  let result = attempt();
  if (result !== undefined || timeoutMs === 0) return result;
  result = spinner.spin(attempt);
  const events = readiness === "readable" ? C.POLLIN : C.POLLOUT;
  while (result === undefined) {
    const remainingMs = deadline - performance.now();
    if (remainingMs <= 0) return undefined;
    // Rounded up: poll counts whole milliseconds, and a deadline is a minimum.
    poll(fd, events, Math.ceil(Math.min(SLICE_MS, remainingMs)), target, interruptHint);
    result = attempt();
  }
  return result;
}

export function interruptHint(code: string): string | undefined {
  if (code !== "EINTR") return undefined;
  return "a signal arrived; let the event loop run its listener, then call again";
}
