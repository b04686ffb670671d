/**
 * Mutex in one thread: its forms, its line of waiters, what a dead owner leaves, its memory.
 *
 * Another owner, and one that died, are written into the memory as the kernel would; real ones are
 * in tests/process/sync_mutex_test.ts.
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
  MUTEX_BYTES,
  MutexGuard,
  PosixError,
  Semaphore,
  SharedMemory,
} from "../../mod.ts";
import { mutexKind } from "../../src/sys/mod.ts";
import { giveAway, isTaken, leaveDead, lockMemory } from "../support/locks.ts";
import { memoryName } from "../support/names.ts";
import { withSeed } from "../support/random.ts";
import { refusal } from "../support/refusal.ts";
import { until, within } from "../support/until.ts";

/** A mutex of its own; closed at the end of the scope. */
function freshMutex() {
  const place = lockMemory();
  const mutex = Mutex.format(place.bytes, { name: "test" });
  return { ...place, mutex, attach: () => Mutex.attach(place.bytes, { name: "test" }) };
}

/** Which methods get the lock, by name; each gives the guard, or undefined. */
const WAYS: Record<string, (mutex: Mutex) => Promise<MutexGuard | undefined>> = {
  "tryLock()": (mutex) => Promise.resolve().then(() => mutex.tryLock()),
  "lockSync()": (mutex) => Promise.resolve().then(() => mutex.lockSync()),
  "lock()": (mutex) => mutex.lock(),
};

for (const [way, lock] of Object.entries(WAYS)) {
  test(`Mutex.${way} gets a free lock, which is then taken until it is unlocked`, async () => {
    using page = freshMutex();
    const guard = (await lock(page.mutex))!;
    assertEquals([guard.recovered, isTaken(page.words)], [false, true]);
    assertEquals(page.mutex.tryLock(), undefined);
    assertEquals(page.attach().tryLock(), undefined);
    guard.unlock();
    assertEquals(isTaken(page.words), false);
    page.attach().tryLock()!.unlock();
  });

  test(`Mutex.${way} tells that the owner died, until somebody has marked it`, async () => {
    using page = freshMutex();
    leaveDead(page.words);
    const guard = (await lock(page.mutex))!;
    assertEquals(guard.recovered, true);
    guard.markConsistent();
    guard.markConsistent();
    guard.unlock();
    const next = (await lock(page.mutex))!;
    assertEquals(next.recovered, false);
    next.markConsistent();
    next.unlock();
  });

  test(`Mutex.${way} is refused when a recovered lock was unlocked unrepaired`, async () => {
    using page = freshMutex();
    leaveDead(page.words);
    page.mutex.tryLock()!.unlock();
    const error = await assertRejects(() => lock(page.mutex), PosixError);
    assertEquals([error.code, error.target], ["ENOTRECOVERABLE", "test"]);
    assertMatch(error.syscall, /^pthread_mutex_(try|timed|clock)lock$/);
    assertMatch(error.hint!, /markConsistent\(\).*zeroed memory/);
  });

  test(`Mutex.${way} is refused after close()`, async () => {
    using page = freshMutex();
    page.mutex.close();
    await assertRejects(() => lock(page.mutex), ClosedError);
  });

  test(`Mutex.${way} finds out that the memory was closed`, async () => {
    using page = freshMutex();
    page.memory.close();
    await assertRejects(() => lock(page.mutex), LayoutError, "the kind 0x00000000");
  });

  test(`Mutex.${way} refuses a mutex of another kind`, async () => {
    using page = freshMutex();
    page.words[mutexKind().index] = 32; // PTHREAD_PRIO_INHERIT in glibc
    await assertRejects(() => lock(page.mutex), LayoutError, "the kind 0x00000020");
  });
}

// --- Who has it already --------------------------------------------------------------------------

for (
  const [what, options] of [["", {}], [" with a deadline that has passed", {
    timeoutMs: 0,
  }]] as const
) {
  test(`Mutex.lockSync() throws EDEADLK on the thread that holds it${what}`, () => {
    using page = freshMutex();
    using _guard = page.mutex.tryLock()!;
    for (const mutex of [page.mutex, page.attach()]) {
      const error = refusal(() => mutex.lockSync(options));
      assertEquals([error.code, error.target], ["EDEADLK", "test"]);
      assertMatch(error.syscall, /^pthread_mutex_(timed|clock)lock$/);
      assertMatch(error.hint!, /unlock the guard/);
    }
  });
}

