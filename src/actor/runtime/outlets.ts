/** The outboxes of an endpoint: one for each queue or ring that it has sent to. */

import type { Outbox } from "../carriers/carrier.ts";
import { openQueueOutbox } from "../carriers/queue.ts";
import { openRingOutbox } from "../carriers/ring.ts";
import { ActorError } from "../errors.ts";
import type { Directory } from "../memory/directory.ts";
import { prefixOf } from "../memory/names.ts";
import type { Address } from "../protocol/ref.ts";
import { PosixError } from "../../errors.ts";
import { bellOfThisThread } from "../../wait/mod.ts";
import { inboxName, lanesName, ringName } from "./names.ts";

/** Queues outside of the system that are kept open; the one that was opened first goes first. */
const MAX_QUEUES = 64;

/** Outboxes by where they lead, opened when first needed. */
export class Outlets {
  readonly #system: string;
  readonly #directory: Directory;
  readonly #queues = new Map<string, Outbox>();
  readonly #endpoints = new Map<number, { queue?: Outbox; ring?: Outbox }>();

  constructor(system: string, directory: Directory) {
    this.#system = system;
    this.#directory = directory;
  }

  /** Where the messages to an address go in. */
  to({ mailbox, endpoint, carrier }: Address): Outbox {
    if (mailbox === undefined) return this.toEndpoint(endpoint, carrier === "ring");
    return carrier === "ring" ? this.#toLanes(mailbox) : this.toQueue(mailbox);
  }

  /**
   * An endpoint's inbox, or its ring. A ring that has no lane left is never waited for: from then on
   * what was for it goes by the queue, all of it, so that it keeps its order.
   *
   * @throws {ActorError} If there is no such endpoint.
   */
  toEndpoint(endpoint: number, byRing: boolean): Outbox {
    const way = byRing ? "ring" : "queue", known = this.#endpoints.get(endpoint);
    if (known?.[way] !== undefined) return known[way];
    const outbox = byRing
      ? this.#openRing(endpoint) ?? this.toEndpoint(endpoint, false)
      : this.#openQueue(endpoint);
    // Only what could be opened is kept: anybody may name an endpoint that there is not.
    this.#endpoints.set(endpoint, { ...this.#endpoints.get(endpoint), [way]: outbox });
    return outbox;
  }

  #openQueue(endpoint: number): Outbox {
    const name = inboxName(this.#system, endpoint);
    return this.#open(`endpoint ${endpoint}`, () => openQueueOutbox(name));
  }

  /** Undefined when all of its lanes are taken. */
  #openRing(endpoint: number): Outbox | undefined {
    this.#directory.setBell(bellOfThisThread()?.id ?? 0n); // who waits for room has it
    try {
      const name = ringName(this.#system, endpoint);
      return this.#open(`endpoint ${endpoint}`, () => openRingOutbox(name));
    } catch (error) {
      if (error instanceof PosixError && error.code === "EBUSY") return undefined;
      throw error;
    }
  }

  /** A queue by its kernel name. @throws {ActorError} If there is none. */
  toQueue(name: string): Outbox {
    let outbox = this.#queues.get(name);
    // A program outside of the system tells nobody that it makes its queue anew.
    if (outbox !== undefined && !this.isOfSystem(outbox) && outbox.orphaned) {
      this.forgetQueue(name);
      outbox = undefined;
    }
    return outbox ?? this.#keep(name, () => openQueueOutbox(name));
  }

  /**
   * The ring of a mailbox that has one in place of a queue.
   *
   * @throws {PosixError} `EBUSY` if all its lanes are taken.
   */
  #toLanes(mailbox: string): Outbox {
    const known = this.#queues.get(mailbox);
    if (known !== undefined) return known;
    this.#directory.setBell(bellOfThisThread()?.id ?? 0n); // who waits for room has it
    return this.#keep(mailbox, () => openRingOutbox(lanesName(this.#system, mailbox)));
  }

  #keep(name: string, open: () => Outbox): Outbox {
    const outbox = this.#open(name, open);
    this.#queues.set(name, outbox);
    if (this.#queues.size > MAX_QUEUES) {
      const [oldest, old] = this.#queues.entries().next().value!;
      this.#queues.delete(oldest);
      old.close();
    }
    return outbox;
  }

  /** Whether what an outbox leads to is of this system. */
  isOfSystem({ target }: Outbox): boolean {
    return target.startsWith(prefixOf(this.#system));
  }

  /** An endpoint ended for good: what has its name may be another object later. */
  forget(endpoint: number): void {
    const outboxes = this.#endpoints.get(endpoint);
    this.#endpoints.delete(endpoint);
    outboxes?.queue?.close();
    outboxes?.ring?.close();
  }

  /** A queue was unlinked. */
  forgetQueue(name: string): void {
    this.#queues.get(name)?.close();
    this.#queues.delete(name);
  }

  close(): void {
    for (const endpoint of [...this.#endpoints.keys()]) this.forget(endpoint);
    for (const name of [...this.#queues.keys()]) this.forgetQueue(name);
  }

  #open(actor: string, open: () => Outbox): Outbox {
    try {
      return open();
    } catch (cause) {
      if (!(cause instanceof PosixError) || cause.code !== "ENOENT") throw cause;
      throw new ActorError({
        action: "reach",
        actor,
        code: "ENOACTOR",
        description: "its queue does not exist",
        cause,
      });
    }
  }
}
