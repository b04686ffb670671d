/**
 * The layout of an event count: one cache line of shared memory, all fields little-endian.
 *
 * ```text
 * byte 0         4         8         12        16                 24        56                 64
 *      +---------+---------+---------+---------+------------------+-- ... --+------------------+
 *      | changes | armed   | format  | 0       | bell 0           |         | bell 5           |
 *      +---------+---------+---------+---------+------------------+-- ... --+------------------+
 *
 * armed, bit 31 … 8             7   6 … 1              0
 *            how often armed    0   bell 5 … bell 0    sleepers
 * ```
 *
 * - `changes` is the futex word: who wakes sleeping threads adds 1 to it first.
 * - `armed` is all that a notifier looks at when nobody waits: its lowest seven bits are 0 then.
 *   The rest counts how often somebody armed, and tells a notifier whether somebody did since it
 *   looked.
 * - A bell is the 64-bit number of a doorbell, 0 for none. It is rung only while its bit is set.
 */

/** The size of an event count, and what its offset is a multiple of. */
export const EVENT_COUNT_BYTES = 64;

/** Indexes of the 32-bit words. */
export const CHANGES = 0, ARMED = 1, FORMAT = 2;

/** How many 32-bit words there are. */
export const WORDS = 16;

/** "PEC1" in memory: a Postbox event count, version 1. */
export const FORMAT_MARK = 0x31434550;

/** Where the table of bells begins, in bytes, and how many it has. */
export const BELLS_OFFSET = 16, BELL_SLOTS = 6;

/** Parts of `armed`. */
export const SLEEPERS_BIT = 1, FIRST_BELL_BIT = 1 << 1, ARMED_STEP = 1 << 8;

/** What of `armed` is not 0 when somebody waits. */
export const WAITING_MASK = ARMED_STEP - 1;
