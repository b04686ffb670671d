/**
 * The carrier inside one thread: a bounded buffer of frames, without a kernel object. It is what the
 * mailbox of an actor is made of that takes from its endpoint's inbox.
 *
 * Rule: an outbox copies a frame, so that it is the same here as between processes: nobody sees later
 * what the sender does to its bytes.
 */

import { ClosedError } from "../../errors.ts";
import { checkSignal } from "../../wait/mod.ts";
import { MailboxBuffer } from "../flow/mailbox_buffer.ts";
import type { CarrierWait, Inbox, Lane, Outbox, TakeWait } from "./carrier.ts";
import { LocalWaiters } from "./local_waiters.ts";
import { CarrierOutbox, checkBuffer, type Way } from "./outbox.ts";
import { messagePlaces } from "./reserve.ts";

/** How large a local inbox is. */
export interface LocalSize {
  /** How many frames fit, 1 or more. */
  readonly maxFrames: number;
  /** The longest frame, in bytes. */
  readonly maxFrameBytes: number;
  /**
   * Whether control frames come this way, too: the last two places are left to them then.
   * @default {true}
   */
  readonly takesControl?: boolean;
}

/** A frame in the buffer. */
export interface LocalFrame {
  readonly bytes: Uint8Array;
  readonly priority: number;
}

/** The end of a local carrier where frames come out; it makes the outboxes, too. */
export class LocalInbox implements Inbox {
  readonly carrier = "local";
  readonly name: string;
  readonly maxFrameBytes: number;
  readonly #frames: MailboxBuffer<LocalFrame>;
  readonly #takesControl: boolean;
  readonly #takers: LocalWaiters;
  readonly #senders: Record<Lane, LocalWaiters>;
  #priority = 0;
  #isDraining = false;
  #isClosed = false;

  /**
   * @param name What errors call it.
   * @throws {RangeError} If `maxFrames` is no whole number from 1.
   */
  constructor(name: string, { maxFrames, maxFrameBytes, takesControl = true }: LocalSize) {
    this.name = name;
    this.maxFrameBytes = maxFrameBytes;
    this.#frames = new MailboxBuffer(maxFrames);
    this.#takesControl = takesControl;
    const target = JSON.stringify(name);
    this.#takers = new LocalWaiters(`a frame in ${target}`);
    this.#senders = {
      control: new LocalWaiters(`room in ${target}`),
      message: new LocalWaiters(`room in ${target}`),
    };
  }

  /** Makes an end where frames go in. */
  outbox(): Outbox {
    this.#checkOpen();
    const { carrier, name: target, maxFrameBytes } = this;
    const way: Way = {
      carrier,
      target,
      maxFrameBytes,
      capacity: this.capacity,
      depth: () => this.#frames.length,
      sendNow: (frame, lane, priority) => this.#put(frame, lane, priority),
      awaitRoom: (lane, attempt, signal) => this.#senders[lane].wait(attempt, { signal }),
      close: () => {},
    };
    return new CarrierOutbox(way);
  }

  /** How many frames fit; those that are in stay, if they are more. */
  get capacity(): number {
    return this.#frames.capacity;
  }

  set capacity(capacity: number) {
    this.#frames.capacity = capacity;
    this.#serveSenders();
  }

  get depth(): number {
    return this.#frames.length;
  }

  get priority(): number {
    return this.#priority;
  }

  get closed(): boolean {
    return this.#isClosed;
  }

  tryTake(into: Uint8Array): number | undefined {
    this.#checkOpen();
    checkBuffer(this.name, into, this.maxFrameBytes);
    return this.#takeInto(into);
  }

  take(into: Uint8Array, options: TakeWait = {}): Promise<number> {
    try {
      this.#checkOpen();
      checkBuffer(this.name, into, this.maxFrameBytes);
      checkSignal(options.signal);
      return this.#takers.wait(() => this.#takeInto(into, options), options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Takes the next frame without a copy, if there is one: its bytes are the taker's from now on. */
  tryTakeFrame(): Uint8Array | undefined {
    const frame = this.#frames.shift();
    if (frame === undefined) return undefined;
    this.#priority = frame.priority;
    this.#serveSenders();
    return frame.bytes;
  }

  /** The same as soon as there is one. Rejects as {@linkcode LocalInbox.take} does. */
  takeFrame(options: CarrierWait): Promise<Uint8Array> {
    return this.#takers.wait(() => this.tryTakeFrame(), options);
  }

  /** Puts in a frame even when there is no room; its bytes are the inbox's from now on. */
  admit(bytes: Uint8Array, priority: number): void {
    this.#frames.admit({ bytes, priority }, priority);
    this.#takers.serve();
  }

  /** Puts a frame back that was taken, before those of its priority. */
  putBack(bytes: Uint8Array, priority: number): void {
    this.#frames.unshift({ bytes, priority }, priority);
    this.#takers.serve();
  }

  /**
   * Puts in a frame, and drops one where there is no room: the oldest of the lowest priority, this
   * one among them. Its bytes are the inbox's from now on.
   *
   * @returns The bytes of what was dropped, if something was.
   */
  putDroppingOld(bytes: Uint8Array, priority: number): Uint8Array | undefined {
    const dropped = this.#frames.pushDroppingOld({ bytes, priority }, priority);
    this.#takers.serve();
    return dropped?.bytes;
  }

  /** Takes out all there is, and what waits for room: whoever sent that is told that it is in. */
  drain(): LocalFrame[] {
    this.#isDraining = true;
    this.#serveSenders();
    this.#isDraining = false;
    return this.#frames.remove(() => true);
  }

  /** Nobody takes what is left: it is gone with the inbox, and its outboxes throw. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const error = this.#closedError();
    this.#takers.end(error);
    for (const line of Object.values(this.#senders)) line.end(error);
    this.#frames.remove(() => true);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #put(frame: Uint8Array, lane: Lane, priority: number): boolean {
    this.#checkOpen();
    const { capacity } = this;
    const places = lane === "message" && this.#takesControl ? messagePlaces(capacity) : capacity;
    if (this.#frames.length >= places && !this.#isDraining) return false;
    this.#frames.admit({ bytes: new Uint8Array(frame), priority }, priority);
    this.#takers.serve();
    return true;
  }

  #takeInto(into: Uint8Array, { taken }: TakeWait = {}): number | undefined {
    const bytes = this.tryTakeFrame();
    if (bytes === undefined) return undefined;
    into.set(bytes);
    taken?.(bytes.byteLength);
    return bytes.byteLength;
  }

  #serveSenders(): void {
    this.#senders.control.serve();
    this.#senders.message.serve();
  }

  #checkOpen(): void {
    if (this.#isClosed) throw this.#closedError();
  }

  #closedError(): ClosedError {
    return new ClosedError("the inbox of", this.name);
  }
}
