/**
 * Processes killed with kill -9 at any moment, inside every call that makes, grows, sends, receives.
 *
 * Goal: what a killed process leaves is either healed by openOrCreate or as it was, and nothing is
 * ever torn. Method: a victim runs a loop on one object, the test works on the same object for a
 * random number of steps (the seed is in every failure) and kills it, then looks at all that is
 * left. A victim that met any error says so on stderr, and the test fails.
 */

import { assert, assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { MessageQueue, PosixError, SharedMemory } from "../../mod.ts";
import "../support/loaded.ts";
import { memoryName, queueName } from "../support/names.ts";
import { Peer } from "../support/peer.ts";
import { scaled } from "../support/scale.ts";
import { evalArgs, execPath } from "../support/runtime.ts";
import { until, within } from "../support/until.ts";

const KILLS = scaled(50); // per test
const AHEAD = 3; // victims that start up while one is dealt with

/** Whole random numbers below a bound; the same for the same seed (mulberry32). */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Words that a victim and the test share: how many rounds it has done, and what else it tells. */
const ROUNDS = 0, RECEIVED = 1;

/** A program that waits to be let go. It is killed at the end of the scope, and its objects are gone. */
interface Victim extends AsyncDisposable {
  peer: Peer;
  /** Of the object that it works on. */
  name: string;
  words: Int32Array;
  random: (below: number) => number;
}

/** What every victim begins with; its loop follows. */
const VICTIM = `
  import { once } from "node:events";
  import process from "node:process";
  import { MessageQueue, SharedMemory } from "@postbox/postbox";
  const [name, wordsName] = process.argv.slice(2);
  using shared = SharedMemory.open(wordsName);
  const words = new Int32Array(shared.buffer, 0, 16);
  console.log("ready");
  await once(process.stdin, "data");
`;

/**
 * Starts victims, lets each run, and kills it after `work`; `judge` looks at what is left.
 *
 * @param named Makes the name of the object, which is gone at the end whatever happens.
 * @param loop The rounds of a victim; each adds to words[ROUNDS].
 */
async function killMany(parts: {
  named: () => Disposable & { name: string };
  prepare?: (victim: Victim) => void;
  loop: string;
  work: (victim: Victim) => void;
  judge: (victim: Victim) => void;
}): Promise<void> {
  const { named, loop, prepare, work, judge } = parts;
  const seed = crypto.getRandomValues(new Uint32Array(1))[0]!;
  const random = randomFrom(seed);
  const program = evalArgs(VICTIM + loop);

  const start = async (): Promise<Victim> => {
    const object = named(), wordsObject = memoryName();
    const shared = SharedMemory.create(wordsObject.name, { byteLength: 64 });
    const peer = new Peer(execPath(), [...program, object.name, wordsObject.name]);
    const victim = {
      peer,
      name: object.name,
      words: new Int32Array(shared.buffer, 0, 16),
      random,
      async [Symbol.asyncDispose]() {
        await peer[Symbol.asyncDispose]();
        shared.close();
        wordsObject[Symbol.dispose]();
        object[Symbol.dispose]();
      },
    };
    try {
      assertEquals(await within("a victim", peer.line()), "ready");
      return victim;
    } catch (error) {
      await victim[Symbol.asyncDispose]();
      throw error;
    }
  };

  const waiting: ReturnType<typeof start>[] = [];
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      while (waiting.length < Math.min(AHEAD, KILLS - kill)) waiting.push(start());
      await using victim = await waiting.shift()!;
      try {
        prepare?.(victim);
        await victim.peer.write("go\n");
        const { words } = victim;
        await until("the victim works", () => Atomics.load(words, ROUNDS) > 0);
        work(victim);
        victim.peer.kill("SIGKILL");
        const { signal, stderr } = await within("its end", victim.peer.finished());
        assertEquals([signal, stderr], ["SIGKILL", ""]);
        judge(victim);
      } catch (cause) {
        throw new Error(`kill ${kill} with seed ${seed}: ${(cause as Error).message}`, { cause });
      }
    }
  } finally {
    for (const started of await Promise.allSettled(waiting)) {
      if (started.status === "fulfilled") await started.value[Symbol.asyncDispose]();
    }
  }
}

/** Does the call, and lets the errors pass that another process's work may cause. */
function allowing(codes: readonly string[], call: () => void): void {
  try {
    call();
  } catch (error) {
    if (!(error instanceof PosixError) || !codes.includes(error.code)) throw error;
  }
}

/** 0 is what nobody wrote yet. */
const VICTIMS_MARK = 0x55, OUR_MARK = 0xaa;

function assertOnlyMarks(memory: SharedMemory) {
  for (const byte of memory.read()) {
    if (byte !== 0 && byte !== VICTIMS_MARK && byte !== OUR_MARK) throw new Error(`found ${byte}`);
  }
}

