/** A named mailbox as a cell takes from it: straight from its kernel queue, a message at a time. */

import type { Inbox } from "../carriers/carrier.ts";
import type { Source } from "./source.ts";

/** Takes into one buffer, which the next frame uses again. */
export class QueueSource implements Source {
  readonly #inbox: Inbox;
  readonly #buffer: Uint8Array;

  constructor(inbox: Inbox) {
    this.#inbox = inbox;
    this.#buffer = new Uint8Array(inbox.maxFrameBytes);
  }

  get priority(): number {
    return this.#inbox.priority;
  }

  tryNext(): Uint8Array | undefined {
    const byteLength = this.#inbox.tryTake(this.#buffer);
    return byteLength === undefined ? undefined : this.#buffer.subarray(0, byteLength);
  }

  async next(signal: AbortSignal): Promise<Uint8Array | undefined> {
    try {
      const byteLength = await this.#inbox.take(this.#buffer, { signal });
      return this.#buffer.subarray(0, byteLength);
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    }
  }

  /** Closes its end; what waits stays in the queue. */
  close(): void {
    this.#inbox.close();
  }
}
