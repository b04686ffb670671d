/**
 * The layout of the slots of a mailbox, version 1: where its receivers keep the messages that they
 * have taken and not acknowledged. All fields are little-endian words of 32 bits where nothing else
 * is said.
 *
 * ```text
 * byte      0          64                      64 + 64 × receivers
 *           +----------+-----------------------+----------------------------------------+
 *           | header   | rows of 64 B, one for | slots: those of the first receiver,    |
 *           |          | each receiver         | then those of the second, …            |
 *           +----------+-----------------------+----------------------------------------+
 *
 * header    0          8          16        24          28           32
 *           +----------+----------+---------+-----------+------------+------------+----
 *           | magic    | version  | run     | receivers | slots each | frameBytes | 0
 *           +----------+----------+---------+-----------+------------+------------+----
 *
 * row       0        4       8           12
 *           +--------+-------+-----------+---------+----
 *           | owner  | heir  | handling  | in hand | 0
 *           +--------+-------+-----------+---------+----
 *
 * slot      0          4         8        12      16            20   32            256
 *           +----------+---------+--------+-------+-------------+----+-------------+---------
 *           | priority | attempt | length | order | error bytes | 0  | error UTF-8 | frame
 *           +----------+---------+--------+-------+-------------+----+-------------+---------
 * ```
 *
 * `priority` is the state of a slot, and the one word that the kernel writes. mq_receive(3) is given
 * its address:
 *
 * ```text
 *              arm                   mq_receive                 the block is
 *   0xFFFFFFFF ───► 0xFFFFFFFD ─────────────────► 0 to 32 767 ─────────────► 0xFFFFFFFE
 *     EMPTY           ARMED         the kernel       HELD        freed next     DONE
 *       ▲                                              │                          │
 *       ├──────────────────────────────────────────────┘ acknowledged             │
 *       └─────────────────────────────────────────────────────────────────────────┘
 * ```
 *
 * What a kill leaves. LINUX: ipc/mqueue.c, do_mq_timedreceive(): the message is taken out of the
 * queue under its lock, then put_user() writes the priority, then store_msg() the bytes, and only
 * then the call goes back to user mode, where SIGKILL is acted upon. A page that is there is written
 * without a fault, so between the first and the last there is nothing to be killed at:
 *
 * | killed                            | priority   | frame             | what it means             |
 * | --------------------------------- | ---------- | ----------------- | ------------------------- |
 * | before the call, or queue empty   | ARMED      | begins with zeros | nothing was taken         |
 * | after the call                    | HELD       | whole             | the message is here       |
 * | in the call, a page was not there | HELD       | torn, or zeros    | taken, and lost: told     |
 * | the same, that of the priority    | ARMED      | begins with zeros | taken, and lost untold    |
 * | never, in this order              | ARMED      | changed           | another kernel: told      |
 *
 * - Arming puts zeros over the first 8 bytes of the frame, so what was there before is never taken
 *   for what came: a frame without its magic, or with another checksum, is torn.
 * - `length` is -1 from arming until the call is back. Where it is -1 the frame says its own.
 * - `attempt` counts how often it was given to a handler; stored before that begins.
 * - `order` counts the messages of a receiver from 1, modulo 2^32: of one priority the lowest comes
 *   first, and of free slots it is used first.
 * - `error` is what the last attempt ended by, in words.
 * - `owner` is the incarnation of the endpoint that serves the row now (owner.ts). `heir` is the row
 *   whose receiver serves this one: its own, until it is left for good. Only who launched the
 *   receivers writes it.
 * - `handling` is 0 while no handler runs, and another number for each that does; `in hand` is its
 *   slot. Who launched the receiver looks at it, to tell one that hangs.
 *
 * Acknowledging is one store: EMPTY. A frame whose payload is in the slab is marked DONE first, and
 * EMPTY when its block is free, so that whoever is killed in between leaves neither a message that
 * comes again without its payload nor a block that nobody frees.
 */

/** "POSTBOXM" in memory. */
export const MAGIC = 0x4d584f4254534f50n;

/** The version of this layout. */
export const VERSION = 1n;

/** Where things are in the header, in words of 64 and of 32 bits. */
export const MAGIC_LONG = 0, VERSION_LONG = 1, RUN_LONG = 2;
export const RECEIVERS_WORD = 6, SLOTS_EACH_WORD = 7, FRAME_BYTES_WORD = 8;

export const HEADER_BYTES = 64, ROW_BYTES = 64;

/** Where things are in a row, in words of 32 bits. */
export const OWNER_WORD = 0, HEIR_WORD = 1, HANDLING_WORD = 2, IN_HAND_WORD = 3;

/** Where things are in a slot, in words of 32 bits. */
export const PRIORITY_WORD = 0,
  ATTEMPT_WORD = 1,
  LENGTH_WORD = 2,
  ORDER_WORD = 3,
  ERROR_BYTES_WORD = 4;

/** Where the words about an error are in a slot, and where its frame is. */
export const ERROR_OFFSET = 32, FRAME_OFFSET = 256;

/** So many bytes of an error fit. */
export const MAX_ERROR_BYTES = FRAME_OFFSET - ERROR_OFFSET;

/** States of a slot that are no priority, as signed words. */
export const EMPTY = -1, DONE = -2, ARMED = -3;

/** The length of a message whose receiving call is not known to have come back. */
export const UNKNOWN_LENGTH = -1;

/** A slot begins at a line of the cache. */
const ALIGN_BYTES = 64;

/** How many receivers a mailbox can have, how many slots each, and how long a frame can be. */
export const MAX_RECEIVERS = 64, MAX_SLOTS_EACH = 256, MAX_FRAME_BYTES = 2 ** 20;

/** What the slots of a mailbox are like. */
export interface SlotSizes {
  /** How many receivers the mailbox has. */
  readonly receivers: number;
  /** How many slots each of them has. */
  readonly slotsEach: number;
  /** The longest message of its queue, in bytes. */
  readonly frameBytes: number;
}

/** Where a row begins. */
export function rowOffset(row: number): number {
  return HEADER_BYTES + row * ROW_BYTES;
}

/** How many bytes a slot takes. */
export function slotBytes({ frameBytes }: SlotSizes): number {
  return FRAME_OFFSET + Math.ceil(frameBytes / ALIGN_BYTES) * ALIGN_BYTES;
}

/** Where a slot begins; for the slot after the last one how long the memory is. */
export function slotOffset(sizes: SlotSizes, slot: number): number {
  return rowOffset(sizes.receivers) + slot * slotBytes(sizes);
}

/** How many slots there are. */
export function slotCount({ receivers, slotsEach }: SlotSizes): number {
  return receivers * slotsEach;
}