test("Mutex.lock() waits in line behind the tasks of its thread", async () => {
  using page = freshMutex();
  const order: number[] = [];
  const task = async (number: number) => {
    using _guard = await page.mutex.lock();
    order.push(number);
    await new Promise((resolve) => setImmediate(resolve));
  };
  await within("all tasks", Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(task)));
  assertEquals(order, [0, 1, 2, 3, 4, 5, 6, 7]);
});

test("Mutex.lockSync() waits for another thread, and gives undefined at the deadline", () => {
  using page = freshMutex();
  giveAway(page.words);
  const started = performance.now();
  assertEquals(page.mutex.lockSync({ timeoutMs: 250 }), undefined);
  assertGreaterOrEqual(performance.now() - started, 250);
  assertEquals(page.mutex.lockSync({ timeoutMs: 0 }), undefined);
});

test("Mutex.lock() rejects with a TimeoutError at the deadline", async () => {
  using page = freshMutex();
  giveAway(page.words);
  const started = performance.now();
  const error = await assertRejects(() => page.mutex.lock({ timeoutMs: 30 }), DOMException);
  assertGreaterOrEqual(performance.now() - started, 30);
  assertEquals([error.name, error.message.includes(`"test"`)], ["TimeoutError", true]);
});

test("Mutex.lock() rejects with the signal's reason, and then holds nothing", async () => {
  using page = freshMutex();
  const guard = page.mutex.tryLock()!;
  const abort = new AbortController(), reason = { why: "changed my mind" };
  const waiting = page.mutex.lock({ signal: abort.signal });
  abort.abort(reason);
  guard.unlock();
  assertStrictEquals(await waiting.catch((error) => error), reason);
  assertStrictEquals(
    await page.mutex.lock({ signal: abort.signal }).catch((error) => error),
    reason,
  );
  assertEquals(isTaken(page.words), false);
});

test("Mutex.lock() finds an owner's death that nobody tells of", async () => {
  using page = freshMutex();
  giveAway(page.words);
  const waiting = page.mutex.lock();
  await new Promise((resolve) => setImmediate(resolve));
  leaveDead(page.words);
  const guard = await within("the lock", waiting);
  assertEquals(guard.recovered, true);
  guard.markConsistent();
  guard.unlock();
});

// --- Guards --------------------------------------------------------------------------------------

test("MutexGuard.unlock() unlocks once", () => {
  using page = freshMutex();
  const first = page.mutex.tryLock()!;
  first.unlock();
  using _second = page.mutex.tryLock()!;
  first.unlock();
  first[Symbol.dispose]();
  assertEquals(isTaken(page.words), true);
});

test("MutexGuard.unlock() is refused when the memory says that another has it", () => {
  using page = freshMutex();
  const guard = page.mutex.tryLock()!;
  const word = page.words.slice(0, 2);
  giveAway(page.words);
  const error = refusal(() => guard.unlock());
  assertEquals([error.code, error.syscall, error.target], [
    "EPERM",
    "pthread_mutex_unlock",
    "test",
  ]);
  page.words.set(word); // so that the thread's list of what it holds is whole
});

test("MutexGuard.markConsistent() is too late after unlock()", () => {
  using page = freshMutex();
  leaveDead(page.words);
  const guard = page.mutex.tryLock()!;
  guard.unlock();
  assertThrows(() => guard.markConsistent(), ClosedError, `"test"`);
});

test("MutexGuard and Mutex cannot be made by new", () => {
  for (const made of [MutexGuard, Mutex] as unknown as (new (making: unknown) => unknown)[]) {
    assertThrows(() => new made(Symbol("making")), TypeError, "by new");
  }
});

// --- withLock ------------------------------------------------------------------------------------

/** The two forms of working under the lock. */
const WITH = {
  "withLock()": (mutex: Mutex, ...args: Parameters<Mutex["withLock"]>) => mutex.withLock(...args),
  "withLockSync()": (mutex: Mutex, ...[work, options]: Parameters<Mutex["withLock"]>) =>
    Promise.resolve().then(() => mutex.withLockSync(work, options as { repair?: () => void })),
};

