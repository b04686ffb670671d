/**
 * What a dead endpoint leaves to the one that launched it: endpoints that it had launched itself,
 * queues and memory, blocks of the slab.
 *
 * Rule: who waits for one of those endpoints is told at once. Their names are taken away when they
 * have ended, which the kernel or they themselves see to (launch/follow_parent.ts).
 */

import { describeExit, type Exit } from "../errors.ts";
import type { SystemObject } from "../memory/journal.ts";
import type { Endpoint } from "./endpoint.ts";
import { actorKey } from "./incarnations.ts";
import { inboxName, mailboxName, mailboxOfLanes, ringName, slotsName } from "./names.ts";
import { removeMemory } from "./places.ts";
import { retireQueue } from "./retire.ts";
import { retireMailbox } from "./slots.ts";

/** How long those who are orphaned may take to end, and how often is looked. */
const ORPHANS_MS = 5_000, LOOK_EVERY_MS = 2;

/** A dead incarnation of an endpoint. */
export interface DeadEndpoint {
  readonly id: number;
  readonly incarnation: number;
  readonly exit: Exit;
}

/**
 * Takes over from a dead endpoint that this one had launched.
 *
 * @returns When all that it left is gone, but its own inbox: that is for its next incarnation.
 */
export async function inherit(endpoint: Endpoint, { id, incarnation, exit }: DeadEndpoint) {
  const { directory } = endpoint;
  if (directory.isAlive(id)) {
    // A worker whose thread goes on: who is alive keeps what it has.
    endpoint.log.warn("An endpoint was given up, and its thread goes on", { id });
    return;
  }
  endpoint.reclaim(id, incarnation);
  directory.removeBellOf(id);
  const { endpoints, objects } = directory.leftBy(id);
  const reason = `what had launched it ${describeExit(exit)}`;
  for (const orphan of endpoints) {
    endpoint.deaths.announce({
      key: actorKey(orphan, 0),
      label: `endpoint ${orphan}`,
      incarnation: 1,
      exit: { kind: "lost", reason },
      restarting: false,
      endpoint: { id: orphan, incarnation: directory.incarnationOf(orphan) },
    });
  }
  await Promise.all(endpoints.map((orphan) => endOf(endpoint, orphan)));
  for (const orphan of endpoints) {
    await inherit(endpoint, {
      id: orphan,
      incarnation: directory.incarnationOf(orphan),
      exit: { kind: "lost", reason },
    });
  }
  const kept = [inboxName(endpoint.system, id), ringName(endpoint.system, id)];
  // Mailboxes first: what is in the slots of one goes with it.
  const slots = slotsName(endpoint.system, mailboxName(endpoint.system, ""));
  const isSlots = ({ name }: SystemObject) => name.startsWith(slots);
  const inOrder = [...objects.filter((object) => !isSlots(object)), ...objects.filter(isSlots)];
  for (const object of inOrder) {
    if (!kept.includes(object.name)) await remove(endpoint, object, id);
  }
  for (const orphan of endpoints) endpoint.deaths.freeEndpoint(orphan);
}

/** Waits until an endpoint has ended; its locks say so. */
async function endOf({ directory, log }: Endpoint, id: number): Promise<void> {
  const deadline = performance.now() + ORPHANS_MS;
  while (directory.isAlive(id)) {
    if (performance.now() > deadline) {
      return log.warn("An endpoint has not ended with the one that launched it", { id });
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** Takes away what a dead endpoint had recorded; the slab is everybody's. */
async function remove(
  endpoint: Endpoint,
  { kind, name }: SystemObject,
  id: number,
): Promise<void> {
  const short = name.slice(`/${endpoint.system}.`.length);
  if (kind === "queue") {
    const isInbox = /^\d+$/.test(short), mailbox = isInbox ? undefined : name;
    const whose = endpoint.addressOf(0, { endpoint: id, mailbox, label: short });
    if (isInbox) await retireQueue(endpoint, name, whose, { endpoint: Number(short) });
    else await retireMailbox(endpoint, whose); // with its slots, if it has some
    return;
  }
  const mailbox = mailboxOfLanes(endpoint.system, short);
  if (mailbox !== undefined) {
    const of = { endpoint: id, mailbox, carrier: "ring", label: short } as const;
    await retireMailbox(endpoint, endpoint.addressOf(0, of));
  } else if (/^(ring|slots)-/.test(short)) {
    removeMemory(endpoint.directory, name);
  }
}
