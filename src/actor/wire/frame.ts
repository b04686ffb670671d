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
 * Nothing is allocated, unless there is a reply name, or `into` is another array than the last time.
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
  const view = viewOf(into);
  view.setUint16(layout.MAGIC_OFFSET, layout.MAGIC, true);
  view.setUint8(layout.VERSION_OFFSET, layout.FRAME_VERSION);
  view.setUint8(layout.KIND_OFFSET, header.kind);
  view.setUint8(layout.CODEC_OFFSET, header.codec);
  view.setUint8(
    layout.FLAGS_OFFSET,
    header.flags | (inline ? 0 : FLAG.BY_REFERENCE) |
      (nameBytes === 0 ? 0 : FLAG.REPLY_NAME),
  );
  view.setUint16(layout.REPLY_NAME_BYTES_OFFSET, nameBytes, true);
  view.setUint32(layout.PAYLOAD_BYTES_OFFSET, payloadBytes, true);
  view.setUint32(layout.TAG_OFFSET, header.tag, true);
  view.setUint32(layout.TO_OFFSET, header.to, true);
  view.setUint32(layout.TO_INCARNATION_OFFSET, header.toIncarnation, true);
  view.setUint32(layout.FROM_OFFSET, header.from, true);
  view.setUint32(layout.FROM_ACTOR_OFFSET, header.fromActor, true);
  view.setUint32(layout.EPOCH_OFFSET, header.epoch, true);
  view.setUint32(layout.SEQUENCE_OFFSET, header.sequence, true);
  view.setUint32(layout.EXPIRES_OFFSET, header.expires, true); // modulo 2^32
  view.setUint32(layout.EXPIRES_OFFSET + 4, header.expires / 2 ** 32, true);
  view.setUint32(layout.ATTEMPT_OFFSET, header.attempt, true);
  view.setUint32(layout.ARGUMENT_OFFSET, header.argument, true);
  view.setUint32(layout.ZERO_OFFSET, 0, true);
  if (name !== undefined) into.set(name, FRAME_HEADER_BYTES);
  if (inline) into.set(payload, payloadAt);
  else writeBlock(view, payloadAt, payload);
  view.setUint32(layout.CHECKSUM_OFFSET, checksumOf(into, end), true);
  return end;
}

/** Of everything but itself. */
function checksumOf(bytes: Uint8Array, end: number): number {
  const ofHeader = crc32c(bytes, 0, layout.CHECKSUM_OFFSET);
  return crc32c(bytes, FRAME_HEADER_BYTES, end, ofHeader);
}

