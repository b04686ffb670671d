/**
 * What brings messages into slots: a kernel queue, or a ring in shared memory.
 *
 * Rule: when a message has left where it was, it is in its slot.
 */

import { MAX_PRIORITY } from "../carriers/carrier.ts";
import type { RingInbox } from "../carriers/ring.ts";
import type { MessageQueue } from "../../mq/mod.ts";
import { awaitMessage, receiveAt, type ReceiveTarget } from "../../mq/inside.ts";
import { decodeFrame, FRAME_HEADER_BYTES } from "../wire/frame.ts";
import type { SlotMemory } from "./slots.ts";
import { step } from "./steps.ts";

/** Brings messages to one receiver. */
export interface Feed {
  /** Takes the next message, and its priority, into a slot that is armed: its length, or -1. */
  receive(slot: number): number;
  /** Tries, then tries again whenever there may be a message, until it works. */
  wait(attempt: () => true | undefined, signal: AbortSignal): Promise<unknown>;
  /** Whether {@linkcode Feed.close} was called. */
  readonly closed: boolean;
  /** Gives it up; what was not taken stays. */
  close(): void;
}

/** From a kernel queue: the kernel writes into the slot. */
export class QueueFeed implements Feed {
  readonly #queue: MessageQueue;
  readonly #targets: readonly ReceiveTarget[];
  readonly #firstSlot: number;

  /** @param row Whose slots it fills. */
  constructor(queue: MessageQueue, memory: SlotMemory, row: number) {
    const { first, end } = memory.slotsOf(row);
    this.#queue = queue;
    this.#firstSlot = first;
    this.#targets = Array.from({ length: end - first }, (_, at) => memory.targetOf(first + at));
  }

  receive(slot: number): number {
    return receiveAt(this.#queue, this.#targets[slot - this.#firstSlot]!);
  }

  wait(attempt: () => true | undefined, signal: AbortSignal): Promise<unknown> {
    return awaitMessage(this.#queue, attempt, { signal });
  }

  get closed(): boolean {
    return this.#queue.closed;
  }

  close(): void {
    this.#queue.close();
  }
}

/**
 * So many records are compared with what the slots hold: each lane has had its turn by then, and the
 * one record that may come again is the first of its lane.
 */
const COMPARED = 2048;

/**
 * From a ring: a record is copied into its slot, and then taken out of the ring.
 *
 * A receiver that is killed between the two leaves a message in both. It is the first that the next
 * one finds in that lane, and the slot has its frame until it is used again, whatever became of the
 * message: so it is known, and taken out of the ring without being given to anybody.
 */
export class RingFeed implements Feed {
  readonly #inbox: RingInbox;
  readonly #memory: SlotMemory;
  readonly #known: Set<string>;
  #compared = 0;

  /** @param row Whose slots it fills. */
  constructor(inbox: RingInbox, memory: SlotMemory, row: number) {
    this.#inbox = inbox;
    this.#memory = memory;
    this.#known = framesIn(memory, row);
  }

  receive(slot: number): number {
    let length = -1;
    const read = (
      view: Uint8Array,
      byteOffset: number,
      byteLength: number,
      mark: number,
    ) => {
      if (this.#isKnown(view, byteOffset, byteLength)) return;
      this.#memory.frameBytesOf(slot).set(view.subarray(byteOffset, byteOffset + byteLength));
      this.#memory.setLength(slot, byteLength);
      this.#memory.hold(slot, Math.min(mark >>> 0, MAX_PRIORITY));
      step("copied");
      length = byteLength;
    };
    while (length === -1 && this.#inbox.tryRead(read, this.#isThorough));
    return length;
  }

  async wait(attempt: () => true | undefined, signal: AbortSignal): Promise<unknown> {
    try {
      const waiting = this.#inbox.until(attempt, { signal });
      // Parked: somebody may have been killed between publishing and counting.
      this.#isThorough = true;
      return await waiting;
    } finally {
      this.#isThorough = false;
    }
  }

  get closed(): boolean {
    return this.#inbox.closed;
  }

  close(): void {
    this.#inbox.close();
  }

  #isThorough = false;

  #isKnown(view: Uint8Array, byteOffset: number, byteLength: number): boolean {
    if (this.#known.size === 0) return false;
    if (++this.#compared > COMPARED) this.#known.clear();
    if (byteLength < FRAME_HEADER_BYTES) return false;
    return this.#known.delete(keyIn(view.slice(byteOffset, byteOffset + FRAME_HEADER_BYTES)));
  }
}

/** The frames that slots of a row have, whatever became of them. */
function framesIn(memory: SlotMemory, row: number): Set<string> {
  const keys = new Set<string>(), { first, end } = memory.slotsOf(row);
  for (let slot = first; slot < end; slot++) {
    const bytes = memory.frameBytesOf(slot).slice();
    const length = memory.lengthOf(slot) ?? 0;
    if (!("problem" in decodeFrame(bytes, length))) {
      keys.add(keyIn(bytes.subarray(0, FRAME_HEADER_BYTES)));
    }
  }
  return keys;
}

/** What tells a frame: its header has its sender, its number and its checksum. */
function keyIn(header: Uint8Array): string {
  return header.join();
}
