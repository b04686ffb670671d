/** blockUntil() on a real queue's descriptor: its tries, its deadline, its nonsense. */

import "../support/loaded.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import { blockUntil } from "../../src/wait/mod.ts";
import { C, mqClose, mqOpen, mqUnlink } from "../../src/sys/mod.ts";
import { uniqueName } from "../../mod.ts";

/** A descriptor that is writable and never readable: an empty queue. */
function emptyQueue(): Disposable & { fd: number } {
  const name = uniqueName("test");
  const flags = C.O_RDWR | C.O_CREAT | C.O_EXCL | C.O_NONBLOCK;
  const size = { maxMessages: 1, maxMessageBytes: 8 };
  const fd = mqOpen(name, flags, 0o600, size, () => undefined);
  mqUnlink(name, () => undefined);
  return { fd, [Symbol.dispose]: () => mqClose(fd, name) };
}

test("blockUntil() gives what the first try gives, without a wait", () => {
  using queue = emptyQueue();
  let tries = 0;
  assertEquals(blockUntil(queue.fd, "readable", () => ++tries, undefined, "x"), 1);
  assertEquals(tries, 1);
});

test("blockUntil() tries once when the time is 0", () => {
  using queue = emptyQueue();
  let tries = 0;
  const attempt = () => (tries++, undefined);
  assertEquals(blockUntil(queue.fd, "readable", attempt, 0, "x"), undefined);
  assertEquals(tries, 1);
});

test("blockUntil() gives undefined not before the deadline, over more than one slice", () => {
  using queue = emptyQueue();
  const start = performance.now();
  assertEquals(blockUntil(queue.fd, "readable", () => undefined, 230, "x"), undefined);
  assert(performance.now() - start >= 230);
});

test("blockUntil() tries again as soon as the descriptor is ready", () => {
  using queue = emptyQueue();
  let tries = 0;
  // Writable at once: each poll comes back immediately, so the tries are what counts.
  const attempt = () => ++tries === 10 ? "done" : undefined;
  assertEquals(blockUntil(queue.fd, "writable", attempt, 60_000, "x"), "done");
});

test("blockUntil() throws what the try throws", () => {
  using queue = emptyQueue();
  const attempt = () => {
    throw new SyntaxError("mine");
  };
  assertThrows(() => blockUntil(queue.fd, "readable", attempt, 1000, "x"), SyntaxError, "mine");
});
