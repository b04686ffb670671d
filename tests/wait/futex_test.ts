/** EventCount in one thread: its waits, its bell, its table, memory that somebody else wrote. */

import "../support/loaded.ts";
import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertLess,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "../assert.ts";
import { test } from "../harness.ts";
import { LayoutError, type PosixError, SharedMemory } from "../../mod.ts";
import { C, mqClose, mqOpen, mqUnlink, readDirectory, tryLock } from "../../src/sys/mod.ts";
import {
  bellBehind,
  bellName,
  bellOfThisThread,
  closeBellOfThisThread,
} from "../../src/wait/doorbell.ts";
import {
  ARMED,
  BELL_SLOTS,
  BELLS_OFFSET,
  FIRST_BELL_BIT,
  FORMAT,
  FORMAT_MARK,
  WAITING_MASK,
} from "../../src/wait/event_layout.ts";
import { EVENT_COUNT_BYTES, EventCount, type EventCountOptions } from "../../src/wait/mod.ts";
import { Random, withSeed } from "../support/random.ts";
import { refusal } from "../support/refusal.ts";
import { within } from "../support/until.ts";

/** A page with two event counts and words to publish. */
class Page implements Disposable {
  readonly memory: SharedMemory = SharedMemory.anonymous({ byteLength: 4096 });
  readonly buffer: SharedArrayBuffer = this.memory.buffer;
  /** What is published. */
  readonly values: Int32Array = new Int32Array(this.buffer, 0, 16);
  /** The first event count's own words. */
  readonly words: Int32Array = new Int32Array(this.buffer, AT, 16);
  readonly bells: BigUint64Array = new BigUint64Array(this.buffer, AT + BELLS_OFFSET, BELL_SLOTS);
  readonly events: EventCount;

  constructor(options: EventCountOptions = {}) {
    this.events = EventCount.format(this.buffer, AT, { target: "page", ...options });
  }

  /** The value at an index if it is at least so much. */
  atLeast(least: number, index = 0): () => number | undefined {
    return () => {
      const value = Atomics.load(this.values, index);
      return value >= least ? value : undefined;
    };
  }

  /** Publishes and notifies. */
  publish(value: number, index = 0, events = this.events): void {
    Atomics.store(this.values, index, value);
    events.notify();
  }

  /** Whether nobody is armed and the table is empty. */
  get isQuiet(): boolean {
    return (this.words[ARMED]! & WAITING_MASK) === 0 && this.bells.every((bell) => bell === 0n);
  }

  [Symbol.dispose](): void {
    this.memory.close();
  }
}

/** Where the first event count is; the second follows. */
const AT = EVENT_COUNT_BYTES;

/** No wait looks by itself within a test. */
const NEVER = 3_600_000;

const none = () => undefined;

/** Somebody's bell: alive as long as it is open. */
class Bell implements Disposable {
  static #last = 0n;
  readonly id: bigint = ++Bell.#last << 32n | BigInt(Math.floor(Math.random() * 2 ** 32));
  readonly name: string = bellName(this.id);
  #mqd: number | undefined;

