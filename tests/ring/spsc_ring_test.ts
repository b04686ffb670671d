/** SpscRing: its memory, its roles, and what its two ends do without waiting. */

import "../support/loaded.ts";
import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import { ClosedError, LayoutError, PosixError, SharedMemory } from "../../mod.ts";
import { MpscRing, RingConsumer, RingProducer, SpscRing } from "../../src/ring/mod.ts";
import {
  CAPACITY_INDEX,
  HEADER_WORDS,
  LANES_INDEX,
  LOCKS_INDEX,
  MAGIC,
  MAGIC_INDEX,
  ringBytesOf,
  ROBUST_LOCKS,
  VERSION_INDEX,
  WORD_LOCKS,
} from "../../src/ring/ring_layout.ts";
import { plainMemory, plainRing, sharedRing } from "./rings.ts";

const encoder = new TextEncoder(), decoder = new TextDecoder();

function text(data: Uint8Array | undefined): string | undefined {
  return data && decoder.decode(data);
}

function headerOf(memory: Uint8Array<SharedArrayBuffer>): Int32Array {
  return new Int32Array(memory.buffer, memory.byteOffset, HEADER_WORDS);
}

// --- Its memory ----------------------------------------------------------------------------------

test("SpscRing.format() makes a ring that attach() finds", () => {
  using shared = sharedRing(4096);
  const ring = SpscRing.attach(shared.memory.bytes);
  assertEquals([ring.capacityBytes, ring.maxRecordBytes, ring.usedBytes], [4096, 2040, 0]);
  assertEquals(headerOf(shared.memory.bytes)[LOCKS_INDEX], ROBUST_LOCKS);
});

test("SpscRing.format() takes memory that is no kernel object", () => {
  const { ring, memory } = plainRing(64);
  assertEquals(headerOf(memory)[LOCKS_INDEX], WORD_LOCKS);
  using producer = ring.producer();
  assert(producer.tryPush("x"));
  using consumer = SpscRing.attach(memory).consumer();
  assertEquals(text(consumer.tryPop()), "x");
});

test("SpscRing.format() takes the largest capacity that fits", () => {
  for (
    const [byteLength, capacityBytes] of [
      [ringBytesOf(1, 64), 64],
      [ringBytesOf(1, 128) - 1, 64],
      [ringBytesOf(1, 128), 128],
      [65_536, 32_768],
    ] as const
  ) {
    assertEquals(SpscRing.format(plainMemory(byteLength)).capacityBytes, capacityBytes);
  }
});

test("SpscRing.bytesFor() is what a ring takes", () => {
  const memory = plainMemory(SpscRing.bytesFor(256));
  assertEquals(SpscRing.format(memory).capacityBytes, 256);
  const less = memory.subarray(0, memory.length - 1);
  assertThrows(() => SpscRing.format(less, { capacityBytes: 256 }), RangeError, "byteLength");
  const shape = { lanes: 3, capacityBytes: 64 };
  const lanes = plainMemory(MpscRing.bytesFor(shape));
  assertEquals(MpscRing.format(lanes, { lanes: 3 }).capacityBytes, 64);
});

test("SpscRing.format() refuses a capacity that is no power of two or out of range", () => {
  const memory = plainMemory(4096);
  for (const capacityBytes of [0, 3, 63, 32, 96, 2 ** 31, -64, 64.5, NaN]) {
    assertThrows(() => SpscRing.format(memory, { capacityBytes }), RangeError, "capacityBytes");
  }
  assertThrows(
    () => SpscRing.format(memory, { capacityBytes: "64" as unknown as number }),
    TypeError,
  );
  assertThrows(() => SpscRing.format(memory, 64 as never), TypeError, "expected an object");
});

test("SpscRing.format() refuses memory with anything in it", () => {
  const bytes = ringBytesOf(1, 64);
  for (let at = 0; at < bytes - 64; at += 4) {
    const memory = plainMemory(bytes);
    memory[at] = 1;
    const error = assertThrows(() => SpscRing.format(memory), LayoutError);
    assertEquals([error.found, error.expected], [`0x00000001 at byte ${at}`, "zeros"]);
    memory[at] = 0;
    assertEquals(memory.findIndex((byte) => byte !== 0), -1, "it wrote before it looked");
  }
});

