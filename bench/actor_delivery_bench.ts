/**
 * What the promise of an actor costs: messages to one in another process, with a mailbox of its own.
 *
 * - `actor-kept-ask`: one iteration is a question and its reply, timed one by one.
 * - `actor-kept-stream`: one iteration is one of many tells, told as fast as the library takes them,
 *   up to the reply that comes when all have been handled.
 *
 * Baseline: at most once. `at least once` keeps a message until it is handled; with `once()` it
 * counts once as well, in a region that remembers 64 ids.
 */

import { PLACES, started } from "./actor_commands.ts";
import { compare } from "./measure.ts";
import { Programs } from "./program.ts";
import type { Subject } from "./subject.ts";

/** What an actor that keeps its messages may cost, beside one that does not. */
const AT_MOST = 1.25;

const KEPT = [
  {
    name: "actor-kept-ask",
    title: "question to an actor in another process that keeps what it takes, 64 B",
    columns: "percentiles",
    role: "ask",
    iterations: 300,
  },
  {
    name: "actor-kept-stream",
    title: "tells to an actor in another process that keeps what it takes, 64 B",
    columns: "rounds",
    role: "tell",
    iterations: 2_000,
  },
] as const;

export const deliveries: readonly Subject[] = KEPT.map((
  { name, title, columns, role, iterations },
) => ({
  name,
  title,
  columns,
  async *run(run) {
    for (const place of run.isQuick ? PLACES.slice(0, 1) : PLACES) {
      for (const runtime of run.runtimes) {
        await using programs = new Programs();
        const add = (label: string, promise: string) =>
          programs.add(label, started(place, runtime.other("actor_delivery", role, promise)));
        const baseline = await add("at most once", "plain");
        const kept = await add("at least once", "kept");
        const counted = await add("with once()", "counted");
        yield await compare({
          subject: name,
          case: `${place}, ${runtime.title}`,
          group: place,
          baseline,
          contenders: [{ ...kept, goal: { of: "ratio", atMost: AT_MOST } }, counted],
          rounds: run.rounds(21),
          iterations: run.iterations(iterations),
          warmUpRounds: run.rounds(4),
        });
      }
    }
  },
}));
