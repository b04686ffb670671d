/**
 * One ring, two processes: JavaScript and C at either end, waiting in every way.
 *
 * Method: record `number` has a length and bytes that depend on the number alone, so either side
 * knows what must come. The ring is so small that it is full and empty, and wraps, all the time.
 */

import "../support/loaded.ts";
import { assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { NamedRing } from "../support/named_ring.ts";
import { Child, compileC, type Finished, run } from "../support/process.ts";
import { scaled } from "../support/scale.ts";
import { within } from "../support/until.ts";

const CAPACITY_BYTES = 1024;

const ONE_LANE = { lanes: 1, capacityBytes: CAPACITY_BYTES };

/** What both programs begin with. */
const RECORDS = `
  import process from "node:process";
  import { MpscRing, SharedMemory, SpscRing } from "@postbox/postbox";
  const [name, how, ...numbers] = process.argv.slice(2);
  const [first, last, lanes = 1] = numbers.map(Number);
  const memory = SharedMemory.open(name);
  const ring = (lanes === 1 ? SpscRing : MpscRing).attach(memory.bytes);
  const lengthOf = (number) =>
    4 + (Math.imul(number, 2654435761) >>> 8) % (${CAPACITY_BYTES} / 2 - 11);
  const fill = (view, number) => {
    new DataView(view.buffer, view.byteOffset).setUint32(0, number, true);
    for (let i = 4; i < view.length; i++) view[i] = number + i;
    return view;
  };
`;

/** Pushes the records from one number to another. */
const PRODUCER = `
  ${RECORDS}
  const producer = ring.producer();
  const make = (number) => fill(new Uint8Array(lengthOf(number)), number);
  const scratch = new Uint8Array(${CAPACITY_BYTES});
  const ways = {
    pushSync: (number) => producer.pushSync(make(number)),
    push: (number) => producer.push(make(number)),
    claim(number) {
      for (;;) {
        const view = producer.claim(lengthOf(number));
        if (view === undefined) continue;
        fill(view, number);
        return producer.commit();
      }
    },
  };
  if (how === "batch") {
    for (let number = first; number < last;) {
      producer.batch(() => {
        for (let i = 0; i < 16 && number < last; i++) producer.pushSync(make(number++));
      });
    }
  } else for (let number = first; number < last; number++) await ways[how](number);
  producer.close();
`;

/** Takes as many records, and compares them with what the producers of so many lanes push. */
const CONSUMER = `
  ${RECORDS}
  const consumer = ring.consumer();
  const next = new Map(Array.from({ length: lanes }, (_, lane) => [lane, first + lane * 2 ** 24]));
  let left = (last - first) * lanes;
  const look = (view, at, length) => {
    const number = new DataView(view.buffer, view.byteOffset + at).getUint32(0, true);
    const lane = number >>> 24;
    if (number !== next.get(lane)) throw new Error(number + " for " + next.get(lane));
    if (length !== lengthOf(number)) throw new Error("another length, record " + number);
    for (let i = 4; i < length; i++) {
      if (view[at + i] !== (number + i & 0xff)) throw new Error("another byte, record " + number);
    }
    next.set(lane, number + 1);
    left--;
  };
  const all = (data) => look(data, 0, data.length);
  const into = new Uint8Array(${CAPACITY_BYTES});
  const ways = {
    popSync: () => all(consumer.popSync()),
    popIntoSync: () => look(into, 0, consumer.popIntoSync(into)),
    pop: async () => all(await consumer.pop()),
    drainSync: () => consumer.drainSync(look),
    drain: () => consumer.drain(look),
  };
  if (how === "loop") {
    for await (const data of consumer) {
      all(data);
      if (left === 0) break;
    }
  } else while (left > 0) await ways[how]();
  consumer.close();
`;

/** Both ends, each to its end. */
async function play(...ends: Promise<Finished>[]): Promise<void> {
  for (const { code, stderr } of await within("the ends", Promise.all(ends), 60_000)) {
    assertEquals([code, stderr], [0, ""]);
  }
}

/** What a program did when it ended; it is killed if nobody waits so long. */
async function finished(child: Child): Promise<Finished> {
  await using running = child;
  return await running.finished();
}

const produce = (name: string, how: string, first: number, last: number, lanes = 1) =>
  finished(Child.program(PRODUCER, name, how, String(first), String(last), String(lanes)));

const consume = (name: string, how: string, first: number, last: number, lanes = 1) =>
  finished(Child.program(CONSUMER, name, how, String(first), String(last), String(lanes)));

const PAIRS: [producer: string, consumer: string, count: number][] = [
  ["pushSync", "popSync", 20_000],
  ["pushSync", "popIntoSync", 20_000],
  ["batch", "drainSync", 50_000],
  ["push", "pop", 5_000],
  ["push", "loop", 5_000],
  ["push", "drain", 5_000],
  ["pushSync", "drain", 5_000],
  ["push", "drainSync", 5_000],
  ["claim", "popSync", 20_000],
];

for (const [producer, consumer, count] of PAIRS) {
  test(`${producer}() in a process, ${consumer}() in another: every record, in order`, async () => {
    using made = new NamedRing(ONE_LANE);
    const last = scaled(count);
    await play(produce(made.name, producer, 0, last), consume(made.name, consumer, 0, last));
    assertEquals(made.ring.usedBytes, 0);
  });
}

test("many producers in processes, one consumer: every record, each producer's in order", async () => {
  const lanes = 3;
  using made = new NamedRing({ ...ONE_LANE, lanes });
  const last = scaled(5_000);
  const producers = ["pushSync", "push", "batch"].map((how, lane) =>
    produce(made.name, how, lane * 2 ** 24, lane * 2 ** 24 + last, lanes)
  );
  await play(...producers, consume(made.name, "drainSync", 0, last, lanes));
  assertEquals(made.ring.usedBytes, 0);
});

for (const how of ["popSync", "pop", "drain"]) {
  test(`C produces, blocked, and ${how}() takes every record in order`, async () => {
    using peer = await compileC(new URL("ring_peer.c", import.meta.url));
    using made = new NamedRing(ONE_LANE);
    const last = scaled(20_000);
    const args = [made.name, "produce", "0", "0", String(last)];
    await play(run(peer.path, { args, timeoutMs: 60_000 }), consume(made.name, how, 0, last));
    assertEquals(made.ring.usedBytes, 0);
  });
}

for (const how of ["pushSync", "push", "batch"]) {
  test(`C consumes, blocked, what ${how}() produces`, async () => {
    using peer = await compileC(new URL("ring_peer.c", import.meta.url));
    using made = new NamedRing(ONE_LANE);
    const last = scaled(20_000);
    const args = [made.name, "consume", "0", String(last)];
    await play(run(peer.path, { args, timeoutMs: 60_000 }), produce(made.name, how, 0, last));
    assertEquals(made.ring.usedBytes, 0);
  });
}

test("C has a lane beside producers in JavaScript", async () => {
  using peer = await compileC(new URL("ring_peer.c", import.meta.url));
  using made = new NamedRing({ ...ONE_LANE, lanes: 2 });
  const last = scaled(10_000);
  const args = [made.name, "produce", "1", String(2 ** 24), String(2 ** 24 + last)];
  const ofC = run(peer.path, { args, timeoutMs: 60_000 });
  await play(
    ofC,
    produce(made.name, "pushSync", 0, last, 2),
    consume(made.name, "drainSync", 0, last, 2),
  );
});
