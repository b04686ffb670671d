/**
 * Actors, beside what they stand on and beside what else there is.
 *
 * - `actor-ask`: one iteration is a question to an actor in another process and its reply, timed one
 *   by one. Baseline: 64 bytes there and back on the same carrier, awaited, without actors. `layout`
 *   is a struct in 64 bytes, `pack` MessagePack and a schema's word.
 * - `actor-stream`: one iteration is one of many tells, told as fast as the library takes them, up to
 *   the reply that comes when all have been handled. Baseline: such a stream without actors.
 * - `actor-spawn`: one iteration starts an actor, asks it once and stops it. Baseline: an object and
 *   a chain of promises, a worker, a process of child_process.fork.
 * - `actor-local`: one iteration is one of 10 000 actors in one thread: started, and asked once. Each
 *   round is a process of its own, and its memory is what the heap has grown by.
 * - `actor-payload`: one iteration is a question with so many bytes, which the actor takes. `handed`
 *   is without writing and reading them (actor_payload.ts says how). Baseline: 64 bytes.
 *
 * Libraries of npm run on Node alone: nact, XState and tarant know one thread, comedy workers and
 * processes too, Comlink workers.
 */

import {
  actorCommands,
  type Labelled,
  type Place,
  PLACES,
  started,
  type Where,
} from "./actor_commands.ts";
import { type Case, compare, compareTogether, type Contender, type Sampled } from "./measure.ts";
import { type Command, Program, Programs } from "./program.ts";
import type { Runtime } from "./runtimes.ts";
import type { Goal, Run, Subject } from "./subject.ts";
import { postbox, queuePair, ringPair } from "./waiting_pairs.ts";

const CARRIERS = ["queue", "ring"] as const;

type Carrier = (typeof CARRIERS)[number];

function atMost(ratio: number): Goal {
  return { of: "ratio", atMost: ratio };
}

/** What two subjects between processes share. */
interface Between {
  name: string;
  title: string;
  columns: NonNullable<Subject["columns"]>;
  /** Of bench/ts/actor_loops.ts, and of the baseline. */
  role: "ask" | "tell";
  raw: "round-trip" | "stream";
  rounds: number;
  iterations: number;
  goal: Goal | undefined;
}

const BETWEEN: readonly Between[] = [
  {
    name: "actor-ask",
    title: "question to an actor in another process, 64 B",
    columns: "percentiles",
    role: "ask",
    raw: "round-trip",
    rounds: 21,
    iterations: 1_000,
    goal: atMost(1.5),
  },
  {
    name: "actor-stream",
    title: "tells to an actor in another process, 64 B",
    columns: "rounds",
    role: "tell",
    raw: "stream",
    rounds: 21,
    iterations: 2_000,
    goal: undefined,
  },
];

const between: readonly Subject[] = BETWEEN.map((subject) => ({
  name: subject.name,
  title: subject.title,
  columns: subject.columns,
  chart: "actors",
  async *run(run: Run) {
    for (const place of run.isQuick ? PLACES.slice(0, 1) : PLACES) {
      await using programs = new Programs();
      const cases: Case[] = [];
      for (const runtime of run.runtimes) {
        for (const carrier of CARRIERS) {
          cases.push(await betweenCase(programs, subject, { run, runtime, carrier, place }));
        }
      }
      yield* await compareTogether(cases, {
        rounds: run.rounds(subject.rounds),
        iterations: run.iterations(subject.iterations),
        warmUpRounds: run.rounds(4),
      });
    }
  },
}));

/** On which runtime, over what, where. */
interface Circumstances {
  run: Run;
  runtime: Runtime;
  carrier: Carrier;
  place: Place;
}

async function betweenCase(
  programs: Programs,
  { name, role, raw, goal }: Between,
  { run, runtime, carrier, place }: Circumstances,
): Promise<Case> {
  const { title } = runtime, { ours, others } = actorCommands(run, runtime);
  const end = postbox(runtime, "spin-into");
  const pair = carrier === "queue"
    ? queuePair(raw, place, [end, end])
    : ringPair(raw, place, runtime);
  const baseline = await programs.add(`${carrier} alone, ${title}`, pair);
  const contenders: Contender[] = [];
  const add = async (label: string, command: Command, goal?: Goal) => {
    contenders.push({ ...await programs.add(label, started(place, command)), goal });
  };
  await add(`Postbox, ${title}, ${carrier}`, ours(role, "process", carrier, "sum"), goal);
  if (role === "ask") {
    await add(`Postbox, ${title}, ${carrier}, pack`, ours(role, "process", carrier, "pack"));
  }
  // These are compared with the queue: the carrier that processes have without shared memory.
  if (carrier === "queue") {
    for (const where of ["process", "worker"] as const) {
      for (const { label, command } of await others(role, where)) await add(label, command);
    }
  }
  return {
    subject: name,
    case: `${carrier}, ${place}, ${title}`,
    group: place,
    baseline,
    contenders,
  };
}

