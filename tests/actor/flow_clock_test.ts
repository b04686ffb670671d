/** Clocks: when timers run, in which order, and what has happened by then. */

import "../support/loaded.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import { realClock, VirtualClock } from "../../src/actor/flow/clock.ts";
import { within } from "../support/until.ts";

test("VirtualClock.advance() runs timers by time, and in the order of setting within one", async () => {
  const clock = new VirtualClock(1000), seen: string[] = [];
  for (const [name, ms] of [["c", 20], ["a", 10], ["d", 20], ["b", 10], ["e", 21]] as const) {
    clock.after(ms, () => seen.push(`${name} ${clock.now()} ${clock.monotonic()}`));
  }
  await clock.advance(20);
  assertEquals(seen, ["a 1010 1010", "b 1010 1010", "c 1020 1020", "d 1020 1020"]);
  assertEquals([clock.now(), clock.pending], [1020, 1]);
});

test("VirtualClock.advance() runs timers that are set meanwhile", async () => {
  const clock = new VirtualClock(), seen: number[] = [];
  const again = () => {
    seen.push(clock.now());
    clock.after(10, again);
  };
  clock.after(10, again);
  await clock.advance(35);
  assertEquals(seen, [10, 20, 30]);
  assertEquals(clock.now(), 35);
});

test("VirtualClock.advance() lets all that promises lead to happen before the next timer", async () => {
  const clock = new VirtualClock(), seen: string[] = [];
  const longWay = async () => {
    for (let i = 0; i < 1000; i++) await undefined;
    seen.push("the long way of the first");
    clock.after(0, () => seen.push("set on the way"));
  };
  clock.after(10, () => void longWay());
  clock.after(11, () => seen.push("the second"));
  await clock.advance(11);
  assertEquals(seen, ["the long way of the first", "set on the way", "the second"]);
});

test("VirtualClock.advance() first lets happen what was begun before", async () => {
  const clock = new VirtualClock();
  let ran = false;
  const longWay = async () => {
    for (let i = 0; i < 1000; i++) await undefined;
    clock.after(5, () => ran = true);
  };
  void longWay();
  await clock.advance(5);
  assert(ran);
});

test("VirtualClock.advance(0) runs what is due now, and below 0 is now", async () => {
  const clock = new VirtualClock(), seen: number[] = [];
  clock.after(0, () => seen.push(0));
  clock.after(-5, () => seen.push(-5));
  clock.after(1, () => seen.push(1));
  await clock.advance(0);
  assertEquals(seen, [0, -5]);
});

test("VirtualClock.advance() runs after an advance that is under way", async () => {
  const clock = new VirtualClock(), seen: string[] = [];
  clock.after(10, () => seen.push("10"));
  clock.after(20, () => seen.push("20"));
  const first = clock.advance(10).then(() => seen.push("first over"));
  const second = clock.advance(10).then(() => seen.push("second over"));
  await Promise.all([first, second]);
  assertEquals(seen, ["10", "first over", "20", "second over"]);
  assertEquals(clock.now(), 20);
});

test("VirtualClock.advance() rejects with what a timer throws, and can go on", async () => {
  const clock = new VirtualClock(), seen: number[] = [];
  clock.after(10, () => {
    throw new RangeError("mine");
  });
  clock.after(20, () => seen.push(clock.now()));
  await assertRejects(() => clock.advance(100), RangeError, "mine");
  assertEquals([clock.now(), clock.pending], [10, 1]);
  await clock.advance(10);
  assertEquals(seen, [20]);
});

test("VirtualClock.advance() refuses timers that set each other at one instant", async () => {
  const clock = new VirtualClock();
  const again = () => void clock.after(0, again);
  clock.after(7, again);
  await assertRejects(() => clock.advance(10), RangeError, "past 7: 10000 timers");
});

test("VirtualClock.advance() runs any number of timers, one after the other", async () => {
  const clock = new VirtualClock();
  let ran = 0;
  const again = () => {
    ran++;
    clock.after(1, again);
  };
  clock.after(1, again);
  await clock.advance(10_100);
  assertEquals(ran, 10_100);
});

test("VirtualClock.advance() refuses what is no time", () => {
  const clock = new VirtualClock();
  for (const ms of [-1, NaN, Infinity]) {
    assertThrows(() => clock.advance(ms), RangeError, `by ${ms} ms`);
  }
});

test("VirtualClock.after() gives what takes the timer back, also while others run", async () => {
  const clock = new VirtualClock(), seen: string[] = [];
  const first = clock.after(10, () => {
    seen.push("first");
    second();
  });
  const second = clock.after(10, () => seen.push("second"));
  clock.after(10, () => seen.push("third"))();
  await clock.advance(10);
  first(); // too late, and harmless
  assertEquals(seen, ["first"]);
  assertEquals(clock.pending, 0);
});

for (
  const [name, clock] of [["realClock", realClock], ["VirtualClock", new VirtualClock()]] as const
) {
  test(`${name}.after() refuses what is no number, and never runs at Infinity`, () => {
    assertThrows(() => clock.after(NaN, () => {}), RangeError, "in NaN ms");
    assertThrows(() => clock.after("5" as unknown as number, () => {}), RangeError, "in 5 ms");
    clock.after(Infinity, () => {})(); // a timer would keep the sanitizer busy
    if (clock instanceof VirtualClock) assertEquals(clock.pending, 0);
  });
}

test("realClock.after() does not run before its time, nor when it was taken back", async () => {
  const begin = realClock.monotonic(), seen: string[] = [];
  await within(
    "a timer of 20 ms",
    new Promise<void>((resolve) => {
      realClock.after(1, () => seen.push("taken back"))();
      realClock.after(20, resolve);
    }),
  );
  assert(realClock.monotonic() - begin >= 20);
  assertEquals(seen, []);
});

test("realClock.after() takes more than a timer of the runtime does", async () => {
  // setTimeout() runs at once what is more than 2^31 - 1 ms away.
  let ran = false;
  const cancel = realClock.after(2 ** 31 + 1000, () => ran = true);
  await new Promise<void>((resolve) => realClock.after(5, resolve));
  cancel();
  assert(!ran);
});

test("realClock.after() keeps the process, unless it is for the background", () => {
  const { setTimeout } = globalThis;
  const kept: boolean[] = [];
  globalThis.setTimeout = ((run: () => void, ms: number) => {
    const timer = setTimeout(run, ms), { unref } = timer;
    const index = kept.push(true) - 1;
    timer.unref = () => {
      kept[index] = false;
      return unref.call(timer);
    };
    return timer;
  }) as typeof setTimeout;
  try {
    realClock.after(1000, () => {})();
    realClock.after(1000, () => {}, { background: true })();
    realClock.after(1000, () => {}, { background: false })();
  } finally {
    globalThis.setTimeout = setTimeout;
  }
  assertEquals(kept, [true, false, true]);
});

test("realClock tells the wall clock's time, and one that never goes back", () => {
  assert(Math.abs(realClock.now() - Date.now()) < 1000);
  assert(realClock.monotonic() <= realClock.monotonic());
});
