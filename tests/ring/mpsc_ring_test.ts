/** MpscRing: its lanes, their turns, and the order of each producer. */

import "../support/loaded.ts";
import { assert, assertEquals, assertMatch, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import { PosixError, SharedMemory } from "../../mod.ts";
import { MpscRing, type RingProducer, SpscRing } from "../../src/ring/mod.ts";
import { within } from "../support/until.ts";
import { plainLanes, plainMemory, plainRing } from "./rings.ts";

function first(data: Uint8Array | undefined): number | undefined {
  return data?.[0];
}

/** Pushes a record of one byte until there is no room; gives how many went in. */
function fill(producer: RingProducer, byte: number): number {
  let count = 0;
  while (producer.tryPush(Uint8Array.of(byte))) count++;
  return count;
}

test("MpscRing.producer() takes a lane that nobody has", () => {
  const shape = { lanes: 3, capacityBytes: 256 };
  using memory = SharedMemory.anonymous({ byteLength: MpscRing.bytesFor(shape) });
  const ring = MpscRing.format(memory.bytes, shape);
  assertEquals([ring.lanes, ring.capacityBytes, ring.maxRecordBytes], [3, 256, 120]);
  const producers = [ring.producer(), ring.producer(), MpscRing.attach(memory.bytes).producer()];
  const error = assertThrows(() => ring.producer(), PosixError);
  assertEquals([error.code, error.target], ["EBUSY", "ring"]);
  assertMatch(error.hint!, /each lane has one/);

  using consumer = ring.consumer();
  assertThrows(() => ring.consumer(), PosixError, "EBUSY");
  producers[1]!.tryPush(Uint8Array.of(1));
  producers[1]!.close();
  using next = ring.producer();
  next.tryPush(Uint8Array.of(2));
  assertEquals([first(consumer.tryPop()), first(consumer.tryPop())], [1, 2]);
  for (const producer of producers) producer.close();
});

test("MpscRing.format() refuses no lanes, and too many", () => {
  const memory = plainMemory(4096);
  for (const lanes of [0, -1, 1.5, 1025, NaN]) {
    assertThrows(() => MpscRing.format(memory, { lanes }), RangeError, "lanes");
  }
  assertThrows(() => MpscRing.format(memory, {} as never), TypeError, "lanes");
  assertThrows(() => MpscRing.format(memory, undefined as never), TypeError, "expected an object");
  assertThrows(() => MpscRing.format(memory, { lanes: 100 }), RangeError, "byteLength");
});

test("MpscRing.attach() takes a ring of one lane for what it is", () => {
  const { ring, memory } = plainRing(256);
  using consumer = MpscRing.attach(memory).consumer();
  using producer = ring.producer();
  producer.tryPush(Uint8Array.of(7));
  assertEquals(first(consumer.tryPop()), 7);
  assertEquals(SpscRing.attach(memory).usedBytes, 0);
});

test("RingConsumer gives each lane its turn, however much the others have", () => {
  const { ring } = plainLanes(3, 8192);
  const producers = [ring.producer(), ring.producer(), ring.producer()];
  const full = producers.map((producer, lane) => fill(producer, lane));
  assertEquals(full, [512, 512, 512]);
  using consumer = ring.consumer();
  const order: number[] = [];
  assertEquals(consumer.tryDrain((view, at) => order.push(view[at]!)), 3 * 512);
  for (const [i, lane] of order.entries()) {
    assertEquals(lane, (Math.floor(i / 64) + order[0]!) % 3, `record ${i}`);
  }
});

test("RingConsumer.tryPop() reaches a lane while another never ends", () => {
  const { ring } = plainLanes(2, 8192);
  const busy = ring.producer(), rare = ring.producer();
  fill(busy, 1);
  using consumer = ring.consumer();
  consumer.tryPop();
  rare.tryPush(Uint8Array.of(2));
  let popped = 0;
  do {
    busy.tryPush(Uint8Array.of(1));
    popped++;
  } while (first(consumer.tryPop()) !== 2);
  assert(popped <= 64, `after ${popped} records`);
});

test("a turn of long records is an eighth of the capacity", () => {
  const { ring } = plainLanes(2, 8192);
  for (const byte of [0, 1]) {
    const producer = ring.producer();
    while (producer.tryPush(new Uint8Array(248).fill(byte)));
  }
  using consumer = ring.consumer();
  const order: number[] = [];
  consumer.tryDrain((view, at) => order.push(view[at]!));
  const turns = order.join("").match(/0+|1+/g)!.map((turn) => turn.length);
  assertEquals([...new Set(turns)], [4]);
});

test("RingConsumer gives the room of a lane back when its turn is over", () => {
  const { ring, words } = plainLanes(2, 1024);
  const producers = [ring.producer(), ring.producer()];
  using consumer = ring.consumer();
  for (const [lane, producer] of producers.entries()) fill(producer, lane);
  consumer.tryDrain(() => {});
  for (const { head, tail } of words) assertEquals(head[0], tail[0]);
  for (const producer of producers) assertEquals(fill(producer, 0), 64);
});

test("MpscRing.usedBytes counts all lanes", () => {
  const { ring } = plainLanes(2, 256);
  const producers = [ring.producer(), ring.producer()];
  for (const producer of producers) producer.tryPush(new Uint8Array(9));
  assertEquals(ring.usedBytes, 48);
});

test("RingConsumer.pop() is woken by any producer, and a full lane by the consumer", async () => {
  const { ring } = plainLanes(3, 64);
  const producers = [ring.producer(), ring.producer(), ring.producer()];
  using consumer = ring.consumer();
  for (const [lane, producer] of producers.entries()) {
    const popped = consumer.pop();
    await producer.push(Uint8Array.of(lane));
    assertEquals(first(await within("a record", popped)), lane);
  }
  for (const [lane, producer] of producers.entries()) fill(producer, lane);
  const pushed = producers.map((producer) => producer.push(Uint8Array.of(9)));
  let nines = 0;
  while (nines < 3) if (first(await within("a record", consumer.pop())) === 9) nines++;
  await within("the pushes", Promise.all(pushed));
});
