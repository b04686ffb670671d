/** ByteLocks in one thread: who holds which byte, and when it comes back. */

import "../support/loaded.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import { ClosedError, SharedMemory } from "../../mod.ts";
import { ByteLocks } from "../../src/life/byte_locks.ts";
import { descriptorOf } from "../../src/shm/inside.ts";
import { memoryName } from "../support/names.ts";

/** Two holders on one object, which has no name any more. */
function twoHolders() {
  const { name, [Symbol.dispose]: unlink } = memoryName();
  const memory = SharedMemory.create(name, { byteLength: 1 });
  unlink();
  const one = new ByteLocks(descriptorOf(memory), name);
  const other = new ByteLocks(descriptorOf(memory), name);
  return {
    memory,
    one,
    other,
    [Symbol.dispose]() {
      memory.close();
      one.close();
      other.close();
    },
  };
}

test("ByteLocks.tryHold() takes the lock of a byte from nobody, and its own again", () => {
  using locks = twoHolders();
  const { one, other } = locks;
  assertEquals([one.tryHold(3), one.tryHold(3), other.tryHold(3), other.tryHold(4)], [
    true,
    true,
    false,
    true,
  ]);
  one.release(3);
  assert(other.tryHold(3));
});

test("ByteLocks.isHeld() sees those of others and its own", () => {
  using locks = twoHolders();
  const { one, other } = locks;
  const seen = () => [one.isHeld(7), other.isHeld(7)];
  assertEquals(seen(), [false, false]);
  one.tryHold(7);
  assertEquals(seen(), [true, true]);
  one.release(7);
  assertEquals(seen(), [false, false]);
});

test("ByteLocks.close() gives all back, though the memory stays mapped", () => {
  using locks = twoHolders();
  const { memory, one, other } = locks;
  for (const byte of [0, 1, 128]) one.tryHold(byte);
  one.close();
  one.close();
  assertEquals([0, 1, 128].map((byte) => other.isHeld(byte)), [false, false, false]);
  assertEquals(memory.closed, false);
  for (const use of [() => one.tryHold(0), () => one.isHeld(0), () => one.release(0)]) {
    assertThrows(use, ClosedError);
  }
});

test("ByteLocks outlive the memory that they were made with", () => {
  using locks = twoHolders();
  const { memory, one, other } = locks;
  one.tryHold(2);
  memory.close();
  assertEquals(other.isHeld(2), true);
});
