/**
 * Whoever gives something back wakes those who await it, at once: they would find it by themselves,
 * but late.
 *
 * Method: a notifier that has woken somebody takes away what they had armed, in the same call.
 */

import { assert, assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { Barrier, Event, Mutex, RwLock, Semaphore } from "../../mod.ts";
import { EVENTS_OFFSET } from "../../src/sync/lock_layout.ts";
import { ARMED, WAITING_MASK } from "../../src/wait/event_layout.ts";
import { giveAway, lockMemory, release } from "../support/locks.ts";
import { until, within } from "../support/until.ts";

type Bytes = Uint8Array<SharedArrayBuffer>;

/** How one comes to wait, and what ends its wait. */
const WAITS: Record<string, (bytes: Bytes) => { waiting: Promise<unknown>; end: () => void }> = {
  "MutexGuard.unlock()": (bytes) => {
    const mutex = Mutex.format(bytes), guard = mutex.tryLock()!;
    return { waiting: mutex.withLock(() => {}), end: () => guard.unlock() };
  },
  "ReadGuard.unlock()": (bytes) => {
    const lock = RwLock.format(bytes), guard = lock.tryRead()!;
    return { waiting: lock.withWrite(() => {}), end: () => guard.unlock() };
  },
  "a writer's unlock()": (bytes) => {
    const lock = RwLock.format(bytes), guard = lock.tryWrite()!;
    return { waiting: lock.withRead(() => {}), end: () => guard.unlock() };
  },
  "Semaphore.release()": (bytes) => {
    const semaphore = Semaphore.format(bytes);
    return { waiting: semaphore.acquire(), end: () => semaphore.release() };
  },
  "Event.set()": (bytes) => {
    const event = Event.format(bytes);
    return { waiting: event.wait(), end: () => event.set() };
  },
  "the last one at a Barrier": (bytes) => {
    const barrier = Barrier.format(bytes, { parties: 2 });
    return { waiting: barrier.wait(), end: () => assertEquals(barrier.waitSync(), true) };
  },
};

for (const [what, wait] of Object.entries(WAITS)) {
  test(`${what} wakes who awaits it`, async () => {
    using page = lockMemory();
    const armed = () => Atomics.load(page.words, EVENTS_OFFSET / 4 + ARMED) & WAITING_MASK;
    const { waiting, end } = wait(page.bytes);
    await until("it is armed", () => armed() !== 0);
    end();
    assertEquals(armed(), 0);
    await within("the wake-up", waiting);
  });
}

test("a writer that gives up wakes the readers that it held off", async () => {
  using page = lockMemory();
  const lock = RwLock.format(page.bytes), other = RwLock.attach(page.bytes);
  const guard = lock.tryRead()!, abort = new AbortController();
  const writing = lock.write({ signal: abort.signal }).catch(() => "given up");
  const reading = other.read();
  const armed = () => Atomics.load(page.words, EVENTS_OFFSET / 4 + ARMED) & WAITING_MASK;
  await until("both are armed", () => armed() !== 0);
  abort.abort();
  assertEquals(await writing, "given up");
  assertEquals(armed(), 0);
  (await within("the reader", reading)).unlock();
  guard.unlock();
});

test("C's unlock, and an owner's death, are found long before a second has passed", async () => {
  using page = lockMemory();
  const mutex = Mutex.format(page.bytes);
  const started = performance.now(), rounds = 20;
  for (let round = 0; round < rounds; round++) {
    giveAway(page.words);
    const waiting = mutex.lock();
    await new Promise((resolve) => setImmediate(resolve));
    release(page.words);
    (await within("the lock", waiting)).unlock();
  }
  assert(performance.now() - started < rounds * 500);
});
