/**
 * The consumer's half of a lane: records are read from the head on, and given back by storing it.
 *
 * Rule: the length of a record is read once, and bounded by what is published, before anything
 * behind it is looked at.
 */

import type { CallersBytes } from "./callers_bytes.ts";
import { damaged, type Lane } from "./lane.ts";
import { MARK_OFFSET, PADDING, RECORD_HEADER_BYTES, recordBytesOf } from "./ring_layout.ts";

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
  /** Where the record ends that {@linkcode LaneReader.peek} found. */
  #end = 0;
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
    let start = this.#head, at = start & (capacityBytes - 1);
    let length = words[at >> 2]!;
    if (length === PADDING) {
      this.#checkPadding(capacityBytes - at);
      start = (start + capacityBytes - at) | 0;
      at = 0;
      length = words[0]!;
    }
    const mostBytes = Math.min((this.#tail - start) | 0, capacityBytes - at) - RECORD_HEADER_BYTES;
    if (length < 0 || length > mostBytes) {
      throw damaged(`a record of ${length} bytes`, `0 to ${mostBytes}, which are published`);
    }
    this.byteLength = length;
    this.#end = (start + recordBytesOf(length)) | 0;
    return at + RECORD_HEADER_BYTES;
  }

  /** Padding is published with the record behind it, and shorter than that. */
  #checkPadding(toEnd: number): void {
    const left = (this.#tail - this.#head) | 0;
    const most = Math.min(left, this.#lane.capacityBytes / 2);
    if (toEnd < most) return;
    throw damaged(`padding of ${toEnd} bytes`, `less than ${most}`);
  }

  /** Goes behind the record that {@linkcode LaneReader.peek} found. */
  skip(): void {
    this.#head = this.#end;
  }

  /** The mark of the record at a place that {@linkcode LaneReader.peek} gave: any 32 bits. */
  markAt(at: number): number {
    return this.#lane.words[(at - RECORD_HEADER_BYTES + MARK_OFFSET) >> 2]!;
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
