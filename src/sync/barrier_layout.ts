/**
 * The layout of a barrier.
 *
 * ```text
 * byte 0         4            8         12            60     64                   128
 *      +---------+------------+---------+---- ... ----+------+-------- ... -------+
 *      | arrived | generation | parties | 0           | PBA1 | event count        |
 *      +---------+------------+---------+---- ... ----+------+-------- ... -------+
 * written   by all, as one word  once                   once   by who waits, and who arrives last
 * ```
 *
 * - `arrived` counts those who wait for this generation: 0 to `parties` - 1.
 * - `generation` counts how often the barrier has let its parties go; it may wrap.
 */

import { EVENTS_OFFSET, type LockLayout, markOf } from "./lock_layout.ts";
import { EVENT_COUNT_BYTES } from "../wait/mod.ts";

/** The size of a barrier. */
export const BARRIER_BYTES: number = EVENTS_OFFSET + EVENT_COUNT_BYTES;

/** Index of the 64-bit word of `arrived` and `generation`; of the 32-bit word `parties`. */
export const PROGRESS = 0, PARTIES = 2;

/** The lowest bit of `generation` in that word, and its width. */
export const GENERATION_SHIFT = 32n;

/** At most so many parties. */
export const MAX_PARTIES = 65535;

export const BARRIER: LockLayout = {
  kind: "barrier",
  byteLength: BARRIER_BYTES,
  mark: markOf("PBA1"),
};
