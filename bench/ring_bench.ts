/**
 * Records through a ring between two processes, each on a core of its own where there are two.
 *
 * - `ring-stream`: one iteration is one of many records, pushed and read as fast as it goes. In
 *   batches: 32 are published together, and read in place. One by one: each is published, and
 *   copied out. The consumer looks at one byte of each record.
 * - `ring-round-trip`: one iteration is a record of 64 bytes there and back, timed one by one; who
 *   waits looks, and does not park.
 *
 * Both ends are Postbox on a runtime, or C over the same layout (bench/c/ring.c), or one of each.
 * Baseline of the stream: C, one by one. Beside it: the runtime's own Unix socket, on which a record
 * has no beginning and no end, and postMessage from a worker. Baseline of the round trip:
 * postMessage, which the waiting benchmark measures (`await-round-trip`).
 */

import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { compare, type Contender } from "./measure.ts";
import { c, type Command, pinned, Program, Programs } from "./program.ts";
import type { Runtime } from "./runtimes.ts";
import type { Goal, Subject } from "./subject.ts";
import { overRings, Pair, workerPair } from "./waiting_pairs.ts";

type Role = "round-trip" | "batches" | "one-by-one";

/** One end of two rings. */
type End = (role: Role | "peer", memory: string, bytes: number) => Command;

const ofC: End = (role, memory, bytes) => c("ring", role, memory, String(bytes));
const of = (runtime: Runtime): End => (role, memory, bytes) =>
  runtime.loop("ring", role, memory, String(bytes));

/** The ends of a stream, by how a record is published. */
const WAYS: readonly { role: Role; title: string }[] = [
  { role: "batches", title: "batches" },
  { role: "one-by-one", title: "one by one" },
];

const SIZES: readonly { bytes: number; iterations: number }[] = [
  { bytes: 16, iterations: 200_000 },
  { bytes: 64, iterations: 200_000 },
  { bytes: 1024, iterations: 50_000 },
  { bytes: 65_536, iterations: 2_000 },
];

/** In batches, at 64 bytes. */
const LEVEL_WITH_C: Goal = { of: "ratio", atMost: 1 };

const CAPACITY_BYTES = 2 ** 20;

export const ringStream: Subject = {
  name: "ring-stream",
  title: "stream of records through a ring",
  chart: "memory",
  async *run({ runtimes, rounds, iterations }) {
    for (const { bytes, iterations: full } of SIZES) {
      await using programs = new Programs();
      const oneByOne = ringPair("one-by-one", bytes, ofC, ofC);
      const baseline = await programs.add("C, one by one", oneByOne);
      const batches = ringPair("batches", bytes, ofC, ofC);
      const contenders: Contender[] = [await programs.add("C, batches", batches)];
      for (const runtime of runtimes) {
        const { title } = runtime, end = of(runtime);
        for (const { role, title: way } of WAYS) {
          const pair = ringPair(role, bytes, end, end);
          const ours = await programs.add(`Postbox, ${title}, ${way}`, pair);
          const isGoal = bytes === 64 && role === "batches" && runtime.name === "deno";
          contenders.push({ ...ours, goal: isGoal ? LEVEL_WITH_C : undefined });
        }
        const mixed = ringPair("batches", bytes, end, ofC);
        contenders.push(await programs.add(`${title} and C, batches`, mixed));
        const socket = socketPair(bytes, runtime);
        contenders.push(await programs.add(`Unix socket, ${title}`, socket));
        const worker = workerStream(bytes, runtime);
        contenders.push(await programs.add(`postMessage, ${title}`, worker));
      }
      yield await compare({
        subject: "ring-stream",
        case: `${bytes} B`,
        baseline,
        contenders,
        rounds: rounds(21),
        iterations: iterations(full),
        warmUpRounds: rounds(4),
      });
    }
  },
};

/** Under a hundredth of postMessage. */
const HUNDREDTH: Goal = { of: "ratio", atMost: 0.01 };

const ROUND_TRIP_BYTES = 64;

export const ringRoundTrip: Subject = {
  name: "ring-round-trip",
  title: "round trip through two rings, 64 B",
  chart: "memory",
  async *run({ runtimes, rounds, iterations }) {
    for (const runtime of runtimes) {
      await using programs = new Programs();
      const end = of(runtime), { title } = runtime;
      const pair = (...ends: [End, End]) => ringPair("round-trip", ROUND_TRIP_BYTES, ...ends);
      const worker = workerPair("round-trip", PLACEMENT, runtime);
      const baseline = await programs.add(`postMessage, ${title}`, worker);
      const ours = await programs.add(`Postbox, ${title}`, pair(end, end));
      yield await compare({
        subject: "ring-round-trip",
        case: title,
        baseline,
        contenders: [
          { ...ours, goal: HUNDREDTH },
          await programs.add(`${title} and C`, pair(end, ofC)),
          await programs.add("C", pair(ofC, ofC)),
        ],
        rounds: rounds(41),
        iterations: iterations(2_000),
        warmUpRounds: rounds(5),
      });
    }
  },
};

const PLACEMENT = availableParallelism() < 2 ? "free" : "two cores";

/** The command on its core: that of the measured end is another than its peer's. */
function placed(cpu: 0 | 1, command: Command): Command {
  return PLACEMENT === "free" ? command : pinned(cpu, command);
}

function ringPair(role: Role, bytes: number, measured: End, peer: End): Promise<Pair> {
  return overRings(CAPACITY_BYTES, async (name) => {
    const started = await Program.start(placed(0, peer("peer", name, bytes)));
    return new Pair(await Program.start(placed(1, measured(role, name, bytes))), started);
  });
}

/** Over a Unix socket, whose name is gone before anything is measured. */
async function socketPair(bytes: number, runtime: Runtime): Promise<Pair> {
  const folder = mkdtempSync(`${tmpdir()}/postbox-bench-`);
  const command = (role: "measured" | "peer") =>
    runtime.other(`stream_${runtime.name}_socket`, role, String(bytes), `${folder}/socket`);
  try {
    const peer = await Program.start(placed(0, command("peer")));
    return new Pair(await Program.start(placed(1, command("measured"))), peer);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** From a worker to its thread. */
async function workerStream(bytes: number, runtime: Runtime): Promise<Pair> {
  const command = runtime.other("stream_worker", "measured", String(bytes));
  return new Pair(await Program.start(PLACEMENT === "free" ? command : pinned("both", command)));
}
