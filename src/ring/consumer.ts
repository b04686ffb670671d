/**
 * RingConsumer: the end of a ring that takes records out, of one lane or of many in turns.
 *
 * Rule: the head moves behind a record when it was read, not before.
 */

import { ClosedError } from "../errors.ts";
import { checkMaking, checkOptions, kindError, wholeNumber } from "../sys/mod.ts";
import type { EventCount } from "../wait/mod.ts";
import { CallersBytes } from "./callers_bytes.ts";
import { type Lane, TARGET } from "./lane.ts";
import { LaneReader } from "./lane_reader.ts";
import { waitSync } from "./moment.ts";
import type { RingAwaitOptions, RingBlockOptions } from "./options.ts";
import type { Role } from "./role.ts";

/**
 * Reads a record in place.
 *
 * @param view Bytes of the ring itself, the same view for all records of a lane.
 * @param byteOffset Where in the view the record begins, a multiple of 8. Its bytes are the
 * record's until the function returns, and no longer.
 * @param byteLength How long it is.
 */
export type RecordReader = (
  view: Uint8Array<SharedArrayBuffer>,
  byteOffset: number,
  byteLength: number,
) => void;

/** How many records are read in place. */
export interface DrainOptions {
  /**
   * So many records at most, from 1.
   * @default {all there are}
   */
  limit?: number | undefined;
}

/** Only this file has it. */
const MAKING: unique symbol = Symbol("making");

/** What a consumer works with. */
interface ConsumerParts {
  lanes: readonly Lane[];
  /** Is notified of what is published. */
  notEmpty: EventCount;
  role: Role;
}

/** Makes the consumer of a ring, for who has that role. */
export let makeConsumer: (parts: ConsumerParts) => RingConsumer;

/** The mark of the record that was copied by tryPopInto last: any 32 bits. For rooms above: inside.ts. */
export let markOf: (consumer: RingConsumer) => number;

/** Reads a record in place, with its mark: as a {@linkcode RecordReader}. */
export type MarkedReader = (
  view: Uint8Array<SharedArrayBuffer>,
  byteOffset: number,
  byteLength: number,
  mark: number,
) => void;

/**
 * Reads the next record in place, with its mark, and takes it when the function returns; false when
 * the ring is empty. For rooms above: inside.ts.
 */
export let tryReadMarked: (consumer: RingConsumer, read: MarkedReader) => boolean;

/** A turn of a lane: so many records, or so much of its capacity, then its room is given back. */
const TURN_RECORDS = 64, TURNS_A_CAPACITY = 8;

/**
 * The consumer of an {@linkcode SpscRing} or an {@linkcode MpscRing}: takes records out, in the
 * order in which each producer put them in. The lanes of several producers have turns.
 *
 * The role is this thread's: nobody else becomes the consumer until this one is closed, or its
 * thread or process is dead. Its successor goes on behind the last record that it had taken, so a
 * record that a dead consumer was reading comes again: at least once, not exactly once. While it
 * drains, that can be the last 64 records.
 *
 * `try…` never waits, `…Sync` blocks this thread while the ring is empty, `pop` and `drain` are
 * awaited. A loop over the consumer ends when it is closed.
 *
 * @example Reading in place
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { SpscRing } from "@postbox/postbox/ring";
 *
 * const ring = SpscRing.format(new Uint8Array(new SharedArrayBuffer(4096)));
 * using producer = ring.producer();
 * using consumer = ring.consumer();
 *
 * for (let i = 1; i <= 3; i++) producer.tryPush(new Uint8Array([i, i]));
 * let sum = 0;
 * const count = consumer.tryDrain((view, byteOffset) => sum += view[byteOffset]!);
 * assertEquals([count, sum], [3, 6]);
 * ```
 */
export class RingConsumer implements Disposable {
  readonly #readers: readonly LaneReader[];
  readonly #notEmpty: EventCount;
  readonly #role: Role;
  readonly #target = new CallersBytes();
  readonly #turnBytes: number;
  /** The lane whose turn it is, and how many records it may still give. */
  #lane = 0;
  #turnRecords = 0;
  #isClosed = false;
  #isDraining = false;
  /** That of the record that was copied into a buffer last. */
  #mark = 0;
  /** One try, made once and not for each record. */
  readonly #attempt = () => this.#pop();
  readonly #attemptInto = () => this.#popInto();

