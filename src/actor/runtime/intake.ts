/**
 * How frames come into an endpoint: it drains its inboxes, and waits where they are empty.
 *
 * Rule: a frame is taken in as soon as it is there, and no frame of an inbox before one that was
 * taken out of it earlier; who else wants a turn of this thread gets one after so many in a row.
 */

import type { CarrierKind, Inbox } from "../carriers/carrier.ts";
import { nextTurn } from "../../wait/mod.ts";

/** What the frames are for. */
export interface IntakeHost {
  /**
   * Takes in a frame, which is valid until this returns. Throws nothing.
   *
   * @returns Whether it overtook what was sent before, and that must be taken in before it has its
   * effect: an order to stop, the end of a wait.
   */
  takeIn(frame: Uint8Array, priority: number): boolean;
  /** An inbox is empty now. */
  emptied(): void;
  /** How many frames have been sent, answers and all. */
  framesSent(): number;
  /** An inbox can be taken from no more. */
  failed(error: unknown): void;
}

/** So many frames are taken in a row before others get a turn. */
const IN_A_ROW = 64;
/** So many frames are taken in at once, at most: far more than an inbox has room for. */
const MAX_AT_ONCE = 4096;
/** So many microtasks after a frame was taken in, what follows from it has mostly happened. */
const SETTLING_HOPS = 16;

/** So many frames in a row that had no other behind them: the next has none, mostly. */
const ALONE = 4;
/** One time in so many it is looked for all the same. */
const LOOK_EVERY = 16;

/** An inbox, and the frame that was waited for. */
interface Served {
  readonly inbox: Inbox;
  readonly buffer: Uint8Array;
  /** How long the frame in the buffer is, from when it is taken until it is taken in. */
  byteLength: number | undefined;
}

/** The inboxes of one endpoint. */
export class Intake {
  readonly inboxes: Inbox[] = [];
  readonly #served: Served[] = [];
  readonly #host: IntakeHost;
  #isClosed = false;

  constructor(host: IntakeHost) {
    this.#host = host;
  }

  /** Whether there is an inbox of such a carrier. */
  has(kind: CarrierKind): boolean {
    return this.inboxes.some(({ carrier }) => carrier === kind);
  }

  /** Begins to take from an inbox, which is closed with this. */
  add(inbox: Inbox): void {
    const buffer = new Uint8Array(inbox.maxFrameBytes);
    const served: Served = { inbox, buffer, byteLength: undefined };
    this.inboxes.push(inbox);
    this.#served.push(served);
    void this.#drain(served);
  }

  /** Takes in what is there now. */
  takeWhatIsThere(): void {
    if (this.#isClosed) return;
    for (const served of this.#served) {
      this.#takeInAwaited(served);
      const { inbox } = served;
      const buffer = new Uint8Array(inbox.maxFrameBytes);
      for (let left = MAX_AT_ONCE; left > 0; left--) {
        const byteLength = inbox.tryTake(buffer);
        if (byteLength === undefined) break;
        this.#host.takeIn(buffer.subarray(0, byteLength), inbox.priority);
      }
    }
  }

  /** Takes nothing more. */
  close(): void {
    this.#isClosed = true;
    for (const inbox of this.inboxes) inbox.close();
  }

  async #drain(served: Served): Promise<void> {
    const host = this.#host, { inbox, buffer } = served;
    const taken = (byteLength: number) => served.byteLength = byteLength;
    let sentBefore = host.framesSent();
    for (let inARow = 0, alone = 0; !this.#isClosed; inARow++) {
      try {
        // Where frames come one by one, to look for a second is a call in vain.
        const looks = alone < ALONE || alone % LOOK_EVERY === 0;
        served.byteLength = looks ? inbox.tryTake(buffer) : undefined;
        if (served.byteLength !== undefined) alone = 0;
        else {
          alone++;
          inARow = 0;
          host.emptied();
          await this.#settled(sentBefore);
          await inbox.take(buffer, { taken });
        }
      } catch (error) {
        if (!this.#isClosed) host.failed(error);
        return;
      }
      sentBefore = host.framesSent();
      if (this.#takeInAwaited(served)) alone = 0;
      if (inARow >= IN_A_ROW) {
        inARow = 0;
        await new Promise<void>((resolve) => nextTurn(resolve));
      }
    }
  }

  /**
   * Takes in the frame that is in the buffer, unless that was done meanwhile.
   *
   * @returns As {@linkcode IntakeHost.takeIn} does.
   */
  #takeInAwaited(served: Served): boolean {
    const { inbox, buffer, byteLength } = served;
    if (byteLength === undefined) return false;
    served.byteLength = undefined;
    return this.#host.takeIn(buffer.subarray(0, byteLength), inbox.priority);
  }

  /**
   * Lets what follows from a frame happen: an actor handles it and answers, or who hears an answer
   * asks the next thing. After that a wait is worth its spin, which lets nothing else run.
   */
  async #settled(sentBefore: number): Promise<void> {
    for (let hop = 0; hop < SETTLING_HOPS; hop++) {
      if (this.#host.framesSent() !== sentBefore) return;
      await undefined;
    }
  }
}
