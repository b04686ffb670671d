/**
 * At least once, and counted once: as examples/once.ts, with a database in place of shared memory.
 *
 *     deno run --allow-ffi --allow-run --allow-read=/tmp --allow-write=/tmp examples/once_sqlite.ts
 *
 * Node has node:sqlite from 22.13 on.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { describeExit, type Down, system, uniqueName } from "../mod.ts";
import teller from "./actors/sqlite_teller.ts";

const folder = mkdtempSync("/tmp/ledger-");
const bank = await system(uniqueName("bank").slice(1), { log: { level: "none" } });
try {
  const restart = { keep: "transient", max: 5 } as const;
  const init = `${folder}/ledger.db`;
  const ref = await bank.spawn(teller, { in: "process", mailbox: "payments", init, restart });
  const down = new Promise<Down>((resolve) => bank.watch(ref, resolve));

  for (const cents of [10, 20, 30]) await ref.pay({ cents });
  const { exit } = await down;
  console.log(`the teller ${describeExit(exit)} after it had booked the second`);

  const { payments, cents, handlings } = await ref.booked({ timeoutMs: 10_000 });
  console.log(`${handlings} times a payment was handled`);
  console.log(`${payments} payments are booked, ${cents} cents`);
} finally {
  await bank.close();
  rmSync(folder, { recursive: true });
}
