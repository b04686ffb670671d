/**
 * Messages on their way from a queue to standard output.
 *
 * Rule: a message that was taken is written before anything else happens, and when it cannot be
 * written it goes back.
 */

import { type Message, MessageQueue, type Owner, PosixError } from "../src/mq/mod.ts";
import { write } from "./stdio.ts";
import { isTimeout } from "./timeout.ts";
import { given } from "./values.ts";

/** Makes the bytes to write of a message. */
export type Format = (message: Message) => Uint8Array;

/** A message was taken, could not be written, and could not be put back. */
export class LostMessageError extends Error {
  override readonly name: string = "LostMessageError";
}

/** How long a message that could not be written waits for a free place in its queue. */
const GIVE_BACK_MS = 1000;

/** Writes a message; one that cannot be written is put back before the error goes on. */
export async function pass(
  message: Message,
  format: Format,
  name: string,
  owner: Owner | undefined,
): Promise<void> {
  try {
    write(format(message));
  } catch (error) {
    await giveBack(message, name, owner, error);
    throw error;
  }
}

async function giveBack(
  { data, priority }: Message,
  name: string,
  owner: Owner | undefined,
  cause: unknown,
): Promise<void> {
  try {
    // Another handle: receiving needs no permission to send.
    const queue = MessageQueue.open(name, { access: "w", ...given({ owner }) });
    try {
      return await queue.send(data, { priority, timeoutMs: GIVE_BACK_MS });
    } finally {
      queue.close();
    }
  } catch (error) {
    // Refused, or no room in time: the message is lost, said below.
    if (!(error instanceof PosixError) && !isTimeout(error)) throw error;
  }
  throw new LostMessageError(
    `Cannot put a message of ${data.byteLength} bytes back into queue ${JSON.stringify(name)} ` +
      `after it could not be written: it is lost (${
        cause instanceof Error ? cause.message : cause
      })`,
    { cause },
  );
}

/** One array, so that it is one write. */
export function followedBy(data: Uint8Array, byte: number): Uint8Array {
  const line = new Uint8Array(data.byteLength + 1);
  line.set(data);
  line[data.byteLength] = byte;
  return line;
}
