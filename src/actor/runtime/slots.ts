/**
 * The slots of a mailbox as a part of a system: made by who spawns its receivers, used by each of
 * them, emptied into the dead letters when there are none any more.
 */

import { LayoutError } from "../../errors.ts";
import { MessageQueue } from "../../mq/mod.ts";
import { bellOfThisThread } from "../../wait/mod.ts";
import { inboxSize } from "../carriers/queue.ts";
import { openRingInbox, RING_FRAME_BYTES } from "../carriers/ring.ts";
import { type Feed, QueueFeed, RingFeed } from "../delivery/feed.ts";
import { reportUnlocked } from "../delivery/guarantees.ts";
import { attemptsText, drainSlots, type Leftover } from "../delivery/recovery.ts";
import { SlotMemory } from "../delivery/slots.ts";
import { SlotSource } from "../delivery/slot_source.ts";
import { memoryOf } from "../memory/directory.ts";
import { ownerOf } from "../memory/owner.ts";
import type { Address } from "../protocol/ref.ts";
import { decodeFrame } from "../wire/frame.ts";
import type { Endpoint } from "./endpoint.ts";
import { lanesName, slotsName } from "./names.ts";
import { ifThere, makeMemory, removeMemory } from "./places.ts";
import { retireLanes, retireQueue } from "./retire.ts";

/**
 * So many messages of a receiver can be set aside by stash(): they are kept, and take no place of
 * those to come.
 */
const ASIDE = 15;

/** How one receiver uses the slots of its mailbox. */
export interface Reception {
  /** Which of the receivers it is, from 0. */
  readonly row: number;
  /** How many messages it takes before the first of them is handled. */
  readonly prefetch: number;
  /** How often a message is given to a handler, at most. */
  readonly maxAttempts: number;
}

/** Makes the slots of a mailbox, which are recorded before. @param address Whose it is. */
export function makeSlots(
  { system, directory }: Endpoint,
  { mailbox, carrier }: Address,
  receivers: number,
  prefetch: number,
): SlotMemory {
  const name = slotsName(system, mailbox!);
  const frameBytes = carrier === "ring" ? RING_FRAME_BYTES : inboxSize().maxMessageBytes;
  const sizes = { receivers, slotsEach: prefetch + ASIDE, frameBytes };
  return makeMemory(
    directory,
    name,
    () => SlotMemory.create(name, sizes, memoryOf(directory).run),
  );
}

/** Begins to receive into slots: what a dead one has left comes first. */
export function openSlotSource(
  endpoint: Endpoint,
  address: Address,
  { row, prefetch, maxAttempts }: Reception,
): SlotSource {
  const { directory, system, id, incarnation, log } = endpoint;
  const memory = SlotMemory.open(slotsName(system, address.mailbox!), memoryOf(directory).run);
  let feed: Feed | undefined;
  try {
    if (!memory.lock(row)) reportUnlocked(directory, log);
    feed = openFeed(endpoint, address, memory, row);
    return new SlotSource({
      memory,
      row,
      feed,
      prefetch,
      maxAttempts,
      self: ownerOf(id, incarnation),
      isRunning: (owner) => memoryOf(directory).isRunning(owner),
      free: (block) => endpoint.slab.free(block),
      torn: (bytes, detail) => endpoint.dead("torn", address, bytes, { detail }),
    });
  } catch (error) {
    feed?.close();
    memory.close();
    throw error;
  }
}

function openFeed(
  { directory, system }: Endpoint,
  { mailbox, carrier }: Address,
  memory: SlotMemory,
  row: number,
): Feed {
  if (carrier !== "ring") {
    return new QueueFeed(MessageQueue.open(mailbox!, { access: "r" }), memory, row);
  }
  directory.setBell(bellOfThisThread()?.id ?? 0n); // who waits for a message has it
  return new RingFeed(openRingInbox(lanesName(system, mailbox!)), memory, row);
}

/**
 * Takes a mailbox away whose receivers have ended for good: what they had taken and not acknowledged
 * goes to the dead letters, then what waits. Its names are free when this has ended.
 *
 * @param address Whose it was.
 */
export async function retireMailbox(endpoint: Endpoint, address: Address): Promise<void> {
  const { system, directory, log } = endpoint, { carrier } = address, mailbox = address.mailbox!;
  const name = slotsName(system, mailbox);
  try {
    const memory = ifThere(() => SlotMemory.open(name, memoryOf(directory).run));
    if (memory !== undefined) await drain(endpoint, memory, address);
  } catch (error) {
    if (!(error instanceof LayoutError)) throw error;
    log.error("Messages in slots are lost: somebody wrote there", { error });
  }
  // Before the queue, whose name says that the mailbox can be made again.
  removeMemory(directory, name);
  // The blocks of what was in the slots are free by now; those of what waits go with it.
  if (carrier === "ring") await retireLanes(endpoint, mailbox, address);
  else await retireQueue(endpoint, mailbox, address, { queue: mailbox });
}

async function drain(endpoint: Endpoint, memory: SlotMemory, address: Address): Promise<void> {
  try {
    await drainSlots(memory, (leftover) => refuse(endpoint, address, leftover), (bytes) => {
      const frame = decodeFrame(bytes, bytes.byteLength);
      if ("block" in frame && frame.block !== undefined) endpoint.slab.free(frame.block);
    });
  } finally {
    memory.close();
  }
}

function refuse(
  endpoint: Endpoint,
  address: Address,
  { bytes, torn, attempt, error }: Leftover,
): Promise<void> | undefined {
  if (torn !== undefined) return endpoint.dead("torn", address, bytes, { detail: torn });
  const frame = decodeFrame(bytes, bytes.byteLength);
  const whole = "problem" in frame ? bytes : endpoint.whole(frame, bytes, true);
  return endpoint.refused(whole, address, attempt === 0 ? undefined : attemptsText(attempt, error));
}
