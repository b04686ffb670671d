/**
 * The layout of a frame: what actors, and C programs that talk to them, send each other.
 *
 * ```text
 * byte    0     2         3      4       5       6                8              12
 *         +-----+---------+------+-------+-------+----------------+--------------+------
 *         | PB  | version | kind | codec | flags | replyNameBytes | payloadBytes | tag
 *         +-----+---------+------+-------+-------+----------------+--------------+------
 *        16           20              24             28               32              36
 *         +------------+---------------+--------------+---------------+---------------+---------
 *         | to (actor) | toIncarnation | from         | fromActor     | epoch         | sequence
 *         +------------+---------------+--------------+---------------+---------------+---------
 *        40                            48             52              56              60
 *         +----------------------------+--------------+---------------+---------------+---------
 *         | expires (u64)              | attempt      | argument      | zero          | checksum
 *         +----------------------------+--------------+---------------+---------------+---------
 *        64            64 + replyNameBytes
 *         +------------+---------------------------------+
 *         | reply name | payload, or a block descriptor  |  and nothing behind it
 *         +------------+---------------------------------+
 *
 * block descriptor, from its own beginning
 * byte    0         4       8            12           16       20           32
 *         +---------+-------+------------+------------+--------+------------+
 *         | segment | block | generation | byteLength | crc32c | zero (12)  |
 *         +---------+-------+------------+------------+--------+------------+
 * ```
 *
 * All numbers are little-endian and unsigned; what has no size in the picture is a u32, but version,
 * kind, codec and flags are bytes and replyNameBytes is a u16. docs/wire.md says what they mean.
 *
 * Rule: no number of the format is anywhere else.
 */

/** `P`, `B`: 0x50, 0x42. */
export const MAGIC = 0x4250;
/** The version of the format. Another one is refused. */
export const FRAME_VERSION = 1;
/** The bytes before the reply name and the payload. */
export const FRAME_HEADER_BYTES = 64;
/** The most bytes of a reply name: NAME_MAX, with its slash. */
export const MAX_REPLY_NAME_BYTES = 255;
/** The bytes of a descriptor of a block of a slab. */
export const BLOCK_DESCRIPTOR_BYTES = 32;

export const MAGIC_OFFSET = 0;
export const VERSION_OFFSET = 2;
export const KIND_OFFSET = 3;
export const CODEC_OFFSET = 4;
export const FLAGS_OFFSET = 5;
export const REPLY_NAME_BYTES_OFFSET = 6;
export const PAYLOAD_BYTES_OFFSET = 8;
export const TAG_OFFSET = 12;
export const TO_OFFSET = 16;
export const TO_INCARNATION_OFFSET = 20;
export const FROM_OFFSET = 24;
export const FROM_ACTOR_OFFSET = 28;
export const EPOCH_OFFSET = 32;
export const SEQUENCE_OFFSET = 36;
export const EXPIRES_OFFSET = 40;
export const ATTEMPT_OFFSET = 48;
export const ARGUMENT_OFFSET = 52;
export const ZERO_OFFSET = 56;
export const CHECKSUM_OFFSET = 60;

export const BLOCK_SEGMENT_OFFSET = 0;
export const BLOCK_INDEX_OFFSET = 4;
export const BLOCK_GENERATION_OFFSET = 8;
export const BLOCK_BYTE_LENGTH_OFFSET = 12;
export const BLOCK_CRC_OFFSET = 16;
export const BLOCK_ZERO_OFFSET = 20;

/** What a frame is. */
export const KIND = {
  /** A message that nobody answers. */
  TELL: 1,
  /** A message that is answered once, by REPLY or FAILED. */
  ASK: 2,
  /** Asks for a stream: ITEMs, then END or FAILED. */
  OPEN: 3,
  /** The answer to an ASK. */
  REPLY: 4,
  /** An ASK or a stream failed; the payload is an error. */
  FAILED: 5,
  /** Says who serves an ASK that wanted to know. */
  TAKEN: 6,
  /** One item of a stream. */
  ITEM: 7,
  /** A stream is over, and went well. */
  END: 8,
  /** Grants a stream `argument` more items. */
  CREDIT: 9,
  /** The asker no longer wants the answer, or the rest of the stream. */
  CANCEL: 10,
  /** Grants a sender `argument` more messages to an actor. */
  GRANT: 11,
} as const;
/** One of {@linkcode KIND}. */
export type FrameKind = (typeof KIND)[keyof typeof KIND];
/** The last of {@linkcode KIND}. */
export const LAST_KIND: FrameKind = KIND.GRANT;

/** How a payload is encoded. */
export const CODEC = {
  /** There is no payload: its value is undefined. */
  NONE: 0,
  MESSAGEPACK: 1,
  JSON: 2,
  /** The structured clone of V8. */
  CLONE: 3,
  /** The payload is the bytes. */
  RAW: 4,
  /** The fields of a struct, as C has them. */
  STRUCT: 5,
} as const;
/** One of {@linkcode CODEC}. */
export type CodecNumber = (typeof CODEC)[keyof typeof CODEC];
/** The last of {@linkcode CODEC}. */
export const LAST_CODEC: CodecNumber = CODEC.STRUCT;

/** The bits of `flags`. */
export const FLAG = {
  /** In place of the payload stands the descriptor of a block of a slab that has it. */
  BY_REFERENCE: 1,
  /** Whoever takes the ASK shall say so by TAKEN. */
  WANTS_TAKEN: 2,
  /** The kernel name of the queue for replies stands before the payload. */
  REPLY_NAME: 4,
  /** Replies may come by the asker's ring. */
  RING: 8,
} as const;
/** Every bit of {@linkcode FLAG}. */
export const ALL_FLAGS = 15;
