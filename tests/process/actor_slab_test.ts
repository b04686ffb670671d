/**
 * Payloads in a slab between processes that are killed at random instants.
 *
 * What must hold: no payload is damaged or comes twice, a message that was sent is lost only with
 * the reader that had it, and in the end no block is anybody's. Method: writers send to a pool of
 * readers, who take from one queue; each payload says who wrote it and the how manieth it is, and is
 * ticked off in a table. Then one after the other is killed and another one begins in its place.
 */

import "../support/loaded.ts";
import process from "node:process";
import { assert, assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { MessageQueue, SharedMemory, uniqueName } from "../../mod.ts";
import { Directory } from "../../src/actor/memory/directory.ts";
import { removeSystem } from "../../src/actor/memory/leftovers.ts";
import { stateIn } from "../../src/actor/memory/owner.ts";
import { Slab } from "../../src/actor/memory/slab.ts";
import {
  blockOffset,
  COUNT_WORD,
  ENTRY_BYTES,
  FREE,
  SEGMENTS,
  TABLE_OFFSET,
} from "../../src/actor/memory/slab_layout.ts";
import { Child } from "../support/process.ts";
import { Random } from "../support/random.ts";
import { scaled } from "../support/scale.ts";
import { within } from "../support/until.ts";

const KILLS = Number(process.env.POSTBOX_KILLS ?? scaled(12));

/** How many payloads one writer sends at most. */
const MOST = 100_000;

/** Words of the table: what counts for all, then of each writer how many it has sent. */
const PROGRESS = 0, VIOLATIONS = 1, RECOVERED = 2, SENT = 16, WRITERS = 256;

/** Behind the words: a byte for each payload of each writer. */
const TICKS_OFFSET = (SENT + WRITERS) * 4;

const BEGINNING = `
  import process from "node:process";
  import { MessageQueue, SharedMemory } from "@postbox/postbox";
  import { Directory } from "@postbox/postbox/src/actor/memory/directory.ts";
  import { Slab } from "@postbox/postbox/src/actor/memory/slab.ts";
  const [system, tableName, ...numbers] = process.argv.slice(2);
  const [endpoint, self] = numbers.map(Number);
  const directory = Directory.join(system);
  const slab = Slab.open(directory, endpoint, directory.begin(endpoint, process.pid));
  const memory = SharedMemory.open(tableName);
  const words = new Int32Array(memory.buffer, 0, ${TICKS_OFFSET / 4});
  const ticks = new Uint8Array(memory.buffer, ${TICKS_OFFSET});
  const queue = MessageQueue.open("/" + system + ".pool");
  const message = new Uint8Array(20);
  const fields = new Uint32Array(message.buffer);
  const lengthOf = (count) => 8 + (Math.imul(count, 2654435761) >>> 8) % 5000;
  let isOver = false;
  process.stdin.once("data", () => isOver = true);
  const turn = () => new Promise((done) => setImmediate(done));
  console.log("ready");
`;

const WRITER = `${BEGINNING}
  for (let count = 0; count < ${MOST} && !isOver; count++) {
    const payload = new Uint8Array(lengthOf(count)).fill(count);
    new Uint32Array(payload.buffer, 0, 2).set([self, count]);
    const block = slab.write(payload);
    fields.set([block.segment, block.block, block.generation, block.byteLength, block.crc]);
    for (;;) {
      slab.queue(block, "pool");
      if (queue.trySend(message)) break;
      slab.unqueue(block);
      await turn();
    }
    Atomics.store(words, ${SENT} + self, count + 1);
    if (count % 16 === 0) await turn();
    else await null;
  }
  process.exit(0);
`;

const READER = `${BEGINNING}
  const isEmpty = () => queue.length === 0;
  for (;;) {
    slab.taking();
    if (queue.tryReceiveInto(message) === undefined) {
      if (isOver) break;
      Atomics.add(words, ${RECOVERED}, slab.recover("pool", isEmpty));
      await turn();
      continue;
    }
    const [segment, block, generation, byteLength, crc] = fields;
    const payload = slab.take({ segment, block, generation, byteLength, crc });
    const [writer, count] = payload === undefined ? [] : new Uint32Array(payload.buffer, 0, 2);
    const isWhole = payload !== undefined && payload.byteLength === lengthOf(count) &&
      payload.subarray(8).every((byte) => byte === (count & 0xff));
    if (!isWhole || Atomics.add(ticks, writer * ${MOST} + count, 1) !== 0) {
      Atomics.add(words, ${VIOLATIONS}, 1);
      console.error("writer", writer, "payload", count, isWhole ? "again" : "damaged");
    }
    if (Atomics.add(words, ${PROGRESS}, 1) % 16 === 0) await turn();
    else await null;
  }
  process.exit(0);
`;

/** How often each of two processes hands some payloads to itself while the other does, too. */
const TOGETHER = scaled(50_000);

/** Says how many of them did not come back as they were. */
const TOGETHER_PROGRAM = `
  import process from "node:process";
  import { Directory } from "@postbox/postbox/src/actor/memory/directory.ts";
  import { Slab } from "@postbox/postbox/src/actor/memory/slab.ts";
  const [system, id] = process.argv.slice(2), endpoint = Number(id);
  const directory = Directory.join(system);
  const slab = Slab.open(directory, endpoint, directory.begin(endpoint, process.pid));
  slab.free(slab.write(new Uint8Array(8)));
  console.log("ready");
  process.stdin.once("data", () => {
    const payload = new Uint8Array(8), words = new Uint32Array(payload.buffer);
    // Several at a time, so that both go round the blocks and meet.
    const send = (_, index) => {
      words.set([endpoint, index]);
      const block = slab.write(payload);
      slab.queue(block, endpoint);
      return block;
    };
    const isOther = (block, index) => {
      const came = slab.take(block), [by, at] = came ? new Uint32Array(came.buffer) : [];
      return by !== endpoint || at !== index;
    };
    let wrong = 0;
    for (let count = 0; count < ${TOGETHER}; count++) {
      try {
        wrong += Array.from({ length: 4 }, send).filter(isOther).length;
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
        wrong++; // it was somebody else's
      }
    }
    console.log(wrong);
    process.exit(0);
  });
`;

test("processes that write at the same time never have the same block", async () => {
  const system = uniqueName("test").slice(1);
  using directory = Directory.create(system);
  directory.begin(0, process.pid);
  try {
    const start = () => Child.program(TOGETHER_PROGRAM, system, String(directory.allocate(0)));
    const children = [start(), start()];
    for (const child of children) assertEquals(await within("a writer", child.line()), "ready");
    for (const child of children) await child.write("go\n");
    for (const child of children) {
      const { code, stdout, stderr } = await within("the end", child.finished());
      assertEquals([code, stdout, stderr], [0, "0\n", ""]);
      await child[Symbol.asyncDispose]();
    }
  } finally {
    directory.remove();
  }
});

/** The system, the table and the processes of a run. */
class Pool implements AsyncDisposable {
  readonly system: string = uniqueName("test").slice(1);
  readonly directory: Directory = Directory.create(this.system);
  readonly queue: MessageQueue;
  readonly table: SharedMemory;
  readonly words: Int32Array;
  /** Two writers, two readers, by their endpoints. */
  readonly children: { endpoint: number; isWriter: boolean; child: Child }[] = [];
  #writers = 0;

  constructor() {
    this.directory.begin(0, process.pid);
    const poolName = `/${this.system}.pool`, tableName = `/${this.system}.table`;
    this.directory.record("queue", poolName);
    this.directory.record("memory", tableName);
    this.queue = MessageQueue.create(poolName, { maxMessages: 10, maxMessageBytes: 20 });
    const byteLength = TICKS_OFFSET + (KILLS + 2) * MOST;
    this.table = SharedMemory.create(tableName, { byteLength });
    this.words = new Int32Array(this.table.buffer, 0, TICKS_OFFSET / 4);
  }

  async start(): Promise<void> {
    const children = [true, true, false, false].map(async (isWriter) => {
      const endpoint = this.directory.allocate(0);
      this.children.push({ endpoint, isWriter, child: await this.#child(isWriter, endpoint) });
    });
    await Promise.all(children);
  }

  async #child(isWriter: boolean, endpoint: number): Promise<Child> {
    const self = isWriter ? this.#writers++ : 0;
    const args = [this.system, `/${this.system}.table`, String(endpoint), String(self)];
    const child = Child.program(isWriter ? WRITER : READER, ...args);
    await within("a successor", child.line());
    return child;
  }

  /** Kills one after some payloads, and has another begin in its place; which it was. */
  async killOne(random: Random): Promise<"writer" | "reader"> {
    const target = Atomics.load(this.words, PROGRESS) + random.below(300);
    await within("payloads", this.#reaches(target));
    const one = random.pick(this.children);
    one.child.kill();
    const { signal, stderr } = await within("its end", one.child.finished());
    assertEquals([signal, stderr], ["SIGKILL", ""]);
    one.child = await this.#child(one.isWriter, one.endpoint);
    return one.isWriter ? "writer" : "reader";
  }

  async #reaches(target: number): Promise<void> {
    while (Atomics.load(this.words, PROGRESS) < target) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** Lets the writers come to their end, then the readers. */
  async end(): Promise<void> {
    for (const isWriter of [true, false]) {
      const some = this.children.filter((one) => one.isWriter === isWriter);
      for (const { child } of some) await child.write("end\n");
      for (const { child } of some) {
        const { code, stderr } = await within("the end", child.finished());
        assertEquals([code, stderr], [0, ""]);
      }
    }
  }

  /** How many payloads were sent and did not come. */
  missing(): number {
    const ticks = new Uint8Array(this.table.buffer, TICKS_OFFSET);
    let missing = 0;
    for (let writer = 0; writer < this.#writers; writer++) {
      const sent = Atomics.load(this.words, SENT + writer);
      for (let count = 0; count < sent; count++) if (ticks[writer * MOST + count] === 0) missing++;
    }
    return missing;
  }

  /** How many blocks there are, and how many are somebody's. */
  blocks(): { count: number; used: number } {
    let count = 0, used = 0;
    const names = SharedMemory.list().map(({ name }) => name);
    for (let index = 0; index < SEGMENTS; index++) {
      const name = `/${this.system}.slab-${index}`;
      if (!names.includes(name)) continue;
      using memory = SharedMemory.open(name);
      const words = new Int32Array(memory.buffer, 0, blockOffset(index, 0) / 4);
      count += words[COUNT_WORD]!;
      for (let block = 0; block < words[COUNT_WORD]!; block++) {
        if (stateIn(words[(TABLE_OFFSET + block * ENTRY_BYTES) / 4]!) !== FREE) used++;
      }
    }
    return { count, used };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { child } of this.children) await child[Symbol.asyncDispose]();
    this.queue.close();
    this.table.close();
    this.directory.close();
    removeSystem(this.system);
  }
}

test(`no block is lost and none is given twice, though ${KILLS} writers and readers are killed (POSTBOX_KILLS=200 for more)`, async () => {
  const random = new Random(Date.now() >>> 0);
  await using pool = new Pool();
  await pool.start();
  const killed = { writer: 0, reader: 0 };
  for (let kill = 0; kill < KILLS; kill++) killed[await pool.killOne(random)]++;
  await pool.end();

  assertEquals(Atomics.load(pool.words, VIOLATIONS), 0, `seed ${random.seed}`);
  const missing = pool.missing();
  assert(
    missing <= killed.reader,
    `seed ${random.seed}: ${missing} missing, ${killed.reader} killed`,
  );

  using slab = Slab.open(pool.directory, 0, 1);
  let reclaimed = 0;
  for (const { id, incarnation } of pool.directory.endpoints()) {
    for (let dead = 1; id !== 0 && dead <= incarnation; dead++) reclaimed += slab.reclaim(id, dead);
  }
  const recovered = slab.recover("pool", () => pool.queue.length === 0);
  const { count, used } = pool.blocks();
  assertEquals([used, count > 0], [0, true], `seed ${random.seed}`);
  if (process.env.POSTBOX_KILLS !== undefined) {
    const by = Atomics.load(pool.words, RECOVERED);
    console.log(JSON.stringify({ killed, missing, reclaimed, recovered, by, count }));
  }
});
