/** Deadlines: how long a wait may take, judged in one place. */

import { shown } from "../sys/mod.ts";

/**
 * When a wait that begins now is over, on the clock of `performance.now()`.
 *
 * @param timeoutMs `undefined` and Infinity: never.
 * @throws {TypeError} If it is no number.
 * @throws {RangeError} If it is below 0 or NaN.
 */
export function deadlineOf(timeoutMs: number | undefined): number {
  if (timeoutMs === undefined) return Infinity;
  if (typeof timeoutMs !== "number") {
    throw new TypeError(`Cannot wait ${shown(timeoutMs)}: expected a number of milliseconds`);
  }
  if (timeoutMs >= 0) return performance.now() + timeoutMs;
  throw new RangeError(`Cannot wait ${timeoutMs} ms: expected 0 or more`);
}

/** The longest that a timer of the runtimes takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Runs something at a deadline, never before; gives what takes it back.
 *
 * @param isBackground Whether the process may end before, when nothing else keeps it.
 */
export function at(deadline: number, run: () => void, isBackground = false): () => void {
  if (deadline === Infinity) return () => {};
  let timer: ReturnType<typeof setTimeout>;
  const begin = () => {
    const remainingMs = Math.ceil(deadline - performance.now());
    timer = setTimeout(look, Math.min(MAX_TIMER_MS, Math.max(0, remainingMs)));
    if (isBackground) timer.unref();
  };
  const look = () => {
    // A timer may be early by a fraction of a millisecond, and a deadline is a minimum.
    if (performance.now() < deadline) begin();
    else run();
  };
  begin();
  return () => clearTimeout(timer);
}

/**
 * What an asynchronous wait rejects with at its deadline.
 *
 * @param awaited What it was for: `a message in "/jobs"`.
 */
export function timeoutError(awaited: string, timeoutMs: number): DOMException {
  return new DOMException(
    `Cannot wait for ${awaited} any longer: ${timeoutMs} ms have passed`,
    "TimeoutError",
  );
}
