/** The sizes of locks: in a struct as in the memory that they use, and room for what C puts there. */

import "../support/loaded.ts";
import { assert, assertEquals, assertMatch } from "../assert.ts";
import { test } from "../harness.ts";
import {
  BARRIER_BYTES,
  EVENT_BYTES,
  lockAbi,
  MUTEX_BYTES,
  RW_LOCK_BYTES,
  SEMAPHORE_BYTES,
} from "../../mod.ts";
import { LOCK_ALIGN_BYTES, LOCK_BYTES } from "../../src/layout/mod.ts";
import { LOCK_ALIGN_BYTES as ALIGN_BYTES, MARK_OFFSET } from "../../src/sync/lock_layout.ts";
import { ROBUST_MUTEX_BYTES } from "../../src/sync/robust_mutex.ts";
import { MACHINES, STRUCTS } from "../../src/sys/abi.ts";

test("a lock in a struct is as long as the lock itself", () => {
  assertEquals(LOCK_BYTES, {
    mutex: MUTEX_BYTES,
    rwLock: RW_LOCK_BYTES,
    semaphore: SEMAPHORE_BYTES,
    event: EVENT_BYTES,
    barrier: BARRIER_BYTES,
  });
  assertEquals(LOCK_ALIGN_BYTES, ALIGN_BYTES);
});

test("locks have the sizes that other programs count on", () => {
  assertEquals(
    [MUTEX_BYTES, SEMAPHORE_BYTES, EVENT_BYTES, BARRIER_BYTES, RW_LOCK_BYTES],
    [128, 128, 128, 128, 1280],
  );
});

test("what C puts into a lock ends before what this library puts there", () => {
  for (const { pthread_mutex_t } of Object.values(MACHINES)) {
    assert(pthread_mutex_t.bytes <= MARK_OFFSET);
    assert(pthread_mutex_t.bytes <= ROBUST_MUTEX_BYTES);
  }
  assert(STRUCTS.sem_t.bytes <= MARK_OFFSET);
});

test("lockAbi() says of which machine and C library a lock is", () => {
  const abi = /^(x86_64|aarch64); pthread_mutex_t 4[08], kind \d+ in word \d; sem_t 32$/;
  assertMatch(lockAbi(), abi);
  assertEquals(lockAbi(), lockAbi());
});
