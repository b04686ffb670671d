/**
 * The layout of a semaphore in shared memory. (One with a name is a file of the C library's own.)
 *
 * ```text
 * byte 0         32                  60     64                   128
 *      +-- ... --+------- ... -------+------+-------- ... -------+
 *      | sem_t   | 0                 | PSE1 | event count        |
 *      +-- ... --+------- ... -------+------+-------- ... -------+
 * written   by the C library           once   by who waits, and who releases here
 * ```
 */

import { EVENTS_OFFSET, type LockLayout, markOf } from "./lock_layout.ts";
import { EVENT_COUNT_BYTES } from "../wait/mod.ts";

/** The size of a semaphore in memory. */
export const SEMAPHORE_BYTES: number = EVENTS_OFFSET + EVENT_COUNT_BYTES;

export const SEMAPHORE: LockLayout = {
  kind: "semaphore",
  byteLength: SEMAPHORE_BYTES,
  mark: markOf("PSE1"),
};
