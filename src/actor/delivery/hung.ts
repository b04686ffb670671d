/**
 * Tells a handler that hangs, from outside: by the word that says which one runs.
 *
 * Rule: no clock is shared, for none is: whoever looks measures for how long it has seen the same
 * handler. So none is called hung before its deadline, and each is within a quarter of it.
 */

import { realClock } from "../flow/clock.ts";
import type { SlotMemory } from "./slots.ts";

/** How often is looked within a deadline. */
const LOOKS = 4;
/** The most and the least milliseconds between two looks. */
const MOST_MS = 1_000, LEAST_MS = 1;

/**
 * Looks at a receiver until its handler hangs.
 *
 * @param deadlineMs How long a handler may run, in milliseconds.
 * @param onHung Called once.
 * @returns Ends it.
 */
export function watchHandler(
  memory: SlotMemory,
  row: number,
  deadlineMs: number,
  onHung: () => void,
): () => void {
  const everyMs = Math.max(LEAST_MS, Math.min(MOST_MS, deadlineMs / LOOKS));
  let seen = 0, since = 0;
  let cancel = realClock.after(everyMs, look);
  function look(): void {
    const handling = memory.handlingOf(row), now = realClock.monotonic();
    if (handling !== seen) [seen, since] = [handling, now];
    else if (handling !== 0 && now - since >= deadlineMs) return onHung();
    cancel = realClock.after(everyMs, look);
  }
  return () => cancel();
}
