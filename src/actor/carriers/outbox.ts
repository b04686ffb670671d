/**
 * The one outbox: what is the same for every carrier. Its way says how a frame goes.
 *
 * Rule: a frame is judged before anything is tried, and nobody overtakes who waits.
 */

import { ClosedError } from "../../errors.ts";
import { checkSignal, deadlineOf, foundAtOnce } from "../../wait/mod.ts";
import {
  type CarrierKind,
  type Lane,
  MAX_PRIORITY,
  type Outbox,
  type SendWait,
} from "./carrier.ts";
import { SendLine } from "./send_line.ts";

/** How frames go from an outbox: what a carrier is, on this side. */
export interface Way {
  readonly carrier: CarrierKind;
  /** What errors call the inbox: the name of a queue, of memory. */
  readonly target: string;
  readonly maxFrameBytes: number;
  readonly capacity: number;
  /** How much is on the way now. */
  depth(): number;
  /** Whether its inbox is of nobody any more who could be found: its queue was unlinked. */
  isOrphaned?(): boolean;
  /** Sends a frame, which is not too long, if its lane has room now. */
  sendNow(frame: Uint8Array, lane: Lane, priority: number): boolean;
  /**
   * Tries, then tries again whenever a lane may have more room, until it works.
   *
   * @returns A promise that rejects with the signal's reason, or with what the carrier died of.
   */
  awaitRoom(lane: Lane, attempt: () => true | undefined, signal: AbortSignal): Promise<unknown>;
  close(): void;
}

/** What an outbox of any carrier is. */
export class CarrierOutbox implements Outbox {
  readonly carrier: CarrierKind;
  readonly target: string;
  readonly maxFrameBytes: number;
  readonly capacity: number;
  readonly #way: Way;
  /** Who waits for room; made when the first does. */
  readonly #lines: { [L in Lane]?: SendLine } = {};
  #isClosed = false;

  constructor(way: Way) {
    this.carrier = way.carrier;
    this.target = way.target;
    this.maxFrameBytes = way.maxFrameBytes;
    this.capacity = way.capacity;
    this.#way = way;
  }

  get depth(): number {
    this.#checkOpen();
    return this.#way.depth();
  }

  get closed(): boolean {
    return this.#isClosed;
  }

  get orphaned(): boolean {
    this.#checkOpen();
    return this.#way.isOrphaned?.() ?? false;
  }

  trySend(frame: Uint8Array, lane: Lane, priority: number): boolean {
    this.#checkOpen();
    this.#judge(frame, priority);
    if (this.#lines[lane]?.holdsBack(priority)) return false;
    return this.#way.sendNow(frame, lane, priority);
  }

  send(
    frame: Uint8Array,
    lane: Lane,
    priority: number,
    { timeoutMs, signal, attempt = once }: SendWait = {},
  ): Promise<void> {
    try {
      const deadline = deadlineOf(timeoutMs);
      checkSignal(signal);
      this.#checkOpen();
      this.#judge(frame, priority);
      const line = this.#lines[lane] ??= lineOf(this.#way, lane);
      const isSent = !line.holdsBack(priority) &&
        attempt(() => this.#way.sendNow(frame, lane, priority));
      if (isSent) return Promise.resolve(foundAtOnce(undefined));
      const bytes = new Uint8Array(frame);
      const send = () => attempt(() => this.#way.sendNow(bytes, lane, priority));
      return line.wait(send, priority, { deadline, timeoutMs, signal });
    } catch (error) {
      return Promise.reject(error);
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const error = this.#closedError();
    for (const line of Object.values(this.#lines)) line.end(error);
    this.#way.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #judge({ byteLength }: Uint8Array, priority: number): void {
    const { maxFrameBytes } = this;
    if (byteLength > maxFrameBytes) {
      throw new RangeError(
        `Cannot send to ${JSON.stringify(this.target)}: the frame has ${byteLength} bytes, ` +
          `expected at most ${maxFrameBytes}`,
      );
    }
    if (priority >>> 0 === priority && priority <= MAX_PRIORITY) return;
    throw new RangeError(
      `Cannot send to ${JSON.stringify(this.target)}: the priority is ${priority}, ` +
        `expected a whole number from 0 to ${MAX_PRIORITY}`,
    );
  }

  #checkOpen(): void {
    if (this.#isClosed) throw this.#closedError();
  }

  #closedError(): ClosedError {
    return new ClosedError("the outbox to", this.target);
  }
}

function lineOf(way: Way, lane: Lane): SendLine {
  const awaited = `room in ${JSON.stringify(way.target)}`;
  return new SendLine(awaited, (attempt, signal) => way.awaitRoom(lane, attempt, signal));
}

/** An attempt that nothing has to be done for. */
function once(send: () => boolean): boolean {
  return send();
}

/** What a buffer to take into must have room for. */
export function checkBuffer(target: string, { byteLength }: Uint8Array, leastBytes: number): void {
  if (byteLength >= leastBytes) return;
  throw new RangeError(
    `Cannot take from ${JSON.stringify(target)}: the buffer has ${byteLength} bytes, expected at ` +
      `least ${leastBytes}`,
  );
}
