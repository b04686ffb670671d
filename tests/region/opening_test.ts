/**
 * How a region comes to be, by the states that a maker leaves when it is killed.
 *
 * Goal: whatever is there under the name, an opener waits for a maker that lives, tells a dead one,
 * and never uses or takes over what is no region. Method: the states are written by hand, in the
 * order in which a maker makes them; tests/process/region_opening_test.ts has real makers.
 */

import { assert, assertEquals, assertGreaterOrEqual, assertThrows, fail } from "../assert.ts";
import { test } from "../harness.ts";
import { SharedMemory } from "../../mod.ts";
import { array, LayoutError, Region, struct, u32, u64 } from "../../src/region/mod.ts";
import {
  FIELDS_OFFSET,
  MAGIC,
  MAGIC_OFFSET,
  READY_MARK,
  READY_OFFSET,
} from "../../src/region/region_layout.ts";
import { createRegion, type Making, openOrCreateRegion } from "../../src/region/opening.ts";
import { descriptorOf } from "../../src/shm/inside.ts";
import { tryLock } from "../../src/sys/mod.ts";
import { memoryName } from "../support/names.ts";
import { refusal } from "../support/refusal.ts";

const Schema = struct("opened", { hits: u64, many: array(u32, 1000) });

/** An object as a maker has left it: `whole` has everything but the mark that it is ready. */
type Left = "empty" | "short" | "zeros" | "begun" | "whole";

const LEFT: readonly Left[] = ["empty", "short", "zeros", "begun", "whole"];

function leave(state: Left, name: string): SharedMemory {
  if (state === "whole") {
    using made = Region.create(name, Schema);
    made.fields.hits.store(99n); // what openOrCreate must not leave
    made.fields.many.store(999, 99);
    const memory = SharedMemory.open(name);
    new Uint32Array(memory.buffer, READY_OFFSET, 1)[0] = 0;
    return memory;
  }
  const byteLength = { empty: 0, short: 100, zeros: 8192, begun: 8192 }[state];
  const memory = SharedMemory.create(name, { byteLength });
  if (state === "begun") {
    new BigUint64Array(memory.buffer, MAGIC_OFFSET, 1)[0] = MAGIC;
    memory.bytes.fill(0xff, MAGIC_OFFSET + 8, READY_OFFSET);
    memory.bytes.fill(0xff, READY_OFFSET + 4);
  }
  return memory;
}

for (const state of LEFT) {
  test(`Region.open() tells that its maker died, who left it ${state}`, () => {
    using made = memoryName();
    leave(state, made.name).close();
    const start = performance.now();
    const error = assertThrows(() => Region.open(made.name, Schema), LayoutError);
    assertGreaterOrEqual(performance.now() - start, 250, "a maker has no lock at first");
    assert(error.found.includes("maker died"), error.message);
    assertEquals(error.target, made.name);
  });

  test(`Region.openOrCreate() makes anew what a dead maker left ${state}`, () => {
    using made = memoryName();
    leave(state, made.name).close();
    using region = Region.openOrCreate(made.name, Schema);
    const { hits, many } = region.fields;
    assertEquals([hits.load(), many.load(999)], [0n, 0]);
    hits.add(1n);
    using other = Region.openOrCreate(made.name, Schema);
    assertEquals(other.fields.hits.load(), 1n);
  });

  test(`Region.open() waits for a maker that is alive and has come to ${state}`, () => {
    using made = memoryName();
    using memory = leave(state, made.name);
    assert(tryLock(descriptorOf(memory), made.name));
    const start = performance.now();
    const opens = [
      () => Region.open(made.name, Schema, { timeoutMs: 400 }),
      () => Region.open(made.name, Schema, { timeoutMs: 20, access: "r" }),
      () => Region.openOrCreate(made.name, Schema, { timeoutMs: 20 }),
    ];
    for (const open of opens) {
      const { code, target, hint } = refusal(open);
      assertEquals([code, target], ["ETIMEDOUT", made.name]);
      assert(hint?.includes("alive"));
    }
    assert(performance.now() - start >= 440);
    assertEquals(refusal(() => Region.open(made.name, Schema, { timeoutMs: 0 })).code, "ETIMEDOUT");
  });

  test(`Region.create() refuses what is there, ${state} too, and leaves it`, () => {
    using made = memoryName();
    using memory = leave(state, made.name);
    const before = memory.read();
    assertEquals(refusal(() => Region.create(made.name, Schema)).code, "EEXIST");
    assertEquals(memory.read(), before);
  });
}

