/**
 * The layout of a mutex.
 *
 * ```text
 * byte 0                 40     48         60     64                   128
 *      +------- ... -----+------+----------+------+-------- ... -------+
 *      | pthread_mutex_t | arm64| 0        | PMX1 | event count        |
 *      +------- ... -----+------+----------+------+-------- ... -------+
 * written   by the C library                 once   by who waits, and who unlocks here
 * ```
 *
 * The `pthread_mutex_t` of glibc has 40 bytes on x86-64 and 48 on arm64, that of musl 40 on both.
 */

import { EVENTS_OFFSET, type LockLayout, markOf } from "./lock_layout.ts";
import { EVENT_COUNT_BYTES } from "../wait/mod.ts";

/** The size of a mutex. */
export const MUTEX_BYTES: number = EVENTS_OFFSET + EVENT_COUNT_BYTES;

export const MUTEX: LockLayout = { kind: "mutex", byteLength: MUTEX_BYTES, mark: markOf("PMX1") };
