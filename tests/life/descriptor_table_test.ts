/**
 * DescriptorTable in one thread: what it has, whom it waits for, what it closes and what it does not.
 *
 * Threads that ended and threads that go on are written into tables by hand here; real workers are
 * in tests/process/worker_life_test.ts. This thread itself attaches to one table for all tests.
 */

import { isOpen } from "../support/descriptors.ts";
import "../support/loaded.ts";
import {
  assert,
  assertEquals,
  assertGreater,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "../assert.ts";
import { test } from "../harness.ts";
import { ClosedError, DescriptorTable, LayoutError } from "../../mod.ts";
import { isRunning, thisThread, type Thread, threadOf } from "../../src/life/thread.ts";
import {
  C,
  close,
  type DescriptorRecord,
  exchangeThread,
  open,
  readDirectory,
  RECORD_BYTES,
  recordOn,
  STRUCTS,
  sys,
} from "../../src/sys/mod.ts";
import { Parking } from "../../src/sys/parking.ts";
import { privateQueue } from "../support/names.ts";
import { until } from "../support/until.ts";

const thisTable = DescriptorTable.create();
DescriptorTable.attach(thisTable.buffer);

/** A number that no thread has: the kernel's own bound on them is 2^22. */
const ENDED: Thread = 0x7fff_ffffn << 32n;

/** A thread of the runtime's that is not this one. */
function otherThread(): Thread {
  const other = readDirectory("/proc/self/task").map(({ name }) => threadOf(name))
    .find((thread) => thread !== undefined && thread !== thisThread());
  assert(other !== undefined, "the runtime has one thread alone");
  return other;
}

/** A table to which a thread has attached, and what it says. */
function tableOf(thread: Thread): { table: DescriptorTable; record: DescriptorRecord } {
  const table = DescriptorTable.create();
  const record = recordOn(table.buffer);
  assertEquals(exchangeThread(record, 0n, thread), 0n);
  return { table, record };
}

/** Opens a descriptor, and says in a record that its thread did. */
function openIn(record: DescriptorRecord): number {
  const fd = open("/dev/null", C.O_RDONLY);
  enterIn(record, fd);
  return fd;
}

/** Where a record has what; see src/sys/record.ts. */
const BELL_WORD = 1, BITS_WORD = 6, PLACE_LONG = 2;

function enterIn(record: DescriptorRecord, fd: number): void {
  record.words[BITS_WORD + (fd >>> 5)]! |= 1 << fd;
}

test("DescriptorTable.attach() has what is opened from then on, until it is closed", () => {
  const before = thisTable.descriptorCount;
  using queue = privateQueue();
  assertEquals(thisTable.descriptorCount, before + 1);
  queue.close();
  assertEquals(thisTable.descriptorCount, before);
});

test("DescriptorTable.attach() has what was open before", () => {
  assertGreater(thisTable.descriptorCount, 0); // the reactor's
});

test("DescriptorTable.attach() to the same table again does nothing", () => {
  const before = thisTable.descriptorCount;
  DescriptorTable.attach(thisTable.buffer);
  assertEquals(thisTable.descriptorCount, before);
});

test("DescriptorTable.attach() throws a TypeError when this thread has another table", async () => {
  const other = DescriptorTable.create();
  assertThrows(() => DescriptorTable.attach(other.buffer), TypeError, "another table");
  assertEquals(await other.close(), 0); // nobody attached to it
});

test("DescriptorTable.attach() throws a TypeError for what is no SharedArrayBuffer", () => {
  for (const wrong of [undefined, null, "table", new ArrayBuffer(RECORD_BYTES)]) {
    const buffer = wrong as unknown as SharedArrayBuffer;
    assertThrows(() => DescriptorTable.attach(buffer), TypeError, "no SharedArrayBuffer");
  }
});

test("DescriptorTable.attach() throws a LayoutError for what is no table", () => {
  for (const byteLength of [0, 24, RECORD_BYTES - 8, RECORD_BYTES, RECORD_BYTES + 8]) {
    const buffer = new SharedArrayBuffer(byteLength);
    assertThrows(() => DescriptorTable.attach(buffer), LayoutError);
    assertEquals(new Uint8Array(buffer).every((byte) => byte === 0), true);
  }
});

test("DescriptorTable.attach() throws a ClosedError when the table is closed", async () => {
  const table = DescriptorTable.create();
  await table.close();
  assertThrows(() => DescriptorTable.attach(table.buffer), ClosedError);
});

test("new DescriptorTable() throws a TypeError", () => {
  const Constructor = DescriptorTable as unknown as new () => DescriptorTable;
  assertThrows(() => new Constructor(), TypeError, "DescriptorTable.create");
});

test("DescriptorTable.close() closes what a thread left that has ended", async () => {
  const { table, record } = tableOf(ENDED);
  const left = [openIn(record), openIn(record), openIn(record)];
  const other = open("/dev/null", C.O_RDONLY);
  assertEquals([table.descriptorCount, table.closed], [3, false]);
  assertEquals(await table.close(), 3);
  assertEquals([table.descriptorCount, table.closed], [0, true]);
  assertEquals([...left, other].map(isOpen), [false, false, false, true]);
  close(other, "test");
});

test("DescriptorTable.close() closes nothing when it is called again", async () => {
  const { table, record } = tableOf(ENDED);
  openIn(record);
  assertEquals(await Promise.all([table.close(), table.close()]), [1, 1]);
  // The lowest free number is given next: among these is the one that was closed.
  const reused = Array.from({ length: 8 }, () => open("/dev/null", C.O_RDONLY));
  assertEquals(await table.close(), 1);
  await table[Symbol.asyncDispose]();
  assertEquals(reused.map(isOpen), reused.map(() => true));
  for (const fd of reused) close(fd, "test");
});

test("DescriptorTable.close() goes on after a descriptor that is closed already", async () => {
  const { table, record } = tableOf(ENDED);
  const left = [openIn(record), openIn(record)];
  close(left[0]!, "test");
  assertEquals(await table.close(), 2);
  assertEquals(left.map(isOpen), [false, false]);
});

test("DescriptorTable.close() of a table that nobody attached to closes nothing", async () => {
  const table = DescriptorTable.create();
  assertEquals(await table.close({ timeoutMs: 0 }), 0);
  assertEquals(await table.close(), 0);
});

test("DescriptorTable.close() closes nothing before the thread has ended", async () => {
  const other = otherThread();
  const { table, record } = tableOf(other);
  const left = openIn(record);
  const error = await assertRejects(() => table.close({ timeoutMs: 5 }), DOMException);
  assertEquals(error.name, "TimeoutError");
  const reason = new Error("enough");
  const { signal } = abortedAfter(5, reason);
  assertStrictEquals(await assertRejects(() => table.close({ signal }), Error), reason);
  assertEquals([isOpen(left), table.closed, table.descriptorCount], [true, false, 1]);

  exchangeThread(record, other, ENDED); // and now it has
  assertEquals(await table.close({ timeoutMs: 0 }), 1);
  assertEquals(isOpen(left), false);
});

function abortedAfter(delayMs: number, reason: unknown): AbortController {
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), delayMs);
  return controller;
}

