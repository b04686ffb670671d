/**
 * A ring of two lanes, whose producers and consumer are killed.
 *
 * What must hold: nothing that was published is lost, the records of each producer come in its
 * order, only what a dead consumer was reading comes again, and the role of who died is free at
 * once. Half of the run, consumers read one record at a time, so one at most comes again; then they
 * read all that is there, so a turn at most does.
 *
 * Each producer has a number of its own and counts its records, in the ring and, after the call
 * that published it, in a table. The consumer counts what it has read in the table, in the
 * function that reads in place: before the ring knows that it was read.
 *
 * ```text
 * table   progress | violations | repeated | of each producer: published, at once, read
 * ```
 */

import { SharedMemory } from "../../mod.ts";
import { MpscRing } from "../../src/ring/mod.ts";
import { memoryName } from "../support/names.ts";
import { Child } from "../support/process.ts";
import { Random } from "../support/random.ts";
import { within } from "../support/until.ts";
import type { TortureOptions, TortureResult, TortureSubject } from "./subject.ts";

const SHAPE = { lanes: 2, capacityBytes: 8192 };

/** Indexes of the table's words: what counts for all, and where that of a producer begins. */
const PROGRESS = 0, VIOLATIONS = 1, REPEATED = 2, PRODUCERS = 16;

/** The words of one producer. */
const PUBLISHED = 0, AT_ONCE = 1, READ = 2, WORDS = 4;

/** How many records a turn of a lane has at most. */
const TURN_RECORDS = 64;

/** The longest that nobody makes progress, unless somebody hangs. */
const HANG_MS = 20_000;

const BEGINNING = `
  import process from "node:process";
  import { MpscRing, SharedMemory } from "@postbox/postbox";
  const [ringName, tableName, ...numbers] = process.argv.slice(2);
  const ringMemory = SharedMemory.open(ringName), tableMemory = SharedMemory.open(tableName);
  const ring = MpscRing.attach(ringMemory.bytes);
  const table = new Int32Array(tableMemory.buffer, 0, tableMemory.byteLength / 4);
`;

/** Pushes until it is killed, or told to end: its number, and how many it publishes at once. */
const PRODUCER = `
  ${BEGINNING}
  const [self, atOnce] = numbers.map(Number);
  const words = ${PRODUCERS} + self * ${WORDS};
  Atomics.store(table, words + ${AT_ONCE}, atOnce);
  const producer = ring.producer();
  let isOver = false;
  process.stdin.once("data", () => isOver = true);
  console.log("ready");
  const lengthOf = (count) => 8 + (Math.imul(count, 2654435761) >>> 8) % 100;
  const push = (count) => {
    const view = producer.claim(lengthOf(count));
    if (view === undefined) return false;
    const data = new DataView(view.buffer, view.byteOffset, view.length);
    data.setInt32(0, self, true);
    data.setInt32(4, count, true);
    view.fill(count, 8);
    producer.commit();
    return true;
  };
  for (let count = 0; !isOver;) {
    const before = count;
    producer.batch(() => {
      while (count < before + atOnce && push(count)) count++;
    });
    Atomics.store(table, words + ${PUBLISHED}, count);
    // Lets standard input in, and the consumer where both are on one processor.
    if (count === before || count % 64 < atOnce) await new Promise((done) => setImmediate(done));
  }
  producer.close();
  process.exit(0);
`;

/** Reads until it is killed, or told to end and nothing is left: how many at a time at most. */
const CONSUMER = `
  ${BEGINNING}
  const [limit] = numbers.map(Number);
  const consumer = ring.consumer();
  let isOver = false;
  process.stdin.once("data", () => isOver = true);
  console.log("ready");
  let mayRepeat = Math.min(limit, ${TURN_RECORDS}); // what its predecessor was at
  const read = (view, at, length) => {
    const data = new DataView(view.buffer, view.byteOffset + at, length);
    const self = data.getInt32(0, true), count = data.getInt32(4, true);
    const index = ${PRODUCERS} + self * ${WORDS} + ${READ};
    const next = Atomics.load(table, index);
    const isWhole = length === 8 + (Math.imul(count, 2654435761) >>> 8) % 100 &&
      view.subarray(at + 8, at + length).every((byte) => byte === (count & 0xff));
    const isAgain = count < next;
    if (!isWhole || count > next || isAgain && mayRepeat-- <= 0) {
      Atomics.add(table, ${VIOLATIONS}, 1);
      console.error("producer", self, "record", count, "for", next, isWhole ? "" : "damaged");
    }
    if (isAgain) Atomics.add(table, ${REPEATED}, 1);
    else Atomics.store(table, index, count + 1);
    Atomics.add(table, ${PROGRESS}, 1);
  };
  for (;;) {
    if (consumer.tryDrain(read, { limit }) > 0) continue;
    if (isOver) break;
    await new Promise((done) => setImmediate(done));
  }
  consumer.close();
  process.exit(0);
`;

