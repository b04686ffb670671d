/**
 * At least once, and counted once: an actor is killed between an effect and its acknowledgement.
 *
 *     deno run --allow-ffi --allow-run examples/once.ts
 *
 * docs/delivery.md says what is promised. examples/once_sqlite.ts does the same with a database.
 */

import { describeExit, type Down, Region, system, uniqueName } from "../mod.ts";
import teller, { Ledger } from "./actors/teller.ts";

const ledgerName = uniqueName("ledger");
const ledger = Region.create(ledgerName, Ledger);
const bank = await system(uniqueName("bank").slice(1), { log: { level: "none" } });
try {
  const restart = { keep: "transient", max: 5 } as const;
  const options = { in: "process", mailbox: "payments", init: ledgerName, restart } as const;
  const ref = await bank.spawn(teller, options);
  const down = new Promise<Down>((resolve) => bank.watch(ref, resolve));

  for (const cents of [10, 20, 30]) await ref.pay({ cents }); // fulfilled when its mailbox has it
  const { exit } = await down;
  console.log(`the teller ${describeExit(exit)} after it had booked the second`);

  await ref.booked({ timeoutMs: 10_000 });
  const { cents, payments } = ledger.fields.account.read();
  console.log(`${ledger.fields.handlings.load()} times a payment was handled`);
  console.log(`${payments} payments are booked, ${cents} cents`);
} finally {
  await bank.close();
  Region.unlink(ledgerName);
  ledger.close();
}
