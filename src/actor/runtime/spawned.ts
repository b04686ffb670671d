/** A child: an actor or a pool, with its ref, its members and what it has in the kernel. */

import { openQueueInbox } from "../carriers/queue.ts";
import { bequeath } from "../delivery/recovery.ts";
import type { SlotMemory } from "../delivery/slots.ts";
import { launchProcess, launchWorker } from "../launch/launch.ts";
import type { Address, AnyRef } from "../protocol/ref.ts";
import type { Endpoint } from "./endpoint.ts";
import { HereMember } from "./here_member.ts";
import { LaunchedMember, type LaunchedSlots } from "./launched_member.ts";
import type { Member } from "./member.ts";
import { inboxName, lanesName, mailboxName, ringName } from "./names.ts";
import { makeQueue, makeRing } from "./places.ts";
import type { Plan } from "./plan.ts";
import { QueueSource } from "./queue_source.ts";
import { retireQueue, retireRing } from "./retire.ts";
import { makeSlots, openSlotSource, type Reception, retireMailbox } from "./slots.ts";

/** How many messages wait in a buffer, unless it is said otherwise. */
export const DEFAULT_CAPACITY = 1_000;

/** A child of a family. */
export interface Spawned {
  readonly plan: Plan;
  readonly label: string;
  readonly address: Address;
  readonly ref: AnyRef;
  /** Those that have not left for good. */
  readonly members: readonly Member[];
  /** A member will not come back: ends what is kept of it. */
  left(member: Member): Promise<void>;
  /**
   * Ends what is kept of all, and gives back what they have in the kernel; what waits in the mailbox
   * goes to the dead letters. To be called once.
   */
  release(): Promise<void>;
}

/** Takes back something that was made. */
type Undo = () => unknown;

/**
 * Makes what an actor needs; nothing runs yet.
 *
 * @param leaves Is given when what was made is taken back, where not all could be made.
 */
export function makeSpawned(
  endpoint: Endpoint,
  plan: Plan,
  leaves: (leaving: Promise<void>) => void,
): Spawned {
  const undo: Undo[] = [];
  try {
    return make(endpoint, plan, undo);
  } catch (error) {
    leaves(takeBack(undo));
    throw error;
  }
}

/** What was made last goes first. */
async function takeBack(undo: Undo[]): Promise<void> {
  for (const step of undo.splice(0).reverse()) await step();
}

function make(
  endpoint: Endpoint,
  plan: Plan,
  undo: Undo[],
): Spawned {
  const { system, directory } = endpoint;
  const { protocol, exportName } = plan.definition;
  const base = plan.mailbox ?? (exportName === "default" ? protocol.name : exportName);
  const actor = endpoint.nextActor();
  const label = plan.name ?? (plan.mailbox === undefined ? `${base}#${actor & 0x3f_ffff}` : base);

  let mailbox: string | undefined;
  let slots: SlotMemory | undefined;
  if (plan.mailbox !== undefined || plan.size > 1 || plan.kept !== undefined) {
    const own = `${plan.size > 1 ? "pool" : "actor"}-${endpoint.id}-${actor}`;
    const name = mailboxName(system, plan.mailbox ?? own);
    const { carrier } = plan;
    if (carrier === "ring") makeRing(directory, lanesName(system, name));
    else makeQueue(directory, name, plan.capacity);
    const whose = endpoint.addressOf(actor, {
      protocol: protocol.name,
      mailbox: name,
      label,
      carrier,
    });
    undo.push(() => retireMailbox(endpoint, whose));
    mailbox = name;
    if (plan.kept !== undefined) {
      slots = makeSlots(endpoint, whose, plan.size, plan.kept.prefetch);
      undo.push(() => slots!.close());
    }
  }
  const places = Array.from(
    { length: plan.size },
    () =>
      plan.in === "here"
        ? { endpoint: endpoint.id, actor: endpoint.nextActor() }
        : newEndpoint(endpoint, plan, label, undo),
  );
  const address: Address = {
    system,
    protocol: protocol.name,
    ...(plan.size > 1 ? { endpoint: endpoint.id, actor } : places[0]!),
    mailbox,
    pool: plan.size > 1,
    carrier: plan.carrier,
    onFull: plan.onFull,
    label,
  };
  const members = places.map((place, index): Member => {
    const own = plan.size > 1 ? { ...address, label: `${label}/${index + 1}` } : address;
    const reception = plan.kept && { row: index, ...plan.kept };
    return plan.in === "here"
      ? hereMember(endpoint, plan, own, place.actor, reception, undo)
      : launchedMember(
        endpoint,
        plan,
        own,
        place,
        slots && { memory: slots, reception: reception!, deadlineMs: plan.deadlineMs },
        undo,
      );
  });
  if (plan.size > 1) {
    endpoint.pools.set(actor, members);
    undo.push(() => endpoint.pools.delete(actor));
  }
  const all = [...members];
  return {
    plan,
    label,
    address,
    ref: endpoint.refs.make(protocol, address),
    members,
    async left(member) {
      members.splice(members.indexOf(member), 1);
      await member.leave();
      const [heir] = members;
      if (slots === undefined || heir === undefined) return;
      const { place: { endpoint: id } } = member;
      // The thread of a worker may go on; then it has its slots as well.
      if (id !== endpoint.id && directory.isAlive(id)) return;
      bequeath(slots, all.indexOf(member), all.indexOf(heir));
      heir.adopt();
    },
    async release() {
      for (const member of [...all].reverse()) await member.leave();
      await takeBack(undo);
    },
  };
}

