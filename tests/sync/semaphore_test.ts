/** Semaphore in one thread: in memory and by name, its forms, its limits, its names. */

import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "../assert.ts";
import { test } from "../harness.ts";
import {
  ClosedError,
  LayoutError,
  Mutex,
  Semaphore,
  SEMAPHORE_BYTES,
  SharedMemory,
  uniqueName,
} from "../../mod.ts";
import { unless } from "../../src/sys/mod.ts";
import { lockMemory } from "../support/locks.ts";
import { memoryName } from "../support/names.ts";
import { badNames, refusal } from "../support/refusal.ts";
import { withSeed } from "../support/random.ts";
import { within } from "../support/until.ts";

const MAX_VALUE = 0x7fffffff;

/** A name for a semaphore; it is unlinked at the end of the scope, if there is one. */
function semaphoreName(): Disposable & { name: string } {
  const name = uniqueName("test");
  return { name, [Symbol.dispose]: () => unless("ENOENT", () => Semaphore.unlink(name)) };
}

/** How a semaphore is made, by where it is; it is gone at the end of the scope. */
const PLACES: Record<string, (value: number) => Disposable & { semaphore: Semaphore }> = {
  "in memory": (value) => {
    const { bytes, [Symbol.dispose]: close } = lockMemory();
    return {
      semaphore: Semaphore.format(bytes, { value, name: "test" }),
      [Symbol.dispose]: close,
    };
  },
  "with a name": (value) => {
    const { name, [Symbol.dispose]: unlink } = semaphoreName();
    const semaphore = Semaphore.create(name, { value });
    unlink();
    return { semaphore, [Symbol.dispose]: () => semaphore.close() };
  },
};

for (const [where, make] of Object.entries(PLACES)) {
  test(`a semaphore ${where} is acquired as often as its value says, and after each release`, () => {
    using place = make(2);
    const { semaphore } = place;
    assertEquals([semaphore.value, semaphore.tryAcquire(), semaphore.value], [2, true, 1]);
    assertEquals([semaphore.acquireSync(), semaphore.tryAcquire()], [true, false]);
    semaphore.release();
    semaphore.release(2);
    assertEquals(semaphore.value, 3);
  });

  test(`Semaphore.acquireSync() ${where} gives undefined at the deadline`, () => {
    using place = make(0);
    const started = performance.now();
    assertEquals(place.semaphore.acquireSync({ timeoutMs: 150 }), undefined);
    assertGreaterOrEqual(performance.now() - started, 150);
    assertEquals(place.semaphore.acquireSync({ timeoutMs: 0 }), undefined);
    assertEquals(place.semaphore.value, 0);
  });

  test(`Semaphore.acquire() ${where} waits for a release`, async () => {
    using place = make(0);
    const waiting = [place.semaphore.acquire(), place.semaphore.acquire()];
    place.semaphore.release(3);
    await within("both", Promise.all(waiting));
    assertEquals(place.semaphore.value, 1);
    await place.semaphore.acquire();
    assertEquals(place.semaphore.value, 0);
  });

  test(`Semaphore.acquire() ${where} rejects at its deadline or by its signal, and took nothing`, async () => {
    using place = make(0);
    const { semaphore } = place;
    const error = await assertRejects(() => semaphore.acquire({ timeoutMs: 10 }), DOMException);
    assertEquals([error.name, error.message.includes(semaphore.name)], ["TimeoutError", true]);
    const abort = new AbortController(), reason = { why: "changed my mind" };
    const waiting = semaphore.acquire({ signal: abort.signal });
    abort.abort(reason);
    semaphore.release();
    assertStrictEquals(await waiting.catch((error) => error), reason);
    assertEquals(semaphore.value, 1);
  });

  test(`Semaphore.release() ${where} is refused above ${MAX_VALUE}`, () => {
    using place = make(MAX_VALUE - 1);
    const error = refusal(() => place.semaphore.release(2));
    assertEquals(
      [error.code, error.syscall, error.target],
      ["EOVERFLOW", "sem_post", place.semaphore.name],
    );
    assertMatch(error.hint!, /counts to 2147483647/);
    assertEquals(place.semaphore.value, MAX_VALUE);
    for (const count of [0, -1, 1.5, 2 ** 31]) {
      assertThrows(() => place.semaphore.release(count), RangeError, "count");
    }
  });

  test(`Semaphore.close() ${where} rejects who awaits it`, async () => {
    using place = make(0);
    const { semaphore } = place;
    const waiting = semaphore.acquire();
    semaphore.close();
    semaphore.close();
    await assertRejects(() => waiting, ClosedError, semaphore.name);
    assertThrows(() => semaphore.tryAcquire(), ClosedError);
    assertThrows(() => semaphore.acquireSync(), ClosedError);
    assertThrows(() => semaphore.release(), ClosedError);
    assertThrows(() => semaphore.value, ClosedError);
    await assertRejects(() => semaphore.acquire(), ClosedError);
  });
}

// --- In memory -----------------------------------------------------------------------------------

test("Semaphore.attach() uses the same count", () => {
  using page = lockMemory();
  const semaphore = Semaphore.format(page.bytes);
  Semaphore.attach(page.bytes).release(5);
  assertEquals(semaphore.value, 5);
});

