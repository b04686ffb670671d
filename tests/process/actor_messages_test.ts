/** Messages between threads and processes: what becomes of credit, lanes, deadlines and blocks. */

import process from "node:process";
import { openRingOutbox, RING_SIZE } from "../../src/actor/carriers/ring.ts";
import { ActorError, testSystem } from "../../src/actor/mod.ts";
import { inboxName, ringName } from "../../src/actor/runtime/names.ts";
import { MessageQueue } from "../../src/mq/mod.ts";
import { addressOf } from "../../src/actor/protocol/ref.ts";
import counterActor from "../actor/actors/counter.ts";
import heirActor from "../actor/actors/heir.ts";
import mortalActor, { Mortal } from "../actor/actors/mortal.ts";
import { openQueueOutbox } from "../../src/actor/carriers/queue.ts";
import { blankHeader, encodeFrame, FRAME_HEADER_BYTES } from "../../src/actor/wire/frame.ts";
import { KIND } from "../../src/actor/wire/frame_layout.ts";
import relayActor from "../actor/actors/relay.ts";
import subjectActor from "../actor/actors/subject.ts";
import { assert, assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { quietSystem } from "../support/actors.ts";
import { errorOf, until, within } from "../support/until.ts";

for (const place of ["worker", "process"] as const) {
  test(`a ref in init has its methods in: "${place}"`, async () => {
    await using shop = await quietSystem();
    const counter = await shop.spawn(counterActor, { init: { start: 40 } });
    const init = { counter };
    const heir = await shop.spawn(heirActor, { in: place as "process", init });
    assertEquals(await within("the total", heir.total()), { n: 40 });
  });
}

test("who waits for credit of an actor that ended for good goes on", async () => {
  await using shop = await quietSystem();
  const relay = await shop.spawn(relayActor, { in: "worker" });
  const mortal = await relay.spawn({ in: "here" });
  await mortal.dieLater(100); // by then all that it has credit for are in its mailbox
  const notes = Array.from({ length: 100 }, (_, index) => mortal.note(`note ${index}`));
  await within("all notes to leave", Promise.allSettled(notes));
});

test("asks and messages by ring go by the queue where no lane is left", async () => {
  await using shop = await quietSystem();
  const subject = await shop.spawn(subjectActor, { in: "worker", carrier: "ring" });
  const outboxes = [0, addressOf(subject).endpoint].flatMap((endpoint) =>
    Array.from(
      { length: RING_SIZE.lanes },
      () => openRingOutbox(ringName(shop.name, endpoint)),
    )
  );
  try {
    for (let round = 0; round < 3; round++) {
      await subject.note(`${round}`);
      assertEquals(await within("an answer", subject.echo(round)), round);
    }
    assertEquals(await subject.notes(), ["0", "1", "2"]);
  } finally {
    for (const outbox of outboxes) outbox.close();
  }
});

test("deadlines of a virtual clock do not pass where time is real", async () => {
  await using shop = await testSystem();
  const subject = await shop.system.spawn(subjectActor, { in: "worker" });
  assertEquals(await within("an answer", subject.echo(1, { timeoutMs: 60_000 })), 1);
  await subject.note("in time", { ttlMs: 60_000 });
  assertEquals(await subject.notes(), ["in time"]);
  assertEquals(shop.system.deadLetters.total, 0);
});

test("an ask whose taker could not be told of ends with its taker all the same", async () => {
  await using shop = await quietSystem();
  const pool = await shop.spawn(subjectActor, { in: "worker", size: 2, stdio: "ignore" });
  using inbox = MessageQueue.open(inboxName(shop.name, 0), { access: "w" });
  while (inbox.trySend(new Uint8Array(8)));
  const asked = errorOf(pool.exit(3));
  // This thread takes nothing for a while, and its inbox is full.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  const error = await within("the error", asked);
  assert(error instanceof ActorError, `${error}`);
  assertEquals(error.exit, { kind: "exit", code: 3 });
});

test("an actor in a worker starts others in processes and workers", async () => {
  await using shop = await quietSystem();
  const relay = await shop.spawn(relayActor, { in: "worker" });
  const mortals = await Promise.all([
    relay.spawn({ in: "process" }),
    relay.spawn({ in: "worker" }),
  ]);
  const [one, other] = await Promise.all(mortals.map((mortal) => mortal.life()));
  assert(one!.pid !== process.pid && other!.pid === process.pid, `${one!.pid} ${other!.pid}`);
});

test("who begins later is told of an actor that had ended before", async () => {
  await using shop = await quietSystem();
  const here = await shop.spawn(mortalActor),
    there = await shop.spawn(mortalActor, {
      in: "worker",
    });
  await Promise.all([shop.stop(here), shop.stop(there)]);
  const relay = await shop.spawn(relayActor, { in: "worker" });
  assertEquals(await within("the first end", relay.watch(here)), { kind: "stopped" });
  assertEquals((await within("the second end", relay.watch(there))).kind, "lost");
  const lives = await shop.spawn(mortalActor);
  const end = relay.watch(lives);
  await lives.life();
  await shop.stop(lives);
  assertEquals(await within("the third end", end), { kind: "stopped" });
});

test("an actor in a worker has the capacity that it was given", async () => {
  await using shop = await quietSystem();
  const mortal = await shop.spawn(mortalActor, { in: "worker", capacity: 2, stopMs: 0 });
  const hanging = errorOf(mortal.hang());
  const { endpoint, actor: to } = addressOf(mortal);
  const frame = new Uint8Array(FRAME_HEADER_BYTES);
  const header = { ...blankHeader(KIND.TELL), tag: Mortal.kinds.stop.tag, to };
  encodeFrame(frame, header, new Uint8Array());
  using inbox = openQueueOutbox(inboxName(shop.name, endpoint));
  for (let sent = 0; sent < 5; sent++) await inbox.send(frame, "message", 0);
  await until("three are dropped", () => shop.deadLetters.count("dropped") === 3);
  await shop.stop(mortal);
  await hanging;
});