test("DescriptorTable.close() rejects with a TypeError in the thread itself", async () => {
  await assertRejects(() => thisTable.close(), TypeError, "this thread's own");
  assertEquals(thisTable.closed, false);
});

/** A parked call in a record, without anybody who makes it. */
function parkIn(record: DescriptorRecord) {
  const { c, viewOf } = sys();
  const bell = c.eventfd(0, C.EFD_CLOEXEC | C.EFD_NONBLOCK);
  enterIn(record, bell);
  const place = c.calloc(1n, BigInt(Parking.bytes()));
  const memory = viewOf(place, Parking.bytes());
  new Parking(memory).begin();
  record.words[BELL_WORD] = bell;
  record.longs[PLACE_LONG] = place;
  const { pollfd } = STRUCTS;
  return {
    bell,
    place,
    /** Whether the bell rang; it stops ringing then. */
    rang: () => c.eventfd_read(bell, new Uint8Array(8)) === 0,
    /** What the kernel does when the call comes back. */
    comeBack: () => new DataView(memory).setInt16(pollfd.bytes + pollfd.revents, 0, true),
  };
}

test("DescriptorTable.close() rings the bell of a parked call and waits until it is back", async () => {
  const { table, record } = tableOf(ENDED);
  const { bell, rang, comeBack } = parkIn(record);
  let closed = false;
  const closing = table.close().then((count) => {
    closed = true;
    return count;
  });
  await until("the bell rang", rang);
  assertEquals([closed, isOpen(bell)], [false, true]);
  comeBack();
  assertEquals(await closing, 1);
  assertEquals(isOpen(bell), false);
});

test("DescriptorTable.close() does not wait long for a parked call that nobody makes", async () => {
  const { table, record } = tableOf(ENDED);
  const { bell, place, comeBack } = parkIn(record);
  assertEquals(await table.close(), 1);
  assertEquals(isOpen(bell), false);
  comeBack(); // should it be made after all: its memory is still there
  sys().c.free(place);
});

test("isRunning() is true for this thread, and false for an ended one", () => {
  assertEquals(thisThread(), thisThread());
  assertEquals(isRunning(thisThread()), true);
  assertEquals(isRunning(ENDED), false);
  assertEquals(isRunning(thisThread() + 1n), false); // another one that had the number before
});
