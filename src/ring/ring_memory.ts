/**
 * A ring's memory: zeroed memory is formatted once, and what is attached to is validated.
 *
 * Rule: what the header says is read once. What was validated here is not read again.
 */

import { LayoutError, type PosixError } from "../errors.ts";
import { refuse, type SharedRange, sharedRange, wholeNumber } from "../sys/mod.ts";
import { EventCount } from "../wait/mod.ts";
import { makeConsumer, type RingConsumer } from "./consumer.ts";
import { Lane, TARGET } from "./lane.ts";
import { makeProducer, type RingProducer } from "./producer.ts";
import {
  CACHE_LINE_BYTES,
  CAPACITY_INDEX,
  CONSUMER_LOCK_OFFSET,
  HEADER_WORDS,
  LANE_BYTES,
  laneOffset,
  LANES_INDEX,
  LANES_OFFSET,
  MAGIC,
  MAGIC_INDEX,
  MAX_CAPACITY_BYTES,
  MAX_LANES,
  MIN_CAPACITY_BYTES,
  NOT_EMPTY_OFFSET,
  NOT_FULL_OFFSET,
  PRODUCER_LOCK_OFFSET,
  ringBytesOf,
  VERSION,
  VERSION_INDEX,
} from "./ring_layout.ts";
import { Role } from "./role.ts";

/** How a ring is laid out. */
export interface RingShape {
  readonly lanes: number;
  /** Of the records of each lane. */
  readonly capacityBytes: number;
}

const RULE = { what: "a ring", alignBytes: CACHE_LINE_BYTES };

/** Memory with a ring in it. */
export class RingMemory implements RingShape {
  readonly lanes: number;
  readonly capacityBytes: number;
  readonly #range: SharedRange;

  private constructor(range: SharedRange, { lanes, capacityBytes }: RingShape) {
    this.#range = range;
    this.lanes = lanes;
    this.capacityBytes = capacityBytes;
  }

  /** Makes zeroed memory a ring; without a capacity the largest that fits. */
  static format(
    memory: Uint8Array<SharedArrayBuffer>,
    { lanes, capacityBytes }: { lanes: number; capacityBytes: number | undefined },
  ): RingMemory {
    wholeNumber(lanes, { name: "lanes", min: 1, max: MAX_LANES });
    const least = capacityBytes === undefined ? MIN_CAPACITY_BYTES : checkCapacity(capacityBytes);
    const range = sharedRange(memory, { ...RULE, minBytes: ringBytesOf(lanes, least) });
    const most = capacityBytes ?? largestCapacity(range.byteLength, lanes);
    const ring = new RingMemory(range, { lanes, capacityBytes: most });
    ring.#format();
    return ring;
  }

  /** Uses the ring that somebody made. */
  static attach(memory: Uint8Array<SharedArrayBuffer>): RingMemory {
    const range = sharedRange(memory, { ...RULE, minBytes: ringBytesOf(1, MIN_CAPACITY_BYTES) });
    return new RingMemory(range, shapeIn(range));
  }

  #format(): void {
    const { buffer, byteOffset } = this.#range;
    checkZeros(buffer, byteOffset, LANES_OFFSET);
    EventCount.format(buffer, byteOffset + NOT_EMPTY_OFFSET, { target: TARGET });
    for (let lane = 0; lane < this.lanes; lane++) {
      const at = this.#laneOffset(lane);
      checkZeros(buffer, at, LANE_BYTES);
      EventCount.format(buffer, at + NOT_FULL_OFFSET, { target: TARGET });
    }
    const header = new Int32Array(buffer, byteOffset, HEADER_WORDS);
    header[VERSION_INDEX] = VERSION;
    header[LANES_INDEX] = this.lanes;
    header[CAPACITY_INDEX] = this.capacityBytes;
    // SYNC: pairs with the load in shapeIn(): who sees it sees all of the above.
    Atomics.store(header, MAGIC_INDEX, MAGIC);
  }

  /** How many bytes of the lanes are used now. */
  usedBytes(): number {
    let usedBytes = 0;
    for (let index = 0; index < this.lanes; index++) usedBytes += this.#lane(index).usedBytes();
    return usedBytes;
  }

  /** Becomes the producer of a lane that has none. */
  producer(): RingProducer {
    for (let index = 0; index < this.lanes; index++) {
      const lane = this.#lane(index);
      const role = Role.tryTake(this.#range.buffer, this.#laneOffset(index) + PRODUCER_LOCK_OFFSET);
      if (role === undefined) continue;
      return releasing(role, () => makeProducer({ lane, notEmpty: this.#notEmpty(), role }));
    }
    const what = this.lanes === 1 ? "it has one" : `each of its ${this.lanes} lanes has one`;
    throw busy("become a producer of", `${what}, in a thread that lives`);
  }

  /** Becomes the consumer. */
  consumer(): RingConsumer {
    const { buffer, byteOffset } = this.#range;
    const role = Role.tryTake(buffer, byteOffset + CONSUMER_LOCK_OFFSET);
    if (role === undefined) {
      throw busy("become the consumer of", "it has one, in a thread that lives");
    }
    return releasing(role, () => {
      const lanes = Array.from({ length: this.lanes }, (_, index) => this.#lane(index));
      return makeConsumer({ lanes, notEmpty: this.#notEmpty(), role });
    });
  }

  #notEmpty(): EventCount {
    const { buffer, byteOffset } = this.#range;
    return EventCount.attach(buffer, byteOffset + NOT_EMPTY_OFFSET, { target: TARGET });
  }

  #lane(index: number): Lane {
    return new Lane(this.#range.buffer, this.#laneOffset(index), this.capacityBytes);
  }

  #laneOffset(lane: number): number {
    return this.#range.byteOffset + laneOffset(lane, this.capacityBytes);
  }
}

/** Makes what has a role; releases the role when that throws. */
function releasing<T>(role: Role, make: () => T): T {
  try {
    return make();
  } catch (error) {
    role.release();
    throw error;
  }
}

function busy(action: string, hint: string): PosixError {
  return refuse("EBUSY", "pthread_mutex_trylock", action, TARGET, hint);
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

/** What the header in memory says; everything in it is bounded. */
function shapeIn({ buffer, byteOffset, byteLength }: SharedRange): RingShape {
  const header = new Int32Array(buffer, byteOffset, HEADER_WORDS);
  // SYNC: pairs with the store in format(), which is its last.
  expectWord("magic", Atomics.load(header, MAGIC_INDEX), MAGIC);
  expectWord("version", header[VERSION_INDEX]!, VERSION);
  const lanes = header[LANES_INDEX]!, capacityBytes = header[CAPACITY_INDEX]!;
  const isSound = lanes >= 1 && lanes <= MAX_LANES && isPowerOfTwo(capacityBytes) &&
    capacityBytes >= MIN_CAPACITY_BYTES && capacityBytes <= MAX_CAPACITY_BYTES;
  if (isSound && ringBytesOf(lanes, capacityBytes) <= byteLength) return { lanes, capacityBytes };
  throw layoutError(
    "attach to",
    `lanes ${lanes} and capacity ${capacityBytes} in ${byteLength} bytes`,
    "powers of two that fit",
  );
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