test("SpscRing.attach() refuses memory without a ring, and other rings", () => {
  const memory = plainMemory(4096), header = headerOf(memory);
  const refusal = () => {
    const { found, expected } = assertThrows(() => SpscRing.attach(memory), LayoutError);
    return [found, expected];
  };
  assertEquals(refusal(), ["magic 0x00000000", "0x47524250"]);
  MpscRing.format(memory, { lanes: 2 });
  assertEquals(refusal(), ["2 lanes", "1 lane, or MpscRing.attach"]);
  const sound = header.slice();
  for (
    const [index, value] of [
      [VERSION_INDEX, 2],
      [LANES_INDEX, 0],
      [LANES_INDEX, -1],
      [LANES_INDEX, 1025],
      [LANES_INDEX, 4],
      [CAPACITY_INDEX, 0],
      [CAPACITY_INDEX, 63],
      [CAPACITY_INDEX, 32],
      [CAPACITY_INDEX, 96],
      [CAPACITY_INDEX, 1 << 30],
      [CAPACITY_INDEX, 1 << 31],
      [LOCKS_INDEX, 0],
      [LOCKS_INDEX, 3],
    ] as const
  ) {
    header.set(sound);
    header[index] = value;
    assertThrows(() => MpscRing.attach(memory), LayoutError, undefined, `${index} ${value}`);
  }
  header.set(sound);
  assertEquals(MpscRing.attach(memory).lanes, 2);
});

test("SpscRing finds nothing half made", () => {
  const { memory } = plainRing(64);
  Atomics.store(headerOf(memory), MAGIC_INDEX, 0);
  assertThrows(() => SpscRing.attach(memory), LayoutError);
  Atomics.store(headerOf(memory), MAGIC_INDEX, MAGIC);
  SpscRing.attach(memory);
});

test("SpscRing refuses memory that is not shared, read-only, too short or at a wrong place", () => {
  const plain = new Uint8Array(4096) as unknown as Uint8Array<SharedArrayBuffer>;
  using memory = SharedMemory.anonymous({ byteLength: 4096 });
  for (const use of [SpscRing.format, SpscRing.attach]) {
    assertThrows(() => use(plain), TypeError, "not shared");
    assertThrows(() => use(undefined as never), TypeError);
    assertThrows(() => use(memory.bytes.subarray(0, 64)), RangeError, "byteLength");
    assertThrows(() => use(memory.bytes.subarray(32)), RangeError, "multiple of 64");
  }
});

test("SpscRing works at an offset in the memory", () => {
  using memory = SharedMemory.anonymous({ byteLength: 16_384 });
  const bytes = memory.bytes.subarray(64 * 5, 64 * 5 + SpscRing.bytesFor(4096));
  const ring = SpscRing.format(bytes);
  using producer = ring.producer();
  using consumer = SpscRing.attach(bytes).consumer();
  const data = new Uint8Array(1000).fill(7);
  for (let i = 0; i < 20; i++) {
    assert(producer.tryPush(data));
    assertEquals(consumer.tryPop(), data);
  }
  assert(memory.bytes.subarray(0, 64 * 5).every((byte) => byte === 0));
  assert(memory.bytes.subarray(64 * 5 + bytes.length).every((byte) => byte === 0));
});

// --- Roles ---------------------------------------------------------------------------------------

for (
  const [what, make] of [
    ["a kernel object", () => sharedRing(256).memory.bytes],
    ["plain memory", () => plainRing(256).memory],
  ] as const
) {
  test(`SpscRing in ${what} has one producer and one consumer at a time`, () => {
    const ring = SpscRing.attach(make());
    for (const role of ["producer", "consumer"] as const) {
      const first = ring[role]();
      const error = assertThrows(() => ring[role](), PosixError);
      assertEquals(
        [error.code, error.syscall, error.target],
        ["EBUSY", "pthread_mutex_trylock", "ring"],
      );
      assertMatch(error.hint!, /has one/);
      first.close();
      first.close();
      using second = ring[role]();
      assertEquals([first.closed, second.closed], [true, false]);
    }
  });
}

