/** Fields over memory that the caller has. */

import { assert, assertEquals, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import { SharedMemory } from "../../mod.ts";
import {
  fieldsAt,
  formatFieldsAt,
  LayoutError,
  mutex,
  record,
  semaphore,
  struct,
  u32,
  u64,
} from "../../src/region/mod.ts";
import { memoryName } from "../support/names.ts";
import { within } from "../support/until.ts";

const Point = struct("point", { x: u32, y: u64 });
const Locked = struct("locked", {
  lock: mutex,
  permits: semaphore,
  last: record({ a: u32 }),
  hits: u32,
});

function someMemory(): SharedMemory {
  return SharedMemory.anonymous({ byteLength: 4096 });
}

test("fieldsAt() uses zeroed memory where it lies", () => {
  using memory = someMemory();
  const one = fieldsAt(Point, memory.bytes.subarray(64));
  const other = fieldsAt(Point, memory.bytes.subarray(64, 80));
  one.y.add(5n);
  assertEquals([other.y.load(), memory.bytes[72]], [5n, 5]);
});

test("fieldsAt() refuses memory that is too short, misplaced, not shared or read-only", () => {
  using made = memoryName();
  using memory = SharedMemory.create(made.name, { byteLength: 4096 });
  using reader = SharedMemory.open(made.name, { access: "r" });
  assertThrows(() => fieldsAt(Point, memory.bytes.subarray(0, 15)), RangeError);
  assertThrows(() => fieldsAt(Point, memory.bytes.subarray(4)), RangeError, "multiple of 8");
  assertThrows(() => fieldsAt(Point, new Uint8Array(64) as never), TypeError);
  assertThrows(() => fieldsAt(Point, reader.bytes), TypeError, "read-only");
  assertThrows(() => fieldsAt({} as typeof Point, memory.bytes), TypeError, "struct()");
});

test("formatFieldsAt() makes the locks, once, and fieldsAt() attaches to them", () => {
  using memory = someMemory();
  const made = formatFieldsAt(Locked, memory.bytes, { locks: { permits: { value: 3 } } });
  const found = fieldsAt(Locked, memory.bytes);
  assertEquals(found.permits.value, 3);
  using _guard = made.lock.tryLock()!;
  assertEquals(found.lock.tryLock(), undefined);
  assert(found.last.write({ a: 1 }));
  assertThrows(() => formatFieldsAt(Locked, memory.bytes), LayoutError);
  assertThrows(() => fieldsAt(Locked, memory.bytes.subarray(64)).lock.tryLock(), LayoutError);
});

test("waitFor() of fieldsAt() is woken through its changes, or finds a change by itself", async () => {
  using memory = someMemory();
  const changes = memory.bytes.subarray(1024, 1088);
  const one = formatFieldsAt(Point, memory.bytes, { changes });
  const woken = one.x.waitFor(1);
  fieldsAt(Point, memory.bytes, { changes }).x.store(1);
  assertEquals(await within("the wake-up", woken), 1);
  const found = fieldsAt(Point, memory.bytes).x.waitFor(2);
  one.x.store(2);
  assertEquals(await within("the look", found), 2);
  assertThrows(() => fieldsAt(Point, memory.bytes, { changes: memory.bytes }), LayoutError);
});
