/** Waiting for a ring in one thread: every form, deadlines, signals, close, and what is damaged. */

import "../support/loaded.ts";
import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "../assert.ts";
import { test } from "../harness.ts";
import { ClosedError, LayoutError } from "../../mod.ts";
import type { RingConsumer, RingProducer, SpscRing } from "../../src/ring/mod.ts";
import { LANES_OFFSET, NOT_EMPTY_OFFSET, NOT_FULL_OFFSET } from "../../src/ring/ring_layout.ts";
import { ARMED, WAITING_MASK } from "../../src/wait/event_layout.ts";
import { within } from "../support/until.ts";
import { type LaneWords, plainRing } from "./rings.ts";

const decoder = new TextDecoder();

/** A ring with room for two texts of 24 bytes. */
class Ends implements Disposable {
  readonly ring: SpscRing;
  readonly lane: LaneWords;
  readonly producer: RingProducer;
  readonly consumer: RingConsumer;

  constructor() {
    const { ring, lane } = plainRing(64);
    this.ring = ring;
    this.lane = lane;
    this.producer = ring.producer();
    this.consumer = ring.consumer();
  }

  /** Fills it with two records. */
  fill(): this {
    for (const letter of ["a", "b"]) assert(this.producer.tryPush(letter.repeat(24)));
    return this;
  }

  /** The first letter of the next record. */
  letter(): string | undefined {
    const data = this.consumer.tryPop();
    return data && decoder.decode(data.subarray(0, 1));
  }

