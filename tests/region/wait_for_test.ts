/** Waiting for a field within one process: by value, by predicate, called off, closed. */

import { assertEquals, assertRejects, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import {
  array,
  bool,
  ClosedError,
  f64,
  i64,
  record,
  Region,
  type Struct,
  struct,
  text,
  u32,
  u64,
  u8,
} from "../../src/region/mod.ts";
import { CHANGES_OFFSET } from "../../src/region/region_layout.ts";
import { ARMED, WAITING_MASK } from "../../src/wait/event_layout.ts";
import { until, within } from "../support/until.ts";
import { namedRegion, privateRegion } from "./support.ts";

const Schema = struct("waiting", { ready: u32, hits: u64, on: bool, many: array(u32, 3) });

test("waitFor() gives the value that is there already", async () => {
  using region = privateRegion(Schema);
  const { ready, on } = region.fields;
  assertEquals(await ready.waitFor(0), 0);
  assertEquals(await on.waitFor(false), false);
  assertEquals(ready.waitForSync((value) => value < 1), 0);
  assertEquals(on.waitForSync(false), false);
});

test("waitFor() sees each kind of change through another handle", async () => {
  using made = namedRegion(Schema);
  using other = Region.open(made.name, Schema);
  const { ready, hits, on, many } = made.fields;
  const changes: [wait: Promise<unknown>, change: () => void][] = [
    [ready.waitFor((value) => (value & 1) === 1), () => other.fields.ready.store(1)],
    [hits.waitFor((value) => value >= 5n), () => other.fields.hits.add(7n)],
    [on.waitFor(true), () => other.fields.on.exchange(true)],
    [many.waitFor(2, 9), () => other.fields.many.compareExchange(2, 0, 9)],
    [ready.waitFor((value) => (value & 6) === 6), () => other.fields.ready.or(6)],
  ];
  for (const [, change] of changes) change();
  assertEquals(await within("all", Promise.all(changes.map(([wait]) => wait))), [
    7,
    7n,
    true,
    9,
    7,
  ]);
});

const Changed = struct("changed", {
  number: u32,
  big: i64,
  real: f64,
  on: bool,
  many: array(u8, 2),
  note: text(4),
  last: record({ a: u32 }),
  never: u32,
});

/** The types of its fields. */
type ChangedFields = typeof Changed extends Struct<infer F> ? F : never;

/** Each call that changes something. */
const CHANGES: readonly [
  name: string,
  change: (fields: Region<ChangedFields>["fields"]) => unknown,
][] = [
  ["store", ({ number }) => number.store(1)],
  ["exchange", ({ number }) => number.exchange(1)],
  ["compareExchange", ({ number }) => number.compareExchange(0, 1)],
  ["add", ({ big }) => big.add(1n)],
  ["sub", ({ big }) => big.sub(1n)],
  ["and", ({ number }) => number.and(1)],
  ["or", ({ number }) => number.or(1)],
  ["xor", ({ number }) => number.xor(1)],
  ["FloatField.add", ({ real }) => real.add(1)],
  ["AtomicField.store", ({ on }) => on.store(true)],
  ["AtomicArray.store", ({ many }) => many.store(1, 1)],
  ["PlainField.write", ({ note }) => note.write("x")],
  ["RecordField.update", ({ last }) => last.update((draft) => void draft.a++)],
];

/** Whether somebody waits who was not woken yet. */
function lookAtArmed(buffer: SharedArrayBuffer): () => boolean {
  const armed = new Int32Array(buffer, CHANGES_OFFSET + 4 * ARMED, 1);
  return () => (Atomics.load(armed, 0) & WAITING_MASK) !== 0;
}

for (const [name, change] of CHANGES) {
  test(`${name}() wakes who waits at once, instead of leaving it to the clock`, async () => {
    using region = privateRegion(Changed);
    const isArmed = lookAtArmed(region.buffer);
    const waited = region.fields.never.waitFor(1);
    await until("the waiter is armed", isArmed);
    change(region.fields);
    assertEquals(isArmed(), false, "its bell was rung");
    region.fields.never.store(1);
    await within("the value", waited);
  });
}

test("a compareExchange() that changes nothing wakes nobody", async () => {
  using region = privateRegion(Changed);
  const isArmed = lookAtArmed(region.buffer);
  const waited = region.fields.never.waitFor(1);
  await until("the waiter is armed", isArmed);
  region.fields.number.compareExchange(5, 6);
  assertEquals(isArmed(), true);
  region.fields.never.store(1);
  await within("the value", waited);
});

test("waitForSync() gives undefined at the deadline, and not before", () => {
  using region = privateRegion(Schema);
  const start = performance.now();
  assertEquals(region.fields.ready.waitForSync(1, { timeoutMs: 30 }), undefined);
  assertEquals(performance.now() - start >= 30, true);
  assertEquals(region.fields.ready.waitForSync(1, { timeoutMs: 0 }), undefined);
});

test("waitFor() rejects at its deadline and by its signal, and the field goes on", async () => {
  using region = privateRegion(Schema);
  const { ready } = region.fields;
  const late = await assertRejects(() => ready.waitFor(1, { timeoutMs: 10 }), DOMException);
  assertEquals(late.name, "TimeoutError");
  const reason = new Error("enough");
  const controller = new AbortController();
  const waited = ready.waitFor(1, { signal: controller.signal });
  controller.abort(reason);
  assertEquals(await waited.catch((error) => error), reason);
  const again = ready.waitFor(1);
  ready.store(1);
  assertEquals(await within("the value", again), 1);
});

test("waitFor() rejects with what its function throws", async () => {
  using region = privateRegion(Schema);
  const { ready } = region.fields;
  const fails = (value: number) => {
    if (value === 1) throw new Error("no ones");
    return false;
  };
  const waited = ready.waitFor(fails);
  ready.store(1);
  await assertRejects(() => within("the error", waited), Error, "no ones");
  assertThrows(() => ready.waitForSync(fails), Error, "no ones");
});

test("waitFor() refuses a value that cannot come", async () => {
  using region = privateRegion(Schema);
  await assertRejects(() => region.fields.ready.waitFor(-1), RangeError);
  await assertRejects(() => region.fields.hits.waitFor(1 as unknown as bigint), TypeError);
  assertThrows(() => region.fields.ready.waitForSync(2 ** 32), RangeError);
});

test("Region.close() ends who waits, and what is asked afterwards, with a ClosedError", async () => {
  const region = privateRegion(Schema);
  const { ready, many } = region.fields;
  const waited = [ready.waitFor(1), many.waitFor(0, 1)];
  region.close();
  for (const wait of waited) await assertRejects(() => within("the end", wait), ClosedError);
  await assertRejects(() => ready.waitFor(0), ClosedError);
  assertThrows(() => ready.waitForSync(0), ClosedError);
});

test("a read-only region finds changes by the clock", async () => {
  using made = namedRegion(Schema);
  using reader = Region.open(made.name, Schema, { access: "r" });
  const waited = reader.fields.ready.waitFor(3);
  made.fields.ready.store(3);
  assertEquals(await within("the change", waited), 3);
  assertEquals(reader.fields.ready.waitForSync(3, { timeoutMs: 1000 }), 3);
  assertEquals(reader.fields.ready.waitForSync(4, { timeoutMs: 5 }), undefined);
});
