/**
 * once() in processes that are killed: one effect for each id.
 *
 * Goal: whoever is killed leaves the effect and the id, or neither, and hinders nobody. Method: a
 * process that kills itself at each atomic operation in turn, and before, in and behind the change;
 * then one that is killed at any instant, whose successor begins with what it had in hand.
 */

import "../support/loaded.ts";
import { assert, assertEquals, assertGreater } from "../assert.ts";
import { test } from "../harness.ts";
import { handledIds, once } from "../../src/actor/mod.ts";
import { i64, record, Region, struct, u32 } from "../../src/region/mod.ts";
import { memoryName } from "../support/names.ts";
import { Child } from "../support/process.ts";
import { Random } from "../support/random.ts";
import { scaled } from "../support/scale.ts";
import { until, within } from "../support/until.ts";

const Ledger = struct("ledger", {
  account: record({ cents: i64, payments: u32, handled: handledIds(2) }),
  /** The message that is next: those before it are acknowledged. */
  next: u32,
  /** So many came again whose effect was there. */
  repeated: u32,
});

const BEGINNING = `
  import process from "node:process";
  import { handledIds, once } from "@postbox/postbox/src/actor/mod.ts";
  import { i64, record, Region, struct, u32 } from "@postbox/postbox/src/region/mod.ts";
  const [name, ...words] = process.argv.slice(2);
  const Ledger = struct("ledger", {
    account: record({ cents: i64, payments: u32, handled: handledIds(2) }),
    next: u32,
    repeated: u32,
  });
  const { account, next, repeated } = Region.open(name, Ledger).fields;
  const die = () => {
    process.kill(process.pid, "SIGKILL");
    for (;;);
  };
`;

/** Pays once, and is killed by itself at its nth step; says "alive" when there are not so many. */
const AT_STEP = `
  ${BEGINNING}
  let left = Infinity;
  const step = () => {
    if (--left === 0) die();
  };
  for (const operation of ["load", "store", "add", "exchange", "compareExchange"]) {
    const real = Atomics[operation];
    Atomics[operation] = (...args) => {
      step();
      return real(...args);
    };
  }
  once(account, "before", () => {});
  left = Number(words[0]);
  once(account, "1", (draft) => {
    draft.cents += 5n;
    step();
    draft.payments++;
  });
  step();
  left = Infinity;
  console.log("alive");
`;

test("once() leaves effect and id, or neither, at whichever step it is killed", async () => {
  let killed = 0, done = 0;
  for (let step = 1;; step++) {
    using object = memoryName();
    using region = Region.create(object.name, Ledger);
    const { account } = region.fields;
    await using child = Child.program(AT_STEP, object.name, String(step));
    const { signal, stdout, stderr } = await within("its end", child.finished());
    const { cents, payments } = account.read();
    const wasDone = payments === 1;
    assertEquals(cents, wasDone ? 5n : 0n, `step ${step}`);
    const isNew = once(account, "1", (draft) => {
      draft.cents += 5n;
      draft.payments++;
    });
    assertEquals(isNew, !wasDone, `step ${step}`);
    assertEquals([account.read().cents, account.read().payments], [5n, 1]);
    if (wasDone) done++;
    if (stdout === "alive\n") break;
    assertEquals(signal, "SIGKILL", stderr);
    killed++;
  }
  // Both sides of the store that makes it visible were among them.
  assertGreater(done, 1);
  assertGreater(killed, done);
});

/** Pays for one message after the other, and takes its time before it acknowledges. */
const PAYS = `
  ${BEGINNING}
  for (;;) {
    const id = next.load();
    const isNew = once(account, String(id), (draft) => {
      if (draft.payments !== id) throw new Error("message " + id + " after " + draft.payments);
      draft.cents += BigInt(id);
      draft.payments++;
    });
    if (!isNew) repeated.add(1);
    for (let i = 0; i < 1000; i++) next.load();
    next.store(id + 1);
  }
`;

const KILLS = Math.max(8, scaled(20));

test(`once() has one effect for each message, ${KILLS} of its receivers are killed`, async () => {
  using object = memoryName();
  using region = Region.create(object.name, Ledger);
  const { account, next, repeated } = region.fields;
  const random = new Random(Date.now() % 2 ** 32);
  for (let kills = 0; kills < KILLS; kills++) {
    const before = next.load();
    await using child = Child.program(PAYS, object.name);
    // It may say that it cannot; then it has ended, and the next waits in vain.
    await until("it goes on", () => next.load() > before + random.below(50));
    child.kill("SIGKILL");
    const { signal, stderr } = await within("its end", child.finished());
    assertEquals([signal, stderr], ["SIGKILL", ""], `seed ${random.seed}`);
  }
  const { cents, payments } = account.read(), acknowledged = next.load();
  assert(payments === acknowledged || payments === acknowledged + 1, `${payments} payments`);
  assertEquals(cents, BigInt(payments) * BigInt(payments - 1) / 2n);
  assertGreater(repeated.load(), 0, `seed ${random.seed}`);
});
