/**
 * The carrier through a kernel queue: the one with a name that others can send to, and the one whose
 * frames outlive their processes.
 *
 * Rule: a frame is one message, so it is there as a whole or not at all, whoever is killed. The
 * kernel keeps the order: the highest priority first, and control has the highest.
 */

import { ClosedError } from "../../errors.ts";
import { MessageQueue } from "../../mq/mod.ts";
import {
  awaitMessage,
  awaitRoom,
  hasName,
  receivedPriority,
  receiveLength,
} from "../../mq/inside.ts";
import type { Inbox, Lane, Outbox, TakeWait } from "./carrier.ts";
import { CarrierOutbox, checkBuffer, type Way } from "./outbox.ts";
import { messagePlaces } from "./reserve.ts";

/** How large a queue is. */
export interface QueueSize {
  /** How many frames fit, from 1 to msg_max; the last two places are left to control frames. */
  readonly maxMessages: number;
  /** The longest frame, in bytes: from 1 to msgsize_max. */
  readonly maxMessageBytes: number;
}

/**
 * So large that an unprivileged user can have about seventy of them: RLIMIT_MSGQUEUE is 819 200
 * bytes, and one takes 11 200.
 */
const INBOX_SIZE: QueueSize = { maxMessages: 10, maxMessageBytes: 1024 };

/** The size of an endpoint's inbox: 10 frames of 1024 bytes, or what msg_max and msgsize_max allow. */
export function inboxSize(): QueueSize {
  const { maxMessages, maxMessageBytes } = MessageQueue.limits();
  return {
    maxMessages: Math.min(INBOX_SIZE.maxMessages, maxMessages),
    maxMessageBytes: Math.min(INBOX_SIZE.maxMessageBytes, maxMessageBytes),
  };
}

/**
 * Makes a kernel queue, and is its end where frames come out. The queue stays when the inbox is
 * closed: `MessageQueue.unlink` takes its name away.
 *
 * @throws {PosixError} As {@linkcode MessageQueue.create} does: `EEXIST`, and where a limit is behind
 * it, the hint names the limit, its value, and what is used of it.
 */
export function createQueueInbox(name: string, size: QueueSize = inboxSize()): Inbox {
  return new QueueInbox(MessageQueue.create(name, { ...size, access: "r" }));
}

/**
 * Goes on with a kernel queue that is there, and with the frames in it.
 *
 * @throws {PosixError} `ENOENT` if there is none, `EACCES` if it is another user's.
 */
export function openQueueInbox(name: string): Inbox {
  return new QueueInbox(MessageQueue.open(name, { access: "r" }));
}

/**
 * Opens the end of a kernel queue where frames go in.
 *
 * @throws {PosixError} `ENOENT` if there is no such queue, `EACCES` if it is another user's.
 */
export function openQueueOutbox(name: string): Outbox {
  return new CarrierOutbox(new QueueWay(MessageQueue.open(name, { access: "w" })));
}

/** How frames come out of a kernel queue. */
class QueueInbox implements Inbox {
  readonly carrier = "queue";
  readonly name: string;
  readonly maxFrameBytes: number;
  readonly #queue: MessageQueue;
  #priority = 0;

  constructor(queue: MessageQueue) {
    this.name = queue.name;
    this.maxFrameBytes = queue.maxMessageBytes;
    this.#queue = queue;
  }

  get depth(): number {
    return this.#queue.length;
  }

  get priority(): number {
    return this.#priority;
  }

  get closed(): boolean {
    return this.#queue.closed;
  }

  tryTake(into: Uint8Array): number | undefined {
    this.#check(into);
    const byteLength = receiveLength(this.#queue, into);
    if (byteLength === -1) return undefined;
    this.#priority = receivedPriority();
    return byteLength;
  }

  take(into: Uint8Array, options: TakeWait = {}): Promise<number> {
    const attempt = () => {
      const byteLength = this.tryTake(into);
      if (byteLength !== undefined) options.taken?.(byteLength);
      return byteLength;
    };
    try {
      this.#check(into);
      return awaitMessage(this.#queue, attempt, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  close(): void {
    this.#queue.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #check(into: Uint8Array): void {
    if (this.#queue.closed) throw new ClosedError("the inbox of", this.name);
    checkBuffer(this.name, into, this.maxFrameBytes);
  }
}

/** How frames go into a kernel queue. */
class QueueWay implements Way {
  readonly carrier = "queue";
  readonly target: string;
  readonly maxFrameBytes: number;
  readonly capacity: number;
  readonly #queue: MessageQueue;
  /** How many messages there may be, control and all, for a message to be sent behind them. */
  readonly #messagePlaces: number;
  /** How many messages may go before the kernel is asked again how many there are. */
  #unasked = 0;
  readonly #options = { priority: 0 };

  constructor(queue: MessageQueue) {
    this.target = queue.name;
    this.maxFrameBytes = queue.maxMessageBytes;
    this.capacity = queue.maxMessages;
    this.#messagePlaces = messagePlaces(queue.maxMessages);
    this.#queue = queue;
  }

  depth(): number {
    return this.#queue.length;
  }

  isOrphaned(): boolean {
    return !hasName(this.#queue);
  }

  sendNow(frame: Uint8Array, lane: Lane, priority: number): boolean {
    if (lane === "message" && !this.#hasPlace()) return false;
    this.#options.priority = priority;
    const isSent = this.#queue.trySend(frame, this.#options);
    if (!isSent) this.#unasked = 0;
    return isSent;
  }

  /**
   * Whether there is a place for a message beside those of control frames.
   *
   * To ask costs a third of what sending does, so a queue that was seen with many free places is
   * not asked for the next few: half of what was free, all in all, so that two outboxes that do so
   * at a time never take a reserved place, and a queue that fills is asked before each.
   */
  #hasPlace(): boolean {
    if (this.#unasked > 0) {
      this.#unasked--;
      return true;
    }
    const free = this.#messagePlaces - this.#queue.length;
    this.#unasked = Math.max(0, (free >> 1) - 1);
    return free > 0;
  }

  awaitRoom(lane: Lane, attempt: () => true | undefined, signal: AbortSignal): Promise<unknown> {
    // A queue is writable as long as it has a reserved place, and a message waits for more.
    return awaitRoom(this.#queue, lane === "message" ? "changed" : "writable", attempt, signal);
  }

  close(): void {
    this.#queue.close();
  }
}
