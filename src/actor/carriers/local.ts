/**
 * The carrier inside one thread: a bounded buffer of frames, without a kernel object.
 *
 * Rule: a frame is a copy on both sides, so that it is the same here as between processes: nobody
 * sees later what the other does to its bytes.
 */

import { ClosedError } from "../../errors.ts";
import { checkSignal } from "../../wait/mod.ts";
import { MailboxBuffer } from "../flow/mailbox_buffer.ts";
import type { CarrierWait, Inbox, Lane, Outbox } from "./carrier.ts";
import { LocalWaiters } from "./local_waiters.ts";
import { CarrierOutbox, checkBuffer, type Way } from "./outbox.ts";
import { messagePlaces } from "./reserve.ts";

/** How large a local inbox is. */
export interface LocalSize {
  /** How many frames fit, 1 or more; the last two places are left to control frames. */
  readonly maxFrames: number;
  /** The longest frame, in bytes. */
  readonly maxFrameBytes: number;
}

/** A frame in the buffer. */
interface LocalFrame {
  readonly bytes: Uint8Array;
  readonly priority: number;
}

/** The end of a local carrier where frames come out; it makes the outboxes, too. */
export class LocalInbox implements Inbox {
  readonly carrier = "local";
  readonly name: string;
  readonly maxFrameBytes: number;
  readonly #frames: MailboxBuffer<LocalFrame>;
  readonly #messagePlaces: number;
  readonly #takers: LocalWaiters;
  readonly #senders: Record<Lane, LocalWaiters>;
  #priority = 0;
  #isClosed = false;

  /**
   * @param name What errors call it.
   * @throws {RangeError} If `maxFrames` is no whole number from 1.
   */
  constructor(name: string, { maxFrames, maxFrameBytes }: LocalSize) {
    this.name = name;
    this.maxFrameBytes = maxFrameBytes;
    this.#frames = new MailboxBuffer(maxFrames);
    this.#messagePlaces = messagePlaces(maxFrames);
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
      capacity: this.#frames.capacity,
      depth: () => this.#frames.length,
      sendNow: (frame, lane, priority) => this.#put(frame, lane, priority),
      awaitRoom: (lane, attempt, signal) => this.#senders[lane].wait(attempt, { signal }),
      close: () => {},
    };
    return new CarrierOutbox(way);
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

  take(into: Uint8Array, options: CarrierWait = {}): Promise<number> {
    try {
      this.#checkOpen();
      checkBuffer(this.name, into, this.maxFrameBytes);
      checkSignal(options.signal);
      return this.#takers.wait(() => this.#takeInto(into), options);
    } catch (error) {
      return Promise.reject(error);
    }
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
    const places = lane === "message" ? this.#messagePlaces : this.#frames.capacity;
    if (this.#frames.length >= places) return false;
    this.#frames.push({ bytes: new Uint8Array(frame), priority }, priority);
    this.#takers.serve();
    return true;
  }

  #takeInto(into: Uint8Array): number | undefined {
    const frame = this.#frames.shift();
    if (frame === undefined) return undefined;
    into.set(frame.bytes);
    this.#priority = frame.priority;
    this.#senders.control.serve();
    this.#senders.message.serve();
    return frame.bytes.byteLength;
  }

  #checkOpen(): void {
    if (this.#isClosed) throw this.#closedError();
  }

  #closedError(): ClosedError {
    return new ClosedError("the inbox of", this.name);
  }
}
