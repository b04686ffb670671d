/** Looking again until there is something. */

import {
  assertEquals,
  assertGreaterOrEqual,
  assertRejects,
  assertStrictEquals,
} from "../assert.ts";
import { getEventListeners } from "node:events";
import { test } from "../harness.ts";
import { lookAgain } from "../../src/wait/mod.ts";

test("lookAgain() gives what is there at once, also without any time", async () => {
  let looks = 0;
  const look = () => {
    looks++;
    return null;
  };
  assertEquals(await lookAgain(look, { timeoutMs: 0 }, "test"), null);
  assertEquals(await lookAgain(look, {}, "test"), null);
  assertEquals(looks, 2);
});

test("lookAgain() looks until there is something", async () => {
  let looks = 0;
  const look = () => ++looks < 8 ? undefined : "there";
  assertEquals(await lookAgain(look, {}, "test"), "there");
  assertEquals(looks, 8);
});

test("lookAgain() rejects with a TimeoutError after the deadline, never before", async () => {
  const began = performance.now();
  let last = began;
  const look = () => {
    last = performance.now();
    return undefined;
  };
  const error = await assertRejects(
    () => lookAgain(look, { timeoutMs: 30 }, "the thing"),
    DOMException,
    'Cannot wait for "the thing" any longer: 30 ms have passed',
  );
  assertEquals(error.name, "TimeoutError");
  assertGreaterOrEqual(last - began, 30); // it looked a last time when the time was over
});

test("lookAgain() rejects with the signal's reason, before and while it waits", async () => {
  const reason = new Error("enough");
  const look = () => undefined;
  for (const signal of [AbortSignal.abort(reason), abortedLater(reason)]) {
    const error = await assertRejects(() => lookAgain(look, { signal }, "test"), Error);
    assertStrictEquals(error, reason);
  }
});

function abortedLater(reason: unknown): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), 2);
  return controller.signal;
}

test("lookAgain() leaves no listener on the signal", async () => {
  const { signal } = new AbortController();
  let looks = 0;
  await lookAgain(() => ++looks < 5 ? undefined : true, { signal }, "test");
  assertEquals(getEventListeners(signal, "abort").length, 0);
});

test("lookAgain() hears of a signal that the look itself has aborted", async () => {
  const controller = new AbortController();
  const look = () => controller.abort("seen enough");
  const looking = lookAgain(look, { signal: controller.signal }, "test");
  assertEquals(await looking.catch((reason) => reason), "seen enough");
});

test("lookAgain() rejects with what the look throws, and for a time that is none", async () => {
  const fault = new Error("fault");
  const fail = () => {
    throw fault;
  };
  assertStrictEquals(await assertRejects(() => lookAgain(fail, {}, "test"), Error), fault);
  await assertRejects(() => lookAgain(() => 1, { timeoutMs: -1 }, "test"), RangeError);
});
