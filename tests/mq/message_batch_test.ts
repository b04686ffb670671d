/** MessageBatch: several messages in one call, the same with and without the native driver. */

import "../support/loaded.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../assert.ts";
import { ClosedError, MessageBatch, MessageQueue, PosixError, uniqueName } from "../../mod.ts";
import { test } from "../harness.ts";
import { privateQueue } from "../support/names.ts";

/** Room for three messages of a queue for eight. */
function fixture(): { queue: MessageQueue; batch: MessageBatch } {
  const queue = privateQueue({ maxMessages: 8, maxMessageBytes: 16 });
  return { queue, batch: new MessageBatch({ maxMessages: 3, maxMessageBytes: 16 }) };
}

/** What is in a batch. */
function messagesIn(batch: MessageBatch): [string, number][] {
  return Array.from({ length: batch.count }, (_, i) => [batch.text(i), batch.priority(i)]);
}

test("tryReceiveBatch() takes what there is, the highest priority first", () => {
  const { queue, batch } = fixture();
  using _ = queue;
  assertEquals([queue.tryReceiveBatch(batch), batch.count], [0, 0]);
  queue.trySend("low", { priority: 1 });
  queue.trySend("high", { priority: 32767 });
  assertEquals(queue.tryReceiveBatch(batch), 2);
  assertEquals(messagesIn(batch), [["high", 32767], ["low", 1]]);
  assertEquals([queue.tryReceiveBatch(batch), batch.count], [0, 0]);
});

test("tryReceiveBatch() takes no more than there is room for, and leaves the rest", () => {
  const { queue, batch } = fixture();
  using _ = queue;
  for (let i = 0; i < 8; i++) queue.trySend(`${i}`.repeat(i));
  const texts: string[] = [];
  for (const [count, left] of [[3, 5], [3, 2], [2, 0]] as const) {
    assertEquals([queue.tryReceiveBatch(batch), queue.length], [count, left]);
    texts.push(...messagesIn(batch).map(([text]) => text));
  }
  assertEquals(texts, ["", "1", "22", "333", "4444", "55555", "666666", "7777777"]);
});

test("bytes() of a batch is a view that the next messages change", () => {
  const { queue, batch } = fixture();
  using _ = queue;
  queue.trySend("one");
  queue.tryReceiveBatch(batch);
  const view = batch.bytes(0);
  assertEquals([view.byteLength, view[0]], [3, 111]);
  queue.trySend("two");
  queue.tryReceiveBatch(batch);
  assertEquals([batch.bytes(0) === view, view[0]], [true, 116]);
  queue.trySend("three");
  queue.tryReceiveBatch(batch);
  assertEquals([batch.bytes(0).byteLength, view.byteLength], [5, 3]);
});

test("receiveBatch() waits for the first message and takes all that are there then", async () => {
  const { queue, batch } = fixture();
  using _ = queue;
  const waiting = queue.receiveBatch(batch);
  queue.trySend("a");
  queue.trySend("b");
  assertEquals(await waiting, 2);
  assertEquals(messagesIn(batch).map(([text]) => text), ["a", "b"]);
});

test("receiveBatch() that is called off takes nothing", async () => {
  const { queue, batch } = fixture();
  using _ = queue;
  const controller = new AbortController();
  const waiting = queue.receiveBatch(batch, { signal: controller.signal });
  controller.abort("enough");
  queue.trySend("stays");
  assertEquals(await waiting.catch((reason) => reason), "enough");
  assertEquals([queue.length, batch.count], [1, 0]);
  queue.tryReceive();
  const inVain = await queue.receiveBatch(batch, { timeoutMs: 1 }).catch((error) => error);
  assertEquals(inVain.name, "TimeoutError");
});

test("tryReceiveBatch() throws EMSGSIZE for too little room, and the messages stay", () => {
  const { queue } = fixture();
  using _ = queue;
  const small = new MessageBatch({ maxMessages: 2, maxMessageBytes: 15 });
  queue.trySend("x");
  using other = privateQueue({ maxMessages: 1, maxMessageBytes: 15 });
  other.trySend("before");
  assertEquals(other.tryReceiveBatch(small), 1);
  const error = assertThrows(() => queue.tryReceiveBatch(small), PosixError);
  assertEquals([error.code, error.syscall], ["EMSGSIZE", "mq_receive"]);
  assertEquals([queue.length, small.count], [1, 0]);
});

test("tryReceiveBatch() throws EBADF for a write-only handle, ClosedError for a closed one", () => {
  const { batch } = fixture();
  const name = uniqueName("batch");
  using queue = MessageQueue.create(name, { maxMessages: 1, maxMessageBytes: 8, access: "w" });
  MessageQueue.unlink(name);
  assertEquals(assertThrows(() => queue.tryReceiveBatch(batch), PosixError).code, "EBADF");
  queue.close();
  assertThrows(() => queue.tryReceiveBatch(batch), ClosedError);
});

test("a batch refuses sizes that are none, and messages that it has not", async () => {
  const sizes = [[0, 1], [1, 0], [1.5, 1], [65_537, 1], [1, 2 ** 24 + 1], [NaN, 1]] as const;
  for (const [maxMessages, maxMessageBytes] of sizes) {
    assertThrows(() => new MessageBatch({ maxMessages, maxMessageBytes }), RangeError);
  }
  const { queue, batch } = fixture();
  using _ = queue;
  queue.trySend("x");
  queue.tryReceiveBatch(batch);
  for (const index of [-1, 1, 0.5, NaN, "0" as unknown as number]) {
    assertThrows(() => batch.bytes(index), RangeError);
    assertThrows(() => batch.priority(index), RangeError);
  }
  const none = {} as MessageBatch;
  assertThrows(() => queue.tryReceiveBatch(none), TypeError, "MessageBatch");
  await assertRejects(() => queue.receiveBatch(none), TypeError);
  assert(batch.bytes(0).buffer instanceof SharedArrayBuffer);
});
