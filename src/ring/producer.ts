/**
 * RingProducer: the end of a lane that puts records in.
 *
 * Rule: publish, then notify. What is published is not written again before it was read.
 */

import { ClosedError } from "../errors.ts";
import { checkMaking, checkOptions, kindError, wholeNumber } from "../sys/mod.ts";
import type { EventCount } from "../wait/mod.ts";
import { CallersBytes } from "./callers_bytes.ts";
import { type Lane, TARGET } from "./lane.ts";
import { LaneWriter } from "./lane_writer.ts";
import { waitSync } from "./moment.ts";
import type { RingAwaitOptions, RingBlockOptions } from "./options.ts";
import type { Role } from "./role.ts";

/** Only this file has it. */
const MAKING: unique symbol = Symbol("making");

/** What a producer works with. */
interface ProducerParts {
  lane: Lane;
  /** Is notified of what is published. */
  notEmpty: EventCount;
  role: Role;
}

/** Makes the producer of a lane, for who has that role. */
export let makeProducer: (parts: ProducerParts) => RingProducer;

/** {@linkcode RingProducer.tryPush} of bytes with a mark. For rooms above: inside.ts. */
export let tryPushMarked: (producer: RingProducer, data: Uint8Array, mark: number) => boolean;

/**
 * Tries, then tries again whenever there may be more room, until it works. For rooms above: inside.ts.
 *
 * @param attempt Gives `undefined` when it has to wait on. What it throws rejects.
 * @returns What `attempt` gave. Rejects with the signal's reason, or with a ClosedError.
 */
export let awaitRoom: <T>(
  producer: RingProducer,
  attempt: () => T | undefined,
  signal: AbortSignal,
) => Promise<T>;

/** How much of a producer's own lane is in use. For rooms above: inside.ts. */
export let usedBytesOf: (producer: RingProducer) => number;

const encoder = new TextEncoder();

/** No record is being written in place. */
const NO_CLAIM = -1;

/**
 * The producer of an {@linkcode SpscRing}, or one of those of an {@linkcode MpscRing}: puts records
 * in, each of 0 to `maxRecordBytes` bytes. They are read in that order.
 *
 * The role is this thread's: nobody else becomes this producer until this one is closed, or its
 * thread or process is dead. What a dead producer had published is read, and what it had not is
 * lost, which is at most the record that it was at, or the batch; its successor goes on behind.
 *
 * `try…` never waits, `…Sync` blocks this thread while the ring is full, `push` is awaited.
 *
 * @example A text, and a record that is written in place
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { SpscRing } from "@postbox/postbox/ring";
 *
 * const ring = SpscRing.format(new Uint8Array(new SharedArrayBuffer(4096)));
 * using producer = ring.producer();
 * using consumer = ring.consumer();
 *
 * producer.tryPush("text");
 * const view = producer.claim(8); // bytes of the ring itself
 * if (view !== undefined) {
 *   new DataView(view.buffer, view.byteOffset).setFloat64(0, 1.5, true);
 *   producer.commit();
 * }
 * assertEquals(new TextDecoder().decode(consumer.tryPop()), "text");
 * assertEquals(new Float64Array(consumer.tryPop()!.buffer)[0], 1.5);
 * ```
 */
export class RingProducer implements Disposable {
  /** The longest record: half the capacity, less 8 bytes. */
  readonly maxRecordBytes: number;

  readonly #lane: Lane;
  readonly #notEmpty: EventCount;
  readonly #role: Role;
  readonly #source = new CallersBytes();
  /** `undefined` when it is closed. */
  #writer: LaneWriter | undefined;
  /** For how many bytes a record is being written in place. */
  #claimedBytes = NO_CLAIM;
  #isBatching = false;

  static {
    makeProducer = (parts) => new RingProducer(MAKING, parts);
    tryPushMarked = (producer, data, mark) => {
      producer.#look(data);
      return producer.#push(producer.#writable(), producer.#source, mark);
    };
    awaitRoom = (producer, attempt, signal) => producer.#lane.notFull.wait(attempt, { signal });
    usedBytesOf = (producer) => producer.#lane.usedBytes();
  }

