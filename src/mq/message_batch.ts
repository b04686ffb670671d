/**
 * MessageBatch: memory for several messages, filled again and again.
 *
 * Rule: nothing is made for a message; what is given out is valid until the batch is filled anew.
 */

import { BatchMemory, type Hint, wholeNumber } from "../sys/mod.ts";

/** How large a {@linkcode MessageBatch} is. */
export interface MessageBatchOptions {
  /** How many messages it takes at most: from 1 to 65536. */
  maxMessages: number;
  /** Room for each: at least `maxMessageBytes` of the queues that it takes from; to 16 MiB. */
  maxMessageBytes: number;
}

/** Limits of the kernel: msg_max and msgsize_max can be no higher (ipc/mqueue.c). */
const MAX_MESSAGES = 65_536, MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/** Fills a batch from a queue: how many messages. */
export let fillBatch: (batch: MessageBatch, mqd: number, name: string, hint: Hint) => number;

/**
 * Room for messages that are taken together, to be used again and again: nothing is made for a
 * message, and with the native driver all are taken in one call.
 *
 * A message that was taken is in no queue any more: one of higher priority that is sent later does
 * not overtake it, other receivers do not get it, and it goes with this process.
 *
 * @example Taking what there is
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { MessageBatch, MessageQueue, uniqueName } from "@postbox/postbox/mq";
 *
 * const name = uniqueName("doc");
 * using queue = MessageQueue.create(name, { maxMessages: 4, maxMessageBytes: 64 });
 * MessageQueue.unlink(name);
 * queue.trySend("second");
 * queue.trySend("first", { priority: 9 });
 *
 * const batch = new MessageBatch({ maxMessages: 16, maxMessageBytes: queue.maxMessageBytes });
 * assertEquals(queue.tryReceiveBatch(batch), 2);
 * assertEquals([batch.text(0), batch.priority(0)], ["first", 9]);
 * assertEquals(batch.bytes(1).byteLength, 6);
 * ```
 */
export class MessageBatch {
  /** How many messages it takes at most. */
  readonly maxMessages: number;
  /** Room for each, in bytes. */
  readonly maxMessageBytes: number;
  #count = 0;
  readonly #memory: BatchMemory;
  /** The last view of each slot: messages of a stream have one length. */
  readonly #views: Uint8Array<SharedArrayBuffer>[] = [];

  static {
    fillBatch = (batch, mqd, name, hint) => {
      batch.#count = 0; // also where the queue refuses
      return batch.#count = batch.#memory.drain(mqd, name, hint);
    };
  }

  /**
   * Makes an empty batch.
   *
   * @throws {RangeError} If a size is no whole number in its bounds, or there is no memory for it.
   */
  constructor({ maxMessages, maxMessageBytes }: MessageBatchOptions) {
    this.maxMessages = wholeNumber(maxMessages, { name: "maxMessages", min: 1, max: MAX_MESSAGES });
    this.maxMessageBytes = wholeNumber(maxMessageBytes, {
      name: "maxMessageBytes",
      min: 1,
      max: MAX_MESSAGE_BYTES,
    });
    this.#memory = new BatchMemory({
      maxMessages: this.maxMessages,
      slotBytes: this.maxMessageBytes,
    });
  }

  /** How many messages are in it. */
  get count(): number {
    return this.#count;
  }

  /**
   * A view of a message's bytes: valid until the batch is filled again, which changes them.
   *
   * @param index From 0 to `count` - 1, in the order in which the queue gave them.
   * @throws {RangeError} If there is no such message.
   */
  bytes(index: number): Uint8Array<SharedArrayBuffer> {
    this.#check(index);
    const byteLength = this.#memory.byteLength(index), view = this.#views[index];
    if (view?.byteLength === byteLength) return view;
    return this.#views[index] = this.#memory.bytes(index, byteLength);
  }

  /** The priority of a message, from 0 to 32767. */
  priority(index: number): number {
    this.#check(index);
    return this.#memory.priority(index);
  }

  /** A message as a text; what is no UTF-8 becomes U+FFFD. */
  text(index: number): string {
    return decoder.decode(this.bytes(index));
  }

  #check(index: number): void {
    if (index >>> 0 === index && index < this.#count) return;
    throw new RangeError(
      `Cannot look at message ${String(index)} of a batch: ${this.#count} are in it, expected a ` +
        "whole number from 0 below that",
    );
  }
}

const decoder = new TextDecoder();
