/** SharedMemory in one process: what each call does, and what each says when it cannot. */

import "../support/loaded.ts";
import {
  assert,
  assertEquals,
  assertFalse,
  assertStringIncludes,
  assertThrows,
} from "../assert.ts";
import { test } from "../harness.ts";
import {
  ClosedError,
  LayoutError,
  MappedFile,
  Segment,
  SharedMemory,
  uniqueName,
} from "../../mod.ts";
import { memoryName } from "../support/names.ts";
import { badNames, refusal } from "../support/refusal.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(new Uint8Array(bytes));

test("SharedMemory.create() makes zeroed memory with all its pages", () => {
  using names = memoryName();
  using memory = SharedMemory.create(names.name, { byteLength: 10_000 });
  assertEquals([memory.name, memory.access], [names.name, "rw"]);
  assertEquals([memory.byteLength, memory.maxByteLength], [10_000, 10_000]);
  assert(memory.buffer instanceof SharedArrayBuffer);
  assert(memory.bytes.every((byte) => byte === 0));
  const { byteLength, allocatedBytes, mode, linked } = memory.status();
  assertEquals([byteLength, mode, linked], [10_000, 0o600, true]);
  assert(allocatedBytes >= 10_000);
});

test("SharedMemory.create() makes memory of length 0 that can grow", () => {
  using names = memoryName();
  using memory = SharedMemory.create(names.name, { byteLength: 0, maxByteLength: 100 });
  assertEquals(memory.bytes.byteLength, 0);
  memory.grow(100);
  assertEquals([memory.byteLength, memory.bytes.byteLength], [100, 100]);
});

test("SharedMemory.create() throws EEXIST when there is some, and leaves it alone", () => {
  using names = memoryName();
  using memory = SharedMemory.create(names.name, { byteLength: 5 });
  memory.write("hello");
  const error = refusal(() => SharedMemory.create(names.name, { byteLength: 9 }));
  assertEquals([error.code, error.syscall, error.target], ["EEXIST", "shm_open", names.name]);
  assertEquals([text(memory.read()), memory.status().byteLength], ["hello", 5]);
});

/** More than any machine has. */
const HUGE = 2 ** 40;

/** Node 20 and Bun reserve 4 GiB at most, and so refuse before the machine's memory is looked at. */
const HUGE_MISSING = canReserve(HUGE) ? undefined : "the runtime reserves no such address space";