test("Semaphore.format() and attach() refuse memory that is none for it", () => {
  using page = lockMemory();
  assertThrows(() => Semaphore.attach(page.bytes), LayoutError, "the mark");
  Mutex.format(page.bytes);
  assertThrows(() => Semaphore.attach(page.bytes), LayoutError, "the mark");
  assertThrows(() => Semaphore.format(page.bytes), LayoutError, "zeros");
  const short = page.bytes.subarray(0, SEMAPHORE_BYTES - 1);
  assertThrows(() => Semaphore.format(short), RangeError);
});

test("a semaphore that somebody overwrote at random crashes nothing and hangs nobody", () => {
  for (const seed of [1, 2, 3]) {
    withSeed(seed, 300, (random) => {
      using page = lockMemory();
      const semaphore = Semaphore.format(page.bytes);
      page.bytes.set(random.bytes(32));
      assert(Number.isInteger(semaphore.value));
      semaphore.tryAcquire();
      semaphore.acquireSync({ timeoutMs: 0 });
    });
  }
});

// --- By name -------------------------------------------------------------------------------------

test("Semaphore.create() makes what none has, and open() opens what there is", () => {
  using object = semaphoreName();
  const { name } = object;
  const missing = refusal(() => Semaphore.open(name));
  assertEquals([missing.code, missing.syscall, missing.target], ["ENOENT", "sem_open", name]);
  using semaphore = Semaphore.create(name, { value: 3 });
  const twice = refusal(() => Semaphore.create(name));
  assertEquals([twice.code, twice.syscall, twice.target], ["EEXIST", "sem_open", name]);
  using same = Semaphore.open(name);
  assertEquals([same.value, same.name], [3, name]);
  same.tryAcquire();
  assertEquals(semaphore.value, 2);
  same.close();
  assertEquals(semaphore.value, 2); // each handle is closed for itself
});

test("Semaphore.openOrCreate() makes it once, and its value stands", () => {
  using object = semaphoreName();
  using first = Semaphore.openOrCreate(object.name, { value: 3 });
  using second = Semaphore.openOrCreate(object.name, { value: 9 });
  assertEquals([first.value, second.value], [3, 3]);
});

test("Semaphore.unlink() takes the name, and who has it open goes on", () => {
  using object = semaphoreName();
  using semaphore = Semaphore.create(object.name);
  Semaphore.unlink(object.name);
  semaphore.release();
  assertEquals(semaphore.value, 1);
  const error = refusal(() => Semaphore.unlink(object.name));
  assertEquals([error.code, error.syscall, error.target], ["ENOENT", "sem_unlink", object.name]);
});

test("Semaphore.open() refuses a file that is too short for one", () => {
  using object = memoryName();
  using _file = SharedMemory.create(`/sem.${object.name.slice(1)}`, { byteLength: 8 });
  try {
    const error = assertThrows(() => Semaphore.open(object.name), LayoutError);
    assertEquals([error.target, error.found], [object.name, "8 bytes"]);
  } finally {
    SharedMemory.unlink(`/sem.${object.name.slice(1)}`);
  }
});

for (const { name, shown } of badNames({ directory: "EINVAL", twoSlashes: "EINVAL" })) {
  test(`Semaphore.create() and open() refuse the name ${shown}`, () => {
    for (const call of [Semaphore.create, Semaphore.open, Semaphore.unlink]) {
      const error = refusal(() => call(name));
      assertMatch(error.syscall, /^sem_(open|unlink)$/);
      assert(["EINVAL", "ENAMETOOLONG", "ENOENT"].includes(error.code), error.code);
      assert(error.hint !== undefined);
    }
  });
}

test("the name of a semaphore has at most 251 bytes after its slash", () => {
  const longest = uniqueName("test").padEnd(252, "x");
  using _semaphore = Semaphore.create(longest);
  Semaphore.unlink(longest);
  for (const call of [Semaphore.create, Semaphore.open, Semaphore.unlink]) {
    const error = refusal(() => call(`${longest}x`));
    assertEquals([error.code, error.hint?.includes("251 bytes")], ["ENAMETOOLONG", true]);
  }
});

test("Semaphore refuses options that are none", async () => {
  using page = lockMemory();
  assertThrows(() => Semaphore.format(page.bytes, { value: -1 }), RangeError, "value");
  assertThrows(() => Semaphore.format(page.bytes, { value: 2 ** 31 }), RangeError, "value");
  assertThrows(() => Semaphore.format(page.bytes, { value: "1" as never }), TypeError, "value");
  assertThrows(() => Semaphore.create("/x", { mode: 600 }), RangeError, "mode");
  assertThrows(() => Semaphore.create("/x", 5 as never), TypeError, "expected an object");
  assertThrows(() => Semaphore.open("/x", { owner: "me" as never }), TypeError, "owner");
  assertThrows(() => Semaphore.create(5 as never), TypeError);
  const semaphore = Semaphore.format(page.bytes);
  await assertRejects(() => semaphore.acquire({ timeoutMs: -1 }), RangeError);
  assertThrows(() => semaphore.acquireSync({ timeoutMs: "1" as never }), TypeError);
});
