/** Headers that say what cannot be: whatever is there, opening gives a LayoutError or a region. */

import { assert, assertEquals, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import { SharedMemory } from "../../mod.ts";
import { LayoutError, Region, struct, u64 } from "../../src/region/mod.ts";
import {
  BYTE_ORDER_OFFSET,
  BYTES_OFFSET,
  CHANGES_OFFSET,
  FIELDS_BYTES_OFFSET,
  HASH_OFFSET,
  HEADER_BYTES,
  TEXT_BYTES_OFFSET,
  TEXT_OFFSET_OFFSET,
  VERSION_OFFSET,
} from "../../src/region/region_layout.ts";
import { type Random, withSeed } from "../support/random.ts";
import { namedRegion } from "./support.ts";

const Schema = struct("header", { hits: u64 });

/** Changes the header of a region, and gives the error of opening it. */
function errorOf(change: (view: DataView) => void): LayoutError {
  using made = namedRegion(Schema);
  change(new DataView(made.region.buffer));
  assertThrows(() => Region.attach(made.region.buffer, Schema), LayoutError);
  assertThrows(() => Region.open(made.name, Schema, { access: "r" }), LayoutError);
  return assertThrows(() => Region.open(made.name, Schema), LayoutError);
}

test("Region.open() refuses another version and another byte order", () => {
  assertEquals(
    errorOf((view) => view.setUint32(VERSION_OFFSET, 2, true)).found,
    "format version 2",
  );
  const order = errorOf((view) => view.setUint32(BYTE_ORDER_OFFSET, 0x04030201, true));
  assertEquals(order.found, "another byte order");
});

const LENGTHS: [what: string, change: (view: DataView) => void][] = [
  ["a region that is longer than the memory", (view) => {
    view.setBigUint64(BYTES_OFFSET, BigInt(view.byteLength) + 1n, true);
  }],
  ["a region of 2^64 - 1 bytes", (view) => view.setBigUint64(BYTES_OFFSET, 2n ** 64n - 1n, true)],
  ["a region that is shorter than its header", (view) => view.setBigUint64(BYTES_OFFSET, 1n, true)],
  ["fields that reach past the end", (view) => {
    view.setUint32(FIELDS_BYTES_OFFSET, 2 ** 32 - 1, true);
  }],
  ["a text behind the end", (view) => view.setUint32(TEXT_OFFSET_OFFSET, 2 ** 32 - 1, true)],
  ["a text that reaches past the end", (view) => {
    view.setUint32(TEXT_BYTES_OFFSET, view.byteLength, true);
  }],
];

for (const [what, change] of LENGTHS) {
  test(`Region.open() refuses ${what}`, () => {
    assertEquals(errorOf(change).expected, "its parts in the region, and the region in the memory");
  });
}

test("Region.open() refuses fields of another length under the same hash", () => {
  const error = errorOf((view) => view.setUint32(FIELDS_BYTES_OFFSET, 4, true));
  assert(error.found.includes("schema"), error.message);
});

test("Region.open() refuses a region without its event count", () => {
  using made = namedRegion(Schema);
  new DataView(made.region.buffer).setUint32(CHANGES_OFFSET + 8, 0, true);
  const error = assertThrows(() => Region.open(made.name, Schema), LayoutError);
  assert(error.message.includes("event count"), error.message);
});

test("Region.open() tells of another schema when its text is garbage", () => {
  const error = errorOf((view) => {
    const textOffset = view.getUint32(TEXT_OFFSET_OFFSET, true);
    new Uint8Array(view.buffer, textOffset).fill(0x1b);
    view.setBigUint64(HASH_OFFSET, 1n, true);
  });
  assertEquals(error.found, "a struct with schema 0x0000000000000001");
  assert(!error.message.includes("\x1b"));
});

test("whatever is in a header, opening it gives a region or a LayoutError", () => {
  using made = namedRegion(Schema);
  using memory = SharedMemory.open(made.name);
  const good = memory.read();
  let refused = 0;
  withSeed(Date.now() >>> 0, 3000, (random: Random) => {
    memory.write(good);
    for (let changes = random.below(4); changes >= 0; changes--) {
      // Anywhere, and also in the text of the schema.
      const offset = random.oneIn(2) ? random.below(HEADER_BYTES) : random.below(good.byteLength);
      memory.bytes[offset] = random.below(256);
    }
    // A text that is believed, and compared.
    if (random.oneIn(3)) new DataView(memory.buffer).setBigUint64(HASH_OFFSET, 5n, true);
    for (
      const look of [
        () => Region.attach(memory.buffer, Schema).close(),
        () => void Region.inspect(made.name),
      ]
    ) {
      try {
        look();
      } catch (error) {
        if (!(error instanceof LayoutError)) throw error;
        refused++;
      }
    }
  });
  assert(refused > 1000, String(refused));
});
