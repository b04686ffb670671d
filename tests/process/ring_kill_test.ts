/**
 * Ends of a ring that are killed: at chosen instants, and a few at random ones. `deno task torture
 * ring` kills a thousand; tests/torture/ring.ts says what must hold.
 */

import "../support/loaded.ts";
import { assertEquals, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import { PosixError } from "../../mod.ts";
import type { RingConsumer } from "../../src/ring/mod.ts";
import { NamedRing } from "../support/named_ring.ts";
import { Child } from "../support/process.ts";
import { evalArgs, execPath, FFI_ONLY, linked } from "../support/runtime.ts";
import { scaled } from "../support/scale.ts";
import { within } from "../support/until.ts";
import { subject } from "../torture/ring.ts";

const ONE_LANE = { lanes: 1, capacityBytes: 4096 };

/** What a program begins with that kills itself in the end. */
const RING = `
  import process from "node:process";
  import { MpscRing, SharedMemory } from "@postbox/postbox";
  const memory = SharedMemory.open(process.argv[2]);
  const ring = MpscRing.attach(memory.bytes);
  const die = () => {
    process.kill(process.pid, "SIGKILL");
    for (;;);
  };
`;

/** Runs a program that is killed by itself. */
async function runToDeath(code: string, name: string): Promise<void> {
  await using child = Child.program(`${RING}${code}`, name);
  const { signal, stderr } = await within("its death", child.finished());
  assertEquals([signal, stderr], ["SIGKILL", ""]);
}

/** All texts in a ring. */
function textsOf(consumer: RingConsumer): string[] {
  const texts: string[] = [];
  for (let data; (data = consumer.tryPop()) !== undefined;) {
    texts.push(new TextDecoder().decode(data));
  }
  return texts;
}

for (
  const [where, code, left] of [
    ["behind a push", "", ["1", "2"]],
    ["with a claim", "producer.claim(100).fill(1);", ["1", "2"]],
    ["in a batch", 'producer.batch(() => { producer.tryPush("lost"); die(); });', ["1", "2"]],
    [
      "behind a batch",
      'producer.batch(() => { producer.tryPush("3"); producer.tryPush("4"); });',
      ["1", "2", "3", "4"],
    ],
  ] as const
) {
  test(`a producer that is killed ${where} loses what it had not published`, async () => {
    using made = new NamedRing(ONE_LANE);
    await runToDeath(
      `const producer = ring.producer();
      for (const text of ["1", "2"]) producer.tryPush(text);
      ${code}
      die();`,
      made.name,
    );
    using successor = made.ring.producer();
    successor.tryPush("its successor's");
    using consumer = made.ring.consumer();
    assertEquals(textsOf(consumer), [...left, "its successor's"]);
  });
}

for (
  const [where, code, left] of [
    ["behind a pop", "consumer.tryPop();", ["2", "3", "4"]],
    ["reading in place", "consumer.tryDrain(die);", ["1", "2", "3", "4"]],
    [
      "reading one of many in place",
      "let count = 0; consumer.tryDrain(() => { if (++count === 3) die(); });",
      ["1", "2", "3", "4"],
    ],
    ["behind what it read in place", "consumer.tryDrain(() => {}, { limit: 3 });", ["4"]],
  ] as const
) {
  test(`a consumer that is killed ${where} leaves what it had not taken`, async () => {
    using made = new NamedRing(ONE_LANE);
    using producer = made.ring.producer();
    for (const text of ["1", "2", "3", "4"]) producer.tryPush(text);
    await runToDeath(`const consumer = ring.consumer(); ${code} die();`, made.name);
    using successor = made.ring.consumer();
    assertEquals(textsOf(successor), [...left]);
  });
}

test("the lane of a producer that is killed is free, and what it published is read", async () => {
  using made = new NamedRing({ ...ONE_LANE, lanes: 2 });
  using other = made.ring.producer();
  const published = `const producer = ring.producer(); producer.tryPush("of the dead"); die();`;
  for (let times = 0; times < 3; times++) await runToDeath(published, made.name);
  using last = made.ring.producer();
  assertEquals(assertThrows(() => made.ring.producer(), PosixError).code, "EBUSY");
  last.tryPush("of the last");
  other.tryPush("of the other");
  using consumer = made.ring.consumer();
  const texts = textsOf(consumer).filter((text) => text !== "of the other");
  assertEquals(texts, ["of the dead", "of the dead", "of the dead", "of the last"]);
});

test("another process cannot have a role that somebody has", async () => {
  using made = new NamedRing(ONE_LANE);
  const consumer = made.ring.consumer();
  await using rival = Child.program(
    `${RING}
    try {
      ring.consumer();
    } catch ({ name, code, syscall }) {
      console.log(name, code, syscall);
    }`,
    made.name,
  );
  assertEquals(await within("its refusal", rival.line()), "PosixError EBUSY pthread_mutex_trylock");
  consumer.close();
});

test("the roles of a worker that is terminated are free", async () => {
  using made = new NamedRing(ONE_LANE);
  const worker = linked(`
    import { parentPort, workerData } from "node:worker_threads";
    import { Segment, MpscRing } from "@postbox/postbox";
    const memory = Segment.attach(workerData);
    const ring = MpscRing.attach(memory.bytes);
    const producer = ring.producer(), consumer = ring.consumer();
    producer.tryPush("of the worker");
    parentPort.postMessage("ready");
    setInterval(() => {}, 60_000);
  `);
  const program = `${RING}
    import { Worker } from "node:worker_threads";
    const url = new URL("data:text/javascript," + encodeURIComponent(${JSON.stringify(worker)}));
    const worker = new Worker(url, { workerData: memory.buffer });
    worker.once("message", async () => {
      await worker.terminate();
      for (const role of ["producer", "consumer"]) {
        for (let made; made === undefined;) {
          try {
            made = ring[role]();
          } catch ({ code }) {
            if (code !== "EBUSY") throw code;
            await new Promise((resolve) => setTimeout(resolve, 1));
          }
          if (role === "consumer") console.log(new TextDecoder().decode(made?.tryPop()));
        }
      }
      process.exit(0);
    });`;
  // To read is what the worker's import needs.
  const args = evalArgs(program, { permissions: [...FFI_ONLY, "--allow-read"] });
  await using child = new Child(execPath(), [...args, made.name]);
  assertEquals(await within("the roles", child.line()), "of the worker");
});

test("a ring whose producers and consumer are killed at random loses nothing", async () => {
  const kills = scaled(15), seed = Date.now() >>> 0;
  const { violations, hangs } = await subject.run({ kills, seed });
  assertEquals([violations, hangs], [0, 0], `seed ${seed}`);
});
