/** An endpoint that was launched: it serves until it is told to end. */

import { openQueueInbox } from "../carriers/queue.ts";
import { openRingInbox } from "../carriers/ring.ts";
import { ActorError } from "../errors.ts";
import { realClock } from "../flow/clock.ts";
import { LineLog } from "../flow/log.ts";
import { host } from "../../life/inside.ts";
import { SlotSource } from "../delivery/slot_source.ts";
import { Directory } from "../memory/directory.ts";
import { type AnyActorDefinition, isActorDefinition } from "../protocol/definition.ts";
import type { LaunchedAs } from "../launch/launched.ts";
import type { Address } from "../protocol/ref.ts";
import { decodePayload, loadCodecs } from "../wire/codec.ts";
import { CODEC } from "../wire/frame_layout.ts";
import { REPLY_PRIORITY } from "../wire/priorities.ts";
import { Cell } from "./cell.ts";
import { Endpoint } from "./endpoint.ts";
import { exitToSend } from "./exit_to_send.ts";
import { inboxName, ringName } from "./names.ts";
import { ifThere } from "./places.ts";
import type { StartOrder } from "./orders.ts";
import { QueueSource } from "./queue_source.ts";
import { openSlotSource } from "./slots.ts";
import { DEFAULT_CAPACITY } from "./spawned.ts";

/** Serves an endpoint. @returns When it was told to end; the caller ends the process or worker. */
export async function serveEndpoint(
  { system, run, endpoint: id, incarnation, actor }: LaunchedAs,
): Promise<void> {
  const directory = Directory.join(system, run);
  directory.begin(id, host().pid(), incarnation);
  await loadCodecs();
  const endpoint = new Endpoint({
    system,
    id,
    incarnation,
    directory,
    clock: realClock,
    log: new LineLog(`${system}.${id}`),
    keepLetter: undefined,
  });
  const ended = new Promise<void>((resolve) => {
    const actors = new LaunchedActors(endpoint);
    endpoint.orders.add({
      start: (order) => actors.start(order),
      stop: ({ actor, drainMs }) => actors.stop(actor, drainMs),
      adopt: (actor) => actors.adopt(actor),
      async shutdown() {
        await actors.end();
        void endpoint.turn().then(resolve);
      },
    });
  });
  // What an incarnation before left in the inbox waits here until the actor is started again.
  endpoint.openMailbox(actor, DEFAULT_CAPACITY);
  endpoint.serve(openQueueInbox(inboxName(system, id)));
  const ring = ifThere(() => openRingInbox(ringName(system, id)));
  if (ring !== undefined) endpoint.serve(ring);
  await ended;
  // The answer to the order has gone, or goes as soon as its reader has room.
  await endpoint.post.farewell();
  endpoint.close(() => new ActorError({ action: "ask", actor: system, code: "EDIED" }));
  directory.close();
}

/** The actors that this endpoint was ordered to run. */
class LaunchedActors {
  readonly #endpoint: Endpoint;
  readonly #sources = new Map<number, QueueSource | SlotSource>();
  readonly #addresses = new Map<number, Address>();

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  async start(order: StartOrder): Promise<void> {
    const endpoint = this.#endpoint;
    const { actor, address, incarnation, capacity, stopMs, supervisor, reception } = order;
    const last = endpoint.cells.get(actor);
    if (last?.ended === false) {
      throw new TypeError(`Cannot start "${address.label}": it runs already`);
    }
    await last?.over;
    this.#addresses.set(actor, address);
    const definition = await importActor(order);
    const init = order.init.byteLength === 0
      ? undefined
      : decodePayload(CODEC.MESSAGEPACK, "messagepack", order.init, endpoint.crossing);
    let source;
    if (address.mailbox === undefined) {
      const mailbox = endpoint.mailboxes.get(actor) ?? endpoint.openMailbox(actor, capacity);
      mailbox.capacity = capacity; // it was opened before that was known
      source = mailbox;
    } else {
      source = this.#sources.get(actor) ??
        (reception === undefined
          ? new QueueSource(openQueueInbox(address.mailbox))
          : openSlotSource(endpoint, address, reception));
      this.#sources.set(actor, source);
    }
    const cell = new Cell({
      endpoint,
      address,
      actor,
      definition,
      init,
      incarnation,
      source,
      stopMs,
      onExit: (exit) => {
        const ended = { endpoint: endpoint.id, incarnation, exit: exitToSend(exit) };
        // Behind what it has answered.
        endpoint.requests.order(supervisor, "ended", ended, { priority: REPLY_PRIORITY })
          .catch((error) => {
            // Who was told to end is not waited for.
            if (!endpoint.closed) endpoint.log.error("Nobody hears of an end", { error });
          });
      },
    });
    endpoint.cells.set(actor, cell);
    await cell.start();
  }

  async stop(actor: number, drainMs: number): Promise<void> {
    await this.#endpoint.cells.get(actor)?.stop(drainMs);
  }

  adopt(actor: number): void {
    const source = this.#sources.get(actor);
    if (source instanceof SlotSource) source.adopt();
  }

  /** Nothing is taken any more: what waits goes to the dead letters, and who asked is told so. */
  async end(): Promise<void> {
    const endpoint = this.#endpoint;
    await Promise.all([...endpoint.cells.values()].map((cell) => cell.stop(0)));
    for (const [actor, address] of this.#addresses) {
      endpoint.closeMailbox(actor, address);
      const returned = this.#sources.get(actor)?.close() ?? [];
      for (const { bytes } of returned) endpoint.refused(bytes, address);
    }
  }
}

/** The definition of an actor, from its module. */
async function importActor(
  { moduleUrl, exportName, address }: StartOrder,
): Promise<AnyActorDefinition> {
  const module = await import(moduleUrl);
  const definition: unknown = module[exportName];
  const where = `export ${JSON.stringify(exportName)} of ${moduleUrl}`;
  if (!isActorDefinition(definition)) {
    const actors = Object.keys(module).filter((name) => isActorDefinition(module[name]));
    throw new TypeError(
      `Cannot start "${address.label}": ${where} is no actor, expected one; it has ` +
        (actors.length === 0 ? "none" : actors.map((name) => JSON.stringify(name)).join(", ")) +
        "; the option { export } of actor() says which it is",
    );
  }
  if (definition.protocol.name !== address.protocol) {
    throw new TypeError(
      `Cannot start "${address.label}": ${where} speaks ` +
        `"${definition.protocol.name}", expected "${address.protocol}"`,
    );
  }
  return definition;
}
