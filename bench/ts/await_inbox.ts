/** Messages of carriers that call back, or that know of bytes only. */

import { MESSAGE_BYTES } from "./await_message.ts";
import type { Received } from "./await_loops.ts";

/** Keeps what arrived until it is taken. */
export class Inbox {
  readonly #arrived: Received[] = [];
  #waiting: ((received: Received) => void) | undefined;
  /** The beginning of a message whose end has not arrived. */
  #begun = new Uint8Array(0);

  put(data: Uint8Array<ArrayBuffer>): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) this.#arrived.push({ data });
    else waiting({ data });
  }

  /** Takes bytes as a stream gives them, and keeps views of them. */
  putBytes(bytes: Uint8Array<ArrayBuffer>): void {
    let rest = bytes;
    if (this.#begun.length > 0) {
      rest = new Uint8Array(this.#begun.length + bytes.length);
      rest.set(this.#begun);
      rest.set(bytes, this.#begun.length);
    }
    let at = 0;
    for (; at + MESSAGE_BYTES <= rest.length; at += MESSAGE_BYTES) {
      this.put(rest.subarray(at, at + MESSAGE_BYTES));
    }
    this.#begun = rest.slice(at);
  }

  tryTake(): Received | undefined {
    return this.#arrived.shift();
  }

  take(): Promise<Received> {
    const received = this.tryTake();
    if (received !== undefined) return Promise.resolve(received);
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }
}
