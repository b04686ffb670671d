/**
 * A record whose writers, in JavaScript and C, are killed while readers of both read it.
 *
 * What must hold: whoever reads gets one update as a whole, and never an older one than before;
 * writers go on whoever dies.
 *
 * The writers count: an update is one number more than the last, said by each member in its own
 * way. Readers compare. Only who reads in JavaScript says how often, in a table beside the region.
 */

import { SharedMemory } from "../../mod.ts";
import { Region } from "../../src/region/mod.ts";
import { compilePeer, SHARED, Shared } from "../process/region_schemas.ts";
import { memoryName } from "../support/names.ts";
import { Child } from "../support/process.ts";
import { Random } from "../support/random.ts";
import { until, within } from "../support/until.ts";
import type { TortureOptions, TortureResult, TortureSubject } from "./subject.ts";

/** Indexes of the table's words. */
const READS = 0, TORN = 1;

/** So many reads for each kill, by those in JavaScript together. */
const READS_A_KILL = 10_000;

/** Updates the record until it is killed, or told to stop. */
const WRITER = `
  ${SHARED}
  const { last, stop } = Region.open(name, Shared).fields;
  console.log("ready");
  while (stop.load() === 0) {
    last.update((draft) => {
      const number = draft.number += 1n;
      draft.tag = String(number % 10000000000n);
      for (let i = 0; i < 13; i++) draft.words[i] = Math.imul(Number(number & 0xffffffffn), i + 1) >>> 0;
    });
  }
`;

/** Reads the record until it is killed, or told to stop: its access. */
const READER = `
  ${SHARED}
  import { SharedMemory } from "@postbox/postbox";
  const [tableName, access] = args;
  const { last, stop } = Region.open(name, Shared, { access }).fields;
  const table = new Int32Array(SharedMemory.open(tableName).buffer, 0, 2);
  const isWhole = ({ number, tag, words }) => {
    const low = Number(number & 0xffffffffn);
    return tag === (number === 0n ? "" : String(number % 10000000000n)) &&
      words.every((word, i) => word === Math.imul(low, i + 1) >>> 0);
  };
  console.log("ready");
  for (let newest = 0n; stop.load() === 0;) {
    let torn = 0;
    for (let reads = 0; reads < 256; reads++) {
      const value = last.read();
      if (!isWhole(value) || value.number < newest) {
        torn++;
        console.error("after", newest, "read", value);
      }
      newest = value.number;
    }
    Atomics.add(table, ${READS}, 256);
    Atomics.add(table, ${TORN}, torn);
  }
`;

/** Who takes part, and can be killed; each is started again then. */
type Part = "writes" | "writes in C" | "reads" | "reads only" | "reads in C";

const PARTS: readonly Part[] = ["writes", "writes in C", "reads", "reads only", "reads in C"];

/** Those whose death the record must survive first of all are killed more often. */
const VICTIMS: readonly Part[] = [...PARTS, "writes", "writes in C", "writes", "writes in C"];

async function start(part: Part, name: string, tableName: string, peer: string): Promise<Child> {
  if (part === "writes in C") return new Child(peer, [name, "write"]);
  if (part === "reads in C") return new Child(peer, [name, "read"]);
  const child = part === "writes"
    ? Child.program(WRITER, name)
    : Child.program(READER, name, tableName, part === "reads" ? "rw" : "r");
  await within(`one who ${part}`, child.line());
  return child;
}

async function run({ kills, seed, progress }: TortureOptions): Promise<TortureResult> {
  using peer = await compilePeer();
  using object = memoryName(), tableObject = memoryName();
  using region = Region.create(object.name, Shared);
  using tableMemory = SharedMemory.create(tableObject.name, { byteLength: 8 });
  const table = new Int32Array(tableMemory.buffer, 0, 2);
  const { last, stop } = region.fields;
  const random = new Random(seed);
  const begin = (part: Part) => start(part, object.name, tableObject.name, peer.path);

  const children = new Map<Part, Child>();
  const counts = { reads: 0, updates: 0, "reads in C": 0, "overtaken in C": 0 };
  let killed = 0, violations = 0, hangs = 0;
  try {
    for (const part of PARTS) children.set(part, await begin(part));
    while (killed < kills && hangs === 0) {
      const reads = READS_A_KILL * (killed + random.below(100) / 100);
      const number = last.read().number;
      const goesOn = () => Atomics.load(table, READS) >= reads && last.read().number > number;
      hangs += await comesTrue(goesOn) ? 0 : 1;
      const victim = random.pick(VICTIMS), child = children.get(victim)!;
      child.kill("SIGKILL");
      await within("its end", child.finished());
      children.set(victim, await begin(victim));
      if (++killed % 100 === 0) progress?.(`${killed} killed, ${Atomics.load(table, READS)} reads`);
    }
    hangs += await comesTrue(() => Atomics.load(table, READS) >= READS_A_KILL * kills) ? 0 : 1;
    // Listened to before they end: Deno loses what a process says that ends unheard.
    const ends = [...children].map(([part, child]) => ({ part, end: child.finished() }));
    stop.store(1);
    for (const { part, end } of ends) {
      const { code, stdout, stderr } = await within(`the end of one who ${part}`, end);
      if (code !== 0 || stderr !== "") violations++;
      if (part !== "reads in C") continue;
      const [reads = 0, torn = 0, overtaken = 0] = stdout.trim().split(" ").map(Number);
      counts["reads in C"] = reads;
      counts["overtaken in C"] = overtaken;
      violations += torn;
    }
  } finally {
    for (const child of children.values()) await child[Symbol.asyncDispose]();
  }
  counts.reads = Atomics.load(table, READS);
  counts.updates = Number(last.read().number);
  violations += Atomics.load(table, TORN);
  return { kills: killed, violations, hangs, counts };
}

/** Whether a condition comes true before that is a hang. */
async function comesTrue(condition: () => boolean): Promise<boolean> {
  return await until("the record goes on", condition).then(() => true, () => false);
}

export const subject: TortureSubject = {
  what: "a record with writers and readers in JavaScript and C",
  run,
};
