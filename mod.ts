/**
 * POSIX message queues and POSIX shared memory for Deno and Node: real ones, that a C program on
 * the same machine can use the other end of; and actors on top of them.
 *
 * Nothing is loaded or opened before the first use. In Deno everything here needs `--allow-ffi`
 * alone.
 *
 * @example A queue and some memory
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { MessageQueue, SharedMemory, uniqueName } from "@postbox/postbox";
 *
 * const name = uniqueName("doc");
 * using queue = MessageQueue.create(name, { maxMessages: 4, maxMessageBytes: 64 });
 * MessageQueue.unlink(name);
 * using memory = SharedMemory.anonymous({ byteLength: 4096 });
 *
 * const counter = new BigInt64Array(memory.buffer, 0, 1);
 * Atomics.add(counter, 0, 1n);
 * queue.trySend("counted", { priority: 9 });
 * assertEquals(queue.receiveSync()?.text(), "counted");
 * ```
 *
 * @module
 */

export * from "./src/actor/mod.ts";
export * from "./src/life/mod.ts";
export * from "./src/mq/mod.ts";
export * from "./src/native.ts";
export * from "./src/region/mod.ts";
export * from "./src/region/mod.ts";
export * from "./src/ring/mod.ts";
export * from "./src/shm/mod.ts";
export * from "./src/sync/mod.ts";