/** openOrCreate makes whole what is there, and then it works. */
function assertHeals(name: string, byteLength: number) {
  using memory = SharedMemory.openOrCreate(name, { byteLength });
  const { byteLength: length, allocatedBytes } = memory.status();
  assert(length >= byteLength, `${length} bytes`);
  assert(allocatedBytes >= length, `${allocatedBytes} of ${length} bytes are allocated`);
  assertEquals(memory.byteLength, length);
  assertOnlyMarks(memory);
  memory.bytes.fill(OUR_MARK); // every page is there
  using other = SharedMemory.open(name);
  assert(other.read().every((byte) => byte === OUR_MARK));
  SharedMemory.unlink(name);
}

const MANY_BYTES = 256 * 1024; // so long that most of a round is spent in the kernel

test("SharedMemory.openOrCreate() heals what a killed create() left", async () => {
  const left = { nothing: 0, empty: 0, whole: 0 };
  await killMany({
    named: memoryName,
    loop: `
      for (;;) {
        const memory = SharedMemory.create(name, { byteLength: ${MANY_BYTES} });
        memory.bytes.fill(${VICTIMS_MARK});
        memory.close();
        SharedMemory.unlink(name);
        Atomics.add(words, ${ROUNDS}, 1);
      }
    `,
    work({ name, random }) {
      for (let step = random(50); step > 0; step--) {
        // It is gone at times, and never anything but memory that can be looked at.
        allowing(["ENOENT"], () => {
          using memory = SharedMemory.open(name, { access: "r" });
          assertOnlyMarks(memory);
        });
      }
    },
    judge({ name }) {
      const entry = SharedMemory.list().find((candidate) => candidate.name === name);
      // LINUX: tmpfs makes the object longer only when all its pages are there.
      const state = entry === undefined ? "nothing" : entry.byteLength === 0 ? "empty" : "whole";
      if (entry !== undefined) assert([0, MANY_BYTES].includes(entry.byteLength));
      left[state]++;
      assertHeals(name, MANY_BYTES);
    },
  });
  // Otherwise the kills missed what they are for.
  assert(left.empty + left.whole > 0, JSON.stringify(left));
});

test("SharedMemory.openOrCreate() heals what a killed openOrCreate() left", async () => {
  await killMany({
    named: memoryName,
    loop: `
      for (let round = 0;; round++) {
        const memory = SharedMemory.openOrCreate(name, { byteLength: 4096 * (1 + round % 32) });
        memory.bytes.fill(${VICTIMS_MARK});
        memory.close();
        if (round % 32 === 31) {
          try {
            SharedMemory.unlink(name);
          } catch (error) {
            if (error.code !== "ENOENT") throw error; // the test was faster
          }
        }
        Atomics.add(words, ${ROUNDS}, 1);
      }
    `,
    work({ name, random }) {
      for (let step = random(40); step > 0; step--) {
        using memory = SharedMemory.openOrCreate(name, { byteLength: 1 + random(131_072) });
        memory.bytes.fill(OUR_MARK);
        if (random(8) === 0) assertOnlyMarks(memory);
        if (random(8) === 0) allowing(["ENOENT"], () => SharedMemory.unlink(name));
      }
    },
    judge: ({ name }) => assertHeals(name, 40_000),
  });
});

const STEP_BYTES = 4096;

test("SharedMemory.grow() by two processes leaves both's bytes when one is killed", async () => {
  const MOST = 256 * STEP_BYTES;
  const options = { byteLength: STEP_BYTES, maxByteLength: MOST };
  await killMany({
    named: memoryName,
    prepare: ({ name }) => SharedMemory.create(name, options).close(),
    // Both grow it and fill pages of their own: the victim's are the odd ones.
    loop: `
      const memory = SharedMemory.open(name, { maxByteLength: ${MOST} });
      for (let page = 1;; page = page + 2 < ${MOST / STEP_BYTES} ? page + 2 : 1) {
        memory.grow(Math.max(memory.byteLength, ${STEP_BYTES} * (page + 1)));
        memory.bytes.fill(${VICTIMS_MARK}, page * ${STEP_BYTES}, (page + 1) * ${STEP_BYTES});
        Atomics.add(words, ${ROUNDS}, 1);
      }
    `,
    work({ name, random }) {
      using memory = SharedMemory.open(name, { maxByteLength: MOST });
      for (let step = random(64), page = 0; step > 0; step--, page += 2) {
        const length = Math.max(STEP_BYTES * (page + 1), memory.status().byteLength);
        memory.grow(length);
        memory.bytes.fill(OUR_MARK, page * STEP_BYTES, (page + 1) * STEP_BYTES);
      }
    },
    judge({ name }) {
      using memory = SharedMemory.open(name, { maxByteLength: MOST });
      const { byteLength, allocatedBytes } = memory.status();
      assertEquals(byteLength % STEP_BYTES, 0);
      assertEquals(allocatedBytes, byteLength);
      const bytes = memory.read();
      for (let at = 0; at < bytes.length; at++) {
        const owner = Math.floor(at / STEP_BYTES) % 2 === 0 ? OUR_MARK : VICTIMS_MARK;
        if (bytes[at] !== 0 && bytes[at] !== owner) assertEquals([at, bytes[at]], [at, owner]);
      }
      memory.grow(MOST);
      memory.bytes.fill(OUR_MARK);
      assertEquals(memory.status().allocatedBytes, MOST);
      SharedMemory.unlink(name);
    },
  });
});

