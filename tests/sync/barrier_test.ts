/** Barrier in one thread: who is let go, who is the one, who takes its arrival back, its memory. */

import {
  assertEquals,
  assertGreaterOrEqual,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "../assert.ts";
import { test } from "../harness.ts";
import { Barrier, BARRIER_BYTES, ClosedError, Event, LayoutError } from "../../mod.ts";
import { PARTIES } from "../../src/sync/barrier_layout.ts";
import { lockMemory } from "../support/locks.ts";
import { Random } from "../support/random.ts";
import { within } from "../support/until.ts";

/** A barrier of its own; its memory is closed at the end of the scope. */
function freshBarrier(parties: number) {
  const place = lockMemory();
  const barrier = Barrier.format(place.bytes, { name: "test", parties });
  return {
    ...place,
    barrier,
    attach: () => Barrier.attach(place.bytes, { name: "test" }),
    /** Arrived, generation. */
    progress: () => [...new Uint32Array(place.memory.buffer, 0, 2)],
  };
}

test("a barrier lets all go when the last one comes, and tells one of them, each time", async () => {
  using page = freshBarrier(3);
  const { barrier } = page;
  const other = page.attach();
  assertEquals([barrier.parties, other.parties], [3, 3]);
  for (let round = 1; round <= 5; round++) {
    const waiting = [barrier.wait(), other.wait()];
    assertEquals(page.progress(), [2, round - 1]);
    waiting.push(barrier.wait());
    const told = await within("all of them", Promise.all(waiting));
    assertEquals(told, [false, false, true]);
    assertEquals(page.progress(), [0, round]);
  }
});

test("a barrier for one party never waits", () => {
  using page = freshBarrier(1);
  assertEquals([page.barrier.waitSync(), page.barrier.waitSync()], [true, true]);
});

test("a barrier goes on when its generations wrap", async () => {
  using page = freshBarrier(2);
  page.words[1] = -1;
  const waiting = page.barrier.wait();
  assertEquals(page.barrier.waitSync(), true);
  assertEquals(await within("the other", waiting), false);
  assertEquals(page.progress(), [0, 0]);
});

test("Barrier.waitSync() takes its arrival back at the deadline", () => {
  using page = freshBarrier(2);
  const started = performance.now();
  assertEquals(page.barrier.waitSync({ timeoutMs: 120 }), undefined);
  assertGreaterOrEqual(performance.now() - started, 120);
  assertEquals(page.barrier.waitSync({ timeoutMs: 0 }), undefined);
  assertEquals(page.progress(), [0, 0]);
});

test("Barrier.wait() takes its arrival back at its deadline and by its signal", async () => {
  using page = freshBarrier(2);
  const error = await assertRejects(() => page.barrier.wait({ timeoutMs: 10 }), DOMException);
  assertEquals(error.name, "TimeoutError");
  const abort = new AbortController(), reason = { why: "changed my mind" };
  const waiting = page.barrier.wait({ signal: abort.signal });
  assertEquals(page.progress(), [1, 0]);
  abort.abort(reason);
  assertStrictEquals(await waiting.catch((error) => error), reason);
  assertEquals(page.progress(), [0, 0]);
  const { signal } = abort;
  assertStrictEquals(await page.barrier.wait({ signal }).catch((error) => error), reason);
  assertEquals(page.progress(), [0, 0]);
});

test("who is cancelled when all have come already has waited for them", async () => {
  using page = freshBarrier(2);
  const abort = new AbortController();
  const waiting = page.barrier.wait({ signal: abort.signal });
  page.words[0] = 0; // as another process does that comes last
  page.words[1]! += 1;
  abort.abort();
  assertEquals(await within("it", waiting), false);
});

test("Barrier.close() rejects who awaits it, and they have not arrived", async () => {
  using page = freshBarrier(2);
  const waiting = page.barrier.wait();
  page.barrier.close();
  page.barrier.close();
  await assertRejects(() => waiting, ClosedError, `"test"`);
  assertEquals(page.progress(), [0, 0]);
  assertThrows(() => page.barrier.waitSync(), ClosedError);
  await assertRejects(() => page.barrier.wait(), ClosedError);
});

test("nobody is lost or told twice, whoever gives up on the way", async () => {
  using page = freshBarrier(4);
  const random = new Random(7);
  const rounds = 40;
  const told = Array(rounds).fill(0);
  const party = async (handle: Barrier) => {
    for (let round = 0; round < rounds;) {
      // Gives up now and then, and comes again.
      const gone = handle.wait(random.oneIn(3) ? { timeoutMs: random.below(3) } : {});
      const isTheOne = await gone.catch(() => undefined);
      if (isTheOne === undefined) continue;
      told[round++] += isTheOne ? 1 : 0;
    }
  };
  const parties = Array.from({ length: 4 }, () => party(page.attach()));
  await within("all rounds", Promise.all(parties));
  assertEquals(told, Array(rounds).fill(1));
  assertEquals(page.progress(), [0, rounds]);
});

test("Barrier.format() and attach() refuse memory and parties that are none for it", () => {
  using page = lockMemory();
  assertThrows(() => Barrier.attach(page.bytes), LayoutError, "the mark");
  for (const parties of [0, 65536, 1.5]) {
    assertThrows(() => Barrier.format(page.bytes, { parties }), RangeError, "parties");
  }
  assertThrows(() => Barrier.format(page.bytes, {} as never), TypeError, "parties");
  assertThrows(() => Barrier.format(page.bytes, undefined as never), TypeError, "an object");
  const short = page.bytes.subarray(0, BARRIER_BYTES - 1);
  assertThrows(() => Barrier.format(short, { parties: 2 }), RangeError);
  Event.format(page.bytes);
  assertThrows(() => Barrier.attach(page.bytes), LayoutError, "the mark");
  assertThrows(() => Barrier.format(page.bytes, { parties: 2 }), LayoutError, "zeros");
  using other = freshBarrier(2);
  other.words[PARTIES] = -2;
  assertThrows(() => other.attach(), LayoutError, "-2 parties");
});

test("Barrier.wait() refuses a count that somebody overwrote", async () => {
  using page = freshBarrier(2);
  page.words[0] = 2;
  await assertRejects(() => page.barrier.wait(), LayoutError, "2 that have arrived");
  page.words[0] = -1;
  assertThrows(() => page.barrier.waitSync(), LayoutError, "4294967295 that have arrived");
  page.words[0] = 0;
  const waiting = page.barrier.wait({ timeoutMs: 10 });
  page.words[0] = 0;
  await assertRejects(() => waiting, LayoutError, "nobody that has arrived");
});
