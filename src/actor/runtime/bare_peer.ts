/** Sends to a program that only calls mq_receive. */

import { MessageQueue, type SendOptions } from "../../mq/mod.ts";
import type { MessageSpec } from "../protocol/message.ts";
import { encodePayload } from "../wire/codec.ts";
import type { Crossing } from "../wire/crossing.ts";

/** How long a message may wait for room. */
export interface BareSendOptions extends SendOptions {
  /**
   * Milliseconds; then the promise rejects with a `TimeoutError`.
   * @default {for ever}
   */
  timeoutMs?: number;
  /** Ends the wait; nothing was sent then. */
  signal?: AbortSignal;
}

/**
 * A queue that another program, in C for example, takes messages from: each is the bytes of a
 * payload, without a frame.
 *
 * @see mq_receive(3)
 */
export class BarePeer<Sent> implements Disposable {
  /** The kernel's name of the queue. */
  readonly name: string;
  readonly #queue: MessageQueue;
  readonly #spec: MessageSpec;
  readonly #crossing: Crossing;

  /** Made by `system.peer()`. */
  constructor(name: string, spec: MessageSpec, crossing: Crossing) {
    this.#queue = MessageQueue.open(name, { access: "w" });
    this.name = name;
    this.#spec = spec;
    this.#crossing = crossing;
  }

  /**
   * Sends a message as soon as there is room.
   *
   * @throws {TypeError} If the codec cannot carry it.
   * @throws {PosixError} `EMSGSIZE` if it is longer than the queue's messages may be.
   */
  async send(value: Sent, options: BareSendOptions = {}): Promise<void> {
    await this.#queue.send(this.#encode(value), options);
  }

  /** Sends a message if there is room now. @returns False when the queue is full. */
  trySend(value: Sent, options: SendOptions = {}): boolean {
    return this.#queue.trySend(this.#encode(value), options);
  }

  /** Closes this end; the queue stays. Closing twice is allowed and does nothing. */
  close(): void {
    this.#queue.close();
  }

  /** As `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #encode(value: Sent): Uint8Array {
    return encodePayload(this.#spec.codec, value, this.#crossing);
  }
}
