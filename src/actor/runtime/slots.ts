/**
 * The slots of a mailbox as a part of a system: made by who spawns its receivers, used by each of
 * them, emptied into the dead letters when there are none any more.
 */

import { LayoutError } from "../../errors.ts";
import { MessageQueue } from "../../mq/mod.ts";
import { inboxSize } from "../carriers/queue.ts";
import { reportUnlocked } from "../delivery/guarantees.ts";
import { attemptsText, drainSlots, type Leftover } from "../delivery/recovery.ts";
import { SlotMemory } from "../delivery/slots.ts";
import { SlotSource } from "../delivery/slot_source.ts";
import { memoryOf } from "../memory/directory.ts";
import { ownerOf } from "../memory/owner.ts";
import type { Address } from "../protocol/ref.ts";
import { decodeFrame } from "../wire/frame.ts";
import type { Endpoint } from "./endpoint.ts";
import { slotsName } from "./names.ts";
import { ifThere, makeMemory, removeMemory } from "./places.ts";
import { retireQueue } from "./retire.ts";

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

/** Makes the slots of a mailbox, which are recorded before. @param queue Its name in the kernel. */
export function makeSlots(
  { system, directory }: Endpoint,
  queue: string,
  receivers: number,
  prefetch: number,
): SlotMemory {
  const name = slotsName(system, queue);
  const frameBytes = inboxSize().maxMessageBytes;
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
  const queueName = address.mailbox!;
  const memory = SlotMemory.open(slotsName(system, queueName), memoryOf(directory).run);
  let queue: MessageQueue | undefined;
  try {
    if (!memory.lock(row)) reportUnlocked(directory, log);
    queue = MessageQueue.open(queueName, { access: "r" });
    return new SlotSource({
      memory,
      row,
      queue,
      prefetch,
      maxAttempts,
      self: ownerOf(id, incarnation),
      isRunning: (owner) => memoryOf(directory).isRunning(owner),
      free: (block) => endpoint.slab.free(block),
      torn: (bytes, detail) => endpoint.dead("torn", address, bytes, { detail }),
    });
  } catch (error) {
    queue?.close();
    memory.close();
    throw error;
  }
}

/**
 * Takes a mailbox away whose receivers have ended for good: what they had taken and not acknowledged
 * goes to the dead letters, then what waits.
 *
 * @param queue Its name in the kernel, which is free when this has ended.
 * @param address Whose it was.
 */
export async function retireMailbox(
  endpoint: Endpoint,
  queue: string,
  address: Address,
): Promise<void> {
  const { system, directory, log } = endpoint;
  const name = slotsName(system, queue);
  try {
    const memory = ifThere(() => SlotMemory.open(name, memoryOf(directory).run));
    if (memory !== undefined) await drain(endpoint, memory, address);
  } catch (error) {
    if (!(error instanceof LayoutError)) throw error;
    log.error("Messages in slots are lost: somebody wrote there", { error });
  }
  // The blocks of what was in the slots are free by now; those of the queue go with it.
  await retireQueue(endpoint, queue, address, { queue });
  removeMemory(directory, name);
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