for (const [form, withLock] of Object.entries(WITH)) {
  test(`Mutex.${form} gives what the work gives, and unlocks`, async () => {
    using page = freshMutex();
    const repair = () => assert(false, "nothing to repair");
    assertEquals(await withLock(page.mutex, () => isTaken(page.words), { repair }), true);
    assertEquals(isTaken(page.words), false);
  });

  test(`Mutex.${form} unlocks when the work throws`, async () => {
    using page = freshMutex();
    const work = () => {
      throw new RangeError("no");
    };
    await assertRejects(() => withLock(page.mutex, work), RangeError, "no");
    assertEquals(isTaken(page.words), false);
  });

  test(`Mutex.${form} repairs before it works, once`, async () => {
    using page = freshMutex();
    leaveDead(page.words);
    const done: string[] = [];
    const repair = (guard: MutexGuard) => void done.push(`repair ${guard.recovered}`);
    await withLock(page.mutex, () => done.push("work"), { repair });
    await withLock(page.mutex, () => done.push("work"), { repair });
    assertEquals(done, ["repair true", "work", "work"]);
  });

  test(`Mutex.${form} does not work when the repair throws, and gives the lock up`, async () => {
    using page = freshMutex();
    leaveDead(page.words);
    const repair = () => {
      throw new RangeError("beyond repair");
    };
    const work = () => assert(false, "must not work");
    await assertRejects(() => withLock(page.mutex, work, { repair }), RangeError, "beyond repair");
    assertEquals(refusal(() => page.mutex.tryLock()).code, "ENOTRECOVERABLE");
  });

  test(`Mutex.${form} without repair lets the work mark it`, async () => {
    using page = freshMutex();
    leaveDead(page.words);
    const work = (guard: MutexGuard) => {
      guard.markConsistent();
      return guard.recovered;
    };
    assertEquals(await withLock(page.mutex, work), true);
    page.mutex.tryLock()!.unlock();
  });
}

test("Mutex.withLock() holds the lock until the work is fulfilled", async () => {
  using page = freshMutex();
  let finish = () => {};
  const done = page.mutex.withLock(() => new Promise<void>((resolve) => finish = resolve));
  await until("it works", () => isTaken(page.words));
  await new Promise((resolve) => setImmediate(resolve));
  assertEquals(page.mutex.tryLock(), undefined);
  finish();
  await done;
  assertEquals(isTaken(page.words), false);
});

test("Mutex.withLockSync() gives undefined at the deadline, without the work", () => {
  using page = freshMutex();
  giveAway(page.words);
  const work = () => assert(false, "must not work");
  assertEquals(page.mutex.withLockSync(work, { timeoutMs: 1 }), undefined);
});

// --- The end of a handle, of the memory ----------------------------------------------------------

test("Mutex.close() rejects who awaits it, and leaves what is held to its guard", async () => {
  using page = freshMutex();
  const guard = page.mutex.tryLock()!;
  const waiting = page.mutex.lock();
  page.mutex.close();
  page.mutex.close();
  await assertRejects(() => waiting, ClosedError, `"test"`);
  assertEquals(isTaken(page.words), true);
  guard.unlock();
  assertEquals(isTaken(page.words), false);
});

test("a guard unlocks after its memory was closed", () => {
  using object = memoryName();
  const memory = SharedMemory.create(object.name, { byteLength: MUTEX_BYTES });
  using same = SharedMemory.open(object.name);
  const guard = Mutex.format(memory.bytes).tryLock()!;
  const other = Mutex.attach(same.bytes);
  memory.close();
  assertEquals(other.tryLock(), undefined);
  guard.unlock();
  other.tryLock()!.unlock();
});

// --- Memory --------------------------------------------------------------------------------------

test("Mutex.format() refuses what is not zeroed, wherever that is", () => {
  for (const at of [0, 39, 60, 64, MUTEX_BYTES - 1]) {
    using page = lockMemory();
    page.bytes[at] = 1;
    const error = assertThrows(() => Mutex.format(page.bytes, { name: "test" }), LayoutError);
    assertEquals([error.target, error.expected], ["test", "zeros"]);
    assertMatch(error.found, new RegExp(` at byte ${at - at % 4}$`));
  }
  using page = lockMemory();
  page.bytes[MUTEX_BYTES] = 1; // not the mutex's
  Mutex.format(page.bytes);
});

