/**
 * A named mailbox as a cell takes from it: straight from its kernel queue, a message at a time.
 *
 * Rule: what was given back comes first, for no queue takes a message back at its head.
 */

import type { Inbox } from "../carriers/carrier.ts";
import type { LocalFrame } from "../carriers/local.ts";
import { MailboxBuffer } from "../flow/mailbox_buffer.ts";
import type { Source } from "./source.ts";

/** Takes into one buffer, which the next frame uses again. */
export class QueueSource implements Source {
  readonly #inbox: Inbox;
  readonly #buffer: Uint8Array;
  readonly #returned = new MailboxBuffer<LocalFrame>(Number.MAX_SAFE_INTEGER);
  #priority = 0;

  constructor(inbox: Inbox) {
    this.#inbox = inbox;
    this.#buffer = new Uint8Array(inbox.maxFrameBytes);
  }

  get priority(): number {
    return this.#priority;
  }

  tryNext(): Uint8Array | undefined {
    const returned = this.#returned.shift();
    if (returned !== undefined) {
      this.#priority = returned.priority;
      return returned.bytes;
    }
    const byteLength = this.#inbox.tryTake(this.#buffer);
    return byteLength === undefined ? undefined : this.#taken(byteLength);
  }

  async next(signal: AbortSignal): Promise<Uint8Array | undefined> {
    try {
      const byteLength = await this.#inbox.take(this.#buffer, { signal });
      return this.#taken(byteLength);
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    }
  }

  giveBack(bytes: Uint8Array, priority: number): void {
    this.#returned.unshift({ bytes, priority }, priority);
  }

  /** Closes its end; what waits stays in the queue. @returns What was given back. */
  close(): LocalFrame[] {
    this.#inbox.close();
    return this.#returned.remove(() => true);
  }

  #taken(byteLength: number): Uint8Array {
    this.#priority = this.#inbox.priority;
    return this.#buffer.subarray(0, byteLength);
  }
}
