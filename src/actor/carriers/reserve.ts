/** The room that messages leave to control frames. */

/** So many places, where there are enough. */
const RESERVED_PLACES = 2;

/**
 * How many of a carrier's places messages may take: all but the last two; of two or three, all but
 * one. A carrier of a single place has none to spare: there a control frame waits for it as messages
 * do, and before them.
 */
export function messagePlaces(capacity: number): number {
  return capacity - Math.min(RESERVED_PLACES, capacity >> 1);
}
