/** Locks of open file descriptions: who has one, who sees it, who gives it back. */

import "../support/loaded.ts";
import { assert, assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { SharedMemory } from "../../mod.ts";
import { descriptorOf } from "../../src/shm/inside.ts";
import { isLocked, tryLock, unlock } from "../../src/sys/mod.ts";
import { memoryName } from "../support/names.ts";

/** Two descriptions of one object. */
function twoHandles() {
  const { name, [Symbol.dispose]: unlink } = memoryName();
  const one = SharedMemory.create(name, { byteLength: 1 });
  const other = SharedMemory.open(name, { access: "r" });
  unlink();
  return {
    name,
    one,
    fd: descriptorOf(one),
    otherFd: descriptorOf(other),
    [Symbol.dispose]() {
      one.close();
      other.close();
    },
  };
}

test("isLocked() sees another description's lock, also through one that only reads", () => {
  using memory = twoHandles();
  const { fd, otherFd, name } = memory;
  assertEquals(isLocked(otherFd, name), false);
  assert(tryLock(fd, name));
  assertEquals([isLocked(otherFd, name), isLocked(fd, name)], [true, false]);
});

test("isLocked() takes nothing", () => {
  using memory = twoHandles();
  isLocked(memory.otherFd, memory.name);
  assert(tryLock(memory.fd, memory.name));
});

test("unlock() gives a lock back, and closing does", () => {
  using memory = twoHandles();
  const { fd, otherFd, name } = memory;
  assert(tryLock(fd, name));
  unlock(fd, name);
  assertEquals(isLocked(otherFd, name), false);
  unlock(fd, name); // what is not locked stays so
  assert(tryLock(fd, name));
  memory.one.close();
  assertEquals(isLocked(otherFd, name), false);
});

test("tryLock() of a byte locks that one alone, also where the object has none", () => {
  using memory = twoHandles();
  const { fd, otherFd, name } = memory;
  assert(tryLock(fd, name, 5));
  const locked = [4, 5, 6].map((byte) => isLocked(otherFd, name, byte));
  assertEquals([locked, isLocked(otherFd, name)], [[false, true, false], true]);
  assert(tryLock(fd, name, 6));
  unlock(fd, name, 5);
  assertEquals([5, 6].map((byte) => isLocked(otherFd, name, byte)), [false, true]);
  unlock(fd, name);
  assertEquals(isLocked(otherFd, name), false);
});