function hereMember(
  endpoint: Endpoint,
  plan: Plan,
  address: Address,
  actor: number,
  reception: Reception | undefined,
  undo: Undo[],
): Member {
  const { definition, init, restart: { keep }, stopMs } = plan;
  const parts = { endpoint, address, actor, definition, init, keep, stopMs };
  if (address.mailbox === undefined) {
    const onLeft = () => endpoint.closeMailbox(actor, address);
    undo.push(onLeft);
    const source = endpoint.openMailbox(actor, plan.capacity ?? DEFAULT_CAPACITY);
    return new HereMember({ ...parts, source, onLeft });
  }
  const source = reception === undefined
    ? new QueueSource(openQueueInbox(address.mailbox))
    : openSlotSource(endpoint, address, reception);
  // What it gave back, no other member can take.
  const onLeft = () => {
    for (const { bytes } of source.close()) endpoint.refused(bytes, address);
  };
  undo.push(onLeft);
  return new HereMember({ ...parts, source, onLeft });
}

function launchedMember(
  endpoint: Endpoint,
  plan: Plan,
  address: Address,
  place: { endpoint: number; actor: number },
  slots: LaunchedSlots | undefined,
  undo: Undo[],
): Member {
  const { definition, init, restart: { keep }, stopMs, stdio, resourceLimits } = plan;
  const member = new LaunchedMember({
    endpoint,
    place,
    address,
    definition,
    init,
    keep,
    stopMs,
    capacity: plan.capacity ?? DEFAULT_CAPACITY,
    launch: plan.in === "worker" ? launchWorker : launchProcess,
    options: { stdio, resourceLimits },
    slots,
  });
  endpoint.launched.set(place.endpoint, member);
  undo.push(() => endpoint.launched.delete(place.endpoint));
  return member;
}

/** An endpoint with its inbox, which stays over the restarts of what serves it. */
function newEndpoint(
  endpoint: Endpoint,
  plan: Plan,
  label: string,
  undo: Undo[],
): { endpoint: number; actor: number } {
  const { system, directory } = endpoint;
  const id = directory.allocate(endpoint.id);
  undo.push(() => endpoint.deaths.freeEndpoint(id));
  const inbox = inboxName(system, id);
  makeQueue(directory, inbox);
  const whose = endpoint.addressOf(0, {
    endpoint: id,
    protocol: plan.definition.protocol.name,
    label,
  });
  undo.push(() => retireQueue(endpoint, inbox, whose, { endpoint: id }));
  if (plan.carrier === "ring") {
    endpoint.needRing();
    const ring = ringName(system, id);
    makeRing(directory, ring);
    undo.push(() => retireRing(endpoint, ring, whose));
  }
  return { endpoint: id, actor: endpoint.nextLaunched() };
}
