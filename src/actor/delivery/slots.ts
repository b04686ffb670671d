/**
 * The slots of a mailbox in shared memory: the one place that reads and writes their words.
 *
 * Rule: slot_layout.ts draws them and says what each kill leaves. Every word is bounded where it is
 * read. Who may change what is said by the one that receives (slot_source.ts) and the one that
 * launched it (recovery.ts); no two of them do at a time.
 */

import { refuse } from "../../life/inside.ts";
import { ReceiveTarget } from "../../mq/inside.ts";
import { mlock } from "../../shm/inside.ts";
import { SharedMemory } from "../../shm/mod.ts";
import { MAX_PRIORITY } from "../carriers/carrier.ts";
import { bodyIn, endpointIn, type Owner } from "../memory/owner.ts";
import { formatHeader, sizesIn } from "./slot_header.ts";
import {
  ARMED,
  ATTEMPT_WORD,
  DONE,
  EMPTY,
  ERROR_BYTES_WORD,
  ERROR_OFFSET,
  FRAME_OFFSET,
  HANDLING_WORD,
  HEIR_WORD,
  IN_HAND_WORD,
  LENGTH_WORD,
  MAX_ERROR_BYTES,
  ORDER_WORD,
  OWNER_WORD,
  PRIORITY_WORD,
  rowOffset,
  slotCount,
  slotOffset,
  type SlotSizes,
  UNKNOWN_LENGTH,
} from "./slot_layout.ts";

/** What a slot is: see slot_layout.ts. `damaged` is what none of ours writes. */
export type SlotState = "empty" | "armed" | "held" | "done" | "damaged";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** The slots of one mailbox, as one thread has them open. */
export class SlotMemory implements Disposable {
  readonly sizes: SlotSizes;
  readonly #memory: SharedMemory;
  readonly #words: Int32Array<SharedArrayBuffer>;

  private constructor(memory: SharedMemory, sizes: SlotSizes) {
    this.#memory = memory;
    this.sizes = sizes;
    this.#words = new Int32Array(memory.buffer, 0, slotOffset(sizes, slotCount(sizes)) / 4);
  }

  /**
   * Makes the slots of a mailbox, all empty, with their pages.
   *
   * @param run The run of the system: another one's are refused.
   * @throws {PosixError} `EEXIST` if there is memory of that name, `ENOSPC` if /dev/shm is full.
   */
  static create(name: string, sizes: SlotSizes, run: bigint): SlotMemory {
    const byteLength = slotOffset(sizes, slotCount(sizes));
    const memory = SharedMemory.create(name, { byteLength });
    const slots = new SlotMemory(memory, sizes);
    for (let slot = 0; slot < slotCount(sizes); slot++) slots.empty(slot);
    for (let row = 0; row < sizes.receivers; row++) slots.setHeir(row, row);
    formatHeader(memory, sizes, run);
    return slots;
  }

  /**
   * Opens the slots of a mailbox.
   *
   * @throws {PosixError} `ENOENT` if there are none.
   * @throws {LayoutError} If it is something else, or of another run of the system.
   */
  static open(name: string, run: bigint): SlotMemory {
    const memory = SharedMemory.open(name);
    try {
      return new SlotMemory(memory, sizesIn(memory, run));
    } catch (error) {
      memory.close();
      throw error;
    }
  }

  /** The slots of a row: the first, and the one after the last. */
  slotsOf(row: number): { readonly first: number; readonly end: number } {
    const { slotsEach } = this.sizes;
    return { first: row * slotsEach, end: (row + 1) * slotsEach };
  }

  /** What a slot is now. */
  stateOf(slot: number): SlotState {
    const word = this.#load(slot, PRIORITY_WORD);
    switch (word) {
      case EMPTY:
        return "empty";
      case ARMED:
        return "armed";
      case DONE:
        return "done";
      default:
        return word >= 0 && word <= MAX_PRIORITY ? "held" : "damaged";
    }
  }