function canReserve(maxByteLength: number): boolean {
  try {
    return new SharedArrayBuffer(0, { maxByteLength }).maxByteLength === maxByteLength;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

test("SharedMemory.create() throws ENOMEM for more than the machine has, and makes nothing", {
  missing: HUGE_MISSING,
}, () => {
  using names = memoryName();
  for (const byteLength of [HUGE, 4 * HUGE]) {
    for (
      const make of [
        () => SharedMemory.create(names.name, { byteLength }),
        () => SharedMemory.openOrCreate(names.name, { byteLength }),
        () => SharedMemory.anonymous({ byteLength }),
      ]
    ) {
      const error = refusal(make);
      assertEquals([error.code, error.syscall], ["ENOMEM", "posix_fallocate"]);
      assertStringIncludes(error.hint ?? "", `${byteLength} bytes are needed`);
    }
  }
  assertEquals(refusal(() => SharedMemory.open(names.name)).code, "ENOENT");
});

test("SharedMemory.grow() throws ENOMEM for more than the machine has, and changes nothing", {
  missing: HUGE_MISSING,
}, () => {
  using memory = SharedMemory.anonymous({ byteLength: 10, maxByteLength: HUGE });
  assertEquals(refusal(() => memory.grow(HUGE)).code, "ENOMEM");
  assertEquals([memory.byteLength, memory.status().byteLength], [10, 10]);
});

test("SharedMemory.create() throws RangeError when no address range is that long", () => {
  using names = memoryName();
  assertThrows(
    () => SharedMemory.create(names.name, { byteLength: 1, maxByteLength: 2 ** 52 }),
    RangeError,
    "address space",
  );
  assertEquals(refusal(() => SharedMemory.open(names.name)).code, "ENOENT");
});

for (const byteLength of [-1, 1.5, NaN, Infinity]) {
  test(`SharedMemory.create() throws RangeError for byteLength ${byteLength}`, () => {
    using names = memoryName();
    assertThrows(() => SharedMemory.create(names.name, { byteLength }), RangeError, "byteLength");
    assertThrows(() => SharedMemory.anonymous({ byteLength }), RangeError, "byteLength");
    assertEquals(refusal(() => SharedMemory.open(names.name)).code, "ENOENT");
  });
}

test("SharedMemory.create() throws RangeError for a maxByteLength below byteLength", () => {
  using names = memoryName();
  assertThrows(
    () => SharedMemory.create(names.name, { byteLength: 9, maxByteLength: 8 }),
    RangeError,
    "at least byteLength 9",
  );
});

for (const bad of badNames({ directory: "EINVAL", twoSlashes: "EINVAL" })) {
  for (const verb of ["create", "open", "openOrCreate"] as const) {
    test(`SharedMemory.${verb}() throws ${bad.code} with a hint for the name ${bad.shown}`, () => {
      const error = refusal(() => SharedMemory[verb](bad.name, { byteLength: 1 }));
      assertEquals([error.code, error.syscall, error.target], [bad.code, "shm_open", bad.name]);
      assertStringIncludes(error.hint ?? "", bad.hint);
    });
  }
}

test("SharedMemory.open() sees what another handle writes, and the other way round", () => {
  using names = memoryName();
  using memory = SharedMemory.create(names.name, { byteLength: 64 });
  using peer = SharedMemory.open(names.name);
  assertEquals(peer.byteLength, 64);
  const mine = new Int32Array(memory.buffer, 0, 4), theirs = new Int32Array(peer.buffer, 0, 4);
  Atomics.add(mine, 0, 40);
  Atomics.add(theirs, 0, 2);
  assertEquals([Atomics.load(mine, 0), Atomics.load(theirs, 0)], [42, 42]);
});

test("SharedMemory.open() throws ENOENT when there is none", () => {
  const error = refusal(() => SharedMemory.open(uniqueName("test")));
  assertEquals([error.code, error.syscall], ["ENOENT", "shm_open"]);
});

test("SharedMemory.openOrCreate() makes memory, then opens it with its bytes", () => {
  using names = memoryName();
  using made = SharedMemory.openOrCreate(names.name, { byteLength: 5 });
  made.write("hello");
  using opened = SharedMemory.openOrCreate(names.name, { byteLength: 3 });
  assertEquals([opened.byteLength, text(opened.bytes)], [5, "hello"]);
});

test("SharedMemory.openOrCreate() lengthens one that is shorter", () => {
  using names = memoryName();
  using short = SharedMemory.create(names.name, { byteLength: 2, maxByteLength: 10 });
  short.write("ab");
  using longer = SharedMemory.openOrCreate(names.name, { byteLength: 8 });
  assertEquals([longer.byteLength, text(longer.bytes.subarray(0, 2))], [8, "ab"]);
  assertEquals(short.byteLength, 2);
  short.grow(8); // maps what the other added
  longer.bytes[7] = 9;
  assertEquals(short.bytes[7], 9);
});

test("SharedMemory.unlink() takes the name, and open handles go on", () => {
  using names = memoryName();
  using memory = SharedMemory.create(names.name, { byteLength: 4 });
  SharedMemory.unlink(names.name);
  assertEquals(refusal(() => SharedMemory.open(names.name)).code, "ENOENT");
  assertEquals(refusal(() => SharedMemory.unlink(names.name)).syscall, "shm_unlink");
  memory.write("x");
  assertEquals([memory.bytes[0], memory.status().linked], [120, false]);
});

test("SharedMemory.grow() keeps the buffer, the bytes and the views", () => {
  using memory = SharedMemory.anonymous({ byteLength: 5, maxByteLength: 100_000 });
  memory.write("hello");
  const { buffer, bytes } = memory;
  for (const byteLength of [6, 4095, 4096, 4097, 65_536, 100_000]) {
    memory.grow(byteLength);
    assertEquals([memory.byteLength, memory.status().byteLength], [byteLength, byteLength]);
    assertEquals(memory.bytes.byteLength, byteLength);
    memory.bytes[byteLength - 1] = 7;
    assertEquals(memory.read({ offset: byteLength - 1 }), new Uint8Array([7]));
  }
  assertEquals([memory.buffer === buffer, text(bytes)], [true, "hello"]);
  memory.grow(3); // never shrinks
  assertEquals(memory.byteLength, 100_000);
});

test("SharedMemory.grow() throws RangeError above maxByteLength and for nonsense", () => {
  using memory = SharedMemory.anonymous({ byteLength: 5, maxByteLength: 10 });
  assertThrows(() => memory.grow(11), RangeError, "maxByteLength 10");
  for (const value of [-1, 2.5, NaN]) assertThrows(() => memory.grow(value), RangeError);
  assertEquals(memory.byteLength, 5);
});

test("SharedMemory.grow() throws EPERM when the memory is sealed", () => {
  using memory = SharedMemory.anonymous({ byteLength: 5, maxByteLength: 10, seal: ["grow"] });
  const error = refusal(() => memory.grow(10));
  assertEquals([error.code, error.syscall], ["EPERM", "posix_fallocate"]);
  assertStringIncludes(error.hint ?? "", "seals");
  assertEquals([memory.byteLength, memory.status().byteLength], [5, 5]);
});

test("SharedMemory.read() and write() copy at an offset", () => {
  using memory = SharedMemory.anonymous({ byteLength: 10 });
  memory.write("abc", { offset: 2 });
  memory.write(new Uint8Array([0xff, 0]), { offset: 8 });
  assertEquals([...memory.read()], [0, 0, 97, 98, 99, 0, 0, 0, 255, 0]);
  assertEquals(text(memory.read({ offset: 2, byteLength: 3 })), "abc");
  assertEquals(memory.read({ offset: 9, byteLength: 99 }).byteLength, 1);
  assertEquals(memory.read({ offset: 500 }).byteLength, 0);
  assertEquals(memory.read({ offset: 2, byteLength: 0 }).byteLength, 0);
  memory.write("", { offset: 3 });
  assertEquals(text(memory.read({ offset: 2, byteLength: 3 })), "abc");
});

test("SharedMemory.write() past the end grows as far as maxByteLength", () => {
  using memory = SharedMemory.anonymous({ byteLength: 2, maxByteLength: 8 });
  memory.write("long", { offset: 4 });
  assertEquals([memory.byteLength, memory.bytes[4]], [8, 108]);
  assertThrows(() => memory.write("x", { offset: 8 }), RangeError, "maxByteLength 8");
  memory.write("", { offset: 1000 }); // nothing, wherever
  assertEquals(memory.status().byteLength, 8);
});

test("SharedMemory.read() and write() throw for nonsense", () => {
  using memory = SharedMemory.anonymous({ byteLength: 10 });
  for (const offset of [-1, 0.5, NaN, Infinity]) {
    assertThrows(() => memory.read({ offset }), RangeError, "offset");
    assertThrows(() => memory.write("x", { offset }), RangeError, "offset");
  }
  for (const byteLength of [-1, 0.5, NaN]) {
    assertThrows(() => memory.read({ byteLength }), RangeError, "byteLength");
  }
  for (const data of [7, null, {}, new ArrayBuffer(3)]) {
    assertThrows(() => memory.write(data as unknown as string), TypeError);
  }
});

test("SharedMemory.open() with access r follows the writer and keeps its own writes", () => {
  using names = memoryName();
  using memory = SharedMemory.create(names.name, { byteLength: 8192, maxByteLength: 16384 });
  using reader = SharedMemory.open(names.name, { access: "r", maxByteLength: 16384 });
  memory.bytes[0] = 1;
  memory.bytes[5000] = 2;
  assertEquals([reader.access, reader.bytes[0], reader.bytes[5000]], ["r", 1, 2]);

  reader.bytes[0] = 77; // freezes this page for the reader, and only for it
  Atomics.add(new Int32Array(reader.buffer, 4, 1), 0, 5);
  memory.bytes[0] = 3;
  memory.bytes[5000] = 4;
  assertEquals([memory.bytes[0], memory.bytes[4]], [3, 0]);
  assertEquals([reader.bytes[0], reader.bytes[5000]], [77, 4]);
  assertEquals(reader.read({ byteLength: 1 }), new Uint8Array([3]));

  const error = refusal(() => reader.write("x"));
  assertEquals([error.code, error.target], ["EBADF", names.name]);
  assertStringIncludes(error.hint ?? "", 'access: "r"');
  assertEquals(refusal(() => reader.grow(9000)).code, "EBADF");
  memory.grow(9000);
  reader.grow(9000); // maps what the writer added
  memory.bytes[8999] = 9;
  assertEquals([reader.bytes[8999], reader.bytes[0]], [9, 77]);
});

test("SharedMemory.open() throws TypeError for an access that is none", () => {
  assertThrows(() => SharedMemory.open("/m", { access: "w" as "r" }), TypeError, '"r" or "rw"');
});

test("SharedMemory.anonymous() cannot be shrunk or found by name", () => {
  using memory = SharedMemory.anonymous({ byteLength: 100, label: "thing" });
  assertEquals(memory.name, "memfd:thing");
  assertEquals(memory.status().linked, false);
  assertFalse(SharedMemory.list().some(({ name }) => name.includes("thing")));
});

test("SharedMemory.anonymous() throws TypeError for a seal that is none", () => {
  const seal = ["shrink", "toString" as "grow"] as const;
  assertThrows(() => SharedMemory.anonymous({ byteLength: 1, seal }), TypeError, "future-write");
});

test("SharedMemory.inheritAs() gives the stdio for a child, one memory after the other", () => {
  using first = SharedMemory.anonymous({ byteLength: 1 });
  using second = SharedMemory.anonymous({ byteLength: 1 });
  const stdio = second.inheritAs(6, first.inheritAs(4, ["pipe", "inherit", "ignore"]));
  assertEquals(stdio.length, 7);
  assertEquals([...stdio.slice(0, 4), stdio[5]], ["pipe", "inherit", "ignore", "ignore", "ignore"]);
  assert(typeof stdio[4] === "number" && typeof stdio[6] === "number" && stdio[4] !== stdio[6]);
  for (const descriptor of [2, -1, 3.5, NaN]) {
    assertThrows(() => first.inheritAs(descriptor), RangeError, "3 to ");
  }
});

test("SharedMemory.fromInherited() refuses a descriptor that has an owner", () => {
  using memory = SharedMemory.anonymous({ byteLength: 1 });
  const descriptor = memory.inheritAs(3)[3] as number;
  const error = assertThrows(() => SharedMemory.fromInherited(descriptor), LayoutError);
  assertStringIncludes(error.found, "of our own");
  assertThrows(() => SharedMemory.fromInherited(2 ** 31), RangeError);
  assertThrows(() => memory.inheritAs(1e9), RangeError);
});

test("SharedMemory.anonymous() reads each option once", () => {
  let asked = 0;
  const options = {
    get byteLength() {
      return asked++ === 0 ? 1 << 20 : 16;
    },
  };
  using memory = SharedMemory.anonymous(options);
  assertEquals([asked, memory.byteLength, memory.maxByteLength], [1, 1 << 20, 1 << 20]);
  memory.bytes[memory.byteLength - 1] = 1;
});

test("SharedMemory throws ClosedError when an argument closes it", () => {
  for (
    const use of [
      (memory, close) =>
        memory.read({
          get byteLength() {
            return close();
          },
        }),
      (memory, close) =>
        memory.read({
          get offset() {
            return close();
          },
        }),
      (memory, close) =>
        memory.write("x", {
          get offset() {
            return close();
          },
        }),
    ] as ((memory: SharedMemory, close: () => number) => unknown)[]
  ) {
    const memory = SharedMemory.anonymous({ byteLength: 8 });
    assertThrows(() => use(memory, () => (memory.close(), 0)), ClosedError);
  }
});

test("SharedMemory.write() believes the engine, not a view, how long it is", () => {
  using memory = SharedMemory.anonymous({ byteLength: 64 });
  class Longer extends Uint8Array {
    override get byteLength(): number {
      return 64;
    }
  }
  memory.write(new Longer(4).fill(7));
  assertEquals([...memory.read()].filter((byte) => byte !== 0), [7, 7, 7, 7]);
});

test("SharedMemory keeps to what is mapped when somebody else grows its buffer", () => {
  using memory = SharedMemory.anonymous({ byteLength: 5, maxByteLength: 20_000 });
  memory.buffer.grow(16_384);
  assertEquals([memory.byteLength, memory.bytes.byteLength], [5, 5]);
  memory.grow(16_384);
  memory.bytes[10_000] = 7;
  assertEquals(memory.read({ offset: 10_000, byteLength: 1 }), new Uint8Array([7]));
  memory.write("hello", { offset: 12_000 });
  assertEquals(memory.bytes[12_000], 104);
});

test("SharedMemory.grow() of memory sealed with future-write changes nothing", () => {
  using memory = SharedMemory.anonymous({
    byteLength: 4096,
    maxByteLength: 65_536,
    seal: ["shrink", "future-write"],
  });
  memory.bytes[0] = 1; // through the mapping that there is
  assertEquals(refusal(() => memory.grow(20_000)).code, "EPERM");
  assertEquals([memory.byteLength, memory.status().byteLength], [4096, 4096]);
});

test("SharedMemory and Segment cannot be made by new", () => {
  for (const made of [SharedMemory, Segment, MappedFile]) {
    const Loose = made as unknown as new (...values: unknown[]) => unknown;
    assertThrows(() => new Loose(), TypeError, "by new");
    assertThrows(() => new Loose({ length: 0, byteLength: 2 ** 46 }, { target: "x" }), TypeError);
  }
});

test("SharedMemory.list() leaves named semaphores out", () => {
  using memory = SharedMemory.create(`/sem.${crypto.randomUUID()}`, { byteLength: 1 });
  try {
    assertFalse(SharedMemory.list().some(({ name }) => name === memory.name));
  } finally {
    SharedMemory.unlink(memory.name);
  }
});

test("SharedMemory.fromInherited() refuses what is no sealed memory", () => {
  const error = assertThrows(() => SharedMemory.fromInherited(1), LayoutError);
  assertEquals(error.target, "descriptor 1");
  assertStringIncludes(error.expected, "memfd");
  assertEquals(refusal(() => SharedMemory.fromInherited(9_999_999)).code, "EBADF");
  assertThrows(() => SharedMemory.fromInherited(-1), RangeError);
});

test("SharedMemory.close() ends everything but itself, and stale views read zeros", () => {
  const memory = SharedMemory.anonymous({ byteLength: 8192, maxByteLength: 10_000 });
  const { bytes, buffer } = memory;
  bytes.fill(5);
  memory.close();
  memory.close();
  memory[Symbol.dispose]();
  assert(memory.closed);
  assert(bytes.every((byte) => byte === 0));
  bytes.fill(6);
  Atomics.add(new Int32Array(buffer, 0, 1), 0, 1);
  const uses: (() => unknown)[] = [
    () => memory.buffer,
    () => memory.bytes,
    () => memory.byteLength,
    () => memory.maxByteLength,
    () => memory.grow(1),
    () => memory.read(),
    () => memory.write("x"),
    () => memory.inheritAs(3),
    () => memory.status(),
  ];
  for (const use of uses) assertEquals(assertThrows(use, ClosedError).target, "memfd:postbox");
});

test("SharedMemory.close() leaves other handles of the same object alone", () => {
  using names = memoryName();
  const first = SharedMemory.create(names.name, { byteLength: 16 });
  using second = SharedMemory.open(names.name);
  first.bytes[0] = 1;
  first.close();
  assertEquals(second.bytes[0], 1);
});

test("SharedMemory.list() shows an object with its length", () => {
  using names = memoryName();
  using memory = SharedMemory.create(names.name, { byteLength: 5000, mode: 0o640 });
  const entry = SharedMemory.list().find(({ name }) => name === names.name);
  assertEquals([entry?.byteLength, entry?.uid], [5000, memory.status().uid]);
  assert((entry?.allocatedBytes ?? 0) >= 5000);
  SharedMemory.unlink(names.name);
  assertFalse(SharedMemory.list().some(({ name }) => name === names.name));
});