test("SpscRing.producer() gives the role back when the ring is damaged", () => {
  const { ring, lane } = plainRing(64);
  for (const role of ["producer", "consumer"] as const) {
    lane.tail[0] = 4;
    assertThrows(() => ring[role](), LayoutError);
    lane.tail[0] = 0;
    ring[role]().close();
  }
});

test("SpscRing goes on where predecessors were", () => {
  const { ring } = plainRing(256);
  ring.producer().tryPush("not closed, as if it were dead"); // its role stays taken in plain memory
  const consumer = ring.consumer();
  assertEquals(text(consumer.tryPop()), "not closed, as if it were dead");
  consumer.close();
  using next = ring.consumer();
  assertEquals(next.tryPop(), undefined);
});

test("SpscRing, its ends and nothing else make them", () => {
  for (const made of [SpscRing, MpscRing, RingProducer, RingConsumer]) {
    assertThrows(() => new (made as unknown as new () => unknown)(), TypeError, "by new");
  }
});

// --- Pushing and popping -------------------------------------------------------------------------

test("RingProducer.tryPush() takes bytes and texts, also empty ones", () => {
  const { ring } = plainRing(1024);
  using producer = ring.producer();
  using consumer = ring.consumer();
  for (const data of ["", "héllo", "\u0000", "x".repeat(200)]) {
    assert(producer.tryPush(data));
    assert(producer.tryPush(encoder.encode(data)));
    assertEquals(text(consumer.tryPop()), data);
    assertEquals(text(consumer.tryPop()), data);
  }
  assertEquals(consumer.tryPop(), undefined);
});