  constructor() {
    const flags = C.O_CREAT | C.O_EXCL | C.O_RDWR | C.O_NONBLOCK | C.O_CLOEXEC;
    const size = { maxMessages: 1, maxMessageBytes: 1 };
    this.#mqd = mqOpen(this.name, flags, 0o600, size, none);
    assert(tryLock(this.#mqd, this.name));
  }

  /** What the end of its process does. */
  die(): void {
    mqClose(this.#mqd!, this.name);
    this.#mqd = undefined;
  }

  get hasName(): boolean {
    try {
      mqClose(mqOpen(this.name, C.O_RDONLY, 0, undefined, none), this.name);
      return true;
    } catch {
      return false;
    }
  }

  [Symbol.dispose](): void {
    if (this.hasName) mqUnlink(this.name, none);
    if (this.#mqd !== undefined) this.die();
  }
}

/** Bells of so many owners; they are gone at the end of the scope. */
class Bells implements Disposable {
  readonly all: Bell[];

  constructor(count: number) {
    this.all = Array.from({ length: count }, () => new Bell());
  }

  [Symbol.dispose](): void {
    for (const bell of this.all) bell[Symbol.dispose]();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

// --- Its memory ----------------------------------------------------------------------------------

test("EventCount.format() makes one of zeros, and attach() uses it", () => {
  using page = new Page();
  EventCount.attach(page.buffer, AT);
  assertEquals(page.words[FORMAT], FORMAT_MARK);
  assertEquals(page.words.filter((word) => word !== 0).length, 1);
});

test("EventCount.format() refuses what is not zero", () => {
  using page = new Page();
  const error = assertThrows(() => EventCount.format(page.buffer, AT), LayoutError);
  assertMatch(error.found, /0x31434550 in word 2/);
  page.words.fill(0);
  page.words[15] = -1;
  assertThrows(() => EventCount.format(page.buffer, AT), LayoutError, "0xffffffff in word 15");
});

test("EventCount.attach() refuses what is no event count", () => {
  using page = new Page();
  const error = assertThrows(
    () => EventCount.attach(page.buffer, 128, { target: "/it" }),
    LayoutError,
  );
  assertEquals([error.target, error.expected], ["/it", "0x31434550"]);
});

test("EventCount.format() refuses a place where there is no room for it", () => {
  using page = new Page();
  for (const byteOffset of [-64, 1, 8, 63, 4096, 4096 + 64, 0.5, NaN, Infinity]) {
    assertThrows(() => EventCount.format(page.buffer, byteOffset), RangeError);
  }
  assertThrows(() => EventCount.format(page.buffer, "64" as unknown as number), TypeError);
  assertThrows(
    () => EventCount.format(new ArrayBuffer(64) as unknown as SharedArrayBuffer, 0),
    TypeError,
    "SharedArrayBuffer",
  );
  EventCount.format(page.buffer, 4096 - 64);
});

test("EventCount refuses a lookEveryMs that no timer takes", () => {
  using page = new Page();
  for (const lookEveryMs of [0, -1, 0.5, 2 ** 31, NaN]) {
    assertThrows(() => EventCount.attach(page.buffer, AT, { lookEveryMs }), RangeError);
  }
});

// --- Blocking ------------------------------------------------------------------------------------

test("EventCount.waitSync() gives what the first try gives", () => {
  using page = new Page();
  let tries = 0;
  assertEquals(page.events.waitSync(() => ++tries), 1);
  assertEquals([tries, page.isQuiet], [1, true]);
});

test("EventCount.waitSync() tries once when the time is 0", () => {
  using page = new Page();
  let tries = 0;
  assertEquals(page.events.waitSync(() => (tries++, undefined), 0), undefined);
  assertEquals(tries, 1);
});

test("EventCount.waitSync() gives undefined at the deadline, not before", () => {
  using page = new Page();
  for (const timeoutMs of [0.5, 20, 230]) {
    const start = performance.now();
    assertEquals(page.events.waitSync(none, timeoutMs), undefined);
    assertGreaterOrEqual(performance.now() - start, timeoutMs);
  }
});

test("EventCount.waitSync() looks a last time at the deadline", () => {
  using page = new Page({ spin: false });
  const start = performance.now();
  const look = () => performance.now() - start >= 30 ? "late" : undefined;
  assertEquals(page.events.waitSync(look, 30), "late");
});

test("EventCount.waitSync() looks again by itself, every 100 ms or as it is told", () => {
  for (const [options, everyMs] of [[{}, 100], [{ lookEveryMs: 7 }, 7]] as const) {
    using page = new Page({ spin: false, ...options });
    const start = performance.now();
    let looks = 0;
    // The first is before arming, the second after it.
    assertEquals(page.events.waitSync(() => ++looks === 3 ? "found" : undefined), "found");
    assertGreaterOrEqual(performance.now() - start, everyMs);
    assertEquals(page.events.unannounced, 1);
  }
});

test("EventCount.waitSync() sees what is published between its looks", () => {
  using page = new Page({ spin: false, lookEveryMs: NEVER });
  let looks = 0;
  const look = () => {
    // After the second look, the one after arming: the change comes before the sleep.
    const seen = page.atLeast(1)();
    if (++looks === 2) page.publish(1);
    return seen;
  };
  assertEquals(page.events.waitSync(look), 1);
  assertEquals([looks, page.isQuiet, page.events.unannounced], [3, true, 0]);
});

test("EventCount.waitSync() throws what the try throws", () => {
  using page = new Page({ spin: false });
  let looks = 0;
  const look = () => {
    if (++looks === 2) throw new SyntaxError("mine");
    return undefined;
  };
  assertThrows(() => page.events.waitSync(look), SyntaxError, "mine");
  page.events.notify();
  assert(page.isQuiet, "and leaves a bit that the next notifier takes away");
});

test("EventCount.waitSync() refuses a deadline that is none", () => {
  using page = new Page();
  assertThrows(() => page.events.waitSync(none, -1), RangeError);
  assertThrows(() => page.events.waitSync(none, NaN), RangeError);
  assertThrows(() => page.events.waitSync(none, "1" as unknown as number), TypeError);
});

// --- In the event loop ---------------------------------------------------------------------------

test("EventCount.wait() gives what the first try gives, and arms nothing", async () => {
  using page = new Page();
  page.values[0] = 5;
  assertEquals(await page.events.wait(page.atLeast(1)), 5);
  assert(page.isQuiet);
});

test("EventCount.wait() is woken by its bell", async () => {
  using page = new Page({ lookEveryMs: NEVER });
  const waited = page.events.wait(page.atLeast(1));
  assertEquals(page.words[ARMED]! & WAITING_MASK, FIRST_BELL_BIT);
  assert(page.bells[0] !== 0n);
  await turn();
  page.publish(1);
  assertEquals(await within("the ring", waited), 1);
  assertEquals([page.isQuiet, page.events.unannounced], [true, 0]);
});

test("EventCount.notify() rings a bell once until its owner has answered", async () => {
  using page = new Page({ lookEveryMs: NEVER });
  const waited = page.events.wait(page.atLeast(3));
  page.publish(1);
  assertEquals(page.words[ARMED]! & WAITING_MASK, 0, "it is rung, and so no longer armed");
  page.publish(2);
  while ((page.words[ARMED]! & WAITING_MASK) === 0) await turn(); // it answers and waits on
  page.publish(3);
  assertEquals(await within("the ring", waited), 3);
});

test("EventCount.wait() looks once for each ring", async () => {
  using page = new Page({ lookEveryMs: NEVER, spin: false });
  let looks = 0;
  const waited = page.events.wait(() => {
    looks++;
    return page.atLeast(2)();
  });
  page.publish(1);
  while ((page.words[ARMED]! & WAITING_MASK) === 0) await turn();
  const before = looks;
  // Long enough for a bell that still rings to be heard.
  for (let count = 0; count < 10; count++) await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals(looks, before, "the bell is drained");
  page.publish(2);
  await within("the ring", waited);
  assertEquals(looks, before + 1);
});

test("EventCount.wait() is woken a thousand times in a row", async () => {
  using page = new Page({ lookEveryMs: NEVER });
  for (let value = 1; value <= 1000; value++) {
    const waited = page.events.wait(page.atLeast(value));
    if (value % 2 === 0) await turn();
    page.publish(value);
    assertEquals(await within(`ring ${value}`, waited), value);
  }
  assert(page.isQuiet);
});

test("EventCount.wait() wakes all who wait for it", async () => {
  using page = new Page({ lookEveryMs: NEVER });
  const waits = Array.from(
    { length: 100 },
    (_, index) => page.events.wait(page.atLeast(index % 2)),
  );
  page.publish(7);
  const values = await within("all", Promise.all(waits));
  assertEquals([...new Set(values)].sort(), [0, 7]);
});

test("EventCount.wait() serves those who take something in their order", async () => {
  using page = new Page({ lookEveryMs: NEVER });
  const taken: number[] = [];
  const take = (self: number) => () => {
    if (Atomics.load(page.values, 0) === 0) return undefined;
    Atomics.sub(page.values, 0, 1);
    taken.push(self);
    return self;
  };
  const waits = Array.from({ length: 20 }, (_, self) => page.events.wait(take(self)));
  page.publish(15);
  waits.push(page.events.wait(take(20)), page.events.wait(take(21)));
  await within("those before", Promise.all(waits.slice(0, 15)));
  page.publish(7);
  await within("all", Promise.all(waits));
  assertEquals(taken, Array.from({ length: 22 }, (_, self) => self));
});

test("EventCount.wait() finds what is there already while others wait", async () => {
  using page = new Page({ lookEveryMs: NEVER });
  const first = page.events.wait(page.atLeast(2));
  page.publish(1);
  while ((page.words[ARMED]! & WAITING_MASK) === 0) await turn(); // it has looked at that
  assertEquals(await within("the second", page.events.wait(page.atLeast(1))), 1);
  page.publish(2);
  assertEquals(await within("the first", first), 2);
});

test("EventCount.wait() sees what is published between its looks", async () => {
  using page = new Page({ lookEveryMs: NEVER, spin: false });
  const other = EventCount.format(page.buffer, 2 * AT, { lookEveryMs: NEVER });
  const waiting = other.wait(page.atLeast(1, 1)); // so that the bell is listened for already
  let looks = 0;
  const look = () => {
    const seen = page.atLeast(1)();
    if (++looks === 1) page.publish(1); // before it is armed: nobody is told
    return seen;
  };
  assertEquals(await within("the second look", page.events.wait(look)), 1);
  assertEquals(looks, 2);
  page.publish(1, 1, other);
  assertEquals(await within("the other", waiting), 1);
});

test("EventCount.wait() lets a later waiter pass one who waits for something else", async () => {
  using page = new Page({ lookEveryMs: NEVER });
  const first = page.events.wait(page.atLeast(1, 0));
  const second = page.events.wait(page.atLeast(1, 1));
  page.publish(1, 1);
  assertEquals(await within("the second", second), 1);
  page.publish(1, 0);
  assertEquals(await within("the first", first), 1);
});

test("many event counts share the one bell of the thread", async () => {
  using page = new Page({ lookEveryMs: NEVER });
  const others = Array.from(
    { length: 50 },
    (_, index) => EventCount.format(page.buffer, AT * (2 + index), { lookEveryMs: NEVER }),
  );
  const waits = others.map((events, index) => events.wait(page.atLeast(index + 1)));
  const bells = others.map((_, index) =>
    new BigUint64Array(page.buffer, AT * (2 + index) + BELLS_OFFSET, 1)[0]
  );
  assertEquals(new Set(bells).size, 1);
  // One ring for two publications, then each event count by itself.
  page.publish(2, 0, others[0]);
  others[1]!.notify();
  assertEquals(await within("both", Promise.all(waits.slice(0, 2))), [2, 2]);
  for (const [index, events] of others.entries()) page.publish(index + 1, 0, events);
  await within("all", Promise.all(waits));
});

test("two objects on one event count wait independently", async () => {
  using page = new Page({ lookEveryMs: NEVER });
  const other = EventCount.attach(page.buffer, AT, { lookEveryMs: NEVER });
  const first = page.events.wait(page.atLeast(1)), second = other.wait(page.atLeast(2));
  page.publish(1);
  assertEquals(await within("the first", first), 1);
  page.publish(2);
  assertEquals(await within("the second", second), 2);
  assert(page.isQuiet);
});

test("EventCount.wait() rejects with a TimeoutError at the deadline, not before", async () => {
  using page = new Page();
  for (const timeoutMs of [0, 0.5, 20]) {
    const start = performance.now();
    const error = await assertRejects(
      () => page.events.wait(page.atLeast(1), { timeoutMs }),
      DOMException,
      '"page"',
    );
    assertGreaterOrEqual(performance.now() - start, timeoutMs);
    assertEquals([error.name, page.isQuiet], ["TimeoutError", true]);
  }
  await assertRejects(() => page.events.wait(none, { timeoutMs: -1 }), RangeError);
});

test("EventCount.wait() rejects with the signal's reason", async () => {
  using page = new Page();
  const controller = new AbortController(), { signal } = controller;
  const reason = { mine: true };
  const waits = Array.from({ length: 3 }, () => page.events.wait(page.atLeast(1), { signal }));
  const other = page.events.wait(page.atLeast(1));
  controller.abort(reason);
  for (const { status, ...rest } of await Promise.allSettled(waits)) {
    assertEquals(status, "rejected");
    assertStrictEquals((rest as PromiseRejectedResult).reason, reason);
  }
  const late = await Promise.allSettled([page.events.wait(page.atLeast(0), { signal })]);
  assertStrictEquals((late[0] as PromiseRejectedResult).reason, reason);
  assert(!page.isQuiet);
  page.publish(1);
  await within("the other", other);
  assert(page.isQuiet);
});

test("EventCount.wait() rejects with what a try throws, and nobody else", async () => {
  using page = new Page({ lookEveryMs: NEVER });
  let looks = 0;
  const failing = page.events.wait(() => {
    if (++looks > 3) throw new SyntaxError("mine");
    return undefined;
  });
  const other = page.events.wait(page.atLeast(1));
  page.publish(1);
  await within("its error", assertRejects(() => failing, SyntaxError, "mine"));
  assertEquals(await within("the other", other), 1);
  await assertRejects(
    () =>
      page.events.wait(() => {
        throw new SyntaxError("at once");
      }),
    SyntaxError,
    "at once",
  );
  assert(page.isQuiet);
});

test("EventCount.end() rejects all who wait", async () => {
  using page = new Page();
  const waits = [page.events.wait(page.atLeast(1)), page.events.wait(page.atLeast(2))];
  const error = new Error("closed");
  page.events.end(error);
  for (const wait of waits) assertStrictEquals(await assertRejects(() => wait, Error), error);
  assert(page.isQuiet);
  page.events.end(error);
});

test("EventCount.wait() lets timers run in a loop that never has to wait", async () => {
  using page = new Page();
  let isOver = false;
  setTimeout(() => isOver = true, 1);
  for (let waits = 0; !isOver; waits++) {
    assertLess(waits, 10_000_000, "the timer did not run");
    await page.events.wait(page.atLeast(0));
  }
  assert(page.isQuiet);
});

test("EventCount is of no use and no harm after its memory was closed", async () => {
  const page = new Page({ lookEveryMs: 5 });
  const waited = page.events.wait(page.atLeast(1));
  page.memory.close();
  page.events.notify();
  assertEquals(page.events.waitSync(page.atLeast(1), 20), undefined);
  await turn();
  page.events.end(new Error("closed"));
  await assertRejects(() => waited, Error, "closed");
});

// --- The table of bells --------------------------------------------------------------------------

/** Puts bells into the table as their owners do. */
function fill(page: Page, bells: Bell[]): void {
  for (const [slot, { id }] of bells.entries()) {
    page.bells[slot] = id;
    page.words[ARMED]! |= FIRST_BELL_BIT << slot;
  }
}

test("all objects of a thread on one event count take one place in the table", async () => {
  using page = new Page({ lookEveryMs: NEVER });
  const objects = Array.from(
    { length: BELL_SLOTS + 1 },
    () => EventCount.attach(page.buffer, AT, { lookEveryMs: NEVER }),
  );
  const first = objects[0]!.wait(page.atLeast(1));
  const others = objects.slice(1).map((events) => events.wait(page.atLeast(2)));
  assertEquals([...page.bells].filter((bell) => bell !== 0n), [bellOfThisThread()!.id]);
  page.publish(1);
  await within("the first", first); // it leaves, and the others stay in the place
  page.publish(2);
  await within("the others", Promise.all(others));
  assertEquals(objects.map(({ unannounced }) => unannounced), objects.map(() => 0));
  assert(page.isQuiet);
});

test("EventCount.wait() looks by a timer when the table is full, and is counted", async () => {
  using page = new Page({ lookEveryMs: NEVER });
  using full = new Bells(BELL_SLOTS);
  const bells = full.all;
  fill(page, bells);
  const waits = [page.events.wait(page.atLeast(1)), page.events.wait(page.atLeast(2))];
  assertEquals([...page.bells], bells.map(({ id }) => id));
  page.publish(1);
  assertEquals(await within("the first", waits[0]!), 1);
  page.publish(2);
  assertEquals(await within("the second", waits[1]!), 2);
  assertEquals(page.events.unannounced, 2);
  assert(bells.every(({ hasName }) => hasName), "they are alive");
});

test("EventCount.wait() takes the place of a bell whose owner is dead", async () => {
  using page = new Page({ lookEveryMs: NEVER });
  using full = new Bells(BELL_SLOTS);
  const bells = full.all;
  fill(page, bells);
  bells[4]!.die();
  const waited = page.events.wait(page.atLeast(1));
  assertEquals(bells.map(({ hasName }) => hasName), [true, true, true, true, false, true]);
  assert(page.bells[4] !== bells[4]!.id && page.bells[4] !== 0n);
  page.publish(1);
  assertEquals(await within("the ring", waited), 1);
  assertEquals([page.events.unannounced, page.bells[4]], [0, 0n]);
});

test("EventCount.notify() takes away the bell of a dead owner", () => {
  using page = new Page();
  using dead = new Bell(), alive = new Bell();
  fill(page, [dead, alive]);
  dead.die();
  page.events.notify();
  assertEquals([dead.hasName, alive.hasName], [false, true]);
  assertEquals([...page.bells], [0n, alive.id, 0n, 0n, 0n, 0n]);
  assertEquals(page.words[ARMED]! & WAITING_MASK, 0, "one is gone, the other is rung");
});

test("EventCount.notify() takes away the bell of an owner that died after it was rung", () => {
  using page = new Page();
  using bell = new Bell();
  for (let round = 0; round < 3; round++) {
    fill(page, [bell]);
    page.events.notify();
    assertEquals([page.bells[0], bell.hasName], [bell.id, true]);
  }
  bell.die();
  fill(page, [bell]);
  page.events.notify();
  assertEquals([page.bells[0], bell.hasName], [0n, false]);
});

test("EventCount.notify() rings more bells than it keeps open", async () => {
  using page = new Page({ lookEveryMs: NEVER });
  using many = new Bells(40);
  const descriptors = () => readDirectory("/proc/self/fd").length;
  closeBellOfThisThread(); // and those that it keeps
  const before = descriptors();
  for (let round = 0; round < 3; round++) {
    for (const bell of many.all) {
      fill(page, [bell]);
      page.events.notify();
    }
  }
  assertEquals(descriptors() - before, 16);
  assert(many.all.every(({ hasName }) => hasName));
  page.bells[0] = 0n;
  const waited = page.events.wait(page.atLeast(1));
  page.publish(1);
  assertEquals(await within("the ring", waited), 1);
});

test("EventCount.wait() goes on by timers when its place was taken from it", async () => {
  using page = new Page({ lookEveryMs: 10 });
  const waited = page.events.wait(page.atLeast(1));
  page.bells[0] = 0n; // by somebody who could not find its bell
  page.publish(1);
  assertEquals(await within("a look", waited), 1);
  assertEquals(page.events.unannounced, 1);
});

test("EventCount.wait() notices that its place was taken when its bell is rung", async () => {
  using page = new Page({ lookEveryMs: NEVER });
  const other = EventCount.format(page.buffer, 2 * AT, { lookEveryMs: NEVER });
  const waits = [page.events.wait(page.atLeast(1)), other.wait(page.atLeast(1, 1))];
  page.bells[0] = 0n;
  page.publish(1, 1, other);
  await within("the ring", waits[1]!);
  Atomics.store(page.values, 0, 1); // and nobody is told
  assertEquals(await within("a look", waits[0]!), 1);
});

test("EventCount.wait() makes another bell when somebody removed its name", async () => {
  using page = new Page({ lookEveryMs: 10 });
  const waited = page.events.wait(page.atLeast(1));
  const old = page.bells[0]!;
  mqUnlink(bellName(old), none);
  const deadline = performance.now() + 10_000;
  while (page.bells[0] === old || page.bells[0] === 0n) {
    assertLess(performance.now(), deadline, "there is no other bell");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  page.publish(1);
  assertEquals(await within("the ring", waited), 1);
  const again = page.events.wait(page.atLeast(2));
  assert(page.bells[0] !== old);
  page.publish(2);
  assertEquals(await within("the ring", again), 2);
});

// --- Memory that somebody else writes ------------------------------------------------------------

test("no value in memory crashes a call, or keeps a wait from what is there", async () => {
  using page = new Page({ lookEveryMs: 3, spin: false });
  const random = new Random(Date.now() >>> 0);
  const scribble = () => {
    for (let count = random.below(4); count >= 0; count--) {
      const index = random.below(16);
      const word = random.pick([0, -1, 1, 0x7f, random.below(2 ** 32), page.words[index]! ^ 1]);
      Atomics.store(page.words, index, word);
    }
  };
  let value = 0;
  await within(
    `all waits with seed ${random.seed}`,
    (async () => {
      for (let round = 0; round < 300; round++) {
        value++;
        const waited = page.events.wait(page.atLeast(value));
        scribble();
        if (random.oneIn(2)) await turn();
        if (random.oneIn(2)) page.publish(value);
        else Atomics.store(page.values, 0, value);
        scribble();
        page.events.notify();
        assertEquals(await waited, value);
      }
    })(),
    60_000,
  );
  withSeed(random.seed, 300, () => {
    scribble();
    const start = performance.now();
    assertEquals(page.events.waitSync(page.atLeast(value + 1), 1), undefined);
    assertGreaterOrEqual(performance.now() - start, 1);
    assertEquals(page.events.waitSync(page.atLeast(value)), value);
    page.events.notify();
  });
});

test("EventCount.waitSync() keeps its deadline when changes never stands still", () => {
  using page = new Page({ spin: false });
  const start = performance.now();
  const look = () => void Atomics.add(page.words, 0, 1);
  assertEquals(page.events.waitSync(look, 20), undefined);
  assertGreaterOrEqual(performance.now() - start, 20);
});

test("a number in the table names a bell and no other queue", () => {
  const name = "/postbox-bell-0000000000000abc";
  assertEquals(bellName(0xabcn), name);
  assertEquals(bellName(2n ** 64n - 1n), "/postbox-bell-ffffffffffffffff");
  const { code } = refusal(() => mqOpen(name, C.O_RDONLY, 0, undefined, none));
  assertEquals(code, "ENOENT");
});

test("bellBehind() knows a bell by its descriptor", () => {
  using bell = new Bell();
  const mine = bellOfThisThread()!.id;
  const found = new Set<bigint | undefined>();
  for (const { name } of readDirectory("/proc/self/fd")) {
    try {
      found.add(bellBehind(Number(name)));
    } catch (error) {
      assertEquals((error as PosixError).code, "ENOENT"); // through which the directory was read
    }
  }
  assert(found.has(mine) && found.has(bell.id) && found.has(undefined));
  closeBellOfThisThread();
});

test("the bell of a thread can be closed at any time, and no name is left", async () => {
  using page = new Page({ lookEveryMs: 5 });
  const waited = page.events.wait(page.atLeast(1));
  const name = bellName(page.bells[0]!);
  closeBellOfThisThread();
  closeBellOfThisThread();
  assertEquals(refusal(() => mqOpen(name, C.O_RDONLY, 0, undefined, none)).code, "ENOENT");
  page.publish(1);
  assertEquals(await within("a look", waited), 1);
  closeBellOfThisThread();
});
