/** Rings for tests: in memory with or without a kernel object, at any position. */

import "../support/loaded.ts";
import { SharedMemory } from "../../mod.ts";
import { MpscRing, SpscRing } from "../../src/ring/mod.ts";
import {
  HEAD_OFFSET,
  LANE_BYTES,
  laneOffset,
  ringBytesOf,
  TAIL_OFFSET,
} from "../../src/ring/ring_layout.ts";

/** Zeroed memory that is no kernel object. */
export function plainMemory(byteLength: number): Uint8Array<SharedArrayBuffer> {
  return new Uint8Array(new SharedArrayBuffer(byteLength));
}

/** A ring with `capacityBytes` in plain memory, and its words. */
export function plainRing(
  capacityBytes: number,
  position = 0,
): { ring: SpscRing; memory: Uint8Array<SharedArrayBuffer>; lane: LaneWords } {
  const memory = plainMemory(ringBytesOf(1, capacityBytes));
  const ring = SpscRing.format(memory, { capacityBytes });
  const lane = new LaneWords(memory, 0, capacityBytes);
  lane.moveTo(position);
  return { ring, memory, lane };
}

/** A ring with lanes in plain memory, and their words. */
export function plainLanes(
  lanes: number,
  capacityBytes: number,
  positions: readonly number[] = [],
): { ring: MpscRing; words: LaneWords[] } {
  const memory = plainMemory(ringBytesOf(lanes, capacityBytes));
  const ring = MpscRing.format(memory, { lanes, capacityBytes });
  const words = Array.from({ length: lanes }, (_, i) => new LaneWords(memory, i, capacityBytes));
  for (const [i, position] of positions.entries()) words[i]!.moveTo(position);
  return { ring, words };
}

/** The words of a lane, for who looks behind the ring's back or damages it. */
export class LaneWords {
  readonly tail: Int32Array;
  readonly head: Int32Array;
  readonly records: Int32Array;

  constructor(memory: Uint8Array<SharedArrayBuffer>, lane: number, capacityBytes: number) {
    const at = memory.byteOffset + laneOffset(lane, capacityBytes);
    this.tail = new Int32Array(memory.buffer, at + TAIL_OFFSET, 1);
    this.head = new Int32Array(memory.buffer, at + HEAD_OFFSET, 1);
    this.records = new Int32Array(memory.buffer, at + LANE_BYTES, capacityBytes / 4);
  }

  /** Makes an empty lane look as if so many bytes had gone through it. */
  moveTo(position: number): void {
    this.tail[0] = this.head[0] = position | 0;
  }
}

/** A ring in a kernel object without a name; closed at the end of the scope. */
export function sharedRing(capacityBytes: number): Disposable & { memory: SharedMemory } {
  const memory = SharedMemory.anonymous({ byteLength: SpscRing.bytesFor(capacityBytes) });
  SpscRing.format(memory.bytes, { capacityBytes });
  return { memory, [Symbol.dispose]: () => memory.close() };
}

/** Positions at which a lane is about to wrap, and its counters with it: all but a record's bytes. */
export function* positionsAroundWraps(capacityBytes: number): Generator<number> {
  for (const wrap of [capacityBytes, 2 ** 31, 2 ** 32]) {
    for (let before = capacityBytes; before >= 0; before -= 8) yield wrap - before;
  }
}
