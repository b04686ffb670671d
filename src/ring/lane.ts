/**
 * One lane in memory: its two positions, its records, who is told of room in it.
 *
 * Rule: a position that another process wrote is loaded once, and bounded before it is used.
 */

import { LayoutError } from "../errors.ts";
import { type Guard, guardOf, isWhole } from "../sys/mod.ts";
import { EventCount } from "../wait/mod.ts";
import {
  HEAD_OFFSET,
  LANE_BYTES,
  maxRecordBytesOf,
  NOT_FULL_OFFSET,
  TAIL_OFFSET,
} from "./ring_layout.ts";

/** What errors call the memory. */
export const TARGET = "ring";

/** A lane, as its producer and its consumer see it. */
export class Lane {
  /** How many bytes its records can have, a power of two. */
  readonly capacityBytes: number;
  /** The records, as bytes and as 32-bit words. */
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  readonly words: Int32Array<SharedArrayBuffer>;
  /** Is notified when the head has moved. */
  readonly notFull: EventCount;
  readonly #tail: Int32Array<SharedArrayBuffer>;
  readonly #head: Int32Array<SharedArrayBuffer>;
  readonly #guard: Guard | undefined;

  /** @param byteOffset Where the lane begins in the buffer. */
  constructor(buffer: SharedArrayBuffer, byteOffset: number, capacityBytes: number) {
    this.capacityBytes = capacityBytes;
    const records = byteOffset + LANE_BYTES;
    this.bytes = new Uint8Array(buffer, records, capacityBytes);
    this.words = new Int32Array(buffer, records, capacityBytes / 4);
    this.notFull = EventCount.attach(buffer, byteOffset + NOT_FULL_OFFSET, { target: TARGET });
    this.#tail = new Int32Array(buffer, byteOffset + TAIL_OFFSET, 1);
    this.#head = new Int32Array(buffer, byteOffset + HEAD_OFFSET, 1);
    this.#guard = guardOf(buffer);
  }

  /** The longest record, in bytes. */
  get maxRecordBytes(): number {
    return maxRecordBytesOf(this.capacityBytes);
  }

  /** Up to where records are published. */
  loadTail(): number {
    // SYNC: pairs with storeTail(): what the producer wrote before that is seen after this.
    const tail = Atomics.load(this.#tail, 0);
    this.#checkWhole();
    return tail;
  }

  /** Publishes the records before it. Throws where they reach nobody. */
  storeTail(tail: number): void {
    // SYNC: pairs with loadTail(); the records' bytes become visible with it.
    Atomics.store(this.#tail, 0, tail);
    this.#checkWhole();
  }

  /** Up to where records are read. */
  loadHead(): number {
    // SYNC: pairs with storeHead(): the consumer's reads before it are over, and its room is free.
    const head = Atomics.load(this.#head, 0);
    this.#checkWhole();
    return head;
  }

  /** Gives the room before it back. */
  storeHead(head: number): void {
    // SYNC: pairs with loadHead(); nothing before it is read any more.
    Atomics.store(this.#head, 0, head);
    this.#checkWhole();
  }

  /** Behind each look: what was read may be the zeros in the place of a page that was cut off. */
  #checkWhole(): void {
    if (!isWhole(this.#guard)) throw this.#guard!.refusal("memory", TARGET);
  }

  /** How many bytes are used, for somebody who is neither producer nor consumer. */
  usedBytes(): number {
    // The head first, or it might pass the tail; what comes between can still make it too much.
    const head = this.loadHead(), used = (this.loadTail() - head) | 0;
    return Math.min(Math.max(0, used), this.capacityBytes);
  }

  /**
   * How many bytes lie between two positions.
   *
   * @throws {LayoutError} If there cannot be so many, or no record can begin there.
   */
  used(tail: number, head: number): number {
    const used = (tail - head) | 0;
    if (used >= 0 && used <= this.capacityBytes && ((tail | head) & 7) === 0) return used;
    throw damaged(
      `tail ${tail >>> 0} and head ${head >>> 0}`,
      `multiples of 8 that are at most ${this.capacityBytes} apart`,
    );
  }
}

/** The error for what no producer and no consumer writes. */
export function damaged(found: string, expected: string): LayoutError {
  return new LayoutError({ action: "use the damaged", target: TARGET, found, expected });
}
