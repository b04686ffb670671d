/**
 * Messages of 64 bytes between two that wait for them in an event loop.
 *
 * - `await-round-trip`: one iteration is a message there and back, timed one by one.
 * - `await-one-way`: one iteration is a message that arrives, one a millisecond; timed from before
 *   its send to after its receive. Beside it the processor time of the receiver; with postMessage
 *   it is that of both, which are one process.
 * - `await-stream`: one iteration is one of many messages, sent and received as fast as it goes.
 *
 * Of the library: send, receive and `for await` of two queues for ten messages, once with handles
 * that spin before they park, once with handles that only park; `into` receives into one buffer, as
 * C does. Baseline: what a user would take
 * instead, the runtime's own Unix socket; of the stream blocking mq_send and mq_receive in C.
 * Beside it: the channel of child_process.fork, postMessage to a worker, C. All of them in turns in
 * the same rounds: on one core, with a core each, and where the kernel puts them.
 */

import { availableParallelism } from "node:os";
import { type Case, compareTogether, type Contender } from "./measure.ts";
import { Programs } from "./program.ts";
import type { Runtime } from "./runtimes.ts";
import type { Goal, Run, Subject } from "./subject.ts";
import {
  blockingC,
  forkPair,
  type Pair,
  type Placement,
  postbox,
  queuePair,
  type Role,
  socketPair,
  type Way,
  workerPair,
} from "./waiting_pairs.ts";

const PLACEMENTS: readonly Placement[] = ["one core", "two cores", "free"];

interface Waiting extends Required<Pick<Subject, "name" | "title" | "columns">> {
  role: Role;
  rounds: number;
  iterations: number;
  /** Where it is measured when there is little time. */
  quickly: Placement;
  /** The ways of waiting of which there is a line with `into`. */
  into: readonly Way[];
  /** By runtime and way of waiting, and where; the same with `into`. */
  goals: readonly { label: string; placement: Placement; goal: Goal }[];
}

const SUBJECTS: readonly Waiting[] = [
  {
    name: "await-round-trip",
    title: "awaited round trip of two processes, 64 B",
    columns: "percentiles",
    role: "round-trip",
    rounds: 41,
    iterations: 300,
    quickly: "one core",
    into: ["spin", "parked"],
    goals: [
      { label: "Postbox, Deno, spin", placement: "one core", goal: atMost(0.4) },
      { label: "Postbox, Deno, spin", placement: "two cores", goal: atMost(0.2) },
      { label: "Postbox, Deno, parked", placement: "one core", goal: atMost(1.3) },
      { label: "Postbox, Node, parked", placement: "one core", goal: atMost(0.75) },
    ],
  },
  {
    name: "await-one-way",
    title: "one message a millisecond, awaited, 64 B",
    columns: "percentiles and CPU",
    role: "one-way",
    rounds: 11,
    iterations: 100,
    quickly: "free",
    into: [],
    goals: [],
  },
  {
    name: "await-stream",
    title: "stream of messages, awaited, 64 B",
    columns: "rounds",
    role: "stream",
    rounds: 41,
    iterations: 3_000,
    quickly: "one core",
    into: ["spin"],
    goals: [
      { label: "Postbox, Deno, spin", placement: "one core", goal: atMost(1.5) },
      { label: "Postbox, Deno, spin", placement: "two cores", goal: atMost(1.5) },
    ],
  },
];

function atMost(ratio: number): Goal {
  return { of: "ratio", atMost: ratio };
}

export const waiting: readonly Subject[] = SUBJECTS.map((subject) => ({
  name: subject.name,
  title: subject.title,
  columns: subject.columns,
  chart: "waiting",
  async *run(run: Run) {
    for (const placement of run.isQuick ? [subject.quickly] : PLACEMENTS) {
      if (placement === "two cores" && availableParallelism() < 2) {
        console.error(`${subject.name}: left out two cores, for this process may use one only`);
        continue;
      }
      await using programs = new Programs();
      const cases = await started(programs, subject, placement, run.runtimes);
      yield* await compareTogether(cases, {
        rounds: run.rounds(subject.rounds),
        iterations: run.iterations(subject.iterations),
        warmUpRounds: run.rounds(5),
      });
    }
  },
}));

/** One case a runtime, for each is compared with its own socket. */
async function started(
  programs: Programs,
  { name, role, goals, into }: Waiting,
  placement: Placement,
  runtimes: readonly Runtime[],
): Promise<Case[]> {
  const add = async (label: string, starting: Promise<Pair>): Promise<Contender> => {
    const goal = goals.find((goal) =>
      goal.label === label.replace(", into", "") && goal.placement === placement
    );
    return { ...await programs.add(label, starting), goal: goal?.goal };
  };
  const queues = (...ends: Parameters<typeof queuePair>[2]) => queuePair(role, placement, ends);
  const ofC = await add("C", queues(blockingC, blockingC));
  const cases: Case[] = [];
  for (const runtime of runtimes) {
    const { title } = runtime;
    const spin = postbox(runtime, "spin"), parked = postbox(runtime, "parked");
    const socket = await add(`Unix socket, ${title}`, socketPair(role, placement, runtime));
    const contenders = [
      await add(`Postbox, ${title}, spin`, queues(spin, spin)),
      await add(`Postbox, ${title}, parked`, queues(parked, parked)),
      await add(`${title} and C, spin`, queues(spin, blockingC)),
      await add(`${title} and C, parked`, queues(parked, blockingC)),
      await add(`fork IPC, ${title}`, forkPair(role, placement, runtime)),
      await add(`postMessage, ${title}`, workerPair(role, placement, runtime)),
    ];
    for (const way of into) {
      const end = postbox(runtime, `${way}-into`);
      contenders.push(await add(`Postbox, ${title}, ${way}, into`, queues(end, end)));
    }
    const sameCase = { subject: name, case: `${placement}, ${title}`, group: placement };
    if (role === "stream") {
      cases.push({ ...sameCase, baseline: ofC, contenders: [socket, ...contenders] });
    } else cases.push({ ...sameCase, baseline: socket, contenders: [...contenders, ofC] });
  }
  return cases;
}