test("Mutex.attach() refuses what is no mutex, or a half made one", () => {
  using page = lockMemory();
  assertThrows(() => Mutex.attach(page.bytes), LayoutError, "the mark 0x00000000");
  Semaphore.format(page.bytes);
  assertThrows(() => Mutex.attach(page.bytes), LayoutError, "the mark 0x31455350");

  using half = freshMutex();
  half.words.fill(0, 16); // the event count is made last
  assertThrows(() => half.attach(), LayoutError, "event count");
  using other = freshMutex();
  other.words[mutexKind().index]! ^= 1;
  assertThrows(() => other.attach(), LayoutError, "the kind");
});

test("Mutex.format() and attach() refuse memory that is not shared between processes", () => {
  const cannot = "no process shares it";
  assertThrows(() => Mutex.format(new Uint8Array(new SharedArrayBuffer(128))), TypeError, cannot);
  const growable = new SharedArrayBuffer(128, { maxByteLength: 4096 });
  assertThrows(() => Mutex.format(new Uint8Array(growable, 0, 128)), TypeError, cannot);
  assert(new Uint8Array(growable).every((byte) => byte === 0)); // nothing was written

  using object = memoryName();
  using memory = SharedMemory.create(object.name, { byteLength: 128 });
  Mutex.format(memory.bytes);
  using reader = SharedMemory.open(object.name, { access: "r" });
  assertThrows(() => Mutex.attach(reader.bytes), TypeError, "read-only");
  const { bytes } = memory;
  memory.close();
  assertThrows(() => Mutex.attach(bytes), LayoutError);
  assertThrows(() => Mutex.format(bytes), TypeError, cannot);
});

test("Mutex.format() refuses memory that is too short, or begins at the wrong place", () => {
  using page = lockMemory();
  assertThrows(() => Mutex.format(page.bytes.subarray(0, 127)), RangeError, "from 128");
  assertThrows(() => Mutex.format(page.bytes.subarray(32)), RangeError, "a multiple of 64");
  assertThrows(() => Mutex.format(new Uint8Array(128) as never), TypeError, "not shared");
  assertThrows(() => Mutex.format(null as never), TypeError, "null");
});

test("Mutex lies at any multiple of 64, also across two pages and at the end of the memory", () => {
  using page = lockMemory(3 * 4096);
  const places = [64, 4096 - 64, 2 * 4096, 3 * 4096 - MUTEX_BYTES];
  const mutexes = places.map((at) => Mutex.format(page.bytes.subarray(at, at + MUTEX_BYTES)));
  const guards = mutexes.map((mutex) => mutex.tryLock()!);
  for (const at of places) assert(isTaken(page.words, at));
  for (const guard of guards.reverse()) guard.unlock();
  for (const at of places) assertEquals(isTaken(page.words, at), false);
});

test("Mutex refuses options that are none", async () => {
  using page = freshMutex();
  assertThrows(() => page.mutex.lockSync({ timeoutMs: -1 }), RangeError);
  assertThrows(() => page.mutex.lockSync({ timeoutMs: "1" as never }), TypeError);
  assertThrows(() => page.mutex.lockSync(5 as never), TypeError, "expected an object");
  await assertRejects(() => page.mutex.lock({ timeoutMs: NaN }), RangeError);
  await assertRejects(() => page.mutex.lock(null as never), TypeError, "expected an object");
  assertThrows(
    () => Mutex.attach(page.bytes, { name: 5 as never }),
    TypeError,
    "expected a string",
  );
  assertEquals(isTaken(page.words), false);
});

test("a mutex that somebody overwrote at random crashes nothing and hangs nobody", () => {
  for (const seed of [1, 2, 3, 4]) {
    withSeed(seed, 500, (random) => {
      using page = freshMutex();
      const { index, value } = mutexKind();
      page.bytes.set(random.bytes(48));
      if (random.oneIn(4)) page.words[random.below(12)] = random.pick([0, -1, 0x40000000, 1]);
      if (!random.oneIn(8)) page.words[index] = value;
      try {
        const guard = random.oneIn(2)
          ? page.mutex.tryLock()
          : page.mutex.lockSync({ timeoutMs: 1 });
        if (guard?.recovered) guard.markConsistent();
        guard?.unlock();
      } catch (error) {
        if (!(error instanceof LayoutError) && !(error instanceof PosixError)) throw error;
      }
    });
  }
});
