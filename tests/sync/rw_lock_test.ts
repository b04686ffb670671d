/**
 * RwLock in one thread: who goes first, what a cancelled writer gives back, what the dead leave.
 *
 * Other owners, and those that died, are written into the memory as the kernel would; real ones are
 * in tests/process/sync_rw_lock_test.ts. Several handles in one thread stand for several threads:
 * each has a slot of its own.
 */

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
  type MutexGuard,
  type ReadGuard,
  RW_LOCK_BYTES,
  RwLock,
} from "../../mod.ts";
import { mutexKind } from "../../src/sys/mod.ts";
import {
  ANNOUNCED,
  READER_SLOTS,
  SLOT_BYTES,
  SLOTS_OFFSET,
  TURNSTILE_OFFSET,
  WRITING,
} from "../../src/sync/rw_lock_layout.ts";
import { giveAway, isTaken, leaveDead, lockMemory } from "../support/locks.ts";
import { withSeed } from "../support/random.ts";
import { outcome, refusal } from "../support/refusal.ts";
import { until, within } from "../support/until.ts";

const SLOTS = Array.from({ length: READER_SLOTS }, (_, index) => SLOTS_OFFSET + index * SLOT_BYTES);

/** A lock of its own; closed at the end of the scope. */
function freshLock() {
  const place = lockMemory();
  const lock = RwLock.format(place.bytes, { name: "test" });
  const { words } = place;
  return {
    ...place,
    lock,
    attach: () => RwLock.attach(place.bytes, { name: "test" }),
    /** How many slots are taken. */
    taken: () => SLOTS.filter((at) => isTaken(words, at)).length,
    /** What a writer leaves that is killed while it writes. */
    killWriter() {
      for (const at of [TURNSTILE_OFFSET, ...SLOTS]) leaveDead(words, at);
      words[WRITING] = 1;
    },
    /** Whether nobody has anything. */
    isFree: () =>
      ![TURNSTILE_OFFSET, ...SLOTS].some((at) => isTaken(words, at)) && words[ANNOUNCED] === 0,
  };
}

