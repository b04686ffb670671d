/** Waiting for a lock in C, on either clock; functions that only some C libraries have. */

import "../support/loaded.ts";
import { assert, assertEquals, assertGreaterOrEqual } from "../assert.ts";
import { test } from "../harness.ts";
import { bind } from "../../src/sys/load.ts";
import { C, ERRNO, sys } from "../../src/sys/mod.ts";
import { timeIn } from "../../src/sys/clock.ts";
import { pthreadMutexInit } from "../../src/sys/pthread.ts";

/** Here, because Deno's sanitizer would hold a test responsible for the library that stays loaded. */
const partial = bind({
  no_such_function: { parameters: ["i32 number"], result: "i32", optional: true },
  sched_yield: { parameters: [], result: "i32" },
});

test("a function that the C library lacks is missing where the table says that it may", () => {
  assert(!partial.c.no_such_function);
  assertEquals(partial.c.sched_yield(), 0);
});

test("pthread_mutex_timedlock(3), which musl has, waits as long as the other", () => {
  const memory = new SharedArrayBuffer(64, { maxByteLength: 64 });
  const address = sys().addressOf(new Uint8Array(memory));
  pthreadMutexInit(address, "test");
  new Int32Array(memory)[0] = 1; // as if the first thread of the system had it
  const { c } = sys();
  for (
    const wait of [
      () => c.pthread_mutex_timedlock(address, timeIn("CLOCK_REALTIME", 20.5)),
      () =>
        c.pthread_mutex_clocklock?.(address, C.CLOCK_MONOTONIC, timeIn("CLOCK_MONOTONIC", 20.5)),
    ]
  ) {
    const started = performance.now();
    assertEquals(wait() ?? ERRNO.ETIMEDOUT, ERRNO.ETIMEDOUT);
    assertGreaterOrEqual(performance.now() - started, 20);
  }
});

test("timeIn() carries into the seconds", () => {
  const view = new DataView(timeIn("CLOCK_MONOTONIC", 0).buffer);
  const now = Number(view.getBigInt64(0, true)) * 1e9 + Number(view.getBigInt64(8, true));
  const later = new DataView(timeIn("CLOCK_MONOTONIC", 2999.9999).buffer);
  const nanoseconds = Number(later.getBigInt64(8, true));
  assert(nanoseconds >= 0 && nanoseconds < 1e9);
  assertGreaterOrEqual(Number(later.getBigInt64(0, true)) * 1e9 + nanoseconds - now, 2999.9999e6);
});
