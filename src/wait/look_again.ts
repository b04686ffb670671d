/**
 * Waiting for what tells nobody that it happened: looking again by a timer that backs off.
 *
 * Rule: looks a last time at the deadline, so what came in time is never a timeout.
 */

import { shown } from "../sys/mod.ts";
import { checkSignal, onAbort } from "./abort.ts";
import { at, deadlineOf, timeoutError } from "./deadline.ts";
import type { WaitOptions } from "./waiters.ts";

/** Between the first two looks, and between any two at most. */
const FIRST_MS = 1, MOST_MS = 20;

/**
 * Looks now, and again until there is something.
 *
 * @param look Gives `undefined` as long as there is nothing. What it throws rejects.
 * @returns What `look` gave. Rejects with the signal's reason, or a `TimeoutError`.
 */
export async function lookAgain<T>(
  look: () => T | undefined,
  { timeoutMs, signal }: Pick<WaitOptions, "timeoutMs" | "signal">,
  target: string,
): Promise<T> {
  const deadline = deadlineOf(timeoutMs);
  for (let pauseMs = FIRST_MS;; pauseMs = Math.min(pauseMs * 2, MOST_MS)) {
    const isLast = performance.now() >= deadline;
    checkSignal(signal); // the look before may have aborted it
    const found = look();
    if (found !== undefined) return found;
    if (isLast) throw timeoutError(shown(target), timeoutMs!);
    await pause(Math.min(performance.now() + pauseMs, deadline), signal);
  }
}

function pause(until: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stopTimer = at(until, () => {
      stopListening?.();
      resolve();
    });
    const stopListening = signal && onAbort(signal, () => {
      stopTimer();
      reject(signal.reason);
    });
  });
}
