/** Event in one thread: whom it lets through, and what its memory may be. */

import {
  assertEquals,
  assertGreaterOrEqual,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "../assert.ts";
import { test } from "../harness.ts";
import { ClosedError, Event, EVENT_BYTES, LayoutError, Semaphore } from "../../mod.ts";
import { RESET, STATE } from "../../src/sync/event_layout.ts";
import { lockMemory } from "../support/locks.ts";
import { until, within } from "../support/until.ts";

/** An event of its own; its memory is closed at the end of the scope. */
function freshEvent(options: { manualReset?: boolean } = {}) {
  const place = lockMemory();
  const event = Event.format(place.bytes, { name: "test", ...options });
  return { ...place, event, attach: () => Event.attach(place.bytes, { name: "test" }) };
}

test("an event lets exactly one through each time it is set", async () => {
  using page = freshEvent();
  const { event } = page;
  assertEquals([event.manualReset, event.isSet, event.waitSync({ timeoutMs: 0 })], [
    false,
    false,
    undefined,
  ]);
  event.set();
  event.set();
  assertEquals([event.isSet, page.attach().waitSync(), event.isSet], [true, true, false]);
  assertEquals(event.waitSync({ timeoutMs: 0 }), undefined);

  const waiting = [event.wait(), event.wait(), page.attach().wait()];
  let through = 0;
  for (const promise of waiting) promise.then(() => through++);
  for (let times = 1; times <= 3; times++) {
    event.set();
    await until("one is let through", () => through >= times);
    await new Promise((resolve) => setImmediate(resolve));
    assertEquals(through, times);
  }
  assertEquals(event.isSet, false);
});

test("an event that is reset by hand lets all through until then", async () => {
  using page = freshEvent({ manualReset: true });
  const { event } = page;
  const other = page.attach();
  assertEquals([event.manualReset, other.manualReset], [true, true]);
  const waiting = [event.wait(), event.wait(), other.wait()];
  event.set();
  await within("all of them", Promise.all(waiting));
  assertEquals([event.waitSync(), other.waitSync(), event.isSet], [true, true, true]);
  other.reset();
  assertEquals([event.isSet, event.waitSync({ timeoutMs: 0 })], [false, undefined]);
});

test("Event.reset() takes back what nobody was let through by", () => {
  using page = freshEvent();
  page.event.set();
  page.event.reset();
  page.event.reset();
  assertEquals(page.event.waitSync({ timeoutMs: 0 }), undefined);
});

test("Event.waitSync() gives undefined at the deadline", () => {
  using page = freshEvent();
  const started = performance.now();
  assertEquals(page.event.waitSync({ timeoutMs: 120 }), undefined);
  assertGreaterOrEqual(performance.now() - started, 120);
});

test("Event.wait() rejects at its deadline or by its signal, and was not let through", async () => {
  using page = freshEvent();
  const error = await assertRejects(() => page.event.wait({ timeoutMs: 10 }), DOMException);
  assertEquals(error.name, "TimeoutError");
  const abort = new AbortController(), reason = { why: "changed my mind" };
  const waiting = page.event.wait({ signal: abort.signal });
  abort.abort(reason);
  page.event.set();
  assertStrictEquals(await waiting.catch((error) => error), reason);
  assertEquals(page.event.isSet, true);
});

test("Event.wait() finds what C stores without a word", async () => {
  using page = freshEvent();
  const waiting = page.event.wait();
  await new Promise((resolve) => setImmediate(resolve));
  Atomics.store(page.words, STATE, 1);
  await within("the store", waiting);
  assertEquals(page.event.isSet, false);
});

test("Event.close() rejects who awaits it", async () => {
  using page = freshEvent();
  const waiting = page.event.wait();
  page.event.close();
  page.event.close();
  await assertRejects(() => waiting, ClosedError, `"test"`);
  assertThrows(() => page.event.set(), ClosedError);
  assertThrows(() => page.event.reset(), ClosedError);
  assertThrows(() => page.event.isSet, ClosedError);
  assertThrows(() => page.event.waitSync(), ClosedError);
  await assertRejects(() => page.event.wait(), ClosedError);
});

test("Event.format() and attach() refuse memory that is none for it", () => {
  using page = lockMemory();
  assertThrows(() => Event.attach(page.bytes), LayoutError, "the mark");
  Semaphore.format(page.bytes);
  assertThrows(() => Event.attach(page.bytes), LayoutError, "the mark");
  assertThrows(() => Event.format(page.bytes), LayoutError, "zeros");
  assertThrows(() => Event.format(page.bytes.subarray(0, EVENT_BYTES - 1)), RangeError);
  assertThrows(() => Event.format(page.bytes, { manualReset: 1 as never }), TypeError);
  using other = freshEvent();
  other.words[RESET] = 2;
  const error = assertThrows(() => other.attach(), LayoutError);
  assertEquals([error.target, error.expected], ["test", "0 or 1"]);
});

test("an event whose state somebody overwrote is not set, and can be used again", () => {
  using page = freshEvent();
  page.words[STATE] = -7;
  assertEquals([page.event.isSet, page.event.waitSync({ timeoutMs: 0 })], [false, undefined]);
  page.event.set();
  assertEquals(page.event.waitSync(), true);
});
