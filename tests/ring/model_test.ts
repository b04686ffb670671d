/**
 * Rings against a model: random operations from every position around the wraps.
 *
 * Goal: what goes in comes out, in order, whatever the lengths, and a ring is full exactly when the
 * layout says so. Method: the model counts bytes in numbers that never wrap and keeps records in an
 * array; the rings start where their lane, the sign of their counters or the counters wrap. Roles
 * change hands on the way.
 */

import "../support/loaded.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import type { RingConsumer, RingProducer } from "../../src/ring/mod.ts";
import { Random } from "../support/random.ts";
import { scaled } from "../support/scale.ts";
import { plainLanes, plainRing, positionsAroundWraps } from "./rings.ts";

const HEADER_BYTES = 8;

function roundedUp(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

/** One lane as a naive queue. */
class ModelLane {
  readonly records: { data: Uint8Array; end: number }[] = [];
  tail: number;
  head: number;

  constructor(readonly capacityBytes: number, position: number) {
    this.tail = this.head = position;
  }

  get maxRecordBytes(): number {
    return this.capacityBytes / 2 - HEADER_BYTES;
  }

  get usedBytes(): number {
    return this.tail - this.head;
  }

  /** Where a record of that length would begin, or undefined when there is no room. */
  startFor(byteLength: number): number | undefined {
    const bytes = roundedUp(HEADER_BYTES + byteLength);
    const toEnd = this.capacityBytes - this.tail % this.capacityBytes;
    const start = bytes > toEnd ? this.tail + toEnd : this.tail;
    return start + bytes - this.head > this.capacityBytes ? undefined : start;
  }

  put(data: Uint8Array, start: number): void {
    this.tail = start + roundedUp(HEADER_BYTES + data.length);
    this.records.push({ data, end: this.tail });
  }

  take(): Uint8Array {
    const { data, end } = this.records.shift()!;
    this.head = end;
    return data;
  }
}

/** A random length, often one at an edge. */
function lengthFrom(random: Random, max: number): number {
  return random.oneIn(4) ? random.pick([0, 1, max - 1, max]) : random.below(max + 1);
}

/** A producer and its lane in the model. */
class Producing {
  constructor(
    public producer: RingProducer,
    readonly lane: ModelLane,
    readonly random: Random,
    /** What the records of this producer begin with; none for undefined. */
    readonly tag?: number,
  ) {}

  data(): Uint8Array<ArrayBuffer> {
    const data = this.random.bytes(lengthFrom(this.random, this.lane.maxRecordBytes));
    if (this.tag === undefined) return data;
    const tagged = data.length === 0 ? new Uint8Array(1) : data;
    tagged[0] = this.tag;
    return tagged;
  }

  step(): void {
    this.random.pick([this.push, this.push, this.pushAgain, this.claim, this.batch, this.abort])
      .call(this);
  }

  push(data = this.data()): void {
    const start = this.lane.startFor(data.length);
    assertEquals(this.producer.tryPush(data), start !== undefined);
    if (start !== undefined) this.lane.put(data.slice(), start);
  }

  /** The same array several times, for that is copied in another way. */
  pushAgain(): void {
    const all = this.data();
    const data = this.random.oneIn(2) ? all : all.subarray(all.length - (all.length >> 1));
    if (this.tag !== undefined) data[0] = this.tag;
    if (this.tag !== undefined && data.length === 0) return;
    for (let i = 0; i < 3; i++) this.push(data);
  }

  claim(): void {
    const data = this.data();
    const claimed = data.length + this.random.below(this.lane.maxRecordBytes + 1 - data.length);
    const start = this.lane.startFor(claimed);
    const view = this.producer.claim(claimed);
    assertEquals(view?.length, start === undefined ? undefined : claimed);
    if (view === undefined) return;
    assertEquals(view.byteOffset % 8, 0);
    view.set(data);
    if (claimed === data.length) this.producer.commit();
    else this.producer.commit(data.length);
    this.lane.put(data, start!);
  }

  abort(): void {
    this.producer.claim(this.random.below(this.lane.maxRecordBytes + 1))?.fill(0xff);
    this.producer.abort();
  }

  batch(): void {
    this.producer.batch(() => {
      for (let left = this.random.below(6); left > 0; left--) {
        this.random.pick([this.push, this.claim]).call(this);
      }
    });
  }
}

/** What takes records from a ring, and compares them with what should come. */
class Consuming {
  constructor(
    public consumer: RingConsumer,
    readonly lanes: readonly ModelLane[],
    readonly random: Random,
    /** Which lane a record is from. */
    readonly laneOf: (data: Uint8Array) => number,
  ) {}

  get isEmpty(): boolean {
    return this.lanes.every(({ records }) => records.length === 0);
  }

  step(): void {
    this.random.pick([this.pop, this.popInto, this.popIntoTooShort, this.drain, this.drainThrown])
      .call(this);
  }

  /** Compares a record with the oldest of its lane, and takes that. */
  came(data: Uint8Array): void {
    assert(!this.isEmpty, "a record of nobody");
    assertEquals(data, this.lanes[this.laneOf(data)]!.take());
  }

  pop(): void {
    const isEmpty = this.isEmpty;
    const data = this.consumer.tryPop();
    assertEquals(data === undefined, isEmpty);
    if (data !== undefined) this.came(data);
  }

  popInto(): void {
    const { maxRecordBytes } = this.lanes[0]!;
    const buffer = new Uint8Array(maxRecordBytes + 3);
    const into = this.random.oneIn(2) ? buffer : buffer.subarray(3);
    for (let times = 0; times < 3; times++) {
      buffer.fill(0xee);
      const isEmpty = this.isEmpty;
      const byteLength = this.consumer.tryPopInto(into);
      assertEquals(byteLength === undefined, isEmpty);
      if (byteLength === undefined) return;
      this.came(into.subarray(0, byteLength));
      assert(into.subarray(byteLength).every((byte) => byte === 0xee), "written behind the record");
    }
  }

  popIntoTooShort(): void {
    if (this.lanes.some(({ records }) => records.length === 0 || records[0]!.data.length === 0)) {
      return;
    }
    assertThrows(() => this.consumer.tryPopInto(new Uint8Array(0)), RangeError);
  }

  drain(): void {
    const limit = 1 + this.random.below(5);
    const there = this.lanes.reduce((sum, { records }) => sum + records.length, 0);
    const count = this.consumer.tryDrain((view, byteOffset, byteLength) => {
      assertEquals((view.byteOffset + byteOffset) % 8, 0);
      this.came(view.slice(byteOffset, byteOffset + byteLength));
    }, { limit });
    assertEquals(count, Math.min(limit, there));
  }

  /** The record at which the function throws stays. */
  drainThrown(): void {
    const thrown = new Error("thrown");
    let left = this.random.below(3);
    if (this.isEmpty) return;
    const records = this.lanes.reduce((sum, { records }) => sum + records.length, 0);
    const drain = () =>
      this.consumer.tryDrain((view, byteOffset, byteLength) => {
        const data = view.slice(byteOffset, byteOffset + byteLength);
        if (left-- > 0) return this.came(data);
        throw thrown;
      });
    if (left >= records) assertEquals(drain(), records);
    else assertEquals(assertThrows(drain, Error), thrown);
  }
}

/** Runs a schedule, and puts what it was into whatever it throws. */
function schedule(what: string, steps: number, step: (index: number) => void): void {
  for (let index = 0; index < steps; index++) {
    try {
      step(index);
    } catch (cause) {
      throw new Error(`${what}, step ${index}: ${cause}`, { cause });
    }
  }
}

const SEED = Date.now() >>> 0;

for (const capacityBytes of [64, 128, 1024]) {
  test(`SpscRing of ${capacityBytes} bytes does what the model does, from every position`, () => {
    const random = new Random(SEED);
    for (const position of positionsAroundWraps(capacityBytes)) {
      const { ring } = plainRing(capacityBytes, position);
      const lane = new ModelLane(capacityBytes, position);
      const producing = new Producing(ring.producer(), lane, random);
      const consuming = new Consuming(ring.consumer(), [lane], random, () => 0);
      const what = `seed ${SEED}, position ${position}`;
      schedule(what, scaled(capacityBytes === 1024 ? 60 : 150), () => {
        if (random.oneIn(2)) producing.step();
        else consuming.step();
        if (random.oneIn(20)) {
          producing.producer.close();
          producing.producer = ring.producer();
        }
        if (random.oneIn(20)) {
          consuming.consumer.close();
          consuming.consumer = ring.consumer();
        }
      });
      while (!consuming.isEmpty) consuming.pop();
      assertEquals(ring.usedBytes, lane.usedBytes);
    }
  });
}

test("MpscRing does what the model does, from every position", () => {
  const random = new Random(SEED), capacityBytes = 128, lanes = 3;
  const all = [...positionsAroundWraps(capacityBytes)];
  for (const first of all) {
    const positions = [first, random.pick(all), random.pick(all)];
    const { ring } = plainLanes(lanes, capacityBytes, positions);
    const models = positions.map((position) => new ModelLane(capacityBytes, position));
    const producing = models.map((lane, tag) => new Producing(ring.producer(), lane, random, tag));
    const consuming = new Consuming(ring.consumer(), models, random, ([tag]) => tag!);
    schedule(`seed ${SEED}, positions ${positions}`, scaled(200), () => {
      if (random.oneIn(2)) random.pick(producing).step();
      else consuming.step();
      if (random.oneIn(20)) {
        const one = random.pick(producing);
        one.producer.close();
        one.producer = ring.producer(); // the only lane that is free
      }
      if (random.oneIn(20)) {
        consuming.consumer.close();
        consuming.consumer = ring.consumer();
      }
    });
    while (!consuming.isEmpty) consuming.pop();
    assertEquals(ring.usedBytes, models.reduce((sum, { usedBytes }) => sum + usedBytes, 0));
  }
});
