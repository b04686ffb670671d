/**
 * POSIX message queues: {@linkcode MessageQueue}, its limits, and where queues can be seen.
 *
 * @example A queue between two handles
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { MessageQueue, uniqueName } from "@postbox/postbox/mq";
 *
 * const name = uniqueName("doc");
 * using inbox = MessageQueue.create(name, { maxMessages: 4, maxMessageBytes: 64, access: "r" });
 * using outbox = MessageQueue.open(name, { access: "w" });
 * MessageQueue.unlink(name);
 *
 * outbox.trySend("hello");
 * assertEquals(inbox.tryReceive()?.text(), "hello");
 * ```
 *
 * @module
 */

export { ClosedError, PosixError, type PosixErrorInit } from "../errors.ts";
export { type Limit, type Owner, type SignalName, uniqueName } from "../sys/mod.ts";
export { type QueueLimits } from "./limits.ts";
export { type QueueEntry, type QueueList, type QueueListSource } from "./list.ts";
export { Message } from "./message.ts";
export { MessageBatch, type MessageBatchOptions } from "./message_batch.ts";
export {
  type AwaitOptions,
  type BlockOptions,
  type CreateQueueOptions,
  MessageQueue,
  type MessagesOptions,
  type OpenQueueOptions,
  type QueueAccess,
  type ReceivedInto,
  type SendOptions,
} from "./message_queue.ts";
export { type QueueStatus } from "./status.ts";