test("RingProducer.tryPush() copies: neither side sees what the other does with its array", () => {
  const { ring } = plainRing(1024);
  using producer = ring.producer();
  using consumer = ring.consumer();
  const data = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  for (let i = 0; i < 3; i++) assert(producer.tryPush(data));
  data.fill(9);
  const popped = consumer.tryPop()!;
  popped.fill(0);
  assertEquals(consumer.tryPop(), Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  const into = new Uint8Array(8);
  assertEquals(consumer.tryPopInto(into), 8);
  assertEquals(into, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
});

test("RingProducer.tryPush() takes up to half the capacity less a header, wherever it is", () => {
  const capacityBytes = 256, most = capacityBytes / 2 - 8;
  for (let position = 0; position <= capacityBytes; position += 8) {
    const { ring } = plainRing(capacityBytes, position);
    using producer = ring.producer();
    assertEquals([producer.maxRecordBytes, ring.maxRecordBytes], [most, most]);
    assert(producer.tryPush(new Uint8Array(most)), `at ${position}`);
    const error = assertThrows(() => producer.tryPush(new Uint8Array(most + 1)), RangeError);
    assertMatch(error.message, /at most 120/);
    assertThrows(() => producer.claim(most + 1), RangeError);
  }
});

test("RingProducer.tryPush() refuses what is neither bytes nor a text", () => {
  const { ring } = plainRing(64);
  using producer = ring.producer();
  for (
    const data of [undefined, null, 1, [1], new ArrayBuffer(1), new DataView(new ArrayBuffer(1))]
  ) {
    assertThrows(() => producer.tryPush(data as never), TypeError, "expected a Uint8Array or a");
  }
  const gone = new Uint8Array(8);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  assertThrows(() => producer.tryPush(gone), TypeError);
});

test("RingProducer.tryPush() sees that an array that came before has lost its bytes", () => {
  const { ring } = plainRing(256);
  using producer = ring.producer();
  const data = new Uint8Array(8);
  for (let i = 0; i < 3; i++) producer.tryPush(data);
  structuredClone(data.buffer, { transfer: [data.buffer] });
  assertThrows(() => producer.tryPush(data), TypeError);
});

test("RingProducer.tryPush() sees that an array that came before has grown or shrunk", () => {
  const { ring } = plainRing(1024);
  using producer = ring.producer();
  using consumer = ring.consumer();
  const buffer = new ArrayBuffer(16, { maxByteLength: 64 }), data = new Uint8Array(buffer);
  for (const byteLength of [16, 16, 16, 24, 24, 24, 8, 8]) {
    buffer.resize(byteLength);
    assert(producer.tryPush(data.fill(byteLength)));
    assertEquals(consumer.tryPop(), new Uint8Array(byteLength).fill(byteLength));
  }
});

test("RingProducer.tryPush() believes the engine, not the array, how long it is", () => {
  const { ring } = plainRing(256);
  using producer = ring.producer();
  using consumer = ring.consumer();
  class Liar extends Uint8Array {
    override get length(): number {
      return 1;
    }
    override get byteLength(): number {
      return 1;
    }
  }
  const liar = new Liar(16).fill(5);
  for (let i = 0; i < 3; i++) {
    assert(producer.tryPush(liar));
    assertEquals(consumer.tryPop(), new Uint8Array(16).fill(5));
  }
});

test("RingConsumer.tryPopInto() leaves a record that does not fit", () => {
  const { ring } = plainRing(256);
  using producer = ring.producer();
  using consumer = ring.consumer();
  producer.tryPush("12345");
  const short = new Uint8Array(4);
  for (let i = 0; i < 3; i++) {
    const error = assertThrows(() => consumer.tryPopInto(short), RangeError);
    assertMatch(error.message, /4 bytes: expected at least 5/);
  }
  assertEquals(short, new Uint8Array(4));
  assertThrows(() => consumer.tryPopInto([] as never), TypeError);
  assertEquals(consumer.tryPopInto(new Uint8Array(5)), 5);
});

test("SpscRing.usedBytes counts records, their headers and what is left at the end", () => {
  const { ring } = plainRing(64, 48);
  using producer = ring.producer();
  using consumer = ring.consumer();
  assertEquals(ring.usedBytes, 0);
  producer.tryPush(new Uint8Array(9)); // 24 bytes, where 16 are left
  assertEquals(ring.usedBytes, 40);
  consumer.tryPop();
  assertEquals(ring.usedBytes, 0);
});

// --- In place ------------------------------------------------------------------------------------

test("RingProducer.claim() shows nobody anything before commit()", () => {
  const { ring } = plainRing(256);
  using producer = ring.producer();
  using consumer = ring.consumer();
  const view = producer.claim(16)!;
  view.fill(3);
  assertEquals([consumer.tryPop(), ring.usedBytes], [undefined, 0]);
  producer.commit(10);
  assertEquals(consumer.tryPop(), new Uint8Array(10).fill(3));
});

test("RingProducer.abort() gives the claim up, and does nothing without one", () => {
  const { ring } = plainRing(64);
  using producer = ring.producer();
  using consumer = ring.consumer();
  producer.abort();
  for (let i = 0; i < 20; i++) {
    producer.claim(24)!.fill(1);
    producer.abort();
  }
  producer.tryPush("next");
  assertEquals(text(consumer.tryPop()), "next");
});

test("RingProducer refuses a push while a claim is open, and a commit without one", () => {
  const { ring } = plainRing(256);
  using producer = ring.producer();
  using consumer = ring.consumer();
  assertThrows(() => producer.commit(), TypeError, "nothing is claimed");
  producer.claim(8)!.fill(1);
  assertThrows(() => producer.tryPush("x"), TypeError, "a claim is open");
  assertThrows(() => producer.claim(8), TypeError, "a claim is open");
  assertThrows(() => producer.commit(9), RangeError, "byteLength");
  assertThrows(() => producer.commit(-1), RangeError, "byteLength");
  producer.commit();
  assertThrows(() => producer.commit(), TypeError, "nothing is claimed");
  assertEquals(consumer.tryPop(), new Uint8Array(8).fill(1));
  for (const byteLength of [-1, 1.5, NaN, Infinity]) {
    assertThrows(() => producer.claim(byteLength), RangeError, "byteLength");
  }
});

test("RingProducer.claim() gives undefined when the ring is full, and there is nothing to commit", () => {
  const { ring } = plainRing(64);
  using producer = ring.producer();
  using consumer = ring.consumer();
  assert(producer.tryPush(new Uint8Array(24)));
  assert(producer.tryPush(new Uint8Array(24)));
  assertEquals(producer.claim(0), undefined);
  assertThrows(() => producer.commit(), TypeError);
  assertEquals(producer.tryPush(""), false);
  consumer.tryPop();
  assertEquals(producer.claim(24)?.length, 24);
});

// --- Batches -------------------------------------------------------------------------------------

test("RingProducer.batch() publishes at its end", () => {
  const { ring } = plainRing(1024);
  using producer = ring.producer();
  using consumer = ring.consumer();
  const given = producer.batch(() => {
    for (const each of ["a", "b"]) assert(producer.tryPush(each));
    producer.batch(() => producer.tryPush("c"));
    producer.claim(1)![0] = 100;
    producer.commit();
    assertEquals([consumer.tryPop(), ring.usedBytes], [undefined, 0]);
    return "given";
  });
  assertEquals(given, "given");
  const texts = Array.from({ length: 5 }, () => text(consumer.tryPop()));
  assertEquals(texts, ["a", "b", "c", "d", undefined]);
});

test("RingProducer.batch() publishes what fits when the ring is full", () => {
  const { ring } = plainRing(64);
  using producer = ring.producer();
  using consumer = ring.consumer();
  for (const claims of [false, true]) {
    producer.batch(() => {
      const push = () => {
        if (!claims) return producer.tryPush(new Uint8Array(8));
        if (producer.claim(8) === undefined) return false;
        producer.commit();
        return true;
      };
      let count = 0;
      while (push()) count++;
      assertEquals([count, ring.usedBytes], [4, 64]);
      assertEquals(consumer.tryDrain(() => {}), 4);
      assert(push());
      assertEquals(ring.usedBytes, 0);
    });
    assertEquals(consumer.tryDrain(() => {}), 1);
  }
});

test("RingProducer.batch() publishes what was pushed before it threw", () => {
  const { ring } = plainRing(256);
  using producer = ring.producer();
  using consumer = ring.consumer();
  const thrown = new Error("thrown");
  const batch = () =>
    producer.batch(() => {
      producer.tryPush("before");
      throw thrown;
    });
  assertStrictEquals(assertThrows(batch, Error), thrown);
  assertEquals(text(consumer.tryPop()), "before");
  producer.tryPush("after");
  assertEquals(text(consumer.tryPop()), "after");
});

// --- Draining ------------------------------------------------------------------------------------

test("RingConsumer.tryDrain() shows the records in place, up to a limit", () => {
  const { ring } = plainRing(1024);
  using producer = ring.producer();
  using consumer = ring.consumer();
  for (let i = 0; i < 10; i++) producer.tryPush(Uint8Array.of(i, i));
  const seen: number[] = [];
  const views = new Set<Uint8Array>();
  const read = (view: Uint8Array, byteOffset: number, byteLength: number) => {
    seen.push(view[byteOffset]!, byteLength);
    views.add(view);
  };
  assertEquals(consumer.tryDrain(read, { limit: 3 }), 3);
  assertEquals(seen, [0, 2, 1, 2, 2, 2]);
  assertEquals([consumer.tryDrain(read), consumer.tryDrain(read)], [7, 0]);
  assertEquals([seen.length, views.size], [20, 1]);
  for (const limit of [0, -1, 1.5, NaN]) {
    assertThrows(() => consumer.tryDrain(read, { limit }), RangeError, "limit");
  }
});

test("RingConsumer.tryDrain() keeps the record at which the function throws", () => {
  const { ring } = plainRing(1024);
  using producer = ring.producer();
  using consumer = ring.consumer();
  for (const each of ["a", "b", "c"]) producer.tryPush(each);
  const thrown = new Error("thrown");
  const drain = () =>
    consumer.tryDrain((view, byteOffset) => {
      if (view[byteOffset] === "b".charCodeAt(0)) throw thrown;
    });
  assertStrictEquals(assertThrows(drain, Error), thrown);
  assertStrictEquals(assertThrows(drain, Error), thrown);
  assertEquals(text(consumer.tryPop()), "b");
});

test("RingConsumer.tryDrain() gives room back on the way", () => {
  const { ring } = plainRing(1024);
  using producer = ring.producer();
  using consumer = ring.consumer();
  const data = new Uint8Array(8);
  let pushed = 0;
  while (producer.tryPush(data)) pushed++;
  let least = 1024;
  consumer.tryDrain(() => least = Math.min(least, ring.usedBytes));
  assertEquals([pushed, least], [64, 128]); // an eighth of the capacity at a time
});

test("RingConsumer refuses to be used by the function that reads in place", () => {
  const { ring } = plainRing(256);
  using producer = ring.producer();
  using consumer = ring.consumer();
  producer.tryPush("x");
  const errors: unknown[] = [];
  const caught = (use: () => unknown) => {
    try {
      use();
    } catch (error) {
      errors.push(error);
    }
  };
  consumer.tryDrain(() => {
    caught(() => consumer.tryPop());
    caught(() => consumer.tryPopInto(new Uint8Array(8)));
    caught(() => consumer.tryDrain(() => {}));
    caught(() => consumer.popSync());
  });
  assertEquals(errors.map((error) => error instanceof TypeError), [true, true, true, true]);
  assertEquals(consumer.tryPop(), undefined);
});

test("RingConsumer that is closed by the function that reads leaves that record", () => {
  const { ring } = plainRing(256);
  using producer = ring.producer();
  const consumer = ring.consumer();
  for (const each of ["a", "b", "c"]) producer.tryPush(each);
  const count = consumer.tryDrain((view, byteOffset) => {
    if (view[byteOffset] === "b".charCodeAt(0)) consumer.close();
  });
  assertEquals(count, 1);
  using next = ring.consumer();
  assertEquals(text(next.tryPop()), "b");
});

// --- Closing -------------------------------------------------------------------------------------

test("RingProducer and RingConsumer that are closed say so", () => {
  const { ring } = plainRing(256);
  const producer = ring.producer(), consumer = ring.consumer();
  producer.close();
  consumer.close();
  for (
    const use of [
      () => producer.tryPush("x"),
      () => producer.pushSync("x"),
      () => producer.claim(1),
      () => producer.commit(),
      () => producer.batch(() => {}),
      () => consumer.tryPop(),
      () => consumer.tryPopInto(new Uint8Array(1)),
      () => consumer.popSync(),
      () => consumer.popIntoSync(new Uint8Array(1)),
      () => consumer.tryDrain(() => {}),
      () => consumer.drainSync(() => {}),
    ]
  ) assertThrows(use, ClosedError);
});

test("RingProducer.close() publishes a batch and gives a claim up", () => {
  const { ring } = plainRing(256);
  using consumer = ring.consumer();
  const producer = ring.producer();
  producer.batch(() => {
    producer.tryPush("in the batch");
    producer.claim(8)!.fill(1);
    producer.close();
  });
  assertEquals(text(consumer.tryPop()), "in the batch");
  assertEquals(consumer.tryPop(), undefined);
  using next = ring.producer();
  assert(next.tryPush("next"));
  assertEquals(text(consumer.tryPop()), "next");
});

test("SpscRing in memory that was closed reaches nobody and crashes nothing", () => {
  const shared = sharedRing(256);
  const ring = SpscRing.attach(shared.memory.bytes);
  const producer = ring.producer(), consumer = ring.consumer();
  producer.tryPush("x");
  consumer.tryPop();
  producer.tryPush("x");
  shared.memory.close();
  assertThrows(() => consumer.tryPop(), LayoutError, "damaged");
  for (let i = 0; i < 20; i++) {
    try {
      producer.tryPush("y");
    } catch (error) {
      assert(error instanceof LayoutError);
    }
  }
  producer.close();
  consumer.close();
});
