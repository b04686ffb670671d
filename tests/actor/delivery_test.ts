/**
 * At-least-once, of actors in this isolate: what a handler threw over comes again, with the attempt
 * counted, and nothing leaves without a handler or a dead letter.
 */

import { addressOf } from "../../src/actor/mod.ts";
import { planOf } from "../../src/actor/runtime/plan.ts";
import { actor, msg, protocol } from "../../src/actor/mod.ts";
import { SlotMemory } from "../../src/actor/delivery/slots.ts";
import { memoryOf } from "../../src/actor/memory/directory.ts";
import { endpointOf } from "../../src/actor/runtime/system.ts";
import { blankHeader, encodeFrame } from "../../src/actor/wire/frame.ts";
import { CODEC, KIND, KIND_OFFSET } from "../../src/actor/wire/frame_layout.ts";
import { MessageQueue, uniqueName } from "../../src/mq/mod.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "../assert.ts";
import { test } from "../harness.ts";
import { blocksInUse, objectsOf } from "../support/actors.ts";
import { Keepers, largeNote, note } from "../support/keepers.ts";
import { until } from "../support/until.ts";
import keeperActor from "./actors/keeper.ts";

test("a tell that its handler threw over is given to the next incarnation, before all others", async () => {
  await using keepers = await Keepers.open();
  const keeper = await keepers.spawn({});
  await Promise.all([keeper.keep(note("a", "throw", "throw", "fine")), keeper.keep(note("b"))]);
  assertEquals(await keepers.attempts("b", 1), [1]);
  assertEquals(
    keepers.seen.map(({ text, attempt, incarnation }) => [text, attempt, incarnation]),
    [["a", 1, 1], ["a", 2, 2], ["a", 3, 3], ["b", 1, 3]],
  );
  assertEquals(new Set(keepers.seen.map(({ id }) => id)).size, 2);
  assertEquals(keepers.shop.deadLetters.total, 0);
});

test("a message that ends the actor each time is a dead letter after maxAttempts, with the error", async () => {
  await using keepers = await Keepers.open();
  const keeper = await keepers.spawn({ maxAttempts: 2 });
  await keeper.keep(largeNote("poison", "throw"));
  await keeper.keep(note("next"));
  await keepers.attempts("next", 1);
  assertEquals(await keepers.attempts("poison", 2), [1, 2]);
  const [letter] = await keepers.letters(1);
  assertEquals([letter!.reason, letter!.kind], ["attempts-spent", "keep"]);
  assertStringIncludes(letter!.detail, "tried 2 times, and the actor threw RangeError: thrown on");
  assertEquals(blocksInUse(keepers.shop.name), 0);
  // It can be sent again, whole.
  assert(await keepers.shop.replay(letter!.id));
  assertEquals(await keepers.attempts("poison", 4), [1, 2, 1, 2]);
  assertEquals(keepers.seen.filter(({ text }) => text === "poison").map(({ bytes }) => bytes), [
    50_000,
    50_000,
    50_000,
    50_000,
  ]);
});

test("a payload in the slab is there for each attempt, and its block is free at the end", async () => {
  await using keepers = await Keepers.open();
  const keeper = await keepers.spawn({});
  await keeper.keep(largeNote("large", "throw", "throw", "fine"));
  assertEquals(await keepers.attempts("large", 3), [1, 2, 3]);
  assertEquals(keepers.seen.map(({ bytes }) => bytes), [50_000, 50_000, 50_000]);
  await until("its block is free", () => blocksInUse(keepers.shop.name) === 0);
});

test("an actor that does not come back leaves what it had as dead letters, and how it ended", async () => {
  await using keepers = await Keepers.open();
  const keeper = await keepers.spawn({ restart: { keep: "temporary" }, prefetch: 2 });
  await Promise.all([
    keeper.keep(largeNote("a", "throw")),
    keeper.keep(note("b")),
    keeper.keep(note("c")),
  ]);
  const letters = await keepers.letters(3);
  assertEquals(letters.map(({ reason, detail }) => [reason, detail]), [
    ["stopped", "it was tried once, and the actor threw RangeError: thrown on purpose"],
    ["stopped", ""],
    ["stopped", ""],
  ]);
  await until("all of it is gone", () => objectsOf(keepers.shop.name).every(isSystems));
  assertEquals(blocksInUse(keepers.shop.name), 0);
});

