/** Who sends, in a process of its own: one message after the other, of all sizes and priorities. */

import {
  actor,
  ActorError,
  type Context,
  msg,
  protocol,
  type Ref,
} from "../../../src/actor/mod.ts";
import { Random } from "../../support/random.ts";
import { CLASSES, EMPTY, Ledger, MAX_SEQUENCE, messageId, type Role } from "./ledger.ts";
import { makePayload } from "./payload.ts";
import type { Places } from "./receiver.ts";
import type { Met, Supervisor } from "./supervisor.ts";
import "./supervisor.ts"; // a ref that comes has the methods of its protocol, where that is known

/** How it begins. */
export interface Sending extends Places {
  readonly role: Role;
  readonly seed: number;
  readonly supervisor: Ref<typeof Supervisor>;
}

/** It is told nothing: it begins to send by itself. */
export const Sender = protocol("torture.sender", { isThere: msg().reply() });

export default actor(import.meta, Sender, (context, init: Sending) => {
  void send(context, init);
  return { isThere() {} };
});

async function send({ incarnation, signal }: Context, init: Sending): Promise<void> {
  const ledger = Ledger.open(init.ledger, init.lives);
  const random = new Random(init.seed + incarnation);
  ledger.begin(init.role);
  let life = -1;
  while (!ledger.isStopped && !signal.aborted) {
    const { receiver, id } = await met(init.supervisor);
    if (life === -1) life = ledger.beginLife(messageId(id));
    // Each message, and that question, has the next number.
    let { sequence } = messageId(id);
    try {
      while (!ledger.isStopped && ++sequence < MAX_SEQUENCE) {
        const of = random.below(CLASSES.length), { priority, maxBytes } = CLASSES[of]!;
        const said = { life, sequence, of };
        const bytes = of === EMPTY ? new Uint8Array(0) : makePayload(said, random.below(maxBytes));
        await receiver.take(bytes, { priority });
        ledger.promised(life, sequence);
      }
      break;
    } catch (error) {
      // The receiver's supervisor was killed, and with it the queue is gone: there is a new one.
      if (!(error instanceof ActorError)) throw error;
    }
  }
  ledger.setIdle(init.role);
}

/** The receiver of now. */
async function met(supervisor: Ref<typeof Supervisor>): Promise<Met> {
  for (;;) {
    try {
      return await supervisor.meet();
    } catch (error) {
      if (!(error instanceof ActorError)) throw error;
    }
  }
}
