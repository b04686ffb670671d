/**
 * The layout of a ring carrier: two rings in one memory, and what their consumer waits for.
 *
 * ```text
 * byte    0           64         128               128 + bytes of it
 *         +-----------+----------+-----------------+-----------------+
 *         | not empty | counts   | ring of         | ring of         |
 *         |           |          | messages        | control frames  |
 *         +-----------+----------+-----------------+-----------------+
 *         event count             as in src/ring/ring_layout.ts
 *
 * counts  64         68
 *         +----------+----------+
 *         | messages | control  |
 *         +----------+----------+
 * ```
 *
 * - Whoever has published a record adds 1 to the count of its ring, then notifies "not empty": so
 *   the consumer sees by two words whether there is anything new, however many lanes there are.
 * - The mark of a record is its priority.
 */

import { EVENT_COUNT_BYTES } from "../../wait/mod.ts";

/** Where "not empty" begins. */
export const NOT_EMPTY_OFFSET = 0;

/** Where the counts begin: behind an event count. */
export const COUNTS_OFFSET: number = NOT_EMPTY_OFFSET + EVENT_COUNT_BYTES;

/** Indexes of the counts, as 32-bit words, and how many there are. */
export const COUNT_INDEX = { message: 0, control: 1 } as const, COUNTS = 2;

/** Where the ring of messages begins; that of control frames follows it. */
export const RINGS_OFFSET = 128;
