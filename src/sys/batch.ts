/**
 * The memory of a batch of messages, and taking messages from a queue into it.
 *
 * ```text
 * byte   0        4          8                 8 x maxMessages
 *        +--------+----------+------ ... ------+------------+------------+-- ...
 *        | length | priority | of the others   | first slot | second     |
 *        +--------+----------+------ ... ------+------------+------------+-- ...
 * ```
 *
 * Rule: one call takes all where there is a native driver, and one for each message where not; what
 * is in the batch then is the same.
 */

import { ERRNO } from "./errno.ts";
import { type Hint, refused } from "./check.ts";
import { sys } from "./load.ts";
import type { Word } from "./port.ts";

/** LAYOUT: `native/src/queue.rs` has the same. */
const ENTRY_BYTES = 8, ENTRY_WORDS = 2, PRIORITY_OFFSET = 4;

/** How large a batch is. */
export interface BatchSize {
  maxMessages: number;
  /** At least the longest message of the queues that it takes from. */
  slotBytes: number;
}

/** Memory that C fills. */
export class BatchMemory {
  readonly #size: BatchSize;
  /** SAFETY: no view of it can take it away, as one of an ArrayBuffer can by a transfer. */
  readonly #buffer: SharedArrayBuffer;
  readonly #words: Uint32Array;
  readonly #address: bigint;
  /** Where each slot and its priority are, for calls of one message. */
  #places: { slot: Word; priority: Word }[] | undefined;

  constructor(size: BatchSize) {
    const { maxMessages, slotBytes } = size;
    const byteLength = maxMessages * (ENTRY_BYTES + slotBytes);
    this.#size = size;
    // Growable, though it never grows: such a buffer does not move.
    this.#buffer = new SharedArrayBuffer(byteLength, { maxByteLength: byteLength });
    this.#words = new Uint32Array(this.#buffer, 0, maxMessages * ENTRY_WORDS);
    this.#address = sys().addressOf(new Uint8Array(this.#buffer));
  }

  /** The length of a message that was taken. */
  byteLength(index: number): number {
    return this.#words[index * ENTRY_WORDS]!;
  }

  /** Its priority. */
  priority(index: number): number {
    return this.#words[index * ENTRY_WORDS + 1]!;
  }

  /** The beginning of a slot. */
  bytes(index: number, byteLength: number): Uint8Array<SharedArrayBuffer> {
    return new Uint8Array(this.#buffer, this.#slotOffset(index), byteLength);
  }

  /** Takes what a nonblocking queue has: how many messages, 0 when it is empty. */
  drain(mqd: number, name: string, hint: Hint): number {
    const { native, word } = sys();
    const { maxMessages, slotBytes } = this.#size;
    const taken = native === undefined
      ? this.#drainOneByOne(mqd, maxMessages, word(slotBytes))
      : native.mq_drain(mqd, this.#address, maxMessages, slotBytes);
    if (taken >= 0) return taken;
    if (taken === -ERRNO.EAGAIN) return 0;
    throw refused(-taken, "mq_receive", "receive from queue", name, hint);
  }

  /** As the native driver does it: a refusal counts only where it comes first. */
  #drainOneByOne(mqd: number, maxMessages: number, slotBytes: Word): number {
    const { c, errno } = sys();
    const places = this.#places ??= this.#placesOfSlots();
    for (let index = 0; index < maxMessages; index++) {
      const { slot, priority } = places[index]!;
      const length = c.mq_receive_at(mqd, slot, slotBytes, priority);
      if (length === -1) return index === 0 ? -errno() : index;
      this.#words[index * ENTRY_WORDS] = length;
    }
    return maxMessages;
  }

  #placesOfSlots() {
    const { word } = sys(), address = Number(this.#address);
    return Array.from({ length: this.#size.maxMessages }, (_, index) => ({
      slot: word(BigInt(address + this.#slotOffset(index))),
      priority: word(BigInt(address + index * ENTRY_BYTES + PRIORITY_OFFSET)),
    }));
  }

  #slotOffset(index: number): number {
    const { maxMessages, slotBytes } = this.#size;
    return maxMessages * ENTRY_BYTES + index * slotBytes;
  }
}
