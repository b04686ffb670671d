/**
 * What a carrier is: frames of bytes go in at an outbox and come out at the inbox, whatever is
 * between the two.
 *
 * Rule: nothing here looks into a frame. What a carrier promises is one suite of tests,
 * tests/contract/carrier_contract.ts, that each of them passes.
 */

/** What is between an outbox and its inbox. */
export type CarrierKind = "local" | "queue" | "ring";

/**
 * Two ways through a carrier. Control frames (replies, credits, cancels, orders) go before messages
 * that wait, and have room that messages leave to them.
 */
export type Lane = "message" | "control";

/** How long a call may wait. */
export interface CarrierWait {
  /**
   * Milliseconds, at least 0; measured on the monotonic clock.
   * @default {for ever}
   */
  timeoutMs?: number | undefined;
  /** Ends the wait: the promise rejects with the signal's reason, and nothing was sent or taken. */
  signal?: AbortSignal | undefined;
}

/** How a frame is taken that may have to be waited for. */
export interface TakeWait extends CarrierWait {
  /**
   * Is called as soon as a frame is taken, with its length in bytes: turns of the event loop may pass
   * from then until the promise is fulfilled, in which the next frames could be taken before it.
   */
  taken?: ((byteLength: number) => void) | undefined;
}

/** How a frame is sent that may have to wait. */
export interface SendWait extends CarrierWait {
  /**
   * Is called in the place of each attempt to send, and makes it by calling `send`: for who has to
   * do something immediately before it, and take it back where it did not work. What it throws
   * rejects.
   *
   * @param send Sends the frame if there is room now, and tells whether.
   * @returns What `send` gave.
   */
  attempt?: ((send: () => boolean) => boolean) | undefined;
}

/**
 * Where frames go in. There may be many to one inbox, in many threads and processes.
 *
 * Frames of one outbox, one lane and one priority come out in the order in which they went in.
 */
export interface Outbox extends Disposable {
  /** What is behind it. */
  readonly carrier: CarrierKind;
  /** Where it leads: the name of a queue, of memory, of a local inbox. */
  readonly target: string;
  /** The longest frame, in bytes. */
  readonly maxFrameBytes: number;
  /** How much is on the way now, of {@linkcode Outbox.capacity}. */
  readonly depth: number;
  /** How many frames there can be; on a ring, how many bytes this outbox's messages can have. */
  readonly capacity: number;
  /** Whether {@linkcode Outbox.close} was called. */
  readonly closed: boolean;
  /** Whether its queue was unlinked: another one may have its name now. Costs a system call. */
  readonly orphaned: boolean;

  /**
   * Sends a frame if there is room for its lane, and nothing of this outbox waits that goes before.
   *
   * The bytes are copied before it returns.
   *
   * @param frame At most {@linkcode Outbox.maxFrameBytes}; may be empty.
   * @param priority 0 to 32767; the highest is taken first, where the carrier can.
   * @returns False when there is no room now.
   * @throws {RangeError} If the frame is too long, or the priority out of its range.
   * @throws {ClosedError} If the outbox is closed.
   */
  trySend(frame: Uint8Array, lane: Lane, priority: number): boolean;

  /**
   * Sends a frame as soon as there is room. Control goes before messages that wait, then the highest
   * priority, then who came first.
   *
   * The bytes are copied before it returns.
   *
   * @returns A promise that is fulfilled when the carrier has the frame. It rejects with a
   * `TimeoutError` at the deadline, with the signal's reason when that ends it, with
   * {@linkcode ClosedError} when the outbox is closed: nothing was sent then.
   * @throws As {@linkcode Outbox.trySend} does, by rejection.
   */
  send(frame: Uint8Array, lane: Lane, priority: number, options?: SendWait): Promise<void>;

  /**
   * Gives it up; what was sent stays on its way. Who waits gets a {@linkcode ClosedError}. Closing
   * twice is allowed and does nothing.
   */
  close(): void;
}

/** Where frames come out: control first, then the highest priority, where the carrier can. */
export interface Inbox extends Disposable {
  /** What is before it. */
  readonly carrier: CarrierKind;
  /** Of its queue, of its memory; of a local inbox what it was given. */
  readonly name: string;
  /** The longest frame, in bytes: what a buffer to take into has room for. */
  readonly maxFrameBytes: number;
  /** How many frames wait now; on a ring, how many bytes. */
  readonly depth: number;
  /** The priority of the frame that was taken last, 0 to 32767. */
  readonly priority: number;
  /** Whether {@linkcode Inbox.close} was called. */
  readonly closed: boolean;

  /**
   * Takes the next frame, if there is one.
   *
   * @param into At least {@linkcode Inbox.maxFrameBytes} long; the same array each time costs least.
   * @returns Its length, from the start of the buffer; `undefined` when there is none.
   * @throws {RangeError} If the buffer is too short. Nothing was taken then.
   * @throws {ClosedError} If the inbox is closed.
   */
  tryTake(into: Uint8Array): number | undefined;

  /**
   * Takes the next frame as soon as there is one. One call at a time: {@linkcode Inbox.priority} is
   * that of the last.
   *
   * @returns A promise of its length. It rejects with a `TimeoutError` at the deadline, with the
   * signal's reason when that ends it, with {@linkcode ClosedError} when the inbox is closed:
   * nothing was taken then.
   * @throws As {@linkcode Inbox.tryTake} does, by rejection.
   */
  take(into: Uint8Array, options?: TakeWait): Promise<number>;

  /**
   * Gives it up. What was not taken stays for the next inbox on the same queue or ring. Who waits
   * gets a {@linkcode ClosedError}. Closing twice is allowed and does nothing.
   */
  close(): void;
}

/** The highest priority that a frame can have: MQ_PRIO_MAX - 1, mq_overview(7). */
export const MAX_PRIORITY = 32_767;
