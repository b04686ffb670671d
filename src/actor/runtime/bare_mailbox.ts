/** Receives from programs that only call mq_send. */

import { type AwaitOptions, type Message, MessageQueue } from "../../mq/mod.ts";
import type { MessageSpec } from "../protocol/message.ts";
import { validate } from "../protocol/standard_schema.ts";
import { codecNumber, decodePayload } from "../wire/codec.ts";
import type { Endpoint } from "./endpoint.ts";
import { ifThere } from "./places.ts";

/** How a mailbox is made, where its queue does not exist. */
export interface MailboxOptions {
  /**
   * Messages that the queue takes; the kernel's limit is msg_max.
   * @default {10, or msg_max where that is less}
   */
  maxMessages?: number;
  /**
   * Bytes that a message may have; the kernel's limit is msgsize_max.
   * @default {8192, or msgsize_max where that is less}
   */
  maxMessageBytes?: number;
  /**
   * Permissions of the queue, which umask(2) lowers. Others are to send: 0o620 lets the group.
   * @default {0o600}
   */
  mode?: number;
}

/**
 * A queue that other programs, in C for example, send to: each message is the bytes of a payload,
 * without a frame. What is not as it should be goes to the dead letters.
 *
 * @see mq_send(3)
 */
export class BareMailbox<Received> implements AsyncIterable<Received>, Disposable {
  /** The kernel's name of the queue. */
  readonly name: string;
  readonly #queue: MessageQueue;
  readonly #isOurs: boolean;
  readonly #spec: MessageSpec;
  readonly #endpoint: Endpoint;
  readonly #onClose: () => void;

  /** Made by `system.mailbox()`. */
  constructor(
    name: string,
    spec: MessageSpec,
    endpoint: Endpoint,
    options: MailboxOptions,
    onClose: () => void,
  ) {
    const there = ifThere(() => MessageQueue.open(name, { access: "r" }));
    this.#queue = there ?? MessageQueue.create(name, { ...options, access: "r" });
    this.#isOurs = there === undefined;
    this.name = name;
    this.#spec = spec;
    this.#endpoint = endpoint;
    this.#onClose = onClose;
  }

  /** How many messages wait. */
  get length(): number {
    return this.#queue.length;
  }

  /**
   * The next message that is as it should be.
   *
   * @returns Rejects with a `TimeoutError` at the deadline, with the signal's reason, with
   * `ClosedError` when the mailbox is closed.
   */
  async receive(options: AwaitOptions = {}): Promise<Received> {
    for (;;) {
      const judged = await this.#judge(await this.#queue.receive(options));
      if (judged !== undefined) return judged.value;
    }
  }

  /** The messages, as they come; ends when the mailbox is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Received, void, void> {
    for await (const message of this.#queue) {
      const judged = await this.#judge(message);
      if (judged !== undefined) yield judged.value;
    }
  }

  /** Closes it, and unlinks the queue if it was made here. Closing twice does nothing. */
  close(): void {
    if (this.#queue.closed) return;
    this.#queue.close();
    this.#onClose();
    if (this.#isOurs) ifThere(() => MessageQueue.unlink(this.name));
  }

  /** As `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }

  async #judge({ data }: Message): Promise<{ value: Received } | undefined> {
    const { codec, payload } = this.#spec;
    let reason: "undecodable" | "invalid-payload" = "undecodable";
    try {
      const value = decodePayload(codecNumber(codec), codec, data, this.#endpoint.crossing);
      reason = "invalid-payload";
      const of = { protocol: this.name, kind: "message" };
      const judged = payload === undefined ? value : await validate(payload, value, of);
      return { value: judged as Received };
    } catch (error) {
      this.#endpoint.dead(reason, undefined, data, { kind: this.name, error });
    }
  }
}