  [Symbol.dispose](): void {
    this.producer.close();
    this.consumer.close();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

// --- Blocking ------------------------------------------------------------------------------------

test("RingProducer.pushSync() and RingConsumer.popSync() do at once what can be done", () => {
  using ends = new Ends();
  for (const options of [{}, { timeoutMs: 0 }, { timeoutMs: 1000 }]) {
    assert(ends.producer.pushSync("x", options));
    assertEquals(ends.consumer.popSync(options)?.length, 1);
    assert(ends.producer.pushSync("xy", options));
    assertEquals(ends.consumer.popIntoSync(new Uint8Array(4), options), 2);
    assert(ends.producer.pushSync("xyz", options));
    assertEquals(ends.consumer.drainSync(() => {}, options), 1);
  }
});

test("RingProducer.pushSync() and the consumer's …Sync() end at the deadline", () => {
  using empty = new Ends();
  using full = new Ends().fill();
  const into = new Uint8Array(64);
  for (
    const [wait, result] of [
      [(timeoutMs: number) => full.producer.pushSync("x", { timeoutMs }), false],
      [(timeoutMs: number) => empty.consumer.popSync({ timeoutMs }), undefined],
      [(timeoutMs: number) => empty.consumer.popIntoSync(into, { timeoutMs }), undefined],
      [(timeoutMs: number) => empty.consumer.drainSync(() => {}, { timeoutMs }), 0],
    ] as const
  ) {
    const start = performance.now();
    assertEquals(wait(20), result);
    assertGreaterOrEqual(performance.now() - start, 20);
    assertEquals(wait(0), result);
    for (const timeoutMs of [-1, NaN]) assertThrows(() => wait(timeoutMs), RangeError);
    assertThrows(() => wait("20" as unknown as number), TypeError);
  }
});

test("RingProducer.pushSync() in a batch publishes before it waits", () => {
  using ends = new Ends();
  ends.producer.batch(() => {
    for (const letter of ["a", "b"]) assert(ends.producer.tryPush(letter.repeat(24)));
    assertEquals(ends.ring.usedBytes, 0);
    assertEquals(ends.producer.pushSync("c", { timeoutMs: 1 }), false);
    assertEquals(ends.ring.usedBytes, 64);
  });
});

test("a ring refuses what stands in the place of options", async () => {
  using ends = new Ends();
  const { producer, consumer } = ends;
  assertThrows(() => producer.pushSync("x", 5 as never), TypeError, "expected an object");
  assertThrows(() => consumer.popSync(5 as never), TypeError, "expected an object");
  assertThrows(() => consumer.popIntoSync(new Uint8Array(1), 5 as never), TypeError);
  assertThrows(() => consumer.tryDrain(() => {}, 5 as never), TypeError, "expected an object");
  assertThrows(() => consumer.drainSync(() => {}, 5 as never), TypeError, "expected an object");
  await assertRejects(() => producer.push("x", 5 as never), TypeError, "expected an object");
  await assertRejects(() => consumer.pop(5 as never), TypeError, "expected an object");
  await assertRejects(() => consumer.drain(() => {}, 5 as never), TypeError, "expected an object");
});

// --- Awaiting ------------------------------------------------------------------------------------

test("RingConsumer.pop() is served by a push, first come, first served", async () => {
  using ends = new Ends();
  const popped = [ends.consumer.pop(), ends.consumer.pop(), ends.consumer.pop()];
  for (const text of ["a", "b", "c"]) {
    assert(ends.producer.tryPush(text));
    await turn();
  }
  const texts = (await within("three records", Promise.all(popped))).map((d) => decoder.decode(d));
  assertEquals(texts, ["a", "b", "c"]);
});

test("RingProducer.push() is served by a pop, first come, first served", async () => {
  using ends = new Ends().fill();
  const pushed = ["c", "d", "e"].map((letter) => ends.producer.push(letter.repeat(24)));
  assertEquals(ends.producer.tryPush("f"), false);
  const letters: (string | undefined)[] = [];
  while (letters.length < 5) {
    const data = await within("a record", ends.consumer.pop());
    letters.push(decoder.decode(data.subarray(0, 1)));
  }
  await within("three pushes", Promise.all(pushed));
  assertEquals(letters, ["a", "b", "c", "d", "e"]);
});

test("RingProducer.push() copies what has to wait", async () => {
  using ends = new Ends().fill();
  const data = new Uint8Array(24).fill(1), again = new Uint8Array(24).fill(2);
  const pushed = [ends.producer.push(data), ends.producer.push(again)];
  data.fill(8);
  again.fill(9);
  assert(ends.consumer.tryPop() && ends.consumer.tryPop());
  await within("the pushes", Promise.all(pushed));
  assertEquals(ends.consumer.tryPop(), new Uint8Array(24).fill(1));
  assertEquals(ends.consumer.tryPop(), new Uint8Array(24).fill(2));
});

test("RingProducer.push() waits while a claim is open, and then goes on", async () => {
  using ends = new Ends().fill();
  const pushed = ends.producer.push("x".repeat(24));
  ends.consumer.tryPop();
  ends.producer.claim(8)!.fill(1);
  await turn();
  assertEquals(ends.ring.usedBytes, 32);
  ends.producer.commit();
  ends.consumer.tryPop();
  await within("the push", pushed);
  assertEquals(ends.consumer.tryPop(), new Uint8Array(8).fill(1));
  assertEquals(ends.letter(), "x");
});

test("RingConsumer.drain() reads in place as soon as there is a record", async () => {
  using ends = new Ends();
  const lengths: number[] = [];
  const drained = ends.consumer.drain((_view, _byteOffset, byteLength) => {
    lengths.push(byteLength);
  });
  ends.producer.batch(() => {
    ends.producer.tryPush("1");
    ends.producer.tryPush("22");
  });
  assertEquals(await within("records", drained), 2);
  assertEquals(lengths, [1, 2]);
  ends.producer.tryPush("333");
  ends.producer.tryPush("4444");
  assertEquals(await ends.consumer.drain(() => {}, { limit: 1 }), 1);
  const thrown = new Error("thrown");
  const error = await assertRejects(
    () =>
      ends.consumer.drain(() => {
        throw thrown;
      }),
    Error,
  );
  assertStrictEquals(error, thrown);
  assertEquals(ends.letter(), "4");
});

test("a ring's awaited calls reject at the deadline, and with the signal's reason", async () => {
  using empty = new Ends();
  using full = new Ends().fill();
  for (
    const wait of [
      (options: object) => full.producer.push("x", options),
      (options: object) => empty.consumer.pop(options),
      (options: object) => empty.consumer.drain(() => {}, options),
    ] as ((options: object) => Promise<unknown>)[]
  ) {
    const start = performance.now();
    const error = await assertRejects(() => wait({ timeoutMs: 20 }), DOMException);
    assertEquals(error.name, "TimeoutError");
    assertGreaterOrEqual(performance.now() - start, 20);
    await assertRejects(() => wait({ timeoutMs: -1 }), RangeError);

    const reason = new Error("the reason");
    const aborted = await assertRejects(() => wait({ signal: AbortSignal.abort(reason) }), Error);
    assertStrictEquals(aborted, reason);
    const controller = new AbortController();
    const waiting = wait({ signal: controller.signal });
    controller.abort(reason);
    assertStrictEquals(await assertRejects(() => waiting, Error), reason);
  }
  assertEquals(full.letter(), "a");
  assert(empty.producer.tryPush("nobody took this"));
  await turn();
  assertEquals(empty.letter(), "n");
});

test("a ring's awaited calls reject when their end is closed", async () => {
  const empty = new Ends(), full = new Ends().fill();
  const waits = [
    full.producer.push("x"),
    full.producer.push("y"),
    empty.consumer.pop(),
    empty.consumer.drain(() => {}),
  ].map((wait) => assertRejects(() => wait, ClosedError));
  full.producer.close();
  empty.consumer.close();
  await within("the ends", Promise.all(waits));
  await assertRejects(() => full.producer.push("x"), ClosedError);
  await assertRejects(() => empty.consumer.pop(), ClosedError);
  await assertRejects(() => empty.consumer.drain(() => {}), ClosedError);
  full.consumer.close();
  empty.producer.close();
});

test("a loop over a RingConsumer takes every record, and ends when it is closed", async () => {
  const { ring } = plainRing(256);
  const producer = ring.producer(), consumer = ring.consumer();
  const texts: string[] = [];
  const loop = (async () => {
    for await (const data of consumer) {
      texts.push(decoder.decode(data));
      if (texts.length === 100) consumer.close();
    }
  })();
  for (let i = 0; i < 100; i++) await producer.push(String(i));
  await within("the end of the loop", loop);
  assertEquals(texts, Array.from({ length: 100 }, (_, i) => String(i)));
  producer.close();
});

test("a loop over a RingConsumer that is left leaves the rest", async () => {
  using ends = new Ends();
  for (const text of ["a", "b", "c"]) ends.producer.tryPush(text);
  for await (const data of ends.consumer) if (decoder.decode(data) === "b") break;
  assertEquals(ends.letter(), "c");
});

test("an awaited call rejects when the ring becomes damaged", async () => {
  using ends = new Ends();
  const popped = assertRejects(() => ends.consumer.pop(), LayoutError);
  Atomics.store(ends.lane.tail, 0, 3);
  ends.producer.tryPush("x");
  Atomics.store(ends.lane.tail, 0, 3);
  await within("the refusal", popped);
});

// --- Who is told ---------------------------------------------------------------------------------

/** Whether somebody waits on the event count at a place, whom nobody has told of a change. */
function isArmed(memory: Uint8Array<SharedArrayBuffer>, offset: number): boolean {
  const words = new Int32Array(memory.buffer, memory.byteOffset + offset, 2);
  return (Atomics.load(words, ARMED) & WAITING_MASK) !== 0;
}

test("whatever publishes a record tells who waits for one, at once", async () => {
  for (
    const publish of [
      (producer) => producer.tryPush("x"),
      (producer) => producer.pushSync("x"),
      (producer) => void producer.push("x"),
      (producer) => {
        producer.claim(1);
        producer.commit();
      },
      (producer) => producer.batch(() => producer.tryPush("x")),
      (producer) =>
        producer.batch(() => {
          producer.tryPush("x");
          producer.close();
        }),
      (producer) => producer.batch(() => producer.claim(1) && producer.commit()),
    ] as ((producer: RingProducer) => void)[]
  ) {
    const { ring, memory } = plainRing(64);
    using producer = ring.producer();
    using consumer = ring.consumer();
    const popped = consumer.pop();
    assert(isArmed(memory, NOT_EMPTY_OFFSET));
    publish(producer);
    assert(!isArmed(memory, NOT_EMPTY_OFFSET), String(publish));
    await within("the record", popped);
  }
});

test("a batch that is full tells who waits for a record before it goes on", async () => {
  const { ring, memory } = plainRing(64);
  using producer = ring.producer();
  using consumer = ring.consumer();
  const popped = consumer.pop();
  producer.batch(() => {
    while (producer.tryPush("x"));
    assert(!isArmed(memory, NOT_EMPTY_OFFSET));
  });
  await within("the record", popped);
});

test("whatever takes a record tells who waits for room, at once", async () => {
  for (
    const take of [
      (consumer) => consumer.tryPop(),
      (consumer) => consumer.popSync(),
      (consumer) => void consumer.pop(),
      (consumer) => consumer.tryPopInto(new Uint8Array(64)),
      (consumer) => consumer.tryDrain(() => {}, { limit: 1 }),
      (consumer) => consumer.drainSync(() => {}),
      (consumer) => void consumer.drain(() => {}),
    ] as ((consumer: RingConsumer) => void)[]
  ) {
    const { ring, memory } = plainRing(64);
    using producer = ring.producer();
    using consumer = ring.consumer();
    while (producer.tryPush(new Uint8Array(24)));
    const pushed = producer.push(new Uint8Array(24));
    assert(isArmed(memory, LANES_OFFSET + NOT_FULL_OFFSET));
    take(consumer);
    assert(!isArmed(memory, LANES_OFFSET + NOT_FULL_OFFSET), String(take));
    await within("the push", pushed);
  }
});
