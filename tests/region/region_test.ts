/** Region: by name, read-only, anonymous, in a worker; whom it refuses, and what it tells. */

import { assert, assertEquals, assertRejects, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import { SharedMemory } from "../../mod.ts";
import {
  array,
  barrier,
  bool,
  bytes,
  ClosedError,
  event,
  LayoutError,
  mutex,
  record,
  Region,
  rwLock,
  semaphore,
  struct,
  text,
  u32,
  u64,
} from "../../src/region/mod.ts";
import { FIELDS_OFFSET } from "../../src/region/region_layout.ts";
import { memoryName } from "../support/names.ts";
import { badNames, refusal } from "../support/refusal.ts";
import { namedRegion, privateRegion } from "./support.ts";

const Slot = struct("slot", { owner: u32, note: text(8) });
const Plain = struct("plain", { hits: u64, many: array(u32, 3), slots: array(Slot, 2) });
const Locked = struct("locked", {
  lock: mutex,
  rw: rwLock,
  permits: semaphore,
  ready: event,
  start: barrier,
  hits: u64,
});
const LOCKS = { permits: { value: 2 }, ready: { manualReset: true }, start: { parties: 1 } };

test("Region.create() makes zeros that a second handle shares, and refuses a second time", () => {
  using made = namedRegion(Plain);
  using other = Region.open(made.name, Plain);
  other.fields.hits.store(5n);
  other.fields.slots.at(1).owner.store(7);
  other.fields.slots.at(1).note.write("hi");
  assertEquals(made.fields.hits.load(), 5n);
  assertEquals([...made.fields.slots].map(({ owner }) => owner.load()), [0, 7]);
  assertEquals(made.fields.slots.at(1).note.read(), "hi");
  const error = refusal(() => Region.create(made.name, Plain));
  assertEquals([error.code, error.target], ["EEXIST", made.name]);
  assertEquals([made.region.name, made.region.schema, made.region.access], [
    made.name,
    Plain,
    "rw",
  ]);
});

test("the fields of a struct are where its layout says, behind the header", () => {
  using made = namedRegion(Plain);
  made.fields.many.store(2, 0x01020304);
  made.fields.slots.at(1).note.write("ab");
  using memory = SharedMemory.open(made.name);
  const at = FIELDS_OFFSET + Plain.fields.many.byteOffset + 8;
  assertEquals([...memory.bytes.subarray(at, at + 4)], [4, 3, 2, 1]);
  const note = FIELDS_OFFSET + Plain.fields.slots.byteOffset + Slot.byteLength + 4;
  assertEquals([...memory.bytes.subarray(note, note + 6)], [2, 0, 0, 0, 97, 98]);
});

for (const { name, shown, code, hint } of badNames({ directory: "EINVAL", twoSlashes: "EINVAL" })) {
  test(`Region.create() and open() refuse the name ${shown}`, () => {
    for (const call of [Region.create, Region.open, Region.openOrCreate]) {
      const error = refusal(() => call(name, Plain));
      assertEquals([error.code, error.target], [code, name]);
      assert(error.hint?.includes(hint), error.message);
    }
  });
}

test("Region.open() throws ENOENT, and Region.unlink() takes the name away", () => {
  using made = namedRegion(Plain);
  Region.unlink(made.name);
  assertEquals(refusal(() => Region.open(made.name, Plain)).code, "ENOENT");
  assertEquals(refusal(() => Region.unlink(made.name)).code, "ENOENT");
  assertEquals(refusal(() => Region.inspect(made.name)).code, "ENOENT");
  made.fields.hits.add(1n); // the memory lives on
});

test("Region refuses what is no struct, no options and no access", () => {
  using made = memoryName();
  const wrong = made as unknown as { schema: typeof Plain };
  for (const call of [Region.create, Region.open, Region.openOrCreate]) {
    assertThrows(() => call(made.name, wrong.schema), TypeError, "expected a struct()");
    assertThrows(() => call(made.name, Plain, 5 as never), TypeError, "options");
  }
  using region = namedRegion(Plain);
  assertThrows(() => Region.open(region.name, Plain, { access: "w" as "r" }), TypeError, '"rw"');
  assertThrows(() => Region.open(region.name, Plain, { timeoutMs: -1 }), RangeError);
  assertThrows(() => new (Region as unknown as new () => unknown)(), TypeError, "Region.create");
});

test("Region.open() with another schema shows the differences line by line", () => {
  using made = namedRegion(Plain);
  const Other = struct("plain", { hits: u32, many: array(u32, 3), slots: array(Slot, 2) });
  for (const open of [Region.open, Region.openOrCreate]) {
    const error = assertThrows(() => open(made.name, Other), LayoutError);
    assert(error.found.startsWith("struct plain with schema 0x"), error.found);
    assert(error.expected.startsWith("struct plain with schema 0x"), error.expected);
    assert(error.message.includes("\n-   u64 hits @0\n"), error.message);
    assert(error.message.includes("\n+   u32 hits @0\n"), error.message);
  }
});

test("Region.create() with schema: false leaves the text out, and the hash still tells", () => {
  using made = namedRegion(Plain, { schema: false });
  Region.open(made.name, Plain).close();
  const error = assertThrows(() => Region.open(made.name, Slot), LayoutError);
  assert(error.found.startsWith("a struct with schema 0x"), error.found);
  const status = Region.inspect(made.name);
  assert(status?.state === "ready");
  assertEquals(status.schema, undefined);
});

test("Region.inspect() tells schema, hash and size", () => {
  using made = namedRegion(Plain);
  const status = Region.inspect(made.name);
  assert(status?.state === "ready");
  assertEquals(status.schema, Plain);
  using memory = SharedMemory.open(made.name);
  assertEquals(status.byteLength, memory.byteLength);
  using object = memoryName();
  SharedMemory.create(object.name, { byteLength: 4096 }).close();
  assertEquals(Region.inspect(object.name), undefined);
});

// --- Read-only -----------------------------------------------------------------------------------

test("a read-only region follows its writers and refuses every change", () => {
  using made = namedRegion(
    struct("both", { ...parts(Plain), on: bool, lock: mutex, last: record({ a: u32, b: u32 }) }),
  );
  using reader = Region.open(made.name, made.region.schema, { access: "r" });
  const { hits, many, slots, on, last } = reader.fields;
  made.fields.hits.store(5n);
  made.fields.last.write({ a: 1, b: 2 });
  assertEquals([hits.load(), last.read()], [5n, { a: 1, b: 2 }]);
  const before = new SharedMemoryBytes(made.name).read();
  const changes: (() => unknown)[] = [
    () => hits.store(1n),
    () => hits.add(1n),
    () => hits.exchange(1n),
    () => hits.compareExchange(5n, 1n),
    () => many.or(1, 1),
    () => on.store(true),
    () => slots.at(0).note.write("x"),
    () => last.update(() => {}),
    () => last.write({ a: 3, b: 4 }),
    () => reader.fields.lock.tryLock(),
  ];
  for (const change of changes) assertThrows(change, TypeError, 'expected access "rw"');
  made.fields.hits.store(6n);
  made.fields.last.write({ a: 3, b: 4 });
  assertEquals([hits.load(), last.read()], [6n, { a: 3, b: 4 }], "no page was frozen");
  assertEquals(before.byteLength, made.region.buffer.byteLength);
});

test("a read-only region follows its writers however often it is read", () => {
  using made = namedRegion(struct("hot", { n: u32, big: u64, on: bool, last: record({ a: u32 }) }));
  using reader = Region.open(made.name, made.region.schema, { access: "r" });
  const { fields } = made, { n, big, on, last } = reader.fields;
  // Often enough that every engine compiles it: one of them then makes a write of an atomic load.
  for (let round = 1; round <= 400_000; round++) {
    fields.n.store(round);
    fields.big.store(BigInt(round));
    fields.on.store(round % 2 === 0);
    if (n.load() !== round || big.load() !== BigInt(round) || on.load() !== (round % 2 === 0)) {
      assertEquals([n.load(), big.load(), on.load()], [round, BigInt(round), round % 2 === 0]);
    }
    if (round % 16 > 0) continue;
    fields.last.write({ a: round });
    if (last.read().a !== round) assertEquals(last.read(), { a: round });
  }
});

test("RecordField.updateAsync() of a read-only region rejects", async () => {
  using made = namedRegion(struct("async", { last: record({ a: u32 }) }));
  using reader = Region.open(made.name, made.region.schema, { access: "r" });
  await assertRejects(() => reader.fields.last.updateAsync(() => {}), TypeError);
});

/** The types of a struct's fields, to make another one of. */
function parts({ fields }: typeof Plain) {
  return { hits: fields.hits.type, many: fields.many.type, slots: fields.slots.type };
}

class SharedMemoryBytes {
  constructor(readonly name: string) {}
  read(): Uint8Array {
    using memory = SharedMemory.open(this.name, { access: "r" });
    return memory.read();
  }
}

// --- Closing ---------------------------------------------------------------------------------------

test("a closed region refuses every call with a ClosedError, and closing again does nothing", () => {
  const region = Region.anonymous(Locked, { locks: LOCKS });
  const { fields } = region, { lock } = fields;
  region.close();
  region.close();
  assert(region.closed);
  const calls: (() => unknown)[] = [
    () => fields.hits.load(),
    () => fields.hits.store(1n),
    () => fields.hits.store(1n),
    () => lock.tryLock(),
    () => fields.rw,
    () => region.buffer,
    () => region.snapshot(),
    () => region.inheritAs(3),
  ];
  for (const call of calls) assertThrows(call, ClosedError);
});

// --- Locks -----------------------------------------------------------------------------------------

test("the locks of a region are formatted by its creator, as they are told", () => {
  using made = namedRegion(Locked, { locks: LOCKS });
  using other = Region.open(made.name, Locked);
  const { lock, rw, permits, ready, start } = other.fields;
  assertEquals(lock.tryLock()?.recovered, false);
  assertEquals(made.fields.lock.tryLock(), undefined);
  assert(rw.tryRead());
  assertEquals([permits.value, ready.manualReset], [2, true]);
  assertEquals(start.waitSync({ timeoutMs: 0 }), true);
  assertEquals(other.fields.lock, lock, "the same object each time");
});

test("locks in arrays and structs are formatted too", () => {
  const Stage = struct("stage", { gate: barrier, locks: array(mutex, 2) });
  const Nested = struct("nested", { stages: array(Stage, 2), logs: array(record({ n: u32 }), 2) });
  using region = Region.anonymous(Nested, { locks: { "stages.gate": { parties: 3 } } });
  for (const stage of region.fields.stages) {
    assertEquals(stage.gate.parties, 3);
    for (const lock of stage.locks) assert(lock.tryLock());
  }
  for (const log of region.fields.logs) assert(log.write({ n: 1 }));
});

test("Region.create() refuses settings that no lock takes, and makes nothing", () => {
  using made = memoryName();
  const wrong: [locks: Record<string, object>, message: string][] = [
    [{}, "parties"],
    [{ ...LOCKS, lock: { parties: 2 } }, "nothing to be set"],
    [{ ...LOCKS, other: {} }, "expected lock, rw, permits"],
    [{ ...LOCKS, start: { value: 2 } }, "expected parties"],
  ];
  for (const [locks, message] of wrong) {
    assertThrows(() => Region.create(made.name, Locked, { locks }), TypeError, message);
  }
  assertThrows(
    () => Region.create(made.name, Locked, { locks: { start: { parties: 0 } } }),
    RangeError,
  );
  assertEquals(refusal(() => Region.inspect(made.name)).code, "ENOENT");
});

const WithRecord = struct("with_record", { last: record({ a: u32 }) });

test("a region with locks is not made for others to write, unless they are trusted", () => {
  for (const schema of [Locked, WithRecord]) {
    using made = memoryName();
    const options = { mode: 0o660, locks: schema === Locked ? LOCKS : {} };
    for (const call of [Region.create, Region.openOrCreate]) {
      const error = refusal(() => call(made.name, schema as typeof Locked, options));
      assertEquals(error.code, "EACCES");
      assert(error.hint?.includes("trustPeers"), error.message);
    }
    Region.create(made.name, schema as typeof Locked, { ...options, trustPeers: true }).close();
  }
  using made = memoryName();
  Region.create(made.name, Plain, { mode: 0o660 }).close();
});

// --- Texts, snapshots, workers -----------------------------------------------------------------

test("PlainField reads and writes texts and bytes, and refuses what is too long", () => {
  const Noted = struct("noted", { note: text(5), raw: bytes(3) });
  using region = privateRegion(Noted);
  const { note, raw } = region.fields;
  assertEquals([note.read(), raw.read()], ["", new Uint8Array(0)]);
  note.write("häh?");
  raw.write(Uint8Array.of(1, 2, 3));
  assertEquals([note.read(), raw.read()], ["häh?", Uint8Array.of(1, 2, 3)]);
  assertThrows(() => note.write("häh??"), RangeError, "note");
  assertThrows(() => raw.write(new Uint8Array(4)), RangeError, "raw");
  assertEquals(note.read(), "häh?");
  new Uint32Array(region.buffer, FIELDS_OFFSET, 1)[0] = 2 ** 32 - 1; // a length that cannot be
  assertEquals(note.read().length <= 5, true);
});

test("Region.snapshot() gives all fields as values, and the state of locks", () => {
  const All = struct("all", {
    ...{ hits: u64, on: bool, many: array(u32, 2), slots: array(Slot, 1), locks: array(mutex, 1) },
    ...{ lock: mutex, permits: semaphore, last: record({ a: u32, tag: text(4) }) },
  });
  using made = namedRegion(All, { locks: { permits: { value: 2 } } });
  using reader = Region.open(made.name, All, { access: "r" });
  made.fields.hits.store(3n);
  made.fields.slots.at(0).note.write("n");
  made.fields.last.write({ a: 1, tag: "t" });
  using guard = made.fields.lock.tryLock()!;
  for (const region of [made.region, reader]) {
    const { lock, ...values } = region.snapshot();
    assert(/^locked by thread \d+$/.test(lock), lock);
    assertEquals({ ...values }, {
      hits: 3n,
      on: false,
      many: [0, 0],
      slots: [Object.assign(Object.create(null), { owner: 0, note: "n" })],
      locks: ["free"],
      permits: "count 2",
      last: { a: 1, tag: "t" },
    });
  }
  guard.unlock();
  assertEquals(reader.snapshot().lock, "free");
});

test("Region.attach() shares a region by its buffer, and closes nothing but itself", () => {
  using region = privateRegion(Plain);
  const attached = Region.attach(region.buffer, Plain);
  attached.fields.hits.add(2n);
  attached.close();
  assertEquals(region.fields.hits.load(), 2n);
  assertThrows(() => attached.fields.hits.load(), ClosedError);
  assertThrows(() => Region.attach(region.buffer, Slot), LayoutError);
  assertThrows(() => Region.attach(new SharedArrayBuffer(512), Plain), TypeError);
  const blank = new SharedArrayBuffer(512, { maxByteLength: 512 });
  assertThrows(() => Region.attach(blank, Plain), LayoutError);
});

test("Region.attach() takes the buffer of a read-only region for reading alone", () => {
  using made = namedRegion(Plain);
  using reader = Region.open(made.name, Plain, { access: "r" });
  assertThrows(() => Region.attach(reader.buffer, Plain), TypeError, 'access: "r"');
  using attached = Region.attach(reader.buffer, Plain, { access: "r" });
  made.fields.hits.store(4n);
  assertEquals(attached.fields.hits.load(), 4n);
  assertThrows(() => attached.fields.hits.store(1n), TypeError);
});

test("Region.inheritAs() is for regions without a name", () => {
  using region = privateRegion(Plain);
  assertEquals(region.inheritAs(4).slice(0, 4), ["inherit", "inherit", "inherit", "ignore"]);
  using named = namedRegion(Plain);
  assertThrows(() => named.region.inheritAs(3), TypeError, "by its name");
});