  private constructor(making: typeof MAKING, parts: ProducerParts) {
    checkMaking(making, MAKING, "a RingProducer", "ring.producer()");
    const { lane, notEmpty, role } = parts;
    this.maxRecordBytes = lane.maxRecordBytes;
    this.#lane = lane;
    this.#notEmpty = notEmpty;
    this.#role = role;
    this.#writer = new LaneWriter(lane);
  }

  /**
   * Puts a record in, if there is room.
   *
   * @param data The bytes, or a text that is written as UTF-8. May be empty.
   * @returns False when the ring is full.
   * @throws {RangeError} If the record is longer than `maxRecordBytes`.
   * @throws {TypeError} If `data` is neither a Uint8Array nor a string, or its buffer is detached,
   * or while a claim is open.
   * @throws {LayoutError} If somebody damaged the ring.
   */
  tryPush(data: Uint8Array | string): boolean {
    this.#look(data);
    return this.#push(this.#writable(), this.#source);
  }

  /**
   * Puts a record in, blocking this thread while the ring is full.
   *
   * @returns False at the deadline; without one the call comes back only with true.
   * @throws As {@linkcode RingProducer.tryPush} does.
   * @throws {PosixError} `EINTR` on a signal that the program listens for: nothing was pushed.
   * @throws {RangeError} If `timeoutMs` is below 0 or NaN.
   */
  pushSync(data: Uint8Array | string, options?: RingBlockOptions): boolean {
    if (options === undefined) {
      // The usual case: what is below costs a closure, also where it is not called.
      this.#look(data);
      return this.#push(this.#writable(), this.#source) || this.#waitToPush(undefined);
    }
    checkOptions(options, "push", "{ timeoutMs: 100 }");
    const { timeoutMs } = options;
    this.#look(data);
    this.#writable();
    return this.#waitToPush(timeoutMs);
  }

