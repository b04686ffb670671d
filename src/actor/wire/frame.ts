/**
 * Frames as bytes: encodeFrame() and decodeFrame().
 *
 * Rule: decodeFrame() takes any bytes and never throws; what it gives lies within them. The layout
 * is drawn in frame_layout.ts, and each field is read once.
 */

import { crc32c } from "./crc32c.ts";
import * as layout from "./frame_layout.ts";
import {
  ALL_FLAGS,
  CODEC,
  type CodecNumber,
  FLAG,
  FRAME_HEADER_BYTES,
  type FrameKind,
  KIND,
} from "./frame_layout.ts";
import { putU16, putU32, putU64, u16At, u32At, u64At } from "./little_endian.ts";

export { FRAME_HEADER_BYTES };

/** Where in a slab a payload is. */
export interface SlabDescriptor {
  /** Which segment of its system's slab. */
  readonly segment: number;
  /** Which block of the segment. */
  readonly block: number;
  /** How often the block was used before: a descriptor of an older payload is refused. */
  readonly generation: number;
  /** The bytes of the payload. */
  readonly byteLength: number;
  /** The CRC-32C of the payload. */
  readonly crc: number;
}

/** The fields of a frame that its sender says; docs/wire.md tells what each means. */
export interface FrameHeader {
  kind: FrameKind;
  codec: CodecNumber;
  /** WANTS_TAKEN and RING; the other two follow from what is encoded. */
  flags: number;
  tag: number;
  to: number;
  toIncarnation: number;
  from: number;
  fromActor: number;
  epoch: number;
  sequence: number;
  /** Milliseconds of CLOCK_REALTIME, a whole number; 0 for never. */
  expires: number;
  attempt: number;
  argument: number;
  /** The kernel name of the queue for replies, where they do not go to an inbox. */
  replyName: string | undefined;
}

/** A header with nothing in it but what the frame is. */
export function blankHeader(kind: FrameKind): FrameHeader {
  return {
    kind,
    codec: CODEC.NONE,
    flags: 0,
    tag: 0,
    to: 0,
    toIncarnation: 0,
    from: 0,
    fromActor: 0,
    epoch: 0,
    sequence: 0,
    expires: 0,
    attempt: 0,
    argument: 0,
    replyName: undefined,
  };
}

/** A frame that was received and judged. */
export interface Frame extends Readonly<FrameHeader> {
  /** Of the bytes that were decoded: valid until they are used for something else. */
  readonly payload: Uint8Array;
  /** Where the payload is, when it came by reference; `payload` is empty then. */
  readonly block: SlabDescriptor | undefined;
}

/** What is wrong with bytes that are no frame. */
export type FrameProblemName =
  | "short"
  | "magic"
  | "version"
  | "length"
  | "checksum"
  | "kind"
  | "codec"
  | "flags"
  | "zero"
  | "expires"
  | "reply-name"
  | "block";

