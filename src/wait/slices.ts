/**
 * Blocking this thread in calls of C that take a time and tell nobody else: locks and semaphores.
 *
 * Rule: as in block.ts, never longer than a slice without coming back to JavaScript.
 */

import { SLICE_MS } from "./block.ts";
import { spinner } from "./spin.ts";

/**
 * Tries, tries a little more with the processor given away, then blocks until it works or the
 * deadline has passed.
 *
 * @param attempt Does the work, or gives `undefined` when it would have to wait.
 * @param block The same, but waits so many milliseconds for it; is asked once at the least.
 * @param deadline On the clock of `performance.now()`; Infinity: for ever.
 * @returns What either gave, or `undefined` at the deadline.
 */
export function blockInSlices<T>(
  attempt: () => T | undefined,
  block: (timeoutMs: number) => T | undefined,
  deadline: number,
): T | undefined {
  let result = attempt();
  if (result !== undefined) return result;
  if (deadline > performance.now()) result = spinner.spin(attempt);
  while (result === undefined) {
    const remainingMs = Math.max(0, deadline - performance.now());
    result = block(Math.min(SLICE_MS, remainingMs));
    if (remainingMs === 0) break;
  }
  return result;
}