const QUEUE = { maxMessages: 4, maxMessageBytes: 64 };

/** A message that shows whether it is whole: its number, then so many bytes made from it. */
function numbered(number: number): Uint8Array {
  const bytes = new Uint8Array(4 + number % 61).fill(number);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

function numberOf(data: Uint8Array<ArrayBuffer>): number {
  const number = new DataView(data.buffer).getUint32(0);
  assertEquals(data, numbered(number));
  return number;
}

test("MessageQueue.sendSync() that is killed has sent whole messages, none left out", async () => {
  const takes = new Map<string, number>();
  await killMany({
    named: queueName,
    prepare({ name }) {
      MessageQueue.create(name, QUEUE).close();
      takes.set(name, 0);
    },
    loop: `
      ${numbered}
      const queue = MessageQueue.open(name, { access: "w" });
      for (let number = 0;; number++) {
        queue.sendSync(numbered(number));
        Atomics.store(words, ${ROUNDS}, number + 1);
      }
    `,
    work({ name, random }) {
      using queue = MessageQueue.open(name, { access: "r" });
      let next = 0;
      for (let step = random(300); step > 0; step--) {
        const message = queue.tryReceive();
        if (message !== undefined) assertEquals(numberOf(message.data), next++);
      }
      takes.set(name, next);
    },
    judge({ name, words }) {
      using queue = MessageQueue.open(name);
      let next = takes.get(name)!;
      for (let message; (message = queue.tryReceive()) !== undefined; next++) {
        assertEquals(numberOf(message.data), next);
      }
      // The last one may be sent and not counted yet.
      const counted = Atomics.load(words, ROUNDS);
      assert(next === counted || next === counted + 1, `${next} sent, ${counted} counted`);
      assert(queue.trySend("still works"));
      assertEquals(queue.tryReceive()?.text(), "still works");
      MessageQueue.unlink(name);
    },
  });
});

test("MessageQueue.receiveSync() that is killed takes at most the message in its hands", async () => {
  const sent = new Map<string, number>();
  await killMany({
    named: queueName,
    prepare({ name }) {
      using queue = MessageQueue.create(name, QUEUE);
      assert(queue.trySend(numbered(0)));
      sent.set(name, 1);
    },
    loop: `
      const queue = MessageQueue.open(name, { access: "r" });
      for (;;) {
        const { data } = queue.receiveSync();
        Atomics.store(words, ${RECEIVED}, new DataView(data.buffer).getUint32(0));
        Atomics.add(words, ${ROUNDS}, 1);
      }
    `,
    work({ name, random }) {
      using queue = MessageQueue.open(name, { access: "w" });
      let number = 1;
      for (let step = random(300); step > 0; step--) {
        if (queue.trySend(numbered(number))) number++;
      }
      sent.set(name, number);
    },
    judge({ name, words }) {
      using queue = MessageQueue.open(name, { access: "r" });
      const received = Atomics.load(words, RECEIVED);
      const left: number[] = [];
      for (let message; (message = queue.tryReceive()) !== undefined;) {
        left.push(numberOf(message.data));
      }
      const next = left[0] ?? sent.get(name)!;
      assert(
        next === received + 1 || next === received + 2,
        `${received} was received, then ${next} is next`,
      );
      assertEquals(left, left.map((_, at) => next + at));
      assertEquals(next + left.length, sent.get(name));
      MessageQueue.unlink(name);
    },
  });
});

test("MessageQueue.openOrCreate() works after any kill in create() and unlink()", async () => {
  await killMany({
    named: queueName,
    loop: `
      for (;;) {
        using queue = MessageQueue.create(name, { maxMessages: 2, maxMessageBytes: 64 });
        queue.trySend("left");
        MessageQueue.unlink(name);
        Atomics.add(words, ${ROUNDS}, 1);
      }
    `,
    work({ name, random }) {
      for (let step = random(100); step > 0; step--) {
        allowing(["ENOENT"], () => {
          using queue = MessageQueue.open(name, { access: "r" });
          assertEquals([queue.maxMessages, queue.maxMessageBytes], [2, 64]);
        });
      }
    },
    judge({ name }) {
      using queue = MessageQueue.openOrCreate(name, { maxMessages: 2, maxMessageBytes: 64 });
      assertEquals([queue.maxMessages, queue.maxMessageBytes], [2, 64]);
      const message = queue.tryReceive();
      assert([undefined, "left"].includes(message?.text()));
      assertEquals(queue.tryReceive(), undefined);
      MessageQueue.unlink(name);
      assert(!MessageQueue.list().queues.some((entry) => entry.name === name));
    },
  });
});
