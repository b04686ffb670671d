/**
 * What the native driver changes: the same programs with it and without.
 *
 * - `native-round-trip`: one iteration is a message of 64 bytes there and back between two event
 *   loops. Baseline: blocking calls in C.
 * - `native-stream`: one iteration is one of many messages, sent as fast as it goes and taken in
 *   batches of up to 64 by a queue of ten. Baseline: blocking calls in C.
 * - `native-checksum`: one iteration is the checksum of so many bytes. Baseline: without the driver.
 * - `native-guard`: one iteration is a use of memory that nobody cuts off. Baseline: without.
 */

import { availableParallelism } from "node:os";
import { buildNative, whyNotBuildable } from "../tools/native.ts";
import { compare, compareTogether } from "./measure.ts";
import { Program, Programs } from "./program.ts";
import type { Runtime } from "./runtimes.ts";
import type { Goal, Row, Run, Subject } from "./subject.ts";
import { blockingC, type Placement, type QueueEnd, queuePair, type Role } from "./waiting_pairs.ts";

const NONE = "-";

/** Without the driver, and with it. Undefined where it cannot be built. */
async function drivers(): Promise<[string, string][] | undefined> {
  const missing = await whyNotBuildable();
  if (missing === undefined) return [["plain", NONE], ["native", await buildNative()]];
  console.error(`native-…: not measured, for ${missing}`);
  return undefined;
}

function queues(name: string, title: string, role: Role, goals: Partial<Record<Placement, Goal>>) {
  return {
    name,
    title,
    columns: role === "stream" ? "rounds" : "percentiles",
    async *run({ runtimes, rounds, iterations, isQuick }: Run): AsyncGenerator<Row> {
      const both = await drivers();
      if (both === undefined) return;
      const placements: Placement[] = isQuick || availableParallelism() < 2
        ? ["one core"]
        : ["one core", "two cores"];
      for (const placement of placements) {
        await using programs = new Programs();
        const pair = (end: QueueEnd) => queuePair(role, placement, [end, end]);
        const baseline = await programs.add("C", pair(blockingC));
        const contenders = [];
        for (const runtime of runtimes) {
          for (const [how, native] of both) {
            const end: QueueEnd = (...args) => runtime.loop("native_queue", ...args, native);
            const goal = how === "native" ? goals[placement] : undefined;
            const label = `${runtime.label}, ${how}`;
            contenders.push({ ...await programs.add(label, pair(end)), goal });
          }
        }
        yield* await compareTogether([{ subject: name, case: placement, baseline, contenders }], {
          rounds: rounds(41),
          iterations: iterations(role === "stream" ? 3_000 : 300),
          warmUpRounds: rounds(5),
        });
      }
    },
  } satisfies Subject;
}

/** A subject whose iterations are loops of one program: the same without the driver is the baseline. */
function loops(
  { name, title, loop, cases }: {
    name: string;
    title: string;
    loop: string;
    /** By what it is called: its argument, and how many iterations make a round. */
    cases: Readonly<Record<string, [argument: string, iterations: number]>>;
  },
): Subject {
  const start = (runtime: Runtime, argument: string, native: string) =>
    Program.start(runtime.loop(loop, argument, native));
  return {
    name,
    title,
    async *run({ runtimes, rounds, iterations }) {
      const both = await drivers();
      if (both === undefined) return;
      for (const runtime of runtimes) {
        for (const [what, [argument, count]] of Object.entries(cases)) {
          await using programs = new Programs();
          const [plain, native] = await Promise.all(
            both.map(([how, path]) => programs.add(how, start(runtime, argument, path))),
          );
          yield await compare({
            subject: name,
            case: `${what}, ${runtime.title}`,
            baseline: plain!,
            contenders: [native!],
            rounds: rounds(41),
            iterations: iterations(count),
            warmUpRounds: rounds(10),
          });
        }
      }
    },
  };
}

const atMost = (ratio: number): Goal => ({ of: "ratio", atMost: ratio });

export const native: readonly Subject[] = [
  queues(
    "native-round-trip",
    "awaited round trip, with and without the native driver",
    "round-trip",
    {},
  ),
  queues("native-stream", "stream in batches, with and without the native driver", "stream", {
    "one core": atMost(1.2),
    "two cores": atMost(1.2),
  }),
  loops({
    name: "native-checksum",
    title: "CRC-32C, with and without the native driver",
    loop: "native_checksum",
    cases: { "64 B": ["64", 100_000], "8 KiB": ["8192", 2_000], "1 MiB": ["1048576", 20] },
  }),
  loops({
    name: "native-guard",
    title: "memory that nobody cuts off, guarded and not",
    loop: "native_guard",
    cases: {
      "4 KiB of a view": ["view", 20_000],
      "memory.bytes": ["bytes", 200_000],
      "field.load()": ["field", 200_000],
    },
  }),
];
