/**
 * Blocking for a ring: a moment of looking comes first, for a peer that is awake answers in less
 * time than a system call takes.
 */

import { deadlineOf, type EventCount } from "../wait/mod.ts";

/** So many looks, a microsecond or two; the wait that follows gives the processor away. */
const LOOKS = 40;

/** Tells the processor that somebody else is waited for; absent in Node 20 and 22. */
const pause: () => void = (Atomics as { pause?: () => void }).pause ?? (() => {});

/** {@linkcode EventCount.waitSync}, after a moment of looking. */
export function waitSync<T>(
  events: EventCount,
  attempt: () => T | undefined,
  timeoutMs: number | undefined,
): T | undefined {
  deadlineOf(timeoutMs); // what is no time is refused before anything is done
  for (let looks = 0; looks < LOOKS && timeoutMs !== 0; looks++) {
    const value = attempt();
    if (value !== undefined) return value;
    pause();
  }
  return events.waitSync(attempt, timeoutMs);
}
