/** It books payments in shared memory, each of them once, and is killed at the worst moment. */

import process from "node:process";
import { actor, handledIds, msg, once, protocol, record, Region, struct, u32 } from "../../mod.ts";

/** What is in shared memory: what belongs together is in one record, with the ids of its messages. */
export const Ledger = struct("ledger", {
  account: record({ cents: u32, payments: u32, handled: handledIds(64) }),
  handlings: u32,
});

export const Teller = protocol("teller", {
  // Kept until the handler is done: a killed teller loses none, and the next one gets it again.
  pay: msg(struct("payment", { cents: u32 }), { delivery: "at-least-once" }),
  // Answered when all that came before is booked.
  booked: msg().reply(),
});

export default actor(import.meta, Teller, (_context, ledgerName: string) => {
  const { account, handlings } = Region.open(ledgerName, Ledger).fields;
  return {
    pay({ cents }, turn) {
      handlings.add(1);
      once(account, turn.id, (draft) => {
        draft.cents += cents;
        draft.payments++;
      });
      // It is booked, and nobody knows yet that it was handled.
      if (cents === 20 && turn.attempt === 1) process.kill(process.pid, "SIGKILL");
    },
    booked() {},
  };
});
