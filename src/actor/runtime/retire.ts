/**
 * Takes away the queues and rings that nobody takes from any more.
 *
 * Rule: what waits in one goes to the dead letters, and who asked is told.
 */

import { PosixError } from "../../errors.ts";
import type { Inbox } from "../carriers/carrier.ts";
import { openQueueInbox } from "../carriers/queue.ts";
import { openRingInbox } from "../carriers/ring.ts";
import type { Address } from "../protocol/ref.ts";
import type { Endpoint } from "./endpoint.ts";
import { ifThere, removeMemory, removeQueue } from "./places.ts";

/** So many frames are taken out at most: who has it open may send as fast as it is emptied. */
const MAX_FRAMES = 4096;

/** Takes a queue away. @param address Whose it was. */
export function retireQueue(endpoint: Endpoint, name: string, address: Address): void {
  const inbox = ifThere(() => openQueueInbox(name));
  removeQueue(endpoint.directory, name);
  if (inbox !== undefined) empty(endpoint, inbox, address);
  if (address.mailbox !== undefined) endpoint.tellGone({ queue: name });
  endpoint.recover(name, () => true);
}

/** Takes a ring away. @param address Whose it was. */
export function retireRing(endpoint: Endpoint, name: string, address: Address): void {
  const inbox = ifThere(() => ringInboxIn(name));
  removeMemory(endpoint.directory, name);
  if (inbox !== undefined) empty(endpoint, inbox, address);
  endpoint.recover(name, () => true);
}

/** The end of a ring; undefined where a thread that goes on has it. */
function ringInboxIn(name: string): Inbox | undefined {
  try {
    return openRingInbox(name);
  } catch (error) {
    if (error instanceof PosixError && error.code === "EBUSY") return undefined;
    throw error;
  }
}

function empty(endpoint: Endpoint, inbox: Inbox, address: Address): void {
  try {
    const buffer = new Uint8Array(inbox.maxFrameBytes);
    for (let left = MAX_FRAMES; left > 0; left--) {
      const byteLength = inbox.tryTake(buffer);
      if (byteLength === undefined) break;
      endpoint.refused(buffer.subarray(0, byteLength), address);
    }
  } finally {
    inbox.close();
  }
}
