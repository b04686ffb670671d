/** `postbox mq send` */

import { MessageQueue, type Owner } from "../../src/mq/mod.ts";
import { note } from "../note.ts";
import { type Flags, UsageError } from "../parser.ts";
import { sendPatiently } from "../send.ts";
import { inputInsteadOf } from "../terminal.ts";
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
    if (await sendPatiently(queue, data, given({ priority, timeoutMs }))) return 0;
  } finally {
    queue.close();
  }
  const when = timeoutMs === 0 ? "now" : `within ${timeoutMs} ms`;
  note(`postbox: No room in queue ${JSON.stringify(name)} ${when}`);
  return NO_ROOM;
}

async function standardInput(maxBytes: number): Promise<Uint8Array> {
  const { concat, readInput } = await import("../stdio.ts");
  const { chunks, byteLength } = readInput(maxBytes);
  return concat(chunks, byteLength);
}