/** The ring, the table and the processes of a run. */
class Torture implements AsyncDisposable {
  readonly #names = [memoryName(), memoryName()] as const;
  readonly #memories: SharedMemory[] = [];
  readonly #random: Random;
  readonly #table: Int32Array;
  /** In each lane somebody; who comes next has the next number. */
  readonly #producers: Child[] = [];
  #consumer: Child | undefined;
  #started = 0;

  /** @param limit How many records a consumer reads at a time. */
  constructor({ kills, seed }: TortureOptions, readonly limit: number) {
    this.#random = new Random(seed);
    const words = PRODUCERS + (SHAPE.lanes + kills) * WORDS;
    const [ring, table] = [MpscRing.bytesFor(SHAPE), words * 4].map((byteLength, i) => {
      const memory = SharedMemory.create(this.#names[i]!.name, { byteLength });
      this.#memories.push(memory);
      return memory;
    });
    MpscRing.format(ring!.bytes, SHAPE);
    this.#table = new Int32Array(table!.buffer, 0, words);
  }

  async start(): Promise<void> {
    for (let lane = 0; lane < SHAPE.lanes; lane++) this.#producers.push(await this.#producer());
    this.#consumer = await this.#newConsumer();
  }

  /** Kills one after some records; the next has its role when it is ready. False when all hang. */
  async killOne(): Promise<boolean> {
    if (!await this.#goesOn(this.#random.below(3000))) return false;
    const index = this.#random.below(SHAPE.lanes + 1);
    const child = this.#producers[index] ?? this.#consumer!;
    child.kill("SIGKILL");
    const { signal, stderr } = await within("the end of who is killed", child.finished());
    if (signal !== "SIGKILL") throw new Error(`it had ended before: ${stderr}`);
    if (index < SHAPE.lanes) this.#producers[index] = await this.#producer();
    else this.#consumer = await this.#newConsumer();
    return true;
  }

  /** Lets all come to their ends, and counts what is missing or too much. */
  async end(): Promise<void> {
    for (const producer of this.#producers) await over(producer);
    await over(this.#consumer!);
    for (let self = 0; self < this.#started; self++) {
      const words = this.#table.subarray(PRODUCERS + self * WORDS);
      const [published, atOnce, read] = [words[PUBLISHED]!, words[AT_ONCE]!, words[READ]!];
      if (read < published || read > published + atOnce) this.#table[VIOLATIONS]!++;
    }
  }

  get violations(): number {
    return this.#table[VIOLATIONS]!;
  }

  get counts(): Record<string, number> {
    return { "records read": this.#table[PROGRESS]!, "of them again": this.#table[REPEATED]! };
  }

  async #producer(): Promise<Child> {
    const atOnce = this.#random.pick([1, 1, 5]);
    return await this.#ready(PRODUCER, this.#started++, atOnce);
  }

  async #newConsumer(): Promise<Child> {
    return await this.#ready(CONSUMER, this.limit);
  }

  async #ready(code: string, ...numbers: number[]): Promise<Child> {
    const [ring, table] = this.#names;
    const child = Child.program(code, ring.name, table.name, ...numbers.map(String));
    await within("a successor", child.line());
    return child;
  }

  /** Comes back when so many records more were read; false when no more are. */
  async #goesOn(records: number): Promise<boolean> {
    const read = () => Atomics.load(this.#table, PROGRESS);
    const target = read() + records;
    for (let last = read(), since = performance.now(); last < target;) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (read() !== last) since = performance.now();
      else if (performance.now() - since > HANG_MS) return false;
      last = read();
    }
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of [...this.#producers, this.#consumer]) {
      await child?.[Symbol.asyncDispose]();
    }
    for (const memory of this.#memories) memory.close();
    for (const name of this.#names) name[Symbol.dispose]();
  }
}

/** Tells a program to end, and waits until it has. */
async function over(child: Child): Promise<void> {
  await child.write("end\n");
  const { code, stderr } = await within("the end", child.finished());
  if (code !== 0 || stderr !== "") throw new Error(`it ended with ${code}: ${stderr}`);
}

/** The ring. */
export const subject: TortureSubject = {
  what: "a ring of two lanes, its producers and its consumer killed",
  async run(options: TortureOptions): Promise<TortureResult> {
    const half = Math.floor(options.kills / 2);
    const one = await runHalf({ ...options, kills: half }, 1);
    if (one.hangs > 0) return one;
    const all = await runHalf({ ...options, kills: options.kills - half }, Infinity);
    const counts = Object.keys(one.counts).map((
      what,
    ) => [what, one.counts[what]! + all.counts[what]!]);
    return {
      kills: one.kills + all.kills,
      violations: one.violations + all.violations,
      hangs: all.hangs,
      counts: Object.fromEntries(counts),
    };
  },
};

async function runHalf(options: TortureOptions, limit: number): Promise<TortureResult> {
  await using torture = new Torture(options, limit);
  await torture.start();
  let kills = 0, hangs = 0;
  while (kills < options.kills && hangs === 0) {
    if (!await torture.killOne()) hangs++;
    else if (++kills % 100 === 0) options.progress?.(`${kills} kills, ${limit} at a time`);
  }
  if (hangs === 0) await torture.end();
  const { violations, counts } = torture;
  return { kills, violations, hangs, counts };
}
