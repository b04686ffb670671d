/**
 * One that waits in the event loop, whatever it waits for.
 *
 * Rule: a wait ends once. What ends it takes it out of its line before it settles.
 */

import { at, timeoutError } from "./deadline.ts";

/** One in a line. */
export interface Waiter {
  /** Does what is waited for, or gives `undefined` when it has to wait on. */
  attempt: () => unknown;
  resolve: (value: unknown) => void;
  reject: (reason: unknown) => void;
  /** Takes signal and timer back. */
  release: () => void;
}

/** When a wait is given up, and what errors call it. */
export interface GivingUp {
  /** On the clock of `performance.now()`. */
  deadline: number;
  timeoutMs: number | undefined;
  signal: AbortSignal | undefined;
  target: string;
}

/**
 * A promise of what `attempt` gives in the end.
 *
 * @param enter Puts the waiter into its line. What it throws rejects.
 * @param leave Takes it out, when its signal or its deadline ends the wait.
 */
export function waiting<T>(
  attempt: () => T | undefined,
  { deadline, timeoutMs, signal, target }: GivingUp,
  enter: (waiter: Waiter) => void,
  leave: (waiter: Waiter) => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const giveUp = (reason: unknown) => {
      leave(waiter);
      reject(reason);
    };
    const abort = () => giveUp(signal!.reason);
    const stopTimer = at(deadline, () => giveUp(timeoutError(target, timeoutMs!)));
    const waiter: Waiter = {
      attempt,
      resolve: resolve as (value: unknown) => void,
      reject,
      release() {
        signal?.removeEventListener("abort", abort);
        stopTimer();
      },
    };
    signal?.addEventListener("abort", abort);
    enter(waiter);
  });
}
