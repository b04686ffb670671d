/**
 * The layout of a slab, version 1: where payloads lie that are too large for a frame, one object of
 * shared memory for each size of blocks. All fields are little-endian; all zeros is an empty one.
 *
 * ```text
 * segment  blocks of      at most        segment  blocks of      at most
 *    0        4 KiB        1024             8        1 MiB          256
 *    1        8 KiB        1024             …
 *    …                                     14       64 MiB            4
 *
 * byte     0         64                    64 + 32 × most   a multiple of 4096, its first block
 *          +---------+---------------------+----------------+---------+---------+--
 *          | header  | table: 32 B a block | 0              | block 0 | block 1 | …
 *          +---------+---------------------+----------------+---------+---------+--
 *
 * header   0          8                    16        24
 *          +----------+----------+---------+---------+---------+----
 *          | magic    | version  | segment | run     | count   | 0
 *          +----------+----------+---------+---------+---------+----
 *
 * block's  0         4             8         12                  20
 * entry    +---------+-------------+---------+-------------------+----
 *          | word    | generation  | sender  | mailbox           | 0
 *          +---------+-------------+---------+-------------------+----
 * ```
 *
 * The object grows: it begins with its table, and `count` says how many blocks have their pages. It
 * is stored after they were allocated, and never gets smaller. `run` is that of the directory.
 *
 * `word` (owner.ts) is the state of a block and whose it is. Each arrow is one compare-and-exchange
 * of the whole word, so a block has one owner at every instant, whoever is killed:
 *
 * ```text
 *                  tryWrite()                 queue()                 take()
 *   0 FREE ────────────────► 1 WRITING ─────────────► 2 QUEUED ─────────────► 3 IN FLIGHT
 *     generation ◄────────── sender      ◄───────────   generation             receiver
 *        ▲           free()               unqueue()         │                      │
 *        ├───────────────────────────────────────────────────┘ free(), recover()    │
 *        └─────────────────────────────────────────────────────────────────────────┘ copied out
 * ```
 *
 * `generation` is that of the payload in the block, counted modulo 2^29. It is stored by the owner
 * right after it has become that, and the word has it in the states without one, so a descriptor of
 * an older payload finds another word and gets nothing.
 *
 * Who frees what a dead one had
 *
 * - WRITING and IN FLIGHT: anybody, once that incarnation is dead. Nobody else touches the block,
 *   and the dead one never will: `reclaim()`.
 * - QUEUED: the block is its message's, and outlives the sender. Three deaths leave one without a
 *   message: the sender's between `queue()` and mq_send(3), the receiver's between mq_receive(3) and
 *   `take()`, and that of the queue itself. `recover()` finds them, as follows.
 *
 * Hand-overs. Each endpoint has a count in the directory that is odd from before it calls `queue()`
 * to a time when the attempt to send is over, and, where several take from one mailbox, from before
 * it takes a message to a time when it has called `take()`. Both are the end of its turn of the
 * event loop. A change of state is a store that everybody sees in one order (SYNC: Atomics, and the
 * kernel's own locks around its queues), so what comes first below also happened first.
 *
 * The rule: somebody who takes from mailbox M and has no message of it in hand frees a block when it
 * sees, in this order,
 *
 *   1. the sender dead, or its count even: c
 *   2. the block QUEUED for M, in generation g
 *   3. M empty
 *   4. each other endpoint that is alive with an even count, or that takes nothing from M
 *   5. the sender dead, or its count c still
 *   6. the word of 2 still, by exchanging it.
 *
 * Proof that no message has the block then. By 1 and 5 the sender was not at an attempt at any time
 * from 1 to 5, or is dead; the block was QUEUED at 2, in between, so its last attempt was over at 1,
 * and had not failed, for then it would have been WRITING again. (Or the sender died in it, and it
 * is either sent or never will be.) So the message had been sent before 1, or never is. By 3 it is
 * no longer in M. If an endpoint that lives had taken it, that was before 3 and in a hand-over; by 4
 * that hand-over was over after 3, with `take()` in it: the word would be another one at 6. So who
 * took it is dead, or nobody did. No message leads to the block, and none will: the sender has
 * given it away for good, and the generation is used once.
 */

/** "POSTBOXS" in memory. */
export const MAGIC = 0x53584f4254534f50n;

/** The version of this layout. */
export const VERSION = 1;

/** Where things are in the header, in words of 64 and of 32 bits. */
export const MAGIC_LONG = 0, VERSION_LONG = 1, RUN_LONG = 2, COUNT_WORD = 6;

/** The sizes of blocks: each is twice the one before. */
export const SEGMENTS = 15;
export const MIN_BLOCK_BYTES = 4096;

/** The largest payload. */
export const MAX_PAYLOAD_BYTES = blockBytesOf(SEGMENTS - 1);

/** How many blocks a segment has at most: so many, and so many bytes. */
const MAX_BLOCKS = 1024, MAX_SEGMENT_BYTES = 256 * 2 ** 20;

/** How much a segment grows by, unless a block is larger. */
const GROWTH_BYTES = 256 * 1024;

/** Where the table is. */
export const TABLE_OFFSET = 64, ENTRY_BYTES = 32;

/** Where things are in an entry, in words of 32 bits. */
export const ENTRY_WORDS = ENTRY_BYTES / 4;
export const STATE_WORD = 0,
  GENERATION_WORD = 1,
  SENDER_WORD = 2,
  MAILBOX_LOW_WORD = 3,
  MAILBOX_HIGH_WORD = 4;

/** States of a block. */
export const FREE = 0, WRITING = 1, QUEUED = 2, IN_FLIGHT = 3;

const PAGE_BYTES = 4096;

/** The segment whose blocks are the smallest that a payload fits. */
export function segmentFor(byteLength: number): number {
  return byteLength <= MIN_BLOCK_BYTES ? 0 : 32 - Math.clz32((byteLength - 1) >>> 12);
}

/** How long the blocks of a segment are. */
export function blockBytesOf(segment: number): number {
  return MIN_BLOCK_BYTES * 2 ** segment;
}

/** How many blocks a segment can have. */
export function maxBlocksOf(segment: number): number {
  return Math.min(MAX_BLOCKS, MAX_SEGMENT_BYTES / blockBytesOf(segment));
}

/** How many blocks a segment gets at a time. */
export function growthOf(segment: number): number {
  return Math.max(1, GROWTH_BYTES / blockBytesOf(segment));
}

/** Where a block lies, and for the block after the last one how long the object is. */
export function blockOffset(segment: number, block: number): number {
  const tableEnd = TABLE_OFFSET + maxBlocksOf(segment) * ENTRY_BYTES;
  return Math.ceil(tableEnd / PAGE_BYTES) * PAGE_BYTES + block * blockBytesOf(segment);
}
