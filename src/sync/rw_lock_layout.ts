/**
 * The layout of a lock for many readers or one writer: 20 lines of 64 bytes.
 *
 * ```text
 * byte 0          4         8        60     64            128         192      256        1216     1280
 *      +----------+---------+-- ... -+------+----- ... ---+-----------+--------+-- ... ---+--------+
 *      | announced| writing | 0      | PRW1 | event count | turnstile | slot 0 |  … 15    | 0      |
 *      +----------+---------+-- ... -+------+----- ... ---+-----------+--------+-- ... ---+--------+
 * written  by who has     by who has                        robust mutexes (pthread_mutex_t)
 *        the turnstile    all slots
 * ```
 *
 * - `announced` is 1 while a writer waits for slots; readers then leave the free ones to it.
 * - `writing` is 1 while a writer changes what the lock guards; one that died has left it so.
 * - Whoever writes, or waits for it, has the turnstile.
 * - A thread that reads has one slot; the one who writes has all of them.
 */

import { EVENTS_OFFSET, LOCK_ALIGN_BYTES, type LockLayout, markOf } from "./lock_layout.ts";
import { EVENT_COUNT_BYTES } from "../wait/mod.ts";

/** How many threads can read at once. */
export const READER_SLOTS = 16;

/** Indexes of the 32-bit words. */
export const ANNOUNCED = 0, WRITING = 1;

/** Where the mutexes are, in bytes. */
export const TURNSTILE_OFFSET: number = EVENTS_OFFSET + EVENT_COUNT_BYTES;
export const SLOTS_OFFSET: number = TURNSTILE_OFFSET + LOCK_ALIGN_BYTES;
export const SLOT_BYTES: number = LOCK_ALIGN_BYTES;

/** Kept free at the end, in bytes: for a later version of the layout. */
const SPARE_BYTES = LOCK_ALIGN_BYTES;

/** The size of a lock for readers and writers. */
export const RW_LOCK_BYTES: number = SLOTS_OFFSET + READER_SLOTS * SLOT_BYTES + SPARE_BYTES;

export const RW_LOCK: LockLayout = {
  kind: "rw lock",
  byteLength: RW_LOCK_BYTES,
  mark: markOf("PRW1"),
};
