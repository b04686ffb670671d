/** The inner door of the queues: receiving without making anything, waiting for more than one place. */

import "../support/loaded.ts";
import { assert, assertEquals, assertRejects, assertStrictEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { ClosedError, MessageQueue } from "../../mod.ts";
import { awaitRoom, receivedPriority, receiveLength } from "../../src/mq/inside.ts";
import { namedQueue, privateQueue } from "../support/names.ts";
import { within } from "../support/until.ts";

const never = new AbortController().signal;

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A queue that is full, and another handle on it that takes. */
function fullQueue(): Disposable & { queue: MessageQueue; taker: MessageQueue } {
  const named = namedQueue({ maxMessages: 4 });
  const taker = MessageQueue.open(named.name);
  while (named.queue.trySend("x"));
  return {
    queue: named.queue,
    taker,
    [Symbol.dispose]() {
      taker.close();
      named[Symbol.dispose]();
    },
  };
}

test("receiveLength() gives the length of a message, -1 when there is none", () => {
  using queue = privateQueue();
  const buffer = new Uint8Array(64);
  queue.trySend("abc", { priority: 8 });
  assertEquals([receiveLength(queue, buffer), receivedPriority()], [3, 8]);
  assertEquals(new TextDecoder().decode(buffer.subarray(0, 3)), "abc");
  assertEquals(receiveLength(queue, buffer), -1);
});

test("awaitRoom() looks at each change until there is room enough, and not in between", async () => {
  using full = fullQueue();
  using bell = privateQueue();
  const { queue, taker } = full;
  /** A turn of the reactor, which tells of all that is ready. */
  const reactorTurn = async () => {
    const received = bell.receive();
    await turn();
    bell.trySend("x");
    await within("the bell", received);
  };
  taker.tryReceive(); // writable from now on
  let looks = 0;
  const room = awaitRoom(queue, "changed", () => {
    looks++;
    return queue.length <= 1 || undefined;
  }, never);
  await reactorTurn();
  await reactorTurn();
  const before = looks;
  for (let turns = 0; turns < 10; turns++) await reactorTurn();
  assertEquals(looks, before, "nothing changed");
  taker.tryReceive();
  await reactorTurn();
  await reactorTurn();
  assertEquals(looks, before + 1);
  taker.tryReceive();
  assertEquals(await within("the room", room), true);
  assertEquals(looks, before + 2);
});

test("awaitRoom() serves who waits for any room before who waits for more", async () => {
  using full = fullQueue();
  const { queue, taker } = full;
  const served: string[] = [];
  const more = awaitRoom(queue, "changed", () => {
    if (queue.length > 2) return undefined;
    return served.push("more");
  }, never);
  const any = awaitRoom(queue, "writable", () => {
    if (!queue.trySend("y")) return undefined;
    return served.push("any");
  }, never);
  for (let taken = 0; taken < 3; taken++) taker.tryReceive();
  await within("both", Promise.all([more, any]));
  assertEquals(served, ["any", "more"]);
});

test("a readable wait beside awaitRoom() misses no message", async () => {
  using full = fullQueue();
  const { queue, taker } = full;
  while (taker.tryReceive() !== undefined);
  const controller = new AbortController();
  const room = awaitRoom(queue, "changed", () => undefined, controller.signal).catch((e) => e);
  for (const text of ["1", "2", "3"]) {
    const received = queue.receive();
    await turn();
    taker.trySend(text);
    assertEquals((await within("the message", received)).text(), text);
  }
  controller.abort("enough");
  assertEquals(await room, "enough");
});

test("awaitRoom() ends with its signal, and with its queue", async () => {
  using full = fullQueue();
  const { queue } = full;
  const reason = { why: "given up" }, controller = new AbortController();
  const given = awaitRoom(queue, "changed", () => undefined, controller.signal).catch((e) => e);
  const closed = assertRejects(
    () => awaitRoom(queue, "changed", () => undefined, never),
    ClosedError,
  );
  await turn();
  controller.abort(reason);
  assertStrictEquals(await within("the signal", given), reason);
  queue.close();
  await within("the end", closed);
});

test("the wait for a change finds what happened between the look and the wait", async () => {
  using full = fullQueue();
  const { queue, taker } = full;
  let isFirst = true;
  for (let round = 0; round < 3; round++) {
    isFirst = true;
    const room = awaitRoom(queue, "changed", () => {
      const isRoom = queue.length <= 3;
      // Somebody takes right behind the look that finds no room.
      if (isFirst) taker.tryReceive();
      isFirst = false;
      return isRoom || undefined;
    }, never);
    assertEquals(await within("the room", room), true);
    assert(queue.trySend("x"));
  }
});
