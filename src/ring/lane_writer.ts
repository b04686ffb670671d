/**
 * The producer's half of a lane: records go in behind the tail, and are published by storing it.
 *
 * Rule: nothing is written outside the room between this side's own tail and a head that was
 * bounded.
 */

import type { CallersBytes } from "./callers_bytes.ts";
import type { Lane } from "./lane.ts";
import { MARK_OFFSET, PADDING, RECORD_HEADER_BYTES, recordBytesOf } from "./ring_layout.ts";

/** Writes records into a lane. There is one at a time. */
export class LaneWriter {
  readonly #lane: Lane;
  /** Where the next record goes; ahead of the published tail while records are not published. */
  #tail: number;
  #published: number;
  /** The head as it was last seen: the consumer has come so far, or farther. */
  #head: number;
  /** Where the record begins that room was found for. */
  #start = 0;

  /** Goes on behind what is published: what a dead predecessor had not published is lost. */
  constructor(lane: Lane) {
    this.#lane = lane;
    this.#tail = this.#published = lane.loadTail();
    this.#head = lane.loadHead();
    lane.used(this.#tail, this.#head);
  }

  /**
   * Finds room for a record, and for the padding before it.
   *
   * @param byteLength At most the lane's `maxRecordBytes`.
   * @returns Where its bytes go in the lane, or -1 when the lane is full.
   * @throws {LayoutError} If the lane is damaged.
   */
  reserve(byteLength: number): number {
    const { capacityBytes, words } = this.#lane;
    const recordBytes = recordBytesOf(byteLength);
    const at = this.#tail & (capacityBytes - 1), toEnd = capacityBytes - at;
    const padding = recordBytes > toEnd ? toEnd : 0;
    const mostUsed = capacityBytes - padding - recordBytes;
    if (((this.#tail - this.#head) | 0) > mostUsed) {
      const head = this.#lane.loadHead();
      const used = this.#lane.used(this.#tail, head);
      this.#head = head;
      if (used > mostUsed) return -1;
    }
    if (padding > 0) words[at >> 2] = PADDING;
    this.#start = (this.#tail + padding) | 0;
    return (this.#start & (capacityBytes - 1)) + RECORD_HEADER_BYTES;
  }

  /** Makes what was written at the place that {@linkcode LaneWriter.reserve} found a record. */
  append(byteLength: number): void {
    const at = this.#start & (this.#lane.capacityBytes - 1);
    this.#lane.words[at >> 2] = byteLength;
    this.#tail = (this.#start + recordBytesOf(byteLength)) | 0;
  }

  /** Copies a record in, with its mark; false when the lane is full. */
  push(data: CallersBytes, mark: number): boolean {
    const at = this.reserve(data.byteLength);
    if (at === -1) return false;
    const { bytes, words } = this.#lane;
    data.copyTo(bytes, words, at);
    words[(at - RECORD_HEADER_BYTES + MARK_OFFSET) >> 2] = mark;
    this.append(data.byteLength);
    return true;
  }

  /** Lets the consumer see what was written; false when there is nothing new. */
  publish(): boolean {
    if (this.#published === this.#tail) return false;
    this.#published = this.#tail;
    this.#lane.storeTail(this.#tail);
    return true;
  }
}
