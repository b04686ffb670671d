/** The inner door of the rings: marks of records, waiting for room with an attempt of one's own. */

import "../support/loaded.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "../assert.ts";
import { test } from "../harness.ts";
import { ClosedError } from "../../mod.ts";
import { awaitRoom, markOf, tryPushMarked, usedBytesOf } from "../../src/ring/inside.ts";
import { within } from "../support/until.ts";
import { plainRing } from "./rings.ts";

test("tryPushMarked() sends a mark with a record, whatever its length and place", () => {
  for (let position = 0; position < 256; position += 8) {
    const { ring } = plainRing(256, position);
    using producer = ring.producer();
    using consumer = ring.consumer();
    const into = new Uint8Array(120);
    for (let length = 0; length <= 120; length += 5) {
      const mark = (0x9e3779b9 * (length + 1)) | 0;
      assert(tryPushMarked(producer, new Uint8Array(length).fill(length), mark));
      assertEquals([consumer.tryPopInto(into), markOf(consumer)], [length, mark]);
      assert(into.subarray(0, length).every((byte) => byte === length));
    }
  }
});

test("a record without a mark has 0", () => {
  const { ring } = plainRing(64);
  using producer = ring.producer();
  using consumer = ring.consumer();
  const into = new Uint8Array(24);
  for (let times = 0; times < 8; times++) {
    tryPushMarked(producer, new Uint8Array(24), -1);
    consumer.tryPopInto(into);
    assertEquals(markOf(consumer), -1);
    producer.tryPush("x");
    consumer.tryPopInto(into);
    assertEquals(markOf(consumer), 0);
  }
});

test("tryPushMarked() refuses what tryPush() refuses", () => {
  const { ring } = plainRing(64);
  using producer = ring.producer();
  assertThrows(() => tryPushMarked(producer, new Uint8Array(25), 1), RangeError);
  assert(tryPushMarked(producer, new Uint8Array(24), 1));
  assert(tryPushMarked(producer, new Uint8Array(24), 1));
  assertEquals(tryPushMarked(producer, new Uint8Array(24), 1), false);
});

test("usedBytesOf() tells what of its lane a producer's records take", () => {
  const { ring } = plainRing(64);
  using producer = ring.producer();
  using consumer = ring.consumer();
  assertEquals(usedBytesOf(producer), 0);
  producer.tryPush("x");
  assertEquals(usedBytesOf(producer), 16);
  consumer.tryPop();
  assertEquals(usedBytesOf(producer), 0);
});

test("awaitRoom() tries again when there may be room, until it is given up or the end", async () => {
  const { ring } = plainRing(64);
  using producer = ring.producer();
  using consumer = ring.consumer();
  const never = new AbortController().signal;
  while (producer.tryPush(new Uint8Array(24)));
  const pushed = awaitRoom(producer, () => tryPushMarked(producer, new Uint8Array(24), 5), never);
  assertEquals(await pushed, false, "what an attempt gives is what it gives");
  const room = awaitRoom(producer, () => producer.tryPush("y") || undefined, never);
  consumer.tryPop();
  assertEquals(await within("the room", room), true);

  const reason = { why: "given up" }, controller = new AbortController();
  const given = awaitRoom(producer, () => undefined, controller.signal).catch((error) => error);
  const closed = assertRejects(() => awaitRoom(producer, () => undefined, never), ClosedError);
  controller.abort(reason);
  assertStrictEquals(await within("the signal", given), reason);
  producer.close();
  await within("the end", closed);
});
