/**
 * Sending that a signal does not end.
 *
 * What interrupts a wait need not be meant for us: Node listens for the end of children and for
 * the new size of a terminal. What is, its listener hears in between.
 */

import {
  type BlockOptions,
  type MessageQueue,
  PosixError,
  type SendOptions,
} from "../src/mq/mod.ts";

/** {@linkcode MessageQueue.sendSync}, again after a signal, for what is left of the time. */
export async function sendPatiently(
  queue: MessageQueue,
  data: Uint8Array | string,
  options: SendOptions & BlockOptions,
): Promise<boolean> {
  const deadline = performance.now() + (options.timeoutMs ?? Infinity);
  for (;;) {
    const timeoutMs = Math.max(0, deadline - performance.now());
    try {
      return queue.sendSync(data, { ...options, timeoutMs });
    } catch (error) {
      if (!(error instanceof PosixError) || error.code !== "EINTR") throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}
