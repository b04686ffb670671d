/**
 * Records: whole or not at all, by the protocol of src/layout/record_layout.ts.
 *
 * Goal: a reader never gets parts of two updates, and whatever a writer or a stranger left in the
 * record's words, a read ends. Method: writers that stop anywhere are played by hand, word by word;
 * tests/process/region_record_test.ts has real ones, killed.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import {
  array,
  bool,
  bytes,
  ClosedError,
  f32,
  f64,
  i64,
  LayoutError,
  PosixError,
  record,
  Region,
  struct,
  text,
  u32,
  u8,
} from "../../src/region/mod.ts";
import {
  RECORD_BEGUN_OFFSET,
  RECORD_COPIES_OFFSET,
  RECORD_MUTEX_OFFSET,
  RECORD_SEQUENCE_OFFSET,
  recordStrideBytes,
} from "../../src/layout/mod.ts";
import { FIELDS_OFFSET } from "../../src/region/region_layout.ts";
import { Mutex } from "../../src/sync/mod.ts";
import { within } from "../support/until.ts";
import { namedRegion, privateRegion } from "./support.ts";

const Point = struct("point", { x: i64, y: f32 });
const Schema = struct("recorded", {
  last: record({ ratio: f64, at: i64, tag: text(16), on: bool, where: Point }),
  tiny: record({ one: u8 }),
  pair: record({ first: u32, second: u32 }),
  large: record({ words: array(u32, 500), raw: bytes(7) }),
});

const EMPTY = { ratio: 0, at: 0n, tag: "", on: false, where: { x: 0n, y: 0 } };

/** The words of the record `pair`, as a writer of any language sees them. */
function pairOf({ buffer }: { buffer: SharedArrayBuffer }) {
  const { type, byteOffset } = Schema.fields.pair;
  const at = FIELDS_OFFSET + byteOffset;
  const stride = recordStrideBytes(type.content.byteLength);
  const copies = at + RECORD_COPIES_OFFSET;
  return {
    sequence: new Uint32Array(buffer, at + RECORD_SEQUENCE_OFFSET, 1),
    begun: new Uint32Array(buffer, at + RECORD_BEGUN_OFFSET, 1),
    copies: [new Uint32Array(buffer, copies, 2), new Uint32Array(buffer, copies + stride, 2)],
    mutex: new Uint8Array(buffer, at + RECORD_MUTEX_OFFSET, 128),
  } as const;
}

test("RecordField.read() gives zeros before the first update", () => {
  using region = privateRegion(Schema);
  assertEquals(region.fields.last.read(), EMPTY);
  assertEquals(region.fields.tiny.read(), { one: 0 });
  assertEquals(region.fields.large.read().words.length, 500);
});

test("RecordField.update() changes a copy, and all of it is there then", () => {
  using made = namedRegion(Schema);
  using other = Region.open(made.name, Schema);
  assert(made.fields.last.update((draft) => {
    draft.ratio = 0.25;
    draft.tag = "häh?";
    draft.where.x = -5n;
  }));
  const expected = { ...EMPTY, ratio: 0.25, tag: "häh?", where: { x: -5n, y: 0 } };
  assertEquals(other.fields.last.read(), expected);
  other.fields.last.update((draft) => void (draft.on = !draft.on));
  assertEquals(made.fields.last.read(), { ...expected, on: true });
});

test("RecordField.update() takes a value that is returned, and write() one that is given", () => {
  using region = privateRegion(Schema);
  const { pair, large } = region.fields;
  assert(pair.update(({ first }) => ({ first: first + 1, second: 2 })));
  assertEquals(pair.read(), { first: 1, second: 2 });
  assert(pair.write({ first: 8, second: 9 }));
  assertEquals(pair.read(), { first: 8, second: 9 });
  const value = { words: Array.from({ length: 500 }, (_, i) => i), raw: Uint8Array.of(1, 2) };
  large.write(value);
  assertEquals(large.read(), value);
});

test("what RecordField.read() gives is the caller's", () => {
  using region = privateRegion(Schema);
  const { last } = region.fields;
  const before = last.read();
  last.update((draft) => void (draft.tag = "new"));
  assertEquals(before, EMPTY);
});

test("RecordField.update() changes nothing when it throws or leaves what does not fit", () => {
  using region = privateRegion(Schema);
  const { last, pair } = region.fields;
  pair.write({ first: 1, second: 2 });
  assertThrows(
    () =>
      pair.update((draft) => {
        draft.first = 7;
        throw new Error("no");
      }),
    Error,
    "no",
  );
  assertThrows(() => pair.update((draft) => void (draft.second = 2 ** 32)), RangeError, "second");
  assertThrows(() => pair.update((draft) => void (draft.second = "2" as never)), TypeError);
  assertThrows(() => last.update((draft) => void (draft.tag = "x".repeat(17))), RangeError, "tag");
  assertThrows(() => pair.write({ first: 1 } as never), TypeError, "pair");
  assertEquals([pair.read(), last.read()], [{ first: 1, second: 2 }, EMPTY]);
  assert(pair.write({ first: 3, second: 4 }), "the lock is free");
});

test("RecordField.update() refuses an async function, and changes nothing", () => {
  using region = privateRegion(Schema);
  const { pair } = region.fields;
  const change = (draft: { first: number }) => {
    draft.first = 1;
    return Promise.resolve();
  };
  assertThrows(() => pair.update(change as never), TypeError, "async");
  assertEquals(pair.read(), { first: 0, second: 0 });
});