  /** The priority of the message in a slot that is held; 0 to 32 767. */
  priorityOf(slot: number): number {
    return Math.max(0, Math.min(this.#load(slot, PRIORITY_WORD), MAX_PRIORITY));
  }

  /** How often it was given to a handler. */
  attemptOf(slot: number): number {
    return this.#load(slot, ATTEMPT_WORD) >>> 0;
  }

  /** Counts an attempt. */
  setAttempt(slot: number, attempt: number): void {
    this.#store(slot, ATTEMPT_WORD, attempt);
  }

  /** Its place among those of its receiver. */
  orderOf(slot: number): number {
    return this.#load(slot, ORDER_WORD);
  }

  /** The length of its frame, at most that of its bytes; undefined where it was not written. */
  lengthOf(slot: number): number | undefined {
    const length = this.#load(slot, LENGTH_WORD);
    return length >= 0 && length <= this.sizes.frameBytes ? length : undefined;
  }

  /** Writes the length down: the call that received it is back. */
  setLength(slot: number, length: number): void {
    this.#store(slot, LENGTH_WORD, length);
  }

  /** What its last attempt ended by, in words; empty where nobody wrote it. */
  errorOf(slot: number): string {
    const byteLength = this.#load(slot, ERROR_BYTES_WORD) >>> 0;
    const at = slotOffset(this.sizes, slot) + ERROR_OFFSET;
    const bytes = new Uint8Array(this.#memory.buffer, at, Math.min(byteLength, MAX_ERROR_BYTES));
    return decoder.decode(bytes.slice());
  }

  /** Writes down what an attempt ended by, as far as there is room. */
  setError(slot: number, error: string): void {
    const at = slotOffset(this.sizes, slot) + ERROR_OFFSET;
    // Through memory of our own: encoders do not write to shared memory everywhere.
    const text = new Uint8Array(MAX_ERROR_BYTES);
    const { written } = encoder.encodeInto(error, text);
    new Uint8Array(this.#memory.buffer, at, written).set(text.subarray(0, written));
    this.#store(slot, ERROR_BYTES_WORD, written);
  }

  /** The bytes for a frame: shared, so whoever judges them copies them first. */
  frameBytesOf(slot: number): Uint8Array<SharedArrayBuffer> {
    const at = slotOffset(this.sizes, slot) + FRAME_OFFSET;
    return new Uint8Array(this.#memory.buffer, at, this.sizes.frameBytes);
  }

  /** Where the kernel puts a message and its priority. */
  targetOf(slot: number): ReceiveTarget {
    const at = slotOffset(this.sizes, slot) + PRIORITY_WORD * 4;
    return new ReceiveTarget(
      this.frameBytesOf(slot),
      new Uint32Array(this.#memory.buffer, at, 1),
    );
  }

  /** Makes an empty slot ready for the next message. */
  arm(slot: number, order: number): void {
    const words = this.#words, at = slotOffset(this.sizes, slot) / 4;
    const frame = at + FRAME_OFFSET / 4;
    Atomics.store(words, frame, 0);
    Atomics.store(words, frame + 1, 0);
    Atomics.store(words, at + ATTEMPT_WORD, 0);
    Atomics.store(words, at + LENGTH_WORD, UNKNOWN_LENGTH);
    Atomics.store(words, at + ORDER_WORD, order);
    Atomics.store(words, at + ERROR_BYTES_WORD, 0);
    // SYNC: the last, so that one who is killed before leaves a slot that says nothing.
    Atomics.store(words, at + PRIORITY_WORD, ARMED);
  }

  /** Whether nothing was written to the frame of an armed slot since. */
  isBlank(slot: number): boolean {
    const frame = (slotOffset(this.sizes, slot) + FRAME_OFFSET) / 4;
    return Atomics.load(this.#words, frame) === 0 && Atomics.load(this.#words, frame + 1) === 0;
  }

  /** Says that a message is in an armed slot, as the kernel does by itself. */
  hold(slot: number, priority: number): void {
    this.#store(slot, PRIORITY_WORD, priority);
  }

  /** Marks a message as handled whose block is to be freed. */
  done(slot: number): void {
    this.#store(slot, PRIORITY_WORD, DONE);
  }

  /** Acknowledges what is in a slot: it is free. */
  empty(slot: number): void {
    this.#store(slot, PRIORITY_WORD, EMPTY);
  }

  /**
   * Takes a row for an incarnation of an endpoint.
   *
   * @param isRunning The kernel's word, by the lock that each endpoint holds.
   * @throws {PosixError} `EBUSY` if another one that serves it lives.
   */
  claim(row: number, self: Owner, isRunning: (owner: Owner) => boolean): void {
    const at = rowOffset(row) / 4, owner = bodyIn(Atomics.load(this.#words, at + OWNER_WORD));
    if (owner !== 0 && owner !== self && isRunning(owner)) {
      const hint = `endpoint ${endpointIn(owner)} lives and has them`;
      throw refuse("EBUSY", "fcntl", "receive into the slots of", this.#memory.name, hint);
    }
    Atomics.store(this.#words, at + HANDLING_WORD, 0);
    Atomics.store(this.#words, at + OWNER_WORD, self);
  }

  /** The row whose receiver serves a row. */
  heirOf(row: number): number {
    const heir = Atomics.load(this.#words, rowOffset(row) / 4 + HEIR_WORD);
    return heir >= 0 && heir < this.sizes.receivers ? heir : row;
  }

  /** Gives a row to the receiver of another one. */
  setHeir(row: number, heir: number): void {
    Atomics.store(this.#words, rowOffset(row) / 4 + HEIR_WORD, heir);
  }

  /** The handler that runs for a row: 0 for none, another number for each. */
  handlingOf(row: number): number {
    return Atomics.load(this.#words, rowOffset(row) / 4 + HANDLING_WORD);
  }

  /** Says which handler runs, and for which slot. */
  setHandling(row: number, handling: number, slot: number): void {
    const at = rowOffset(row) / 4;
    Atomics.store(this.#words, at + IN_HAND_WORD, slot);
    Atomics.store(this.#words, at + HANDLING_WORD, handling);
  }

  /** The slot in hand of a row's receiver; undefined when there is none. */
  inHandOf(row: number): number | undefined {
    if (this.handlingOf(row) === 0) return undefined;
    const slot = Atomics.load(this.#words, rowOffset(row) / 4 + IN_HAND_WORD);
    return slot >= 0 && slot < slotCount(this.sizes) ? slot : undefined;
  }

  /** Keeps the pages of a row in memory, and has them there; false where that is not allowed. */
  lock(row: number): boolean {
    const { first, end } = this.slotsOf(row);
    const from = slotOffset(this.sizes, first), to = slotOffset(this.sizes, end);
    const bytes = new Uint8Array(this.#memory.buffer, from, to - from);
    if (mlock(bytes, this.#memory.name)) return true;
    // Each page is mapped here at least, until the kernel wants it for something else.
    for (let slot = first; slot < end; slot++) {
      const at = slotOffset(this.sizes, slot) / 4, last = slotOffset(this.sizes, slot + 1) / 4 - 1;
      for (let word = at; word < last; word += PAGE_WORDS) Atomics.or(this.#words, word, 0);
      Atomics.or(this.#words, last, 0);
    }
    return false;
  }

  /** Gives it up; the memory stays. Closing twice is allowed and does nothing. */
  close(): void {
    this.#memory.close();
  }

  /** The same as {@linkcode SlotMemory.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #load(slot: number, word: number): number {
    return Atomics.load(this.#words, slotOffset(this.sizes, slot) / 4 + word);
  }

  #store(slot: number, word: number, value: number): void {
    Atomics.store(this.#words, slotOffset(this.sizes, slot) / 4 + word, value);
  }
}

const PAGE_WORDS = 4096 / 4;
