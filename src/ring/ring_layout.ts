/**
 * The layout of a ring: a header, then its lanes, each with records of its own. All fields are
 * little-endian, and a lane has one producer, so a ring with one lane is an {@linkcode SpscRing}.
 *
 * ```text
 * byte    0          64          128             256               + LANE_BYTES + capacity
 *         +----------+-----------+---------------+-----------------+-----------------+----
 *         | header   | not empty | consumer's    | lane 0          | lane 1          | …
 *         |          |           | lock          |                 |                 |
 *         +----------+-----------+---------------+-----------------+-----------------+----
 * written   once       event count lock            as below
 *
 * header  0        4         8       12         16       20          64
 *         +--------+---------+-------+----------+--------+-----------+
 *         | magic  | version | lanes | capacity | locks  | 0         |
 *         +--------+---------+-------+----------+--------+-----------+
 *
 * lane    0          128         192            256               384           384 + capacity
 *         +----------+-----------+--------------+-----------------+-------------+
 *         | tail     | head      | not full     | producer's lock | records     |
 *         +----------+-----------+--------------+-----------------+-------------+
 * written   producer   consumer    event count    lock              producer
 *
 * record  0        4        8                    8 + length   next multiple of 8
 *         +--------+--------+--------------------+------------+
 *         | length | mark   | bytes              | unused     |
 *         +--------+--------+--------------------+------------+
 * ```
 *
 * - `tail` and `head` count bytes since the ring was made, modulo 2^32: the producer has published
 *   up to `tail`, the consumer has read up to `head`, and a position modulo `capacity` is where its
 *   record lies. What is used is `(tail - head) | 0`, from 0 to `capacity`.
 * - `mark` is a word of the producer's, for whoever reads the record; a producer that has nothing to
 *   say there leaves what it is.
 * - A record lies in one piece. One that does not fit before the end begins at the start, and the
 *   rest of the lane is padding: a header whose length is {@linkcode PADDING}, and nothing else. It
 *   is published together with the record behind it.
 * - Whoever stores `tail` notifies "not empty" then; who stores `head` notifies the lane's "not
 *   full". Both are event counts (src/wait/event_layout.ts).
 * - A lock says who has the role of the producer, or the consumer. `locks` says what they are: 1 for
 *   mutexes (src/sync/mutex_layout.ts), 2 for a word that is 1 while somebody has the role.
 */

/** The size of a processor's cache line, and what every part of the layout is a multiple of. */
export const CACHE_LINE_BYTES = 64;

/** "PBRG" in memory: a Postbox ring. */
export const MAGIC = 0x47524250;

/** The version of this layout. */
export const VERSION = 1;

/** Indexes of the header's 32-bit words. */
export const MAGIC_INDEX = 0,
  VERSION_INDEX = 1,
  LANES_INDEX = 2,
  CAPACITY_INDEX = 3,
  LOCKS_INDEX = 4;

/** What the locks are. */
export const ROBUST_LOCKS = 1, WORD_LOCKS = 2;
export type LockKind = typeof ROBUST_LOCKS | typeof WORD_LOCKS;

/** How many 32-bit words the header has. */
export const HEADER_WORDS = CACHE_LINE_BYTES / 4;

/** Where the parts of the ring begin. */
export const NOT_EMPTY_OFFSET = CACHE_LINE_BYTES * 1;
export const CONSUMER_LOCK_OFFSET = CACHE_LINE_BYTES * 2;
export const LANES_OFFSET = CACHE_LINE_BYTES * 4;

/**
 * Where the parts of a lane begin, from its own start.
 *
 * LAYOUT: tail and head are two lines apart: processors fetch lines in pairs, and each is written
 * by another one.
 */
export const TAIL_OFFSET = 0;
export const HEAD_OFFSET = CACHE_LINE_BYTES * 2;
export const NOT_FULL_OFFSET = CACHE_LINE_BYTES * 3;
export const PRODUCER_LOCK_OFFSET = CACHE_LINE_BYTES * 4;

/** A lane without its records. */
export const LANE_BYTES = CACHE_LINE_BYTES * 6;

/** What stands before the bytes of a record, and where in it the mark is. */
export const RECORD_HEADER_BYTES = 8, MARK_OFFSET = 4;

/** The length in the header of what is no record, up to the end of the lane. */
export const PADDING = -1;

/** How many bytes a lane's records can have: powers of two. */
export const MIN_CAPACITY_BYTES = 64, MAX_CAPACITY_BYTES = 2 ** 30;

/** How many lanes a ring can have. */
export const MAX_LANES = 1024;

/** What a record takes of its lane; a multiple of 8, so that any number may lie in it. */
export function recordBytesOf(byteLength: number): number {
  return (byteLength + RECORD_HEADER_BYTES + 7) & ~7;
}

/** The longest record: with the padding before it, it fits into an empty lane wherever that is. */
export function maxRecordBytesOf(capacityBytes: number): number {
  return capacityBytes / 2 - RECORD_HEADER_BYTES;
}

/** Where a lane begins. */
export function laneOffset(lane: number, capacityBytes: number): number {
  return LANES_OFFSET + lane * (LANE_BYTES + capacityBytes);
}

/** How many bytes the whole ring has. */
export function ringBytesOf(lanes: number, capacityBytes: number): number {
  return laneOffset(lanes, capacityBytes);
}
