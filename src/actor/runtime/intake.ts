/**
 * How frames come into an endpoint: it drains its inboxes, and waits where they are empty.
 *
 * Rule: a frame is taken in as soon as it is there; who else wants a turn of this thread gets one
 * after so many in a row.
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

/** The inboxes of one endpoint. */
export class Intake {
  readonly inboxes: Inbox[] = [];
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
    this.inboxes.push(inbox);
    void this.#drain(inbox);
  }

  /** Takes in what is there now. */
  takeWhatIsThere(): void {
    if (this.#isClosed) return;
    for (const inbox of this.inboxes) {
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

  async #drain(inbox: Inbox): Promise<void> {
    const host = this.#host;
    const buffer = new Uint8Array(inbox.maxFrameBytes);
    let sentBefore = host.framesSent();
    for (let inARow = 0, alone = 0; !this.#isClosed; inARow++) {
      let byteLength: number | undefined;
      try {
        // Where frames come one by one, to look for a second is a call in vain.
        const looks = alone < ALONE || alone % LOOK_EVERY === 0;
        byteLength = looks ? inbox.tryTake(buffer) : undefined;
        if (byteLength !== undefined) alone = 0;
        else {
          alone++;
          inARow = 0;
          host.emptied();
          await this.#settled(sentBefore);
          byteLength = await inbox.take(buffer);
        }
      } catch (error) {
        if (!this.#isClosed) host.failed(error);
        return;
      }
      sentBefore = host.framesSent();
      if (host.takeIn(buffer.subarray(0, byteLength), inbox.priority)) alone = 0;
      if (inARow >= IN_A_ROW) {
        inARow = 0;
        await new Promise<void>((resolve) => nextTurn(resolve));
      }
    }
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