/** Where actors are started, how often in a round, and what stands in for an actor there. */
const SPAWNED: readonly { where: Where; iterations: number }[] = [
  { where: "here", iterations: 400 },
  { where: "worker", iterations: 4 },
  { where: "process", iterations: 4 },
];

const spawn: Subject = {
  name: "actor-spawn",
  title: "start of an actor, first question and stop",
  chart: "actors",
  async *run(run) {
    for (const { where, iterations } of SPAWNED) {
      for (const runtime of run.runtimes) {
        await using programs = new Programs();
        const all: Contender[] = [];
        for (const { label, command } of await commandsFor(run, runtime, "spawn", where)) {
          all.push(await programs.add(label, started("free", command)));
        }
        yield await compare({
          subject: "actor-spawn",
          case: `${where}, ${runtime.title}`,
          group: where,
          baseline: all[0]!,
          contenders: all.slice(1),
          rounds: run.rounds(11),
          iterations: run.iterations(iterations),
          warmUpRounds: run.rounds(2),
        });
      }
    }
  },
};

/** What stands in for actors in a place, then Postbox, then the libraries. */
async function commandsFor(
  run: Run,
  runtime: Runtime,
  role: "spawn" | "many",
  where: Where,
): Promise<Labelled[]> {
  const { ours, others } = actorCommands(run, runtime);
  const [standIn, ...libraries] = await others(role, where);
  const command = ours(role, where, "queue", "sum");
  return [standIn!, { label: `Postbox, ${runtime.title}`, command }, ...libraries];
}

/** A program for each round. */
class Fresh implements Sampled {
  readonly #command: Command;

  constructor(command: Command) {
    this.#command = command;
  }

  async sample(iterations: number) {
    await using program = await Program.start(this.#command);
    return JSON.parse(await program.tell(iterations));
  }
}

const local: Subject = {
  name: "actor-local",
  title: "10 000 actors in one thread, each asked once",
  columns: "rounds and memory",
  chart: "actors",
  async *run(run) {
    for (const runtime of run.runtimes) {
      const all = (await commandsFor(run, runtime, "many", "here"))
        .map(({ label, command }) => ({ label, timed: new Fresh(command) }));
      yield await compare({
        subject: "actor-local",
        case: runtime.title,
        baseline: all[0]!,
        contenders: all.slice(1),
        rounds: run.rounds(5),
        iterations: run.iterations(10_000),
        warmUpRounds: 0,
      });
    }
  },
};

const KIB = 1024;

/** Beside 64 bytes. */
const PAYLOADS: readonly { title: string; bytes: number }[] = [
  { title: "1 KiB", bytes: KIB },
  { title: "16 KiB", bytes: 16 * KIB },
  { title: "256 KiB", bytes: 256 * KIB },
  { title: "1 MiB", bytes: KIB * KIB },
];

const payload: Subject = {
  name: "actor-payload",
  title: "question with a payload to an actor in another process",
  chart: "actors",
  async *run(run) {
    for (const runtime of run.runtimes) {
      await using programs = new Programs();
      const { title } = runtime, { payload } = actorCommands(run, runtime);
      const add = (label: string, command: Command) =>
        programs.add(`Postbox, ${label}`, started("free", command));
      const baseline = await add("64 B", payload("whole", 64));
      const contenders: Contender[] = [];
      for (const { title, bytes } of run.isQuick ? PAYLOADS.slice(-1) : PAYLOADS) {
        contenders.push(await add(title, payload("whole", bytes)));
      }
      const handed = await add("1 MiB, handed", payload("handed", KIB * KIB));
      contenders.push({ ...handed, goal: atMost(1.2) });
      yield await compare({
        subject: "actor-payload",
        case: title,
        baseline,
        contenders,
        rounds: run.rounds(21),
        iterations: run.iterations(100),
        warmUpRounds: run.rounds(3),
      });
    }
  },
};

export const actors: readonly Subject[] = [...between, spawn, local, payload];
