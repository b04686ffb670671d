/**
 * The layout of an event.
 *
 * ```text
 * byte 0       4       8             60     64                   128
 *      +-------+-------+---- ... ----+------+-------- ... -------+
 *      | state | reset | 0           | PEV1 | event count        |
 *      +-------+-------+---- ... ----+------+-------- ... -------+
 * written  by all once                 once   by who waits, and who sets here
 * ```
 *
 * - `state` is 1 while the event is set, else 0.
 * - `reset` says how it is reset: 0 by the one that it lets through, 1 by hand.
 */

import { EVENTS_OFFSET, type LockLayout, markOf } from "./lock_layout.ts";
import { EVENT_COUNT_BYTES } from "../wait/mod.ts";

/** The size of an event. */
export const EVENT_BYTES: number = EVENTS_OFFSET + EVENT_COUNT_BYTES;

/** Indexes of the 32-bit words. */
export const STATE = 0, RESET = 1;

/** Values of `reset`. */
export const AUTO_RESET = 0, MANUAL_RESET = 1;

export const EVENT: LockLayout = { kind: "event", byteLength: EVENT_BYTES, mark: markOf("PEV1") };