test("an ask is handled again though its asker was told of the death, and not once it was answered", async () => {
  await using keepers = await Keepers.open();
  const keeper = await keepers.spawn({});
  assertEquals(await keeper.keepAsked(note("fine")), 1);
  // What its handler throws is its answer.
  const thrown = await keeper.keepAsked(note("thrown", "throw")).catch((error) => error);
  assertEquals(thrown.message, "thrown on purpose");
  const pending = keeper.keepAsked(note("pending", "later", "fine")).catch((error) => error);
  await keepers.attempts("pending", 1);
  await endpointOf(keepers.shop).deaths.crash(addressOf(keeper), {
    kind: "lost",
    reason: "on purpose",
  });
  assertEquals((await pending).code, "EDIED");
  assertEquals(await keepers.attempts("pending", 2), [1, 2]);
  await keeper.keep(note("end"));
  await keepers.attempts("end", 1);
  assertEquals(keepers.seen.map(({ text }) => text), [
    "fine",
    "thrown",
    "pending",
    "pending",
    "end",
  ]);
});

test("an ask from outside whose reply finds no room holds up no other message", async () => {
  await using keepers = await Keepers.open();
  const keeper = await keepers.spawn({ mailbox: "kept" });
  const name = uniqueName("test");
  using replies = MessageQueue.create(name, { maxMessages: 1, maxMessageBytes: 256 });
  try {
    replies.trySend("no room");
    const ask = blankHeader(KIND.ASK), frame = new Uint8Array(512);
    ask.codec = CODEC.JSON;
    ask.tag = keepAskedTag();
    ask.replyName = name;
    const payload = new TextEncoder().encode(JSON.stringify(note("outside")));
    const byteLength = encodeFrame(frame, ask, payload);
    using mailbox = MessageQueue.open(`/${keepers.shop.name}.kept`);
    assert(mailbox.trySend(frame.subarray(0, byteLength)));
    await keepers.attempts("outside", 1);
    await keeper.keep(note("inside"));
    await keepers.attempts("inside", 1);
    // The reply was not given up, which would have let the next message go on as well.
    assertEquals(replies.tryReceive()!.text(), "no room");
    const { data } = await replies.receive({ timeoutMs: 10_000 });
    assertEquals(data[KIND_OFFSET], KIND.REPLY);
  } finally {
    MessageQueue.unlink(name);
  }
});

function keepAskedTag(): number {
  const kinds = [...keeperActor.protocol.byTag.values()];
  return kinds.find(({ kind }) => kind === "keepAsked")!.tag;
}

test("what is not at-least-once is acknowledged before its handler, in the same mailbox", async () => {
  await using keepers = await Keepers.open();
  const keeper = await keepers.spawn({});
  await keeper.risk(note("risk", "throw"));
  await keeper.keep(note("keep", "throw", "fine"));
  assertEquals(await keepers.attempts("keep", 2), [1, 2]);
  assertEquals(await keepers.attempts("risk", 1), [1]);
  assertEquals(keepers.shop.deadLetters.list().map(({ reason }) => reason), ["handler-threw"]);
});

test("what was set aside is kept over the end of its incarnation", async () => {
  await using keepers = await Keepers.open();
  const keeper = await keepers.spawn({});
  await keeper.keep(largeNote("aside", "stash", "fine"));
  await keeper.risk(note("risk aside", "stash"));
  await keeper.keep(note("crash", "throw", "fine"));
  assertEquals(await keepers.attempts("aside", 2), [1, 2]);
  await keepers.attempts("crash", 2);
  await keeper.keep(note("aside again", "stash"));
  await keepers.attempts("aside again", 1);
  await keeper.unstash();
  // It is the same attempt, and acknowledged at its end.
  assertEquals(await keepers.attempts("aside again", 2), [1, 1]);
  await keeper.keep(note("crash again", "throw", "fine"));
  await keepers.attempts("crash again", 2);
  assertEquals(await keepers.attempts("aside again", 2), [1, 1]);
});

test("stash() keeps 15 messages, and refuses the next, which ends the actor as what it throws", async () => {
  await using keepers = await Keepers.open();
  const keeper = await keepers.spawn({});
  for (let index = 0; index < 16; index++) await keeper.keep(note(`${index}`, "stash", "fine"));
  assertEquals(await keepers.attempts("15", 2), [1, 2]);
  await keepers.attempts("14", 2);
  // In the next incarnation each is handled, in the order in which they came.
  assertEquals(
    keepers.seen.slice(16).map(({ text }) => Number(text)),
    Array.from({ length: 16 }, (_, index) => index),
  );
});