test("RecordField.read() works within an update, and gives what was there before it", () => {
  using region = privateRegion(Schema);
  const { pair } = region.fields;
  pair.write({ first: 1, second: 2 });
  pair.update((draft) => {
    draft.first = 5;
    assertEquals(pair.read(), { first: 1, second: 2 });
  });
  assertEquals(pair.read(), { first: 5, second: 2 });
});

test("RecordField.write() is not disturbed by what a getter of the value does", () => {
  using region = privateRegion(Schema);
  const { pair } = region.fields;
  pair.write({
    first: 7,
    get second() {
      assertEquals(pair.read(), { first: 0, second: 0 });
      return 8;
    },
  });
  assertEquals(pair.read(), { first: 7, second: 8 });
  const closes = privateRegion(Schema);
  const close = () => {
    closes.close();
    return { first: 1, second: 1 };
  };
  assertThrows(() => closes.fields.pair.update(close), ClosedError);
});

test("RecordField.update() within its own update throws EDEADLK, and the outer one goes on", () => {
  using region = privateRegion(Schema);
  const { pair } = region.fields;
  pair.update((draft) => {
    const error = assertThrows(() => pair.write({ first: 9, second: 9 }), PosixError);
    assertEquals(error.code, "EDEADLK");
    draft.first = 1;
  });
  assertEquals(pair.read(), { first: 1, second: 0 });
});

test("RecordField.updateAsync() waits for another writer, until it is called off", async () => {
  using made = namedRegion(Schema);
  const { pair } = made.fields;
  using holder = Mutex.attach(pairOf(made.region).mutex);
  const guard = holder.tryLock()!;
  const late = await assertRejects(
    () => pair.updateAsync((draft) => void (draft.first = 1), { timeoutMs: 10 }),
    DOMException,
  );
  assertEquals(late.name, "TimeoutError");
  const reason = new Error("enough");
  const waited = pair.updateAsync(() => {}, { signal: AbortSignal.abort(reason) });
  assertEquals(await waited.catch((error) => error), reason);
  const update = pair.updateAsync((draft) => void (draft.first = 2));
  guard.unlock();
  await within("the lock", update);
  assertEquals(pair.read(), { first: 2, second: 0 });
});

test("RecordField.updateAsync() serves its callers one after the other", async () => {
  using region = privateRegion(Schema);
  const { pair } = region.fields;
  const add = () => pair.updateAsync((draft) => void draft.first++);
  await within("all", Promise.all(Array.from({ length: 20 }, add)));
  assertEquals(pair.read().first, 20);
  await assertRejects(() => pair.updateAsync(() => Promise.resolve() as never), TypeError);
});

test("Region.close() ends who waits to update a record", async () => {
  const region = privateRegion(Schema);
  const { pair } = region.fields;
  using holder = Mutex.attach(pairOf(region).mutex);
  using _guard = holder.tryLock()!;
  const waited = pair.updateAsync(() => {});
  region.close();
  await assertRejects(() => within("the end", waited), ClosedError);
  assertThrows(() => pair.read(), ClosedError);
  assertThrows(() => pair.update(() => {}), ClosedError);
});

test("a writer that stopped anywhere is not seen, and the next one begins again", () => {
  using region = privateRegion(Schema);
  const { pair } = region.fields;
  for (let round = 1; round <= 4; round++) {
    const { sequence, begun, copies } = pairOf(region);
    const before = pair.read();
    // It began, and wrote some of the other copy.
    begun[0] = sequence[0]! + 1;
    assertEquals(pair.read(), before);
    copies[(sequence[0]! + 1) & 1]![0] = 0xdead;
    assertEquals(pair.read(), before);
    assert(pair.update((draft) => void (draft.first = round)));
    assertEquals(pair.read(), { first: round, second: 0 });
    assertEquals([sequence[0], begun[0]], [round, round]);
  }
});

test("a record goes on when the numbers of its updates wrap around", () => {
  using region = privateRegion(Schema);
  const { pair } = region.fields;
  const { sequence, begun } = pairOf(region);
  sequence[0] = begun[0] = 2 ** 32 - 2;
  for (let first = 1; first <= 4; first++) {
    pair.write({ first, second: 0 });
    assertEquals(pair.read(), { first, second: 0 });
  }
  assertEquals([sequence[0], begun[0]], [2, 2]);
});

test("RecordField.read() refuses numbers of updates that cannot be", () => {
  using region = privateRegion(Schema);
  const { sequence, begun } = pairOf(region);
  const impossible = [[0, 2], [5, 4 + 2 ** 31], [7, 5], [0, 2 ** 32 - 1]] as const;
  for (const [committed, started] of impossible) {
    sequence[0] = committed;
    begun[0] = started;
    const error = assertThrows(() => region.fields.pair.read(), LayoutError);
    assert(error.found.includes(`${started}`), error.message);
  }
});

test("RecordField.update() refuses a lock that is none", () => {
  using region = privateRegion(Schema);
  pairOf(region).mutex.fill(0xa5);
  assertThrows(() => region.fields.pair.update(() => {}), LayoutError);
  assertEquals(region.fields.pair.read(), { first: 0, second: 0 });
});
