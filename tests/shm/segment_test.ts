/** Segment.attach() as a worker uses it, here on the same thread. */

import "../support/loaded.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import { ClosedError, Segment, SharedMemory } from "../../mod.ts";

test("Segment.attach() sees the same memory, and closing it leaves the memory", () => {
  using memory = SharedMemory.anonymous({ byteLength: 10, maxByteLength: 20 });
  const segment = Segment.attach(memory.buffer);
  memory.bytes[0] = 5;
  assertEquals([segment.bytes[0], segment.byteLength, segment.maxByteLength], [5, 10, 20]);
  memory.grow(20);
  memory.bytes[19] = 7;
  assertEquals([segment.byteLength, segment.bytes[19]], [20, 7]);
  segment.close();
  segment.close();
  assert(segment.closed);
  assertThrows(() => segment.bytes, ClosedError);
  assertThrows(() => segment.buffer, ClosedError);
  assertEquals(memory.bytes[0], 5);
});

test("Segment.attach() throws TypeError for what is no buffer of a segment", () => {
  const fake = new SharedArrayBuffer(4);
  Object.defineProperty(fake, "growable", { value: true });
  for (const buffer of [new ArrayBuffer(4), new SharedArrayBuffer(4), fake, {}, null]) {
    assertThrows(() => Segment.attach(buffer as SharedArrayBuffer), TypeError, "growable");
  }
});
