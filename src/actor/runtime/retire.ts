/**
 * Takes away the queues and rings that nobody takes from any more.
 *
 * Rule: what waits in one goes to the dead letters, and who asked is told.
 */

import { PosixError } from "../../errors.ts";
import type { Inbox } from "../carriers/carrier.ts";
import { openQueueInbox } from "../carriers/queue.ts";
import { openRingInbox } from "../carriers/ring.ts";
import { realClock } from "../flow/clock.ts";
import { inTime } from "../flow/in_time.ts";
import type { Address } from "../protocol/ref.ts";
import type { Endpoint } from "./endpoint.ts";
import { lanesName } from "./names.ts";
import type { Gone } from "./orders.ts";
import { ifThere, removeMemory, removeQueue } from "./places.ts";

/** So many frames are taken out at most: who has it open may send as fast as it is emptied. */
const MAX_FRAMES = 4096;
/** How long others may take to answer that they know. */
const GONE_MS = 500;

/**
 * Takes a queue away. Its name is free when this returns.
 *
 * @param address Whose it was.
 * @param place What all are told is gone: who has the queue open may send until then.
 * @returns When what was sent until then is in the dead letters.
 */
export async function retireQueue(
  endpoint: Endpoint,
  name: string,
  address: Address,
  place: Gone,
): Promise<void> {
  const inbox = ifThere(() => openQueueInbox(name));
  removeQueue(endpoint.directory, name);
  await emptyTwice(endpoint, inbox, address, place);
  endpoint.recover(name, () => true);
}

/** The same for the ring of a mailbox. @param mailbox The name by which all know it. */
export async function retireLanes(
  endpoint: Endpoint,
  mailbox: string,
  address: Address,
): Promise<void> {
  const name = lanesName(endpoint.system, mailbox);
  const inbox = ifThere(() => ringInboxIn(name));
  removeMemory(endpoint.directory, name);
  await emptyTwice(endpoint, inbox, address, { queue: mailbox });
  endpoint.recover(name, () => true);
}

/** What is sent until all know that the place is gone is in the dead letters, too. */
async function emptyTwice(
  endpoint: Endpoint,
  inbox: Inbox | undefined,
  address: Address,
  place: Gone,
): Promise<void> {
  try {
    if (inbox !== undefined) empty(endpoint, inbox, address);
    await inTime(endpoint.deaths.tellGone(place), GONE_MS, realClock);
    if (inbox !== undefined) empty(endpoint, inbox, address);
  } finally {
    inbox?.close();
  }
}

/** Takes a ring away. @param address Whose it was. */
export function retireRing(endpoint: Endpoint, name: string, address: Address): void {
  const inbox = ifThere(() => ringInboxIn(name));
  removeMemory(endpoint.directory, name);
  try {
    if (inbox !== undefined) empty(endpoint, inbox, address);
  } finally {
    inbox?.close();
  }
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
  const buffer = new Uint8Array(inbox.maxFrameBytes);
  for (let left = MAX_FRAMES; left > 0; left--) {
    const byteLength = inbox.tryTake(buffer);
    if (byteLength === undefined) break;
    endpoint.refused(buffer.subarray(0, byteLength), address);
  }
}
