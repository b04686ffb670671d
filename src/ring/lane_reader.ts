/**
 * The consumer's half of a lane: records are read from the head on, and given back by storing it.
 *
 * Rule: the length of a record is read once, and bounded by what is published, before anything
 * behind it is looked at.
 */

import type { CallersBytes } from "./callers_bytes.ts";
import { damaged, type Lane } from "./lane.ts";
import { PADDING, RECORD_HEADER_BYTES, recordBytesOf } from "./ring_layout.ts";

/** Reads records from a lane. There is one at a time. */
export class LaneReader {
  /** The records of the lane. */
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  /** The length of the record that {@linkcode LaneReader.peek} found. */
  byteLength = 0;
  readonly #lane: Lane;
  /** Where the next record begins; ahead of the published head while records are not given back. */
  #head: number;
  #published: number;
  /** The tail as it was last seen: the producer has published so far, or farther. */
  #tail: number;

  /** Goes on at the published head: what a dead predecessor was reading comes again. */
  constructor(lane: Lane) {
    this.#lane = lane;
    this.bytes = lane.bytes;
    this.#head = this.#published = lane.loadHead();
    this.#tail = lane.loadTail();
    lane.used(this.#tail, this.#head);
  }

  /** How many bytes were read and not given back. */
  get heldBytes(): number {
    return (this.#head - this.#published) | 0;
  }

  /**
   * Finds the next record and its {@linkcode LaneReader.byteLength}.
   *
   * @returns Where its bytes are in the lane, or -1 when there is none.
   * @throws {LayoutError} If the lane is damaged.
   */
  peek(): number {
    if (this.#head === this.#tail) {
      const tail = this.#lane.loadTail();
      if (tail === this.#head) return -1;
      this.#lane.used(tail, this.#head);
      this.#tail = tail;
    }
    const { capacityBytes, words } = this.#lane;
    let at = this.#head & (capacityBytes - 1);
    let length = words[at >> 2]!;
    if (length === PADDING) {
      this.#skipPadding(capacityBytes - at);
      at = 0;
      length = words[0]!;
    }
    const mostBytes = Math.min((this.#tail - this.#head) | 0, capacityBytes - at);
    if (length < 0 || length > mostBytes - RECORD_HEADER_BYTES) {
      throw damaged(
        `a record of ${length} bytes`,
        `0 to ${mostBytes - RECORD_HEADER_BYTES}, which are published`,
      );
    }
    this.byteLength = length;
    return at + RECORD_HEADER_BYTES;
  }

  /** Padding is published with the record behind it, and shorter than that. */
  #skipPadding(toEnd: number): void {
    const left = (this.#tail - this.#head) | 0, { capacityBytes } = this.#lane;
    if (toEnd >= left || toEnd >= capacityBytes / 2) {
      throw damaged(`padding of ${toEnd} bytes`, `less than ${Math.min(left, capacityBytes / 2)}`);
    }
    this.#head = (this.#head + toEnd) | 0;
  }

  /** Goes behind the record that {@linkcode LaneReader.peek} found. */
  skip(): void {
    this.#head = (this.#head + recordBytesOf(this.byteLength)) | 0;
  }

  /** A copy of the record at a place that {@linkcode LaneReader.peek} gave. */
  copy(at: number): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(at, at + this.byteLength);
  }

  /** Copies that record into an array that has room for it. */
  copyInto(at: number, into: CallersBytes): void {
    into.copyFrom(this.bytes, this.#lane.words, at, this.byteLength);
  }

  /** Gives the room of what was read back to the producer, and tells it. */
  giveBack(): void {
    if (this.#published === this.#head) return;
    this.#published = this.#head;
    this.#lane.storeHead(this.#head);
    this.#lane.notFull.notify();
  }
}