function writeBlock(view: DataView, at: number, block: SlabDescriptor): void {
  view.setUint32(at + layout.BLOCK_SEGMENT_OFFSET, block.segment, true);
  view.setUint32(at + layout.BLOCK_INDEX_OFFSET, block.block, true);
  view.setUint32(at + layout.BLOCK_GENERATION_OFFSET, block.generation, true);
  view.setUint32(at + layout.BLOCK_BYTE_LENGTH_OFFSET, block.byteLength, true);
  view.setUint32(at + layout.BLOCK_CRC_OFFSET, block.crc, true);
  for (let zero = layout.BLOCK_ZERO_OFFSET; zero < layout.BLOCK_DESCRIPTOR_BYTES; zero += 4) {
    view.setUint32(at + zero, 0, true);
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
  if (byteLength < FRAME_HEADER_BYTES) {
    return wrong("short", `${byteLength} bytes, expected at least ${FRAME_HEADER_BYTES}`);
  }
  const view = viewOf(bytes);
  const magic = view.getUint16(layout.MAGIC_OFFSET, true);
  if (magic !== layout.MAGIC) return wrong("magic", `${hex(magic)}, expected ${hex(layout.MAGIC)}`);
  const version = view.getUint8(layout.VERSION_OFFSET);
  if (version !== layout.FRAME_VERSION) {
    return wrong("version", `${version}, expected ${layout.FRAME_VERSION}`);
  }
  const nameBytes = view.getUint16(layout.REPLY_NAME_BYTES_OFFSET, true);
  const payloadBytes = view.getUint32(layout.PAYLOAD_BYTES_OFFSET, true);
  const payloadAt = FRAME_HEADER_BYTES + nameBytes;
  if (payloadAt + payloadBytes !== byteLength) {
    return wrong("length", `${byteLength} bytes, expected ${payloadAt + payloadBytes}`);
  }
  const checksum = view.getUint32(layout.CHECKSUM_OFFSET, true);
  const expected = checksumOf(bytes, byteLength);
  if (checksum !== expected) {
    return wrong("checksum", `${hex(checksum)}, expected ${hex(expected)}`);
  }

  const kind = view.getUint8(layout.KIND_OFFSET) as FrameKind;
  if (kind < KIND.TELL || kind > layout.LAST_KIND) {
    return wrong("kind", `${kind}, expected ${KIND.TELL} to ${layout.LAST_KIND}`);
  }
  const codec = view.getUint8(layout.CODEC_OFFSET) as CodecNumber;
  if (codec > layout.LAST_CODEC) {
    return wrong("codec", `${codec}, expected 0 to ${layout.LAST_CODEC}`);
  }
  if (codec === CODEC.NONE && payloadBytes > 0) {
    return wrong("codec", `none, for a payload of ${payloadBytes} bytes`);
  }
  const flags = view.getUint8(layout.FLAGS_OFFSET);
  if (flags > ALL_FLAGS) return wrong("flags", `${hex(flags)}, expected only ${hex(ALL_FLAGS)}`);
  const zero = view.getUint32(layout.ZERO_OFFSET, true);
  if (zero !== 0) return wrong("zero", `${hex(zero)} at byte ${layout.ZERO_OFFSET}, expected 0`);
  const expires = view.getUint32(layout.EXPIRES_OFFSET, true) +
    view.getUint32(layout.EXPIRES_OFFSET + 4, true) * 2 ** 32;
  if (expires > Number.MAX_SAFE_INTEGER) {
    return wrong("expires", `${expires} ms, expected at most 2^53 - 1`);
  }
  const hasName = (flags & FLAG.REPLY_NAME) !== 0;
  const replyName = hasName ? replyNameIn(bytes, nameBytes) : undefined;
  if (hasName ? replyName === undefined : nameBytes > 0) {
    return wrong("reply-name", `${nameBytes} bytes, flag ${hasName ? "set" : "not set"}`);
  }
  const byReference = (flags & FLAG.BY_REFERENCE) !== 0;
  const block = byReference ? blockAt(view, payloadAt, payloadBytes) : undefined;
  if (byReference && block === undefined) {
    return wrong("block", `${payloadBytes} bytes are no descriptor of a block`);
  }
  return {
    kind,
    codec,
    flags,
    tag: view.getUint32(layout.TAG_OFFSET, true),
    to: view.getUint32(layout.TO_OFFSET, true),
    toIncarnation: view.getUint32(layout.TO_INCARNATION_OFFSET, true),
    from: view.getUint32(layout.FROM_OFFSET, true),
    fromActor: view.getUint32(layout.FROM_ACTOR_OFFSET, true),
    epoch: view.getUint32(layout.EPOCH_OFFSET, true),
    sequence: view.getUint32(layout.SEQUENCE_OFFSET, true),
    expires,
    attempt: view.getUint32(layout.ATTEMPT_OFFSET, true),
    argument: view.getUint32(layout.ARGUMENT_OFFSET, true),
    replyName,
    payload: bytes.subarray(payloadAt, byReference ? payloadAt : byteLength),
    block,
  };
}

/** The name, or undefined where the bytes are none; whether it leads anywhere is the kernel's to say. */
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
function blockAt(view: DataView, at: number, byteLength: number): SlabDescriptor | undefined {
  if (byteLength !== layout.BLOCK_DESCRIPTOR_BYTES) return undefined;
  for (let zero = layout.BLOCK_ZERO_OFFSET; zero < layout.BLOCK_DESCRIPTOR_BYTES; zero += 4) {
    if (view.getUint32(at + zero, true) !== 0) return undefined;
  }
  return {
    segment: view.getUint32(at + layout.BLOCK_SEGMENT_OFFSET, true),
    block: view.getUint32(at + layout.BLOCK_INDEX_OFFSET, true),
    generation: view.getUint32(at + layout.BLOCK_GENERATION_OFFSET, true),
    byteLength: view.getUint32(at + layout.BLOCK_BYTE_LENGTH_OFFSET, true),
    crc: view.getUint32(at + layout.BLOCK_CRC_OFFSET, true),
  };
}

function wrong(problem: FrameProblemName, detail: string): FrameProblem {
  return { problem, detail };
}

function hex(number: number): string {
  return `0x${number.toString(16)}`;
}

/** The array that was seen last, and a view of it: to make one costs as much as to fill it. */
let lastBytes: Uint8Array = new Uint8Array(0);
let lastView: DataView = new DataView(lastBytes.buffer);

function viewOf(bytes: Uint8Array): DataView {
  if (bytes !== lastBytes) {
    lastView = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    lastBytes = bytes;
  }
  return lastView;
}
