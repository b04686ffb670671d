/**
 * The header of a ring: zeroed memory is formatted once, and what is attached to is validated.
 *
 * Rule: what the header says is read once, and all of it is bounded.
 */

import { LayoutError } from "../errors.ts";
import { sharedRange, wholeNumber } from "../sys/mod.ts";
import { EventCount } from "../wait/mod.ts";
import { TARGET } from "./lane.ts";
import {
  CACHE_LINE_BYTES,
  CAPACITY_INDEX,
  CONSUMER_LOCK_OFFSET,
  HEADER_WORDS,
  LANE_BYTES,
  laneOffset,
  LANES_INDEX,
  LANES_OFFSET,
  type LockKind,
  LOCKS_INDEX,
  MAGIC,
  MAGIC_INDEX,
  MAX_CAPACITY_BYTES,
  MAX_LANES,
  MIN_CAPACITY_BYTES,
  NOT_EMPTY_OFFSET,
  NOT_FULL_OFFSET,
  PRODUCER_LOCK_OFFSET,
  ringBytesOf,
  ROBUST_LOCKS,
  VERSION,
  VERSION_INDEX,
  WORD_LOCKS,
} from "./ring_layout.ts";
import { formatRole } from "./role.ts";

/** What a ring is to be. */
export interface RingShape {
  lanes: number;
  /** Of the records of each lane; `undefined` for the largest that fits. */
  capacityBytes: number | undefined;
}

/** A ring that was formatted or validated. */
export interface FormattedRing {
  readonly buffer: SharedArrayBuffer;
  readonly byteOffset: number;
  readonly lanes: number;
  readonly capacityBytes: number;
  readonly locks: LockKind;
}

const RULE = { what: "a ring", alignBytes: CACHE_LINE_BYTES };

/** Makes zeroed memory a ring. */
export function formatRing(memory: Uint8Array<SharedArrayBuffer>, shape: RingShape): FormattedRing {
  const lanes = wholeNumber(shape.lanes, { name: "lanes", min: 1, max: MAX_LANES });
  const leastBytes = shape.capacityBytes === undefined
    ? MIN_CAPACITY_BYTES
    : checkCapacity(shape.capacityBytes);
  const range = sharedRange(memory, { ...RULE, minBytes: ringBytesOf(lanes, leastBytes) });
  const { buffer, byteOffset } = range;
  const capacityBytes = shape.capacityBytes ?? largestCapacity(range.byteLength, lanes);

  const laneOffsets = Array.from(
    { length: lanes },
    (_, index) => byteOffset + laneOffset(index, capacityBytes),
  );
  checkZeros(buffer, byteOffset, LANES_OFFSET);
  for (const at of laneOffsets) checkZeros(buffer, at, LANE_BYTES);

  EventCount.format(buffer, byteOffset + NOT_EMPTY_OFFSET, { target: TARGET });
  const locks = formatRole(buffer, byteOffset + CONSUMER_LOCK_OFFSET);
  for (const at of laneOffsets) {
    EventCount.format(buffer, at + NOT_FULL_OFFSET, { target: TARGET });
    formatRole(buffer, at + PRODUCER_LOCK_OFFSET);
  }
  const header = new Int32Array(buffer, byteOffset, HEADER_WORDS);
  header[VERSION_INDEX] = VERSION;
  header[LANES_INDEX] = lanes;
  header[CAPACITY_INDEX] = capacityBytes;
  header[LOCKS_INDEX] = locks;
  // SYNC: pairs with the load in attachRing(): who sees it sees all of the above.
  Atomics.store(header, MAGIC_INDEX, MAGIC);
  return { buffer, byteOffset, lanes, capacityBytes, locks };
}

/** Finds the ring that somebody made. */
export function attachRing(memory: Uint8Array<SharedArrayBuffer>): FormattedRing {
  const range = sharedRange(memory, { ...RULE, minBytes: ringBytesOf(1, MIN_CAPACITY_BYTES) });
  const { buffer, byteOffset, byteLength } = range;
  const header = new Int32Array(buffer, byteOffset, HEADER_WORDS);
  // SYNC: pairs with the store in formatRing(), which is its last.
  expectWord("magic", Atomics.load(header, MAGIC_INDEX), MAGIC);
  expectWord("version", header[VERSION_INDEX]!, VERSION);
  const lanes = header[LANES_INDEX]!, capacityBytes = header[CAPACITY_INDEX]!;
  const isShape = lanes >= 1 && lanes <= MAX_LANES && isPowerOfTwo(capacityBytes) &&
    capacityBytes >= MIN_CAPACITY_BYTES && capacityBytes <= MAX_CAPACITY_BYTES;
  if (!isShape || ringBytesOf(lanes, capacityBytes) > byteLength) {
    const found = `lanes ${lanes} and capacity ${capacityBytes}`;
    throw layoutError("attach to", found, `what ${byteLength} bytes have room for`);
  }
  const locks = header[LOCKS_INDEX]!;
  if (locks === ROBUST_LOCKS || locks === WORD_LOCKS) {
    return { buffer, byteOffset, lanes, capacityBytes, locks };
  }
  throw layoutError("attach to", `locks ${locks}`, `${ROBUST_LOCKS} or ${WORD_LOCKS}`);
}

/** @throws {RangeError} If it is no power of two in the range. */
function checkCapacity(capacityBytes: number): number {
  const range = { min: MIN_CAPACITY_BYTES, max: MAX_CAPACITY_BYTES };
  wholeNumber(capacityBytes, { name: "capacityBytes", ...range });
  if (isPowerOfTwo(capacityBytes)) return capacityBytes;
  throw new RangeError(`Cannot use capacityBytes ${capacityBytes}: expected a power of two`);
}

/** The largest power of two that the lanes of some memory can have. */
function largestCapacity(byteLength: number, lanes: number): number {
  const each = Math.floor((byteLength - LANES_OFFSET) / lanes) - LANE_BYTES;
  return Math.min(MAX_CAPACITY_BYTES, 2 ** Math.floor(Math.log2(each)));
}

function isPowerOfTwo(value: number): boolean {
  return (value & (value - 1)) === 0;
}

function expectWord(name: string, found: number, expected: number): void {
  if (found === expected) return;
  throw layoutError("attach to", `${name} ${hex(found)}`, hex(expected));
}

function checkZeros(buffer: SharedArrayBuffer, byteOffset: number, byteLength: number): void {
  const words = new Int32Array(buffer, byteOffset, byteLength / 4);
  const other = words.findIndex((word) => word !== 0);
  if (other === -1) return;
  throw layoutError("format", `${hex(words[other]!)} at byte ${byteOffset + other * 4}`, "zeros");
}

function layoutError(action: string, found: string, expected: string): LayoutError {
  return new LayoutError({ action, target: TARGET, found, expected });
}

function hex(word: number): string {
  return `0x${(word >>> 0).toString(16).padStart(8, "0")}`;
}