/** Lets what is due in the event loop happen. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const READS: Record<string, (lock: RwLock) => Promise<ReadGuard | undefined>> = {
  "tryRead()": (lock) => Promise.resolve().then(() => lock.tryRead()),
  "readSync()": (lock) => Promise.resolve().then(() => lock.readSync({ timeoutMs: 1000 })),
  "read()": (lock) => lock.read({ timeoutMs: 1000 }),
};

const WRITES: Record<string, (lock: RwLock) => Promise<MutexGuard | undefined>> = {
  "tryWrite()": (lock) => Promise.resolve().then(() => lock.tryWrite()),
  "writeSync()": (lock) => Promise.resolve().then(() => lock.writeSync({ timeoutMs: 1000 })),
  "write()": (lock) => lock.write({ timeoutMs: 1000 }),
};

for (const [way, read] of Object.entries(READS)) {
  test(`RwLock.${way} shares the lock with other readers, and with no writer`, async () => {
    using page = freshLock();
    const other = page.attach();
    const guards = [await read(page.lock), await read(other), await read(page.lock)];
    assertEquals(guards.map((guard) => guard?.recovered), [false, false, false]);
    assertEquals(page.taken(), 2); // one for each handle, as for each thread
    for (const guard of guards) {
      assertEquals(page.lock.tryWrite(), undefined);
      guard!.unlock();
      guard!.unlock();
    }
    assert(page.isFree());
    page.lock.tryWrite()!.unlock();
  });

  test(`RwLock.${way} takes the slot of a dead reader as it is`, async () => {
    using page = freshLock();
    for (const at of SLOTS) leaveDead(page.words, at);
    const guard = (await read(page.lock))!;
    assertEquals(guard.recovered, false);
    guard.unlock();
  });

  test(`RwLock.${way} takes back what a dead writer announced`, async () => {
    for (const killed of [leaveDead, () => {}]) { // with the turnstile, or after it
      using page = freshLock();
      page.words[ANNOUNCED] = 1;
      killed(page.words, TURNSTILE_OFFSET);
      (await read(page.lock))!.unlock();
      assert(page.isFree());
    }
  });

  test(`RwLock.${way} tells that a writer died, until a writer has marked it`, async () => {
    using page = freshLock();
    page.killWriter();
    for (let times = 0; times < 2; times++) {
      const guard = (await read(page.lock))!;
      assertEquals(guard.recovered, true);
      guard.unlock();
    }
    const writer = page.lock.tryWrite()!;
    assertEquals(writer.recovered, true);
    writer.unlock(); // and has not marked it
    const reader = (await read(page.lock))!;
    assertEquals(reader.recovered, true);
    reader.unlock();
    const repairing = page.lock.tryWrite()!;
    repairing.markConsistent();
    repairing.markConsistent();
    repairing.unlock();
    const after = (await read(page.lock))!;
    assertEquals(after.recovered, false);
    after.unlock();
    assert(page.isFree());
  });

  test(`RwLock.${way} is refused after close(), or when the memory was closed`, async () => {
    using page = freshLock();
    const other = page.attach();
    page.lock.close();
    await assertRejects(() => read(page.lock), ClosedError);
    page.memory.close();
    await assertRejects(() => read(other), LayoutError);
  });
}

for (const [way, write] of Object.entries(WRITES)) {
  test(`RwLock.${way} keeps everybody else out`, async () => {
    using page = freshLock();
    const guard = (await write(page.lock))!;
    assertEquals([guard.recovered, page.words[WRITING], page.taken()], [false, 1, READER_SLOTS]);
    for (const lock of [page.lock, page.attach()]) {
      assertEquals([lock.tryRead(), lock.tryWrite()], [undefined, undefined]);
    }
    guard.unlock();
    guard.unlock();
    assert(page.isFree());
    assertEquals(page.words[WRITING], 0);
  });

  test(`RwLock.${way} takes what dead readers and writers left as it is`, async () => {
    using page = freshLock();
    for (const at of [TURNSTILE_OFFSET, ...SLOTS]) leaveDead(page.words, at);
    page.words[ANNOUNCED] = 1;
    const guard = (await write(page.lock))!;
    assertEquals(guard.recovered, false);
    guard.unlock();
    assertEquals(page.taken(), 0);
    page.lock.tryRead()!.unlock(); // takes back the dead one's announcement, if that is still there
    assert(page.isFree());
  });

  test(`RwLock.${way} tells that a writer died while it wrote, until one has marked it`, async () => {
    using page = freshLock();
    page.killWriter();
    for (const marks of [false, true]) {
      const guard = (await write(page.lock))!;
      assertEquals(guard.recovered, true);
      if (marks) guard.markConsistent();
      guard.unlock();
    }
    const guard = (await write(page.lock))!;
    assertEquals(guard.recovered, false);
    guard.unlock();
    assertEquals(page.words[WRITING], 0);
  });

  test(`RwLock.${way} is refused after close(), or when the memory was closed`, async () => {
    using page = freshLock();
    const other = page.attach();
    page.lock.close();
    await assertRejects(() => write(page.lock), ClosedError);
    page.memory.close();
    await assertRejects(() => write(other), LayoutError);
  });
}

// --- Who goes first ------------------------------------------------------------------------------

test("a writer that waits goes before readers that come later", async () => {
  using page = freshLock();
  const other = page.attach(), third = page.attach();
  const reading = page.lock.tryRead()!;
  const order: string[] = [];
  const writing = other.write().then((guard) => {
    order.push("write");
    return guard;
  });
  await until("it is announced", () => page.words[ANNOUNCED] === 1);
  assertEquals(third.tryRead(), undefined);
  const later = third.read().then((guard) => {
    order.push("read");
    return guard;
  });
  await turn();
  assertEquals(order, []);
  reading.unlock();
  (await within("the writer", writing)).unlock();
  (await within("the reader", later)).unlock();
  assertEquals(order, ["write", "read"]);
  assert(page.isFree());
});

test("a thread that reads already goes on reading without waiting, while a writer waits", async () => {
  using page = freshLock();
  const first = page.lock.tryRead()!;
  const writing = page.lock.write();
  await until("it is announced", () => page.words[ANNOUNCED] === 1);
  const second = page.lock.tryRead()!, third = page.lock.readSync()!;
  for (const guard of [first, second, third]) guard.unlock();
  (await within("the writer", writing)).unlock();
});

test("RwLock.read() holds off for a writer, also where its thread reads already", async () => {
  using page = freshLock();
  const first = page.lock.tryRead()!;
  const writing = page.lock.write();
  await until("it is announced", () => page.words[ANNOUNCED] === 1);
  let isReading = false;
  const second = page.lock.read().then((guard) => {
    isReading = true;
    return guard;
  });
  await turn();
  assertEquals(isReading, false);
  first.unlock();
  const writer = await within("the writer", writing);
  assertEquals(isReading, false);
  writer.unlock();
  (await within("the reader", second)).unlock();
});

test("tasks of one thread write one after the other, in their order", async () => {
  using page = freshLock();
  const order: number[] = [];
  const task = (number: number) =>
    page.lock.withWrite(async () => {
      order.push(number);
      await turn();
      assertEquals(order.at(-1), number);
    });
  await within("all tasks", Promise.all([0, 1, 2, 3].map(task)));
  assertEquals(order, [0, 1, 2, 3]);
});

test(`a thread waits that would be reader ${READER_SLOTS + 1}`, async () => {
  using page = freshLock();
  const guards = Array.from({ length: READER_SLOTS }, () => page.attach().tryRead()!);
  assertEquals(page.taken(), READER_SLOTS);
  assertEquals(page.lock.tryRead(), undefined);
  assertEquals(page.lock.readSync({ timeoutMs: 5 }), undefined);
  const waiting = page.lock.read();
  await turn();
  guards.pop()!.unlock();
  guards.push(await within("a slot", waiting));
  for (const guard of guards) guard.unlock();
  assert(page.isFree());
});

// --- Deadlocks, deadlines, signals ---------------------------------------------------------------

test("RwLock.readSync() and writeSync() throw EDEADLK where only this thread could end the wait", async () => {
  using page = freshLock();
  const check = (run: () => unknown) => {
    const error = refusal(run);
    assertEquals([error.code, error.target], ["EDEADLK", "test"]);
    assertMatch(error.hint!, /this thread/);
  };
  const reading = page.lock.tryRead()!;
  for (const lock of [page.lock, page.attach()]) check(() => lock.writeSync());
  assertEquals(page.taken(), 1); // what it had taken on the way is given back
  const writing = page.lock.write();
  await until("it is announced", () => page.words[ANNOUNCED] === 1);
  check(() => page.attach().readSync());
  reading.unlock();
  const writer = await within("the writer", writing);
  for (const lock of [page.lock, page.attach()]) {
    check(() => lock.readSync());
    check(() => lock.writeSync({ timeoutMs: 0 }));
  }
  writer.unlock();
  assert(page.isFree());
});

test("RwLock.writeSync() gives all back at the deadline", () => {
  using page = freshLock();
  giveAway(page.words, SLOTS[7]);
  const started = performance.now();
  assertEquals(page.lock.writeSync({ timeoutMs: 150 }), undefined);
  assertGreaterOrEqual(performance.now() - started, 150);
  assertEquals([page.taken(), page.words[ANNOUNCED], page.words[WRITING]], [1, 0, 0]);
  page.lock.tryRead()!.unlock();
});

test("RwLock.readSync() gives undefined at the deadline", () => {
  using page = freshLock();
  page.words[ANNOUNCED] = 1;
  giveAway(page.words, TURNSTILE_OFFSET);
  const started = performance.now();
  assertEquals(page.lock.readSync({ timeoutMs: 50 }), undefined);
  assertGreaterOrEqual(performance.now() - started, 50);
  assertEquals(page.taken(), 0);
});

test("RwLock.write() gives all back when it is cancelled or out of time", async () => {
  using page = freshLock();
  giveAway(page.words, SLOTS[7]);
  const error = await assertRejects(() => page.lock.write({ timeoutMs: 10 }), DOMException);
  assertEquals(error.name, "TimeoutError");
  assertEquals([page.taken(), page.words[ANNOUNCED]], [1, 0]);

  const abort = new AbortController(), reason = { why: "changed my mind" };
  const waiting = page.lock.write({ signal: abort.signal });
  await until("it is announced", () => page.words[ANNOUNCED] === 1);
  abort.abort(reason);
  assertStrictEquals(await waiting.catch((error) => error), reason);
  assertEquals([page.taken(), page.words[ANNOUNCED]], [1, 0]);
  page.lock.tryRead()!.unlock();
});

test("RwLock.read() rejects with a TimeoutError, or the signal's reason", async () => {
  using page = freshLock();
  const writer = page.lock.tryWrite()!;
  const error = await assertRejects(() => page.lock.read({ timeoutMs: 10 }), DOMException);
  assertEquals(error.name, "TimeoutError");
  const abort = new AbortController(), reason = { why: "changed my mind" };
  const waiting = page.lock.read({ signal: abort.signal });
  abort.abort(reason);
  assertStrictEquals(await waiting.catch((error) => error), reason);
  writer.unlock();
  assert(page.isFree());
});

test("RwLock.close() rejects who awaits it, and leaves what is held to its guard", async () => {
  using page = freshLock();
  const reading = page.lock.tryRead()!;
  const waiting = [page.lock.write(), page.lock.read()].map((promise) =>
    assertRejects(() => promise, ClosedError)
  );
  page.lock.close();
  page.lock.close();
  await Promise.all(waiting);
  assertEquals([page.taken(), page.words[ANNOUNCED]], [1, 0]);
  reading.unlock();
  assert(page.isFree());
});

// --- with… ---------------------------------------------------------------------------------------

test("RwLock.withRead() and withWrite() give what the work gives, and unlock, whatever it throws", async () => {
  using page = freshLock();
  const fail = () => {
    throw new RangeError("no");
  };
  const { lock } = page;
  assertEquals(await lock.withRead(() => page.taken()), 1);
  assertEquals(lock.withReadSync(() => page.taken()), 1);
  assertEquals(await lock.withWrite(() => page.taken()), READER_SLOTS);
  assertEquals(lock.withWriteSync(() => page.taken()), READER_SLOTS);
  await assertRejects(() => lock.withRead(fail), RangeError);
  await assertRejects(() => lock.withWrite(fail), RangeError);
  assertThrows(() => lock.withReadSync(fail), RangeError);
  assertThrows(() => lock.withWriteSync(fail), RangeError);
  assert(page.isFree());
  giveAway(page.words, TURNSTILE_OFFSET);
  assertEquals(lock.withWriteSync(fail, { timeoutMs: 0 }), undefined);
  page.words[ANNOUNCED] = 1;
  assertEquals(lock.withReadSync(fail, { timeoutMs: 0 }), undefined);
});

test("RwLock.withWrite() repairs before it works, once", async () => {
  using page = freshLock();
  page.killWriter();
  const done: string[] = [];
  const repair = (guard: MutexGuard) => void done.push(`repair ${guard.recovered}`);
  await page.lock.withWrite(() => done.push("work"), { repair });
  page.lock.withWriteSync(() => done.push("work"), { repair });
  page.lock.withReadSync(({ recovered }) => done.push(`read ${recovered}`));
  assertEquals(done, ["repair true", "work", "work", "read false"]);
});

test("RwLock.withWrite() leaves it recovered when the repair throws", async () => {
  using page = freshLock();
  page.killWriter();
  const repair = () => {
    throw new RangeError("beyond repair");
  };
  const work = () => assert(false, "must not work");
  await assertRejects(() => page.lock.withWrite(work, { repair }), RangeError, "beyond repair");
  assertEquals(page.lock.withReadSync(({ recovered }) => recovered), true);
});

// --- Memory --------------------------------------------------------------------------------------

test("RwLock.format() and attach() refuse memory that is none for it", () => {
  using page = lockMemory();
  assertThrows(() => RwLock.attach(page.bytes), LayoutError, "the mark");
  Mutex.format(page.bytes);
  assertThrows(() => RwLock.attach(page.bytes), LayoutError, "the mark");
  assertThrows(() => RwLock.format(page.bytes), LayoutError, "zeros");
  assertThrows(() => RwLock.format(page.bytes.subarray(0, RW_LOCK_BYTES - 1)), RangeError);
  const plain = new Uint8Array(new SharedArrayBuffer(RW_LOCK_BYTES));
  assertThrows(() => RwLock.format(plain), TypeError, "no process shares it");
  using other = freshLock();
  other.words[SLOTS[3]! / 4 + mutexKind().index]! ^= 1;
  assertThrows(() => other.attach(), LayoutError, "the kind");
});

test("RwLock lies across two pages, too", () => {
  using page = lockMemory(2 * 4096);
  const lock = RwLock.format(page.bytes.subarray(4096 - 256));
  lock.tryWrite()!.unlock();
  lock.tryRead()!.unlock();
});

test("a lock whose words somebody overwrote at random crashes nothing and hangs nobody", () => {
  for (const seed of [1, 2, 3]) {
    withSeed(seed, 200, (random) => {
      using page = freshLock();
      for (const at of [ANNOUNCED, WRITING]) page.words[at] = random.pick([0, 1, -1, 12345]);
      for (const at of [TURNSTILE_OFFSET, ...SLOTS]) {
        if (random.oneIn(6)) random.pick([leaveDead, giveAway])(page.words, at);
        if (random.oneIn(60)) page.bytes.set(random.bytes(48), at);
      }
      const { lock } = page;
      for (let steps = 0; steps < 4; steps++) {
        const guard = outcome(() => {
          try {
            return random.pick([
              () => lock.tryRead(),
              () => lock.tryWrite(),
              () => lock.readSync({ timeoutMs: 1 }),
              () => lock.writeSync({ timeoutMs: 1 }),
            ])();
          } catch (error) {
            if (error instanceof LayoutError) return undefined;
            throw error;
          }
        });
        if (typeof guard === "object") guard.unlock();
      }
    });
  }
});
