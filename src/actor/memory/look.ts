/** Waiting, for a moment and on this thread, for what tells nobody that it happened. */

import { EVENT_COUNT_BYTES, EventCount } from "../../wait/mod.ts";

/** Between two looks. */
const LOOK_EVERY_MS = 2;

/**
 * Looks now, and again until there is something.
 *
 * @param look Gives `undefined` as long as there is nothing.
 * @returns What it gave; `undefined` at the deadline.
 */
export function lookSync<T>(
  look: () => T | undefined,
  timeoutMs: number,
  target: string,
): T | undefined {
  // An event count that nobody notifies: who waits there looks by the clock.
  const own = new SharedArrayBuffer(EVENT_COUNT_BYTES);
  const options = { lookEveryMs: LOOK_EVERY_MS, spin: false, target };
  return EventCount.format(own, 0, options).waitSync(look, timeoutMs);
}