/** Bytes that are no frame, and why. */
export interface FrameProblem {
  /** Which part of the frame is wrong: the first that was looked at. */
  readonly problem: FrameProblemName;
  /** What is there and what should be, in words. */
  readonly detail: string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Writes a frame.
 *
 * Nothing is allocated, unless there is a reply name.
 *
 * @param into Where to; its first bytes are written.
 * @param payload The bytes, or the block of a slab in which they are. Not a part of `into`.
 * @returns The bytes of the frame.
 * @throws {RangeError} If it does not fit.
 */
export function encodeFrame(
  into: Uint8Array,
  header: FrameHeader,
  payload: Uint8Array | SlabDescriptor,
): number {
  const inline = payload instanceof Uint8Array;
  const payloadBytes = inline ? payload.byteLength : layout.BLOCK_DESCRIPTOR_BYTES;
  const name = header.replyName === undefined ? undefined : encoder.encode(header.replyName);
  const nameBytes = name === undefined ? 0 : name.byteLength;
  const payloadAt = FRAME_HEADER_BYTES + nameBytes;
  const end = payloadAt + payloadBytes;
  if (end > into.byteLength) {
    throw new RangeError(
      `Cannot encode a frame of ${end} bytes: there is room for ${into.byteLength}`,
    );
  }
  putU16(into, layout.MAGIC_OFFSET, layout.MAGIC);
  into[layout.VERSION_OFFSET] = layout.FRAME_VERSION;
  into[layout.KIND_OFFSET] = header.kind;
  into[layout.CODEC_OFFSET] = header.codec;
  into[layout.FLAGS_OFFSET] = header.flags | (inline ? 0 : FLAG.BY_REFERENCE) |
    (nameBytes === 0 ? 0 : FLAG.REPLY_NAME);
  putU16(into, layout.REPLY_NAME_BYTES_OFFSET, nameBytes);
  putU32(into, layout.PAYLOAD_BYTES_OFFSET, payloadBytes);
  putU32(into, layout.TAG_OFFSET, header.tag);
  putU32(into, layout.TO_OFFSET, header.to);
  putU32(into, layout.TO_INCARNATION_OFFSET, header.toIncarnation);
  putU32(into, layout.FROM_OFFSET, header.from);
  putU32(into, layout.FROM_ACTOR_OFFSET, header.fromActor);
  putU32(into, layout.EPOCH_OFFSET, header.epoch);
  putU32(into, layout.SEQUENCE_OFFSET, header.sequence);
  putU64(into, layout.EXPIRES_OFFSET, header.expires);
  putU32(into, layout.ATTEMPT_OFFSET, header.attempt);
  putU32(into, layout.ARGUMENT_OFFSET, header.argument);
  putU32(into, layout.ZERO_OFFSET, 0);
  if (name !== undefined) into.set(name, FRAME_HEADER_BYTES);
  if (inline) into.set(payload, payloadAt);
  else putBlock(into, payloadAt, payload);
  putU32(into, layout.CHECKSUM_OFFSET, checksumOf(into, end));
  return end;
}

/** Of everything but itself. */
function checksumOf(bytes: Uint8Array, end: number): number {
  const ofHeader = crc32c(bytes, 0, layout.CHECKSUM_OFFSET);
  return crc32c(bytes, FRAME_HEADER_BYTES, end, ofHeader);
}

function putBlock(into: Uint8Array, at: number, block: SlabDescriptor): void {
  putU32(into, at + layout.BLOCK_SEGMENT_OFFSET, block.segment);
  putU32(into, at + layout.BLOCK_INDEX_OFFSET, block.block);
  putU32(into, at + layout.BLOCK_GENERATION_OFFSET, block.generation);
  putU32(into, at + layout.BLOCK_BYTE_LENGTH_OFFSET, block.byteLength);
  putU32(into, at + layout.BLOCK_CRC_OFFSET, block.crc);
  for (let zero = layout.BLOCK_ZERO_OFFSET; zero < layout.BLOCK_DESCRIPTOR_BYTES; zero += 4) {
    putU32(into, at + zero, 0);
  }
}

/**
 * Judges bytes that somebody sent, and takes them apart.
 *
 * Besides the frame, and the view of its payload, nothing is allocated for one without a reply name.
 *
 * @param bytes Private memory: nobody else writes there meanwhile.
 * @param byteLength How many of them were received.
 * @returns The frame, or the first thing that is wrong; `"problem" in result` tells.
 */
export function decodeFrame(bytes: Uint8Array, byteLength: number): Frame | FrameProblem {
  // The caller's count is worth no more than the bytes that are there.
  const end = Math.min(byteLength, bytes.byteLength);
  const problem = envelopeProblem(bytes, end) ?? fieldProblem(bytes);
  if (problem !== undefined) return problem;

  const flags = bytes[layout.FLAGS_OFFSET]!;
  const nameBytes = u16At(bytes, layout.REPLY_NAME_BYTES_OFFSET);
  const hasName = (flags & FLAG.REPLY_NAME) !== 0;
  const replyName = hasName ? replyNameIn(bytes, nameBytes) : undefined;
  if (hasName ? replyName === undefined : nameBytes > 0) {
    return wrong("reply-name", `${nameBytes} bytes, flag ${hasName ? "set" : "not set"}`);
  }
  const payloadAt = FRAME_HEADER_BYTES + nameBytes;
  const byReference = (flags & FLAG.BY_REFERENCE) !== 0;
  const block = byReference ? blockAt(bytes, payloadAt, end - payloadAt) : undefined;
  if (byReference && block === undefined) {
    return wrong("block", `${end - payloadAt} bytes are no descriptor of a block`);
  }
  return {
    kind: bytes[layout.KIND_OFFSET] as FrameKind,
    codec: bytes[layout.CODEC_OFFSET] as CodecNumber,
    flags,
    tag: u32At(bytes, layout.TAG_OFFSET),
    to: u32At(bytes, layout.TO_OFFSET),
    toIncarnation: u32At(bytes, layout.TO_INCARNATION_OFFSET),
    from: u32At(bytes, layout.FROM_OFFSET),
    fromActor: u32At(bytes, layout.FROM_ACTOR_OFFSET),
    epoch: u32At(bytes, layout.EPOCH_OFFSET),
    sequence: u32At(bytes, layout.SEQUENCE_OFFSET),
    expires: u64At(bytes, layout.EXPIRES_OFFSET),
    attempt: u32At(bytes, layout.ATTEMPT_OFFSET),
    argument: u32At(bytes, layout.ARGUMENT_OFFSET),
    replyName,
    payload: bytes.subarray(payloadAt, byReference ? payloadAt : end),
    block,
  };
}

/** What is wrong around the fields: nothing of a frame means anything before that is judged. */
function envelopeProblem(bytes: Uint8Array, end: number): FrameProblem | undefined {
  if (end < FRAME_HEADER_BYTES) {
    return wrong("short", `${end} bytes, expected at least ${FRAME_HEADER_BYTES}`);
  }
  const magic = u16At(bytes, layout.MAGIC_OFFSET);
  if (magic !== layout.MAGIC) return wrong("magic", `${hex(magic)}, expected ${hex(layout.MAGIC)}`);
  const version = bytes[layout.VERSION_OFFSET]!;
  if (version !== layout.FRAME_VERSION) {
    return wrong("version", `${version}, expected ${layout.FRAME_VERSION}`);
  }
  const nameBytes = u16At(bytes, layout.REPLY_NAME_BYTES_OFFSET);
  const payloadBytes = u32At(bytes, layout.PAYLOAD_BYTES_OFFSET);
  const said = FRAME_HEADER_BYTES + nameBytes + payloadBytes;
  if (said !== end) return wrong("length", `${end} bytes, expected ${said}`);
  const checksum = u32At(bytes, layout.CHECKSUM_OFFSET);
  const expected = checksumOf(bytes, end);
  if (checksum === expected) return undefined;
  return wrong("checksum", `${hex(checksum)}, expected ${hex(expected)}`);
}

/** What is wrong with a field by itself, in a frame that arrived as it was sent. */
function fieldProblem(bytes: Uint8Array): FrameProblem | undefined {
  const kind = bytes[layout.KIND_OFFSET]!;
  if (kind < KIND.TELL || kind > layout.LAST_KIND) {
    return wrong("kind", `${kind}, expected ${KIND.TELL} to ${layout.LAST_KIND}`);
  }
  const codec = bytes[layout.CODEC_OFFSET]!;
  if (codec > layout.LAST_CODEC) {
    return wrong("codec", `${codec}, expected 0 to ${layout.LAST_CODEC}`);
  }
  const payloadBytes = u32At(bytes, layout.PAYLOAD_BYTES_OFFSET);
  if (codec === CODEC.NONE && payloadBytes > 0) {
    return wrong("codec", `none, for a payload of ${payloadBytes} bytes`);
  }
  const flags = bytes[layout.FLAGS_OFFSET]!;
  if (flags > ALL_FLAGS) return wrong("flags", `${hex(flags)}, expected only ${hex(ALL_FLAGS)}`);
  const zero = u32At(bytes, layout.ZERO_OFFSET);
  if (zero !== 0) return wrong("zero", `${hex(zero)} at byte ${layout.ZERO_OFFSET}, expected 0`);
  const expires = u64At(bytes, layout.EXPIRES_OFFSET);
  if (expires <= Number.MAX_SAFE_INTEGER) return undefined;
  return wrong("expires", `${expires} ms, expected at most 2^53 - 1`);
}

/** The name, or undefined where the bytes are none; whether it leads anywhere is the kernel's to say. */
/** How many bytes of a frame stand before its payload: the header, and the reply name in UTF-8. */
export function headBytesOf({ replyName }: Pick<FrameHeader, "replyName">): number {
  const nameBytes = replyName === undefined ? 0 : encoder.encode(replyName).byteLength;
  return FRAME_HEADER_BYTES + nameBytes;
}

function replyNameIn(bytes: Uint8Array, nameBytes: number): string | undefined {
  if (nameBytes === 0 || nameBytes > layout.MAX_REPLY_NAME_BYTES) return undefined;
  const name = bytes.subarray(FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + nameBytes);
  try {
    return decoder.decode(name);
  } catch (error) {
    if (error instanceof TypeError) return undefined; // no UTF-8
    throw error;
  }
}

/** The descriptor, or undefined where the bytes are none; whether it leads anywhere the slab says. */
function blockAt(bytes: Uint8Array, at: number, byteLength: number): SlabDescriptor | undefined {
  if (byteLength !== layout.BLOCK_DESCRIPTOR_BYTES) return undefined;
  for (let zero = layout.BLOCK_ZERO_OFFSET; zero < layout.BLOCK_DESCRIPTOR_BYTES; zero += 4) {
    if (u32At(bytes, at + zero) !== 0) return undefined;
  }
  return {
    segment: u32At(bytes, at + layout.BLOCK_SEGMENT_OFFSET),
    block: u32At(bytes, at + layout.BLOCK_INDEX_OFFSET),
    generation: u32At(bytes, at + layout.BLOCK_GENERATION_OFFSET),
    byteLength: u32At(bytes, at + layout.BLOCK_BYTE_LENGTH_OFFSET),
    crc: u32At(bytes, at + layout.BLOCK_CRC_OFFSET),
  };
}

function wrong(problem: FrameProblemName, detail: string): FrameProblem {
  return { problem, detail };
}

function hex(number: number): string {
  return `0x${number.toString(16)}`;
}
