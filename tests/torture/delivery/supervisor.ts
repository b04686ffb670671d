/**
 * Who starts the receiver anew, in a process of its own: it is killed, too, and the receiver dies
 * with it.
 */

import { actor, msg, protocol, type Ref } from "../../../src/actor/mod.ts";
import { plain } from "../../support/plain.ts";
import { Ledger } from "./ledger.ts";
import plainReceiver from "./plain_receiver.ts";
import type { Places, Works } from "./receiver.ts";
import slotReceiver from "./slot_receiver.ts";

/** How it begins. */
export interface Supervising extends Places {
  readonly delivery: "at-most-once" | "at-least-once";
  /** What brings the messages. */
  readonly carrier: "queue" | "ring";
}

/** What a sender is told. */
export interface Met {
  readonly receiver: Ref<Works>;
  /** The id of the question: the sender's next messages count on from it. */
  readonly id: string;
}

/** What it understands. */
export const Supervisor = protocol("torture.supervisor", { meet: msg().reply(plain<Met>()) });

/** How often somebody may be killed. */
export const KILLED_OFTEN = {
  keep: "permanent",
  max: Infinity,
  backoffMs: [0, 1],
} as const;

export default actor(import.meta, Supervisor, async (context, init: Supervising) => {
  const ledger = Ledger.open(init.ledger, init.lives);
  const definition = init.delivery === "at-most-once" ? plainReceiver : slotReceiver;
  const options = { in: "process", init, restart: KILLED_OFTEN, stdio: "inherit" } as const;
  // Whoever is killed often enough over the same message would give it up.
  const kept = init.delivery === "at-least-once" ? { maxAttempts: Number.MAX_SAFE_INTEGER } : {};
  const by = init.carrier === "queue" ? { mailbox: "work" } as const : { carrier: "ring" } as const;
  const receiver = await context.spawn(definition, { ...options, ...kept, ...by });
  ledger.begin("supervisor");
  return { meet: (_, { id }) => ({ receiver, id }) };
});
