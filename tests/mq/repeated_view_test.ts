/** One view again and again: what is remembered of it never outlives what it was true for. */

import { assertEquals, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import { privateQueue } from "../support/names.ts";

/** Detaches a view's buffer; the bytes live on in the copy. */
function detach(view: Uint8Array<ArrayBuffer>): void {
  structuredClone(view.buffer, { transfer: [view.buffer] });
}

test("MessageQueue sends and fills one view again and again, whatever is in it", () => {
  using queue = privateQueue({ maxMessages: 1 });
  const sent = new Uint8Array(64), filled = new Uint8Array(64);
  for (let i = 0; i < 1000; i++) {
    sent.fill(i);
    assertEquals(queue.trySend(sent, { priority: i }), true);
    assertEquals(queue.tryReceiveInto(filled), { byteLength: 64, priority: i });
    assertEquals(filled, sent);
  }
});

test("MessageQueue tells views apart, in every order", () => {
  using queue = privateQueue({ maxMessages: 1 });
  const views = [0, 1, 2].map((at) => new Uint8Array(64).fill(at));
  for (const order of ["aaab", "abab", "aabbaabb", "abcabcaabbcc", "aaaabaaaa", "cccbbbaaa"]) {
    for (const letter of order) {
      const sent = views["abc".indexOf(letter)]!;
      const filled = new Uint8Array(64);
      for (const into of [filled, filled, filled]) {
        assertEquals(queue.trySend(sent), true);
        assertEquals(queue.tryReceiveInto(into)?.byteLength, 64);
        assertEquals(into, sent);
        into.fill(99);
      }
    }
  }
});

test("MessageQueue sends each part of one buffer", () => {
  using queue = privateQueue({ maxMessages: 1 });
  const bytes = new Uint8Array(128).map((_, i) => i);
  const parts = [bytes.subarray(0, 64), bytes.subarray(64), bytes.subarray(3, 5)];
  for (const part of [...parts, ...parts].flatMap((part) => [part, part, part])) {
    assertEquals(queue.trySend(part), true);
    assertEquals(queue.tryReceive()?.data, part);
  }
});

test("MessageQueue throws TypeError for a view that was good until its buffer went", () => {
  using queue = privateQueue({ maxMessages: 8 });
  const sent = new Uint8Array(64), filled = new Uint8Array(64);
  for (let i = 0; i < 4; i++) queue.trySend(sent);
  for (let i = 0; i < 3; i++) queue.tryReceiveInto(filled);
  detach(sent);
  detach(filled);
  assertThrows(() => queue.trySend(sent), TypeError);
  assertThrows(() => queue.tryReceiveInto(filled), TypeError);
  assertEquals(queue.length, 1);
});

test("MessageQueue follows a resizable buffer that shrinks and grows", () => {
  using queue = privateQueue({ maxMessages: 8 });
  const buffer = new ArrayBuffer(64, { maxByteLength: 1 << 20 });
  const whole = new Uint8Array(buffer), fixed = new Uint8Array(buffer, 0, 64);
  for (let i = 0; i < 3; i++) queue.trySend(whole);
  buffer.resize(8);
  queue.trySend(whole.fill(8));
  assertThrows(() => queue.trySend(fixed), TypeError);
  buffer.resize(32);
  queue.trySend(whole.fill(32));
  const received = Array.from({ length: 5 }, () => queue.tryReceive()!.data.byteLength);
  assertEquals(received, [64, 64, 64, 8, 32]);
});

test("MessageQueue finds a view's bytes when something else asked for its buffer meanwhile", () => {
  using queue = privateQueue({ maxMessages: 1 });
  for (let i = 0; i < 200; i++) {
    const sent = new Uint8Array(64), filled = new Uint8Array(64);
    for (let j = 0; j < 3; j++) {
      queue.trySend(sent);
      queue.tryReceiveInto(filled);
    }
    new Uint8Array(sent.buffer).fill(i);
    new Uint8Array(filled.buffer).fill(i + 1);
    queue.trySend(sent);
    queue.tryReceiveInto(filled);
    assertEquals(filled, sent);
  }
});
