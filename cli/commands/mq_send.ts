/** `postbox mq send` */

import { type AwaitOptions, MessageQueue, type Owner, type SendOptions } from "../../src/mq/mod.ts";
import { note } from "../note.ts";
import { type Flags, UsageError } from "../parser.ts";
import { inputInsteadOf } from "../terminal.ts";
import { isTimeout } from "../timeout.ts";
import { given } from "../values.ts";

/** Flags of `mq send`. */
export interface SendFlags extends Flags {
  readonly priority: number | undefined;
  readonly timeout: number | undefined;
  readonly nonblock: boolean | undefined;
  readonly owner: Owner | undefined;
}

const NO_ROOM = 3;

export default async function send(
  flags: SendFlags,
  name: string,
  message?: string,
): Promise<number> {
  const { priority, timeout, nonblock, owner } = flags;
  if (nonblock && timeout !== undefined) {
    throw new UsageError("--nonblock and --timeout exclude each other");
  }
  if (message === undefined) await inputInsteadOf("MESSAGE");
  const timeoutMs = nonblock ? 0 : timeout;
  const queue = MessageQueue.open(name, { access: "w", ...given({ owner }) });
  try {
    // One byte more than fits is read, never more: then the kernel says that it is too long.
    const data = message === undefined || message === "-"
      ? await standardInput(queue.maxMessageBytes + 1)
      : message;
    if (await sent(queue, data, given({ priority, timeoutMs }))) return 0;
  } finally {
    queue.close();
  }
  const when = timeoutMs === 0 ? "now" : `within ${timeoutMs} ms`;
  note(`postbox: No room in queue ${JSON.stringify(name)} ${when}`);
  return NO_ROOM;
}

/** Sends, waiting for room as long as there is time; false at the deadline. */
async function sent(
  queue: MessageQueue,
  data: Uint8Array | string,
  options: SendOptions & AwaitOptions,
): Promise<boolean> {
  if (options.timeoutMs === 0) return queue.trySend(data, options);
  try {
    await queue.send(data, options);
    return true;
  } catch (error) {
    if (isTimeout(error)) return false;
    throw error;
  }
}

async function standardInput(maxBytes: number): Promise<Uint8Array> {
  const { concat, readInput } = await import("../stdio.ts");
  const { chunks, byteLength } = readInput(maxBytes);
  return concat(chunks, byteLength);
}
