/** A message as it was received. */

const decoder = new TextDecoder("utf-8", { ignoreBOM: true }); // what was sent comes back

/**
 * A message that was taken from a queue. Its bytes are the receiver's own copy.
 *
 * @example Reading a message as text
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { MessageQueue, uniqueName } from "@postbox/postbox/mq";
 *
 * const name = uniqueName("doc");
 * using queue = MessageQueue.create(name, { maxMessages: 2, maxMessageBytes: 64 });
 * MessageQueue.unlink(name);
 *
 * queue.trySend("hello", { priority: 5 });
 * const message = queue.tryReceive();
 * assertEquals([message?.text(), message?.priority], ["hello", 5]);
 * ```
 */
export class Message {
  /** The bytes, in a buffer that belongs to the receiver. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** From 0 to 32767; the highest is received first. */
  readonly priority: number;

  /** Makes a message, as the library does for each that is received. */
  constructor(data: Uint8Array<ArrayBuffer>, priority: number) {
    this.data = data;
    this.priority = priority;
  }

  /** The bytes read as UTF-8; what is none becomes U+FFFD. */
  text(): string {
    return decoder.decode(this.data);
  }
}