test("what is expired, unknown or refused is a dead letter, and acknowledged", async () => {
  await using keepers = await Keepers.open();
  const keeper = await keepers.spawn({});
  await keeper.keep(note("slow", "later", "fine"));
  await keepers.attempts("slow", 1);
  await keeper.keep(note("expires"), { ttlMs: 1 });
  await new Promise((resolve) => setTimeout(resolve, 3)); // past its time
  await endpointOf(keepers.shop).deaths.crash(addressOf(keeper), {
    kind: "lost",
    reason: "on purpose",
  });
  const [letter] = await keepers.letters(1);
  assertEquals(letter!.reason, "expired");
});

test("a member of a pool that does not come back leaves what it had to another", async () => {
  await using keepers = await Keepers.open();
  const keeper = await keepers.spawn({ size: 3, restart: { keep: "temporary" }, maxAttempts: 3 });
  await keeper.keep(note("a", "throw", "fine"));
  assertEquals(await keepers.attempts("a", 2), [1, 2]);
  assertEquals(new Set(keepers.seen.map(({ by }) => by)).size, 2);
  await keeper.keep(note("b", "throw", "throw", "fine"));
  const [letter] = await keepers.letters(1); // nobody is left after the second
  assertEquals([letter!.reason, letter!.detail.slice(0, 31)], [
    "stopped",
    "it was tried 2 times, and the a",
  ]);
});

test("a mailbox whose actor could not be made is free when spawn() rejects", async () => {
  await using keepers = await Keepers.open();
  const inbox = `/${keepers.shop.name}.2`; // of the second endpoint that would be launched
  MessageQueue.create(inbox).close();
  try {
    const pool = { in: "process", mailbox: "kept", size: 2 } as const;
    await assertRejects(() => keepers.spawn(pool), Error, "exists");
  } finally {
    MessageQueue.unlink(inbox);
  }
  assertEquals(objectsOf(keepers.shop.name).filter((name) => !isSystems(name)), []);
  const keeper = await keepers.spawn({ mailbox: "kept" });
  await keeper.keep(note("a"));
  assertEquals(await keepers.attempts("a", 1), [1]);
});

test("what waits when its system is closed is a dead letter", async () => {
  const keepers = await Keepers.open();
  const keeper = await keepers.spawn({ stopMs: 0 });
  await keeper.keep(note("in hand", "later"));
  await keepers.attempts("in hand", 1);
  await keeper.keep(note("waits"));
  await keepers.shop.close();
  assertEquals(keepers.shop.deadLetters.list().map(({ reason, detail }) => [reason, detail]), [
    ["stopped", "it was tried once"],
    ["stopped", ""],
  ]);
  assertEquals(objectsOf(keepers.shop.name), []);
});

test("system.guarantees says whether the slots are locked in memory", async () => {
  await using keepers = await Keepers.open();
  await keepers.spawn({ mailbox: "kept" });
  assertEquals(keepers.shop.guarantees, { atLeastOnce: "locked" });
  assert(objectsOf(keepers.shop.name, "kept").includes("slots-kept"));
  SlotMemory.open(
    `/${keepers.shop.name}.slots-kept`,
    memoryOf(endpointOf(keepers.shop).directory).run,
  )
    .close();
});

test("spawn() refuses what at-least-once cannot be, and its options where nothing is", () => {
  const Plain = protocol("test.plain", { go: msg() });
  const plain = actor({ url: "file:///srv/plain.ts" }, Plain, () => ({ go() {} }));
  assertThrows(() => planOf(plain, { maxAttempts: 3 }), TypeError, "maxAttempts is given, and no");
  assertThrows(() => planOf(plain, { prefetch: 2 }), TypeError, "prefetch is given");
  const keeper = (options: object) => () => planOf(keeperActor, options);
  assertThrows(keeper({ carrier: "local" }), TypeError, 'expected "queue", which keeps');
  assertThrows(keeper({ onFull: "drop-old" }), TypeError, "drop-old");
  assertThrows(keeper({ deadlineMs: 5 }), TypeError, 'in is "here"');
  assertThrows(keeper({ in: "process", deadlineMs: 0 }), RangeError, "deadlineMs is 0");
  assertThrows(keeper({ maxAttempts: 0 }), RangeError, "maxAttempts is 0");
  assertThrows(keeper({ prefetch: 129 }), RangeError, "prefetch is 129");
  assertThrows(keeper({ mailbox: "slots-of-mine" }), RangeError, "the system itself has objects");
  assertEquals(planOf(keeperActor, {}).kept, { prefetch: 1, maxAttempts: 5 });
  assertEquals(planOf(plain, {}).kept, undefined);
});

/** Whether an object belongs to the system and no actor. */
function isSystems(name: string): boolean {
  return name === "0" || name === "directory" || name.startsWith("slab-");
}
