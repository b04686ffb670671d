/** Kernel objects for one test: a name nobody else has, and nothing left when the test ends. */

import "./loaded.ts";
import { MessageQueue, PosixError, SharedMemory, uniqueName } from "../../mod.ts";

/** Makes a small queue whose name is gone at once; the handle is all there is. */
export function privateQueue(
  { maxMessages = 4, maxMessageBytes = 64 } = {},
): MessageQueue {
  const name = uniqueName("test");
  const queue = MessageQueue.create(name, { maxMessages, maxMessageBytes });
  MessageQueue.unlink(name);
  return queue;
}

/** A name for a queue; the queue is unlinked at the end of the scope, if there is one. */
export function queueName(): Disposable & { name: string } {
  const name = uniqueName("test");
  return { name, [Symbol.dispose]: () => ignoring("ENOENT", () => MessageQueue.unlink(name)) };
}

/** A small queue with a name that others can open; closed and unlinked at the end of the scope. */
export function namedQueue(
  { maxMessages = 4, maxMessageBytes = 64, mode = 0o600 } = {},
): Disposable & { name: string; queue: MessageQueue } {
  const { name, [Symbol.dispose]: unlink } = queueName();
  const queue = MessageQueue.create(name, { maxMessages, maxMessageBytes, mode });
  return {
    name,
    queue,
    [Symbol.dispose]() {
      queue.close();
      unlink();
    },
  };
}

/** A name for shared memory; it is unlinked at the end of the scope, if there is any. */
export function memoryName(): Disposable & { name: string } {
  const name = uniqueName("test");
  return { name, [Symbol.dispose]: () => ignoring("ENOENT", () => SharedMemory.unlink(name)) };
}

function ignoring(code: string, run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof PosixError) || error.code !== code) throw error;
  }
}
