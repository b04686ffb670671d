/**
 * The layout of a system's directory, version 1: a header, a table of endpoints, a journal of names.
 * All fields are little-endian; all zeros is a directory that nobody has made yet.
 *
 * ```text
 * byte      0            64                         8256                            143 424
 *           +------------+--------------------------+-------------------------------+
 *           | header     | 128 endpoints of 64 B    | 512 names of 264 B            |
 *           +------------+--------------------------+-------------------------------+
 *
 * header    0          8          12        16         24         28
 *           +----------+----------+---------+----------+----------+----
 *           | magic    | version  | phase   | run      | unlocked | 0
 *           +----------+----------+---------+----------+----------+----
 *
 * endpoint  0        4             8     12          16            24           28      36
 *           +--------+-------------+-----+-----------+-------------+------------+-------+----
 *           | word   | incarnation | pid | namespace | start ticks | hand-overs | bell  | 0
 *           +--------+-------------+-----+-----------+-------------+------------+-------+----
 *
 * name      0        4             8                                264
 *           +--------+-------------+--------------------------------+
 *           | word   | kind, bytes | UTF-8                          |
 *           +--------+-------------+--------------------------------+
 * ```
 *
 * Who is alive is not in here: the kernel knows it. Each endpoint holds the lock of the byte of its
 * number, and the main one that of byte 128 as well, as long as it lives (src/life/byte_locks.ts).
 * What is written here says who that is, and what is left when it is gone.
 *
 * - `phase` and `run` are written by whoever holds lock 128: 0 is none yet, 1 is being made or
 *   taken away, 2 is a system that runs. Each run has a number of its own, drawn by lot.
 * - `unlocked` is 1 once somebody was refused to keep its slots in memory (delivery/guarantees.ts).
 * - `word` of an endpoint (owner.ts) is 0 for a free number; state 1 with the parent that took it,
 *   and state 2 from its first start on. One compare-and-exchange takes a number or gives it back,
 *   so nobody can be killed half-way.
 * - `incarnation` counts the starts of whoever has the number, and is never reset. It and the
 *   fields behind it are written by the endpoint itself, which holds its lock.
 * - `pid`, `namespace` and `start ticks` say which process it is in. They are read to end a process
 *   whose system is dead, which needs all three to fit.
 * - `bell` is the number of the doorbell of its thread, 0 without one: a killed process leaves it.
 * - `hand-overs` is odd while the endpoint may be handing a block over (slab_layout.ts).
 * - `word` of a name is 0 for a free place, and state 1 with the endpoint that took it. `kind,
 *   bytes` is 0 until the name is written; then it is the kind in the upper half and the length of
 *   the name in the lower one. Whoever is killed in between leaves a place that is taken and has no
 *   name; the next one who looks takes it over.
 *
 * A name is written before its object is made and taken out after it is unlinked. So there is never
 * an object without a name here, and there may be a name without an object.
 */

/** "POSTBOXD" in memory. */
export const MAGIC = 0x44584f4254534f50n;

/** The version of this layout. */
export const VERSION = 1;

/** Where things are in the header, in words of 64 and of 32 bits. */
export const MAGIC_LONG = 0, RUN_LONG = 2, VERSION_WORD = 2, PHASE_WORD = 3, UNLOCKED_WORD = 6;

/** What a directory is for now. */
export const NO_PHASE = 0, CHANGING = 1, RUNNING = 2;

/** The endpoints that a system can have, the main one included, which is 0. */
export const MAX_ENDPOINTS = 128;

/** The byte whose lock the main endpoint holds as long as its system lives. */
export const SYSTEM_BYTE = MAX_ENDPOINTS;

/** Where the endpoints are. */
export const ENDPOINTS_OFFSET = 64, ENDPOINT_BYTES = 64;

/** Where things are in an endpoint, in words of 32 bits. */
export const ENDPOINT_WORD = 0,
  INCARNATION_WORD = 1,
  PID_WORD = 2,
  NAMESPACE_WORD = 3,
  START_LOW_WORD = 4,
  START_HIGH_WORD = 5,
  HAND_OVERS_WORD = 6,
  BELL_LOW_WORD = 7,
  BELL_HIGH_WORD = 8;

/** States of an endpoint's word. */
export const ALLOCATED = 1, BEGUN = 2;

/** Where the names are. */
export const JOURNAL_OFFSET = ENDPOINTS_OFFSET + MAX_ENDPOINTS * ENDPOINT_BYTES;
export const MAX_NAMES = 512, NAME_BYTES = 264;

/** Where things are in a name: two words of 32 bits, then its bytes. */
export const CLAIM_WORD = 0, INFO_WORD = 1, NAME_TEXT_OFFSET = 8;

/** The longest name of a kernel object, without its slash; with it, what an entry has room for. */
export const MAX_NAME_BYTES = 256;

/** The state of a name's word that is taken. */
export const CLAIMED = 1;

/** How long a directory is. */
export const DIRECTORY_BYTES = JOURNAL_OFFSET + MAX_NAMES * NAME_BYTES;
