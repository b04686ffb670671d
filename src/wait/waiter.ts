/**
 * One that waits in the event loop, whatever it waits for.
 *
 * Rule: a wait ends once. What ends it takes it out of its line before it settles.
 */

import { onAbort } from "./abort.ts";
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

/** When a wait is given up, and what was waited for. */
export interface GivingUp {
  /** On the clock of `performance.now()`. */
  deadline: number;
  timeoutMs: number | undefined;
  signal: AbortSignal | undefined;
  /** In errors: `a message in "/jobs"`. */
  awaited: string;
}

/** Where somebody waits. */
export interface Line {
  /** Takes a waiter in. What it throws rejects. */
  enter(waiter: Waiter): void;
  /** Takes it out, and calls its `release`. */
  leave(waiter: Waiter): void;
  /** Whether nobody has to be served before it. */
  isNext(waiter: Waiter): boolean;
}

/** A promise of what `attempt` gives in the end. */
export function waiting<T>(
  attempt: () => T | undefined,
  { deadline, timeoutMs, signal, awaited }: GivingUp,
  line: Line,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const giveUp = (reason: unknown) => {
      line.leave(waiter);
      reject(reason);
    };
    // A last look: what came in time, while the event loop was busy, is no timeout.
    const atDeadline = () => {
      try {
        const value = line.isNext(waiter) ? attempt() : undefined;
        if (value === undefined) return giveUp(timeoutError(awaited, timeoutMs!));
        line.leave(waiter);
        resolve(value);
      } catch (error) {
        giveUp(error);
      }
    };
    const stopTimer = at(deadline, atDeadline);
    const stopListening = signal && onAbort(signal, () => giveUp(signal.reason));
    const waiter: Waiter = {
      attempt,
      resolve: resolve as (value: unknown) => void,
      reject,
      release() {
        stopListening?.();
        stopTimer();
      },
    };
    try {
      line.enter(waiter);
    } catch (error) {
      giveUp(error);
    }
  });
}