/** What is no region, and none that somebody began. */
const FOREIGN: [what: string, bytes: (bytes: Uint8Array) => void][] = [
  ["a text", (bytes) => void new TextEncoder().encodeInto("hello", bytes)],
  ["something behind zeros", (bytes) => void (bytes[8000] = 1)],
  ["something in its last byte", (bytes) => void (bytes[bytes.length - 1] = 1)],
  ["another mark", (bytes) => void (bytes[READY_OFFSET] = 1)],
  ["the mark without the magic", (bytes) => {
    new DataView(bytes.buffer).setUint32(READY_OFFSET, READY_MARK, true);
  }],
  ["the magic and another mark", (bytes) => {
    new DataView(bytes.buffer).setBigUint64(MAGIC_OFFSET, MAGIC, true);
    bytes[READY_OFFSET] = 1;
  }],
];

for (const [what, fill] of FOREIGN) {
  test(`Region.open() and openOrCreate() refuse ${what}, and change nothing`, () => {
    using made = memoryName();
    using memory = SharedMemory.create(made.name, { byteLength: 8193 });
    fill(memory.bytes);
    const before = memory.read();
    for (const open of [Region.open, Region.openOrCreate]) {
      const error = assertThrows(() => open(made.name, Schema), LayoutError);
      assertEquals([error.target, error.expected], [made.name, "a region"]);
    }
    assertEquals(memory.read(), before);
    assertEquals(Region.inspect(made.name), undefined);
  });
}

test("Region.openOrCreate() refuses a short object with something in it", () => {
  using made = memoryName();
  using memory = SharedMemory.create(made.name, { byteLength: 5 });
  memory.write("hello");
  assertThrows(() => Region.openOrCreate(made.name, Schema), LayoutError);
  assertEquals(memory.status().byteLength, 5);
});

test("Region.inspect() tells one that is being made from one that was abandoned", () => {
  using made = memoryName();
  using memory = leave("begun", made.name);
  assertEquals(Region.inspect(made.name), { state: "abandoned" });
  assert(tryLock(descriptorOf(memory), made.name));
  assertEquals(Region.inspect(made.name), { state: "being made" });
});

/**
 * A maker that is overtaken: just before it takes the lock somebody else makes the region.
 *
 * @param others What the other one leaves in `hits`.
 */
function overtaken(name: string, others: bigint): Making {
  return {
    byteLength: 8192,
    mode: 0o600,
    get format(): Making["format"] {
      using other = Region.openOrCreate(name, Schema);
      other.fields.hits.store(others);
      return () => fail("it is made twice");
    },
  };
}

test("Region.create() gives way to who took its object over before it had the lock", () => {
  using made = memoryName();
  const { code } = refusal(() => createRegion(made.name, overtaken(made.name, 7n)));
  assertEquals(code, "EEXIST");
  using region = Region.open(made.name, Schema);
  assertEquals(region.fields.hits.load(), 7n);
});

test("Region.openOrCreate() looks again when it has the lock, and uses what others made", () => {
  for (const state of LEFT) {
    using made = memoryName();
    leave(state, made.name).close();
    const opening = { access: "rw", owner: "self", timeoutMs: 1000 } as const;
    using memory = openOrCreateRegion(made.name, overtaken(made.name, 7n), opening);
    assertEquals(memory.read({ offset: FIELDS_OFFSET, byteLength: 1 })[0], 7);
  }
});