  static {
    makeConsumer = (parts) => new RingConsumer(MAKING, parts);
    markOf = (consumer) => consumer.#mark;
    tryReadMarked = (consumer, read) => {
      consumer.#open();
      const readOne = (view: Uint8Array<SharedArrayBuffer>, at: number, byteLength: number) =>
        read(view, at, byteLength, consumer.#readers[consumer.#lane]!.markAt(at));
      return consumer.#drain(readOne, 1) === 1;
    };
  }

  private constructor(making: typeof MAKING, parts: ConsumerParts) {
    checkMaking(making, MAKING, "a RingConsumer", "ring.consumer()");
    const { lanes, notEmpty, role } = parts;
    this.#readers = lanes.map((lane) => new LaneReader(lane));
    this.#turnBytes = lanes[0]!.capacityBytes / TURNS_A_CAPACITY;
    this.#notEmpty = notEmpty;
    this.#role = role;
  }

  /**
   * Takes the next record.
   *
   * @returns Its bytes, a copy that belongs to the caller, or `undefined` when the ring is empty.
   * @throws {LayoutError} If somebody damaged the ring.
   * @throws {TypeError} In the function of a {@linkcode RingConsumer.tryDrain}.
   */
  tryPop(): Uint8Array<ArrayBuffer> | undefined {
    this.#open();
    return this.#pop();
  }

  /**
   * Copies the next record into memory of the caller's, and takes it.
   *
   * @returns Its length, from the start of the buffer; `undefined` when the ring is empty.
   * @throws {RangeError} If the buffer is too short for it: the record stays.
   * @throws As {@linkcode RingConsumer.tryPop} does.
   */
  tryPopInto(buffer: Uint8Array): number | undefined {
    this.#look(buffer);
    this.#open();
    return this.#popInto();
  }

  /**
   * Takes the next record, blocking this thread while there is none.
   *
   * @returns Its bytes, or `undefined` at the deadline.
   * @throws {PosixError} `EINTR` on a signal that the program listens for: nothing was taken.
   * @throws {RangeError} If `timeoutMs` is below 0 or NaN.
   * @throws As {@linkcode RingConsumer.tryPop} does.
   */
  popSync(options: RingBlockOptions = {}): Uint8Array<ArrayBuffer> | undefined {
    checkOptions(options, "pop", "{ timeoutMs: 100 }");
    const { timeoutMs } = options;
    this.#open();
    return waitSync(this.#notEmpty, this.#attempt, timeoutMs);
  }

  /**
   * Copies the next record into memory of the caller's and takes it, blocking this thread while
   * there is none: without making anything.
   *
   * @returns Its length, or `undefined` at the deadline.
   * @throws As {@linkcode RingConsumer.tryPopInto} and {@linkcode RingConsumer.popSync} do.
   */
  popIntoSync(buffer: Uint8Array, options: RingBlockOptions = {}): number | undefined {
    checkOptions(options, "pop", "{ timeoutMs: 100 }");
    const { timeoutMs } = options;
    this.#look(buffer);
    this.#open();
    return waitSync(this.#notEmpty, this.#attemptInto, timeoutMs);
  }

  /**
   * Takes the next record as soon as there is one. Calls are served in their order.
   *
   * @returns A promise of its bytes. It rejects with a `TimeoutError` at the deadline, with the
   * signal's reason when that ends it, with {@linkcode ClosedError} when the consumer is closed:
   * nothing was taken then.
   * @throws {LayoutError} If somebody damaged the ring, by rejection.
   */
  pop(options: RingAwaitOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    try {
      checkOptions(options, "pop", "{ timeoutMs: 100 }");
      const { timeoutMs, signal } = options;
      this.#open();
      return this.#notEmpty.wait(this.#attempt, { timeoutMs, signal });
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Takes record after record, and waits for more. Ends when the consumer is closed. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array<ArrayBuffer>, void, void> {
    // By hand: a generator makes three promises for each record.
    let ended = false;
    const end = (error?: unknown) => {
      ended = true;
      if (error === undefined || error instanceof ClosedError) return DONE;
      throw error;
    };
    return {
      next: () => ended ? Promise.resolve(DONE) : this.pop().then(given, end),
      return: () => Promise.resolve(end()),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /**
   * Reads the records that are there in place, without a copy and without making anything.
   *
   * A record is taken when the function returns; the one at which it throws stays, and what it threw
   * is thrown here.
   *
   * @returns How many were read; 0 when the ring is empty.
   * @throws As {@linkcode RingConsumer.tryPop} does.
   */
  tryDrain(read: RecordReader, options: DrainOptions = {}): number {
    const limit = limitOf(options);
    this.#open();
    return this.#drain(read, limit);
  }

  /**
   * Reads the records that are there in place, blocking this thread while there is none.
   *
   * @returns How many were read; 0 at the deadline.
   * @throws As {@linkcode RingConsumer.tryDrain} and {@linkcode RingConsumer.popSync} do.
   */
  drainSync(read: RecordReader, options: DrainOptions & RingBlockOptions = {}): number {
    const limit = limitOf(options);
    const { timeoutMs } = options;
    this.#open();
    return waitSync(this.#notEmpty, () => this.#drain(read, limit) || undefined, timeoutMs) ?? 0;
  }

  /**
   * Reads the records that are there in place, as soon as there is one.
   *
   * @returns A promise of how many were read, at least 1. It rejects as that of
   * {@linkcode RingConsumer.pop}, and with what the function throws.
   */
  drain(read: RecordReader, options: DrainOptions & RingAwaitOptions = {}): Promise<number> {
    try {
      const limit = limitOf(options);
      const { timeoutMs, signal } = options;
      this.#open();
      const attempt = () => this.#drain(read, limit) || undefined;
      return this.#notEmpty.wait(attempt, { timeoutMs, signal });
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Whether {@linkcode RingConsumer.close} was called. */
  get closed(): boolean {
    return this.#isClosed;
  }

  /**
   * Gives the role up; the records stay. Who waits gets a {@linkcode ClosedError}. Closing twice is
   * allowed and does nothing.
   */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#readers[this.#lane]!.giveBack();
    this.#notEmpty.end(closedError());
    this.#role.release();
  }

  /** The same as {@linkcode RingConsumer.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #pop(): Uint8Array<ArrayBuffer> | undefined {
    const at = this.#peek();
    if (at === -1) return undefined;
    const reader = this.#readers[this.#lane]!;
    const data = reader.copy(at);
    this.#take(reader);
    reader.giveBack();
    return data;
  }

  #popInto(): number | undefined {
    const at = this.#peek();
    if (at === -1) return undefined;
    const reader = this.#readers[this.#lane]!, { byteLength } = reader;
    if (byteLength > this.#target.byteLength) {
      throw new RangeError(
        `Cannot pop into ${this.#target.byteLength} bytes: expected at least ${byteLength}, which ` +
          "the next record has",
      );
    }
    reader.copyInto(at, this.#target);
    this.#mark = reader.markAt(at);
    this.#take(reader);
    reader.giveBack();
    return byteLength;
  }

  #drain(read: RecordReader, limit: number): number {
    let count = 0;
    this.#isDraining = true;
    try {
      while (count < limit) {
        const at = this.#peek();
        if (at === -1) break;
        const reader = this.#readers[this.#lane]!;
        read(reader.bytes, at, reader.byteLength);
        if (this.#isClosed) break;
        this.#take(reader);
        count++;
      }
    } finally {
      this.#isDraining = false;
      if (!this.#isClosed) this.#readers[this.#lane]!.giveBack();
    }
    return count;
  }

  /** Where the next record is in the lane whose turn it is then; -1 when there is none in any. */
  #peek(): number {
    if (this.#turnRecords > 0) {
      const at = this.#readers[this.#lane]!.peek();
      if (at !== -1) return at;
    }
    return this.#nextTurn();
  }

  /** Gives the turn to the next lane that has a record. */
  #nextTurn(): number {
    const readers = this.#readers;
    // Before it is left: only the lane whose turn it is holds what it has read.
    readers[this.#lane]!.giveBack();
    // At last it is the same lane's again, unless that was found empty just now.
    const candidates = this.#turnRecords > 0 ? readers.length - 1 : readers.length;
    for (let passed = 1; passed <= candidates; passed++) {
      const lane = (this.#lane + passed) % readers.length;
      const at = readers[lane]!.peek();
      if (at === -1) continue;
      this.#lane = lane;
      this.#turnRecords = TURN_RECORDS;
      return at;
    }
    return -1;
  }

  /** Takes the record that was read. */
  #take(reader: LaneReader): void {
    reader.skip();
    this.#turnRecords--;
    if (reader.heldBytes >= this.#turnBytes) this.#turnRecords = 0;
  }

  #look(buffer: Uint8Array): void {
    if (!(buffer instanceof Uint8Array)) throw kindError("pop into", buffer, "a Uint8Array");
    this.#target.look(buffer);
  }

  #open(): void {
    if (this.#isClosed) throw closedError();
    if (this.#isDraining) throw new TypeError("Cannot pop: a record is being read, expected after");
  }
}

const DONE: IteratorReturnResult<void> = { value: undefined, done: true };

function given(value: Uint8Array<ArrayBuffer>): IteratorYieldResult<Uint8Array<ArrayBuffer>> {
  return { value, done: false };
}

function limitOf(options: DrainOptions): number {
  checkOptions(options, "drain", "{ limit: 100 }");
  const { limit = Infinity } = options;
  return limit === Infinity ? limit : wholeNumber(limit, { name: "limit", min: 1 });
}

function closedError(): ClosedError {
  return new ClosedError("the consumer of", TARGET);
}
