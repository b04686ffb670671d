/** Segment.attach() as a worker uses it, here on the same thread. */

import "../support/loaded.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import { ClosedError, Segment, SharedMemory } from "../../mod.ts";

test("Segment.attach() sees the same memory, and closing it leaves the memory", () => {
  using memory = SharedMemory.anonymous({ byteLength: 4096, maxByteLength: 8192 });
  const segment = Segment.attach(memory.buffer);
  memory.bytes[0] = 5;
  assertEquals([segment.bytes[0], segment.byteLength, segment.maxByteLength], [5, 4096, 8192]);
  memory.grow(8192);
  memory.bytes[8191] = 7;
  assertEquals([segment.byteLength, segment.bytes[8191]], [8192, 7]);
  segment.close();
  segment.close();
  assert(segment.closed);
  assertThrows(() => segment.bytes, ClosedError);
  assertThrows(() => segment.buffer, ClosedError);
  assertEquals(memory.bytes[0], 5);
});

test("Segment.attach() sees the length to the byte", {
  not: { bun: "JavaScriptCore's buffers have to grow by whole pages here" },
}, () => {
  using memory = SharedMemory.anonymous({ byteLength: 10, maxByteLength: 20 });
  using segment = Segment.attach(memory.buffer);
  assertEquals(segment.byteLength, 10);
  memory.grow(11);
  assertEquals(segment.byteLength, 11);
});

test("growing within a page, and to another one, leaves what is in the object", () => {
  using memory = SharedMemory.anonymous({ byteLength: 10, maxByteLength: 3 * 65536 });
  for (const byteLength of [11, 100, 65536, 65537, 3 * 65536]) {
    memory.bytes.fill(1);
    const before = memory.byteLength;
    memory.grow(byteLength);
    assertEquals(memory.bytes.indexOf(0), before, `grown from ${before} to ${byteLength}`);
    assertEquals(memory.read({ byteLength: before }).indexOf(0), -1);
  }
});

test("Segment.attach() throws TypeError for what is no buffer of a segment", () => {
  const fake = new SharedArrayBuffer(4);
  Object.defineProperty(fake, "growable", { value: true });
  for (const buffer of [new ArrayBuffer(4), new SharedArrayBuffer(4), fake, {}, null]) {
    assertThrows(() => Segment.attach(buffer as SharedArrayBuffer), TypeError, "growable");
  }
});