  /**
   * Puts a record in as soon as there is room. Calls are served in their order.
   *
   * Bytes that have to wait are copied: the caller may use the array again at once.
   *
   * @returns A promise that is fulfilled when the ring has the record. It rejects with a
   * `TimeoutError` at the deadline, with the signal's reason when that ends it, with
   * {@linkcode ClosedError} when the producer is closed: nothing was pushed then.
   * @throws As {@linkcode RingProducer.tryPush} does, by rejection.
   */
  push(data: Uint8Array | string, options: RingAwaitOptions = {}): Promise<void> {
    try {
      checkOptions(options, "push", "{ timeoutMs: 100 }");
      const { timeoutMs, signal } = options;
      this.#look(data);
      this.#writable();
      let source = this.#source, isPushed = false;
      const attempt = () => {
        // Somebody who waits does so while a record is written in place, too.
        isPushed = this.#claimedBytes === NO_CLAIM && this.#push(this.#writable(), source);
        return isPushed || undefined;
      };
      const pushed = this.#lane.notFull.wait(attempt, { timeoutMs, signal });
      if (!isPushed) source = source.copy();
      return pushed.then(nothing);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Makes room for a record that is written in place: nobody sees it before
   * {@linkcode RingProducer.commit}. One at a time.
   *
   * @param byteLength The most that the record will have, 0 to `maxRecordBytes`.
   * @returns A view of the ring's own bytes, which begin at a multiple of 8 and say anything at
   * first; to be left alone after `commit`, `abort` or `close`. `undefined` when the ring is full.
   * @throws {RangeError} If `byteLength` is no whole number from 0 to `maxRecordBytes`.
   * @throws {TypeError} While another claim is open.
   */
  claim(byteLength: number): Uint8Array<SharedArrayBuffer> | undefined {
    wholeNumber(byteLength, { name: "byteLength", min: 0, max: this.maxRecordBytes });
    const writer = this.#writable();
    const at = writer.reserve(byteLength);
    if (at === -1) {
      this.#publish(writer);
      return undefined;
    }
    this.#claimedBytes = byteLength;
    const { buffer, byteOffset } = this.#lane.bytes;
    return new Uint8Array(buffer, byteOffset + at, byteLength);
  }

  /**
   * Makes what was written into the claimed view a record.
   *
   * @param byteLength How much of the view's beginning is the record.
   * @throws {RangeError} If that is more than was claimed.
   * @throws {TypeError} If nothing is claimed.
   */
  commit(byteLength: number = Math.max(0, this.#claimedBytes)): void {
    const writer = this.#open();
    if (this.#claimedBytes === NO_CLAIM) {
      throw new TypeError("Cannot commit: nothing is claimed, expected claim() before");
    }
    wholeNumber(byteLength, { name: "byteLength", min: 0, max: this.#claimedBytes });
    this.#claimedBytes = NO_CLAIM;
    writer.append(byteLength);
    if (!this.#isBatching) this.#publish(writer);
  }

  /** Gives a claim up: there is no record. Does nothing when nothing is claimed. */
  abort(): void {
    this.#claimedBytes = NO_CLAIM;
  }

  /**
   * Publishes the records that a function pushes or commits together: at its end, or when the ring
   * is full. That costs less than to publish each, and wakes a consumer once.
   *
   * What a function that throws had pushed is published, too.
   *
   * @returns What the function gives.
   */
  batch<T>(write: () => T): T {
    this.#writable();
    if (this.#isBatching) return write();
    this.#isBatching = true;
    try {
      return write();
    } finally {
      this.#isBatching = false;
      if (this.#writer !== undefined) this.#publish(this.#writer);
    }
  }

  /** Whether {@linkcode RingProducer.close} was called. */
  get closed(): boolean {
    return this.#writer === undefined;
  }

  /**
   * Gives the role up; the records stay. A claim is given up, a batch published, and who waits gets
   * a {@linkcode ClosedError}. Closing twice is allowed and does nothing.
   */
  close(): void {
    const writer = this.#writer;
    if (writer === undefined) return;
    this.#publish(writer);
    this.#writer = undefined;
    this.#claimedBytes = NO_CLAIM;
    this.#lane.notFull.end(closedError());
    this.#role.release();
  }

  /** The same as {@linkcode RingProducer.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** What is to be pushed, judged before anything of the ring is. */
  #look(data: Uint8Array | string): void {
    const bytes = typeof data === "string" ? encoder.encode(data) : data;
    if (!(bytes instanceof Uint8Array)) throw kindError("push", data, "a Uint8Array or a string");
    this.#source.look(bytes);
    const { byteLength } = this.#source;
    if (byteLength > this.maxRecordBytes) {
      throw new RangeError(
        `Cannot push ${byteLength} bytes: expected at most ${this.maxRecordBytes}, which is half ` +
          "the capacity less a header",
      );
    }
  }

  #push(writer: LaneWriter, source: CallersBytes, mark = 0): boolean {
    const isPushed = writer.push(source, mark);
    // In a batch: the consumer makes room of nothing but what it sees.
    if (!isPushed || !this.#isBatching) this.#publish(writer);
    return isPushed;
  }

  /** Pushes what was looked at last, blocking this thread while the ring is full. */
  #waitToPush(timeoutMs: number | undefined): boolean {
    const attempt = () => this.#push(this.#open(), this.#source) || undefined;
    return waitSync(this.#lane.notFull, attempt, timeoutMs) ?? false;
  }

  #publish(writer: LaneWriter): void {
    if (writer.publish()) this.#notEmpty.notify();
  }

  #open(): LaneWriter {
    if (this.#writer === undefined) throw closedError();
    return this.#writer;
  }

  #writable(): LaneWriter {
    const writer = this.#open();
    if (this.#claimedBytes === NO_CLAIM) return writer;
    throw new TypeError("Cannot push: a claim is open, expected commit() or abort() before");
  }
}

function closedError(): ClosedError {
  return new ClosedError("the producer of", TARGET);
}

function nothing(): void {}
