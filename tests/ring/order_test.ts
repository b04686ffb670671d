/**
 * In which order the two ends touch the memory that they share.
 *
 * Goal: a peer that runs between any two steps sees whole records and is never forgotten. Method:
 * the engine's own Atomics are watched, and at each store a peer is played at that very moment.
 */

import "../support/loaded.ts";
import { assert, assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import type { RingConsumer, RingProducer } from "../../src/ring/mod.ts";
import { LANES_OFFSET, NOT_EMPTY_OFFSET, NOT_FULL_OFFSET } from "../../src/ring/ring_layout.ts";
import { ARMED } from "../../src/wait/event_layout.ts";
import { plainRing } from "./rings.ts";

/** Runs something; tells of each Atomics access to 32-bit words just before it happens. */
function watching(
  told: (access: "load" | "store", byteOffset: number, value?: number) => void,
  run: () => void,
): void {
  const { load, store } = Atomics;
  const offset = (words: Int32Array, index: number) => words.byteOffset + 4 * index;
  Atomics.load = ((words: Int32Array, index: number) => {
    told("load", offset(words, index));
    return load(words, index);
  }) as typeof load;
  Atomics.store = ((words: Int32Array, index: number, value: number) => {
    told("store", offset(words, index), value);
    return store(words, index, value);
  }) as typeof store;
  try {
    run();
  } finally {
    Object.assign(Atomics, { load, store });
  }
}

const DATA = Uint8Array.from({ length: 20 }, (_, i) => i + 1);
const SHORT = DATA.subarray(0, 16);

/** Each way to put those 20 bytes in, and 16 of them several times. */
const PUSHES: ((producer: RingProducer) => void)[] = [
  (producer) => void producer.tryPush(DATA),
  (producer) => void producer.pushSync(DATA),
  (producer) => void producer.push(DATA),
  (producer) => {
    producer.claim(20)!.set(DATA);
    producer.commit();
  },
  (producer) => void producer.batch(() => producer.tryPush(DATA)),
  (producer) => {
    for (let i = 0; i < 3; i++) producer.tryPush(SHORT); // copied by words at last
  },
];

for (const [way, push] of PUSHES.entries()) {
  test(`a record is whole when it is published, and then who waits is looked for: way ${way}`, () => {
    const { ring, lane } = plainRing(256);
    const producer = ring.producer();
    const order: string[] = [];
    let start = 0;
    watching((access, byteOffset, value) => {
      if (access === "store" && byteOffset === lane.tail.byteOffset) {
        order.push("publish");
        const length = lane.records[start / 4]!;
        const bytes = new Uint8Array(lane.records.buffer, lane.records.byteOffset + start + 8);
        assertEquals(bytes.slice(0, length), DATA.slice(0, length));
        assert(length === DATA.length || length === SHORT.length);
        start = value!;
      } else if (access === "load" && byteOffset === NOT_EMPTY_OFFSET + 4 * ARMED) {
        order.push("notify");
      }
    }, () => push(producer));
    assert(order.length > 0 && order.every((step, i) => step === ["publish", "notify"][i % 2]));
  });
}

/** Each way to take records of 16 bytes; what was read is looked at by the function. */
const TAKES: ((consumer: RingConsumer, read: (data: Uint8Array) => void) => void)[] = [
  (consumer, read) => read(consumer.tryPop()!),
  (consumer, read) => read(consumer.popSync()!),
  (consumer, read) => {
    const into = new Uint8Array(16);
    for (let i = 0; i < 3; i++) {
      consumer.tryPopInto(into); // copied by words at last
      read(into.slice());
    }
  },
  (consumer, read) => {
    consumer.tryDrain((view, byteOffset, byteLength) => {
      read(view.slice(byteOffset, byteOffset + byteLength));
    });
  },
];

for (const [way, take] of TAKES.entries()) {
  test(`a record was read when its room is given back, and then who waits is looked for: way ${way}`, () => {
    const { ring, lane } = plainRing(256);
    const producer = ring.producer(), consumer = ring.consumer();
    while (producer.tryPush(SHORT));
    const order: string[] = [], seen: Uint8Array[] = [];
    let head = 0;
    watching((access, byteOffset, value) => {
      if (access === "store" && byteOffset === lane.head.byteOffset) {
        order.push("give back");
        lane.records.fill(-1, head / 4, value! / 4); // as a producer may from now on
        head = value!;
      } else if (
        access === "load" && byteOffset === LANES_OFFSET + NOT_FULL_OFFSET + 4 * ARMED
      ) order.push("notify");
    }, () => take(consumer, (data) => seen.push(data)));
    assert(seen.length > 0);
    for (const data of seen) assertEquals(data, SHORT.slice());
    assert(order.length > 0 && order.every((step, i) => step === ["give back", "notify"][i % 2]));
  });
}
