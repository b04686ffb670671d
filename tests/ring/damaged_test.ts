/**
 * Rings in memory that somebody else writes: nothing there crashes, overruns or goes on for ever.
 *
 * Method: single values that no peer of ours writes, and then words at random while both ends are
 * used. What is done is bounded by the calls; memory around the ring must stay as it was.
 */

import "../support/loaded.ts";
import { assert, assertEquals, assertMatch, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import { LayoutError } from "../../mod.ts";
import { SpscRing } from "../../src/ring/mod.ts";
import { LANES_OFFSET, PADDING, ringBytesOf } from "../../src/ring/ring_layout.ts";
import { Random } from "../support/random.ts";
import { scaled } from "../support/scale.ts";
import { LaneWords, plainRing } from "./rings.ts";

const CAPACITY = 256;

test("RingConsumer refuses a tail that cannot be", () => {
  for (const position of [0, 2 ** 31 - 64, 2 ** 32 - 64]) {
    for (const ahead of [4, CAPACITY + 8, 2 ** 30, 2 ** 31, -8]) {
      const { ring, lane } = plainRing(CAPACITY, position);
      using consumer = ring.consumer();
      Atomics.store(lane.tail, 0, (position + ahead) | 0);
      for (let times = 0; times < 2; times++) {
        const error = assertThrows(() => consumer.tryPop(), LayoutError);
        assertMatch(error.found, /tail \d+ and head \d+/);
        assertThrows(() => consumer.tryDrain(() => {}), LayoutError);
      }
      consumer.close();
      assertThrows(() => ring.consumer(), LayoutError);
    }
  }
});

test("RingProducer refuses a head that cannot be", () => {
  for (const ahead of [-CAPACITY - 8, 4, 8, 2 ** 30, 2 ** 31]) {
    const { ring, lane } = plainRing(CAPACITY);
    using producer = ring.producer();
    while (producer.tryPush(new Uint8Array(8)));
    const tail = Atomics.load(lane.tail, 0);
    Atomics.store(lane.head, 0, (tail + ahead) | 0);
    assertThrows(() => producer.tryPush("x"), LayoutError);
    assertThrows(() => producer.claim(1), LayoutError);
    Atomics.store(lane.head, 0, tail);
    assert(producer.tryPush("x"), "it looks again");
  }
});

test("RingConsumer refuses the length of a record that ends behind what is published", () => {
  for (const length of [-2, -8, 9, 17, CAPACITY, 2 ** 30, 0x7fffffff, -(2 ** 31)]) {
    const { ring, lane } = plainRing(CAPACITY);
    using producer = ring.producer();
    using consumer = ring.consumer();
    producer.tryPush(new Uint8Array(8));
    lane.records[0] = length;
    for (
      const take of [
        () => consumer.tryPop(),
        () => consumer.tryPopInto(new Uint8Array(CAPACITY)),
        () => consumer.tryDrain(() => {}),
      ]
    ) {
      const error = assertThrows(take, LayoutError);
      assertEquals([error.found, error.expected], [
        `a record of ${length} bytes`,
        "0 to 8, which are published",
      ]);
    }
  }
});

test("RingConsumer refuses a record that ends behind the lane", () => {
  const { ring, lane } = plainRing(CAPACITY, CAPACITY - 16);
  using consumer = ring.consumer();
  lane.records[(CAPACITY - 16) / 4] = 9;
  Atomics.store(lane.tail, 0, CAPACITY + 64);
  const error = assertThrows(() => consumer.tryPop(), LayoutError);
  assertEquals(error.expected, "0 to 8, which are published");
});

test("RingConsumer refuses padding that no record needed", () => {
  for (
    const [position, tail, what] of [
      [CAPACITY - 16, CAPACITY, "with nothing behind it"],
      [CAPACITY - 16, CAPACITY - 8, "longer than what is published"],
      [0, CAPACITY, "as long as the lane"],
      [CAPACITY / 2, CAPACITY + 64, "as long as the longest record"],
    ] as const
  ) {
    const { ring, lane } = plainRing(CAPACITY, position);
    using consumer = ring.consumer();
    lane.records[(position % CAPACITY) / 4] = PADDING;
    Atomics.store(lane.tail, 0, tail);
    const error = assertThrows(() => consumer.tryPop(), LayoutError, undefined, what);
    assertMatch(error.found, /padding/);
  }
});

test("RingConsumer refuses padding behind padding", () => {
  const { ring, lane } = plainRing(CAPACITY, CAPACITY - 16);
  using consumer = ring.consumer();
  lane.records[(CAPACITY - 16) / 4] = PADDING;
  lane.records[0] = PADDING;
  Atomics.store(lane.tail, 0, CAPACITY + 64);
  assertMatch(assertThrows(() => consumer.tryPop(), LayoutError).found, /a record of -1 bytes/);
});

test("SpscRing overruns nothing, whatever somebody writes into it", () => {
  const seed = Date.now() >>> 0, random = new Random(seed);
  const bytes = ringBytesOf(1, CAPACITY), around = 4096;
  const buffer = new SharedArrayBuffer(bytes + 2 * around);
  const all = new Uint8Array(buffer), memory = new Uint8Array(buffer, around, bytes);
  const ring = SpscRing.format(memory, { capacityBytes: CAPACITY });
  const lane = new LaneWords(memory, 0, CAPACITY);
  const header = [...memory.subarray(0, LANES_OFFSET)];
  all.fill(0xa5, 0, around);
  all.fill(0xa5, around + bytes);

  let producer = ring.producer(), consumer = ring.consumer();
  const counts = { damaged: 0, done: 0 };
  const use = (call: () => unknown) => {
    try {
      call();
      counts.done++;
    } catch (error) {
      if (!(error instanceof LayoutError)) throw error;
      counts.damaged++;
    }
  };
  const into = new Uint8Array(CAPACITY);
  for (let round = 0; round < scaled(20_000); round++) {
    const value = random.pick([
      random.below(2 ** 32),
      random.below(CAPACITY),
      8 * random.below(64),
      -1,
      Atomics.load(lane.tail, 0) + 8 * random.below(40),
    ]);
    const where = random.pick([lane.tail, lane.head, lane.records, lane.records]);
    Atomics.store(where, random.below(where.length), value | 0);
    use(() => producer.tryPush(random.bytes(random.below(121))));
    use(() => consumer.tryPop());
    use(() => consumer.tryPopInto(into));
    use(() => consumer.tryDrain((view, at, byteLength) => assert(at + byteLength <= view.length)));
    use(() => {
      const view = producer.claim(random.below(121));
      if (view === undefined) return;
      view.fill(0xff);
      producer.commit();
    });
    if (random.oneIn(8)) {
      // In order again, now and then, or all that follows would be refused.
      producer.close();
      consumer.close();
      lane.moveTo(8 * random.below(64));
      producer = ring.producer();
      consumer = ring.consumer();
    }
  }
  producer.close();
  consumer.close();
  const outside = [...all.subarray(0, around), ...all.subarray(around + bytes)];
  assert(outside.every((byte) => byte === 0xa5), `seed ${seed}: written outside the ring`);
  assertEquals([...memory.subarray(0, LANES_OFFSET)], header, `seed ${seed}`);
  assert(counts.damaged > 1000 && counts.done > 1000, JSON.stringify(counts));
});
