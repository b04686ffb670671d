/** It books payments in a database, each of them once, and is killed at the worst moment. */

import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import { actor, msg, protocol, struct, u32 } from "../../mod.ts";

export const SqliteTeller = protocol("sqlite-teller", {
  pay: msg(struct("payment", { cents: u32 }), { delivery: "at-least-once" }),
  booked: msg().reply(struct("booked", { payments: u32, cents: u32, handlings: u32 })),
});

export default actor(import.meta, SqliteTeller, (_context, path: string) => {
  const database = new DatabaseSync(path);
  database.exec(`
    create table if not exists account (cents integer not null, payments integer not null) strict;
    create table if not exists handled (id text primary key) strict;
    create table if not exists handling (id text not null) strict;
    insert into account select 0, 0 where not exists (select * from account);
  `);
  const handling = database.prepare("insert into handling values (?)");
  const remember = database.prepare("insert into handled values (?) on conflict do nothing");
  const book = database.prepare("update account set cents = cents + ?, payments = payments + 1");
  const state = database.prepare(
    "select cents, payments, (select count(*) from handling) as handlings from account",
  );
  return {
    pay({ cents }, turn) {
      handling.run(turn.id);
      // One transaction: whoever is killed in it has booked nothing and remembers nothing.
      database.exec("begin immediate");
      if (remember.run(turn.id).changes === 1) book.run(cents);
      database.exec("commit");
      // It is booked, and nobody knows yet that it was handled.
      if (cents === 20 && turn.attempt === 1) process.kill(process.pid, "SIGKILL");
    },
    booked: () => state.get() as { payments: number; cents: number; handlings: number },
  };
});
