/**
 * There and back between two processes that block.
 *
 * One iteration: one process sends 64 bytes through one queue and blocks until the other, which
 * blocks for it, has sent them back through a second queue. Both processes on one processor, then
 * one each, then both on one that a third process keeps busy. Of the library: sendSync and
 * receiveSync in both. Baseline: blocking mq_send and mq_receive in C in both. The queues of the
 * pairs are their own.
 */

import { availableParallelism } from "node:os";
import { MessageQueue, uniqueName } from "../mod.ts";
import { compare, type Timed } from "./measure.ts";
import { c, type Command, type Goals, pinned, Program, Programs } from "./program.ts";
import type { Subject } from "./subject.ts";

const CASES: { case: string; processors: 1 | 2; busy?: true; goals?: Goals }[] = [
  { case: "both on one core", processors: 1, goals: { deno: { of: "ratio", atMost: 1.6 } } },
  { case: "one core each", processors: 2, goals: { deno: { of: "ratio", atMost: 1.15 } } },
  { case: "both on one core that is busy", processors: 1, busy: true },
];

export const roundTrip: Subject = {
  name: "round-trip",
  title: "blocking round trip of two processes, 64 B",
  async *run({ runtimes, rounds, iterations }) {
    for (const { case: label, processors, busy, goals } of CASES) {
      if (processors > availableParallelism()) {
        console.error(`round-trip: left out ${label}, for this process may use one core only`);
        continue;
      }
      await using _stranger = busy && await Program.start(pinned(0, c("busy")));
      await using programs = new Programs();
      yield await compare({
        subject: "round-trip",
        case: label,
        baseline: await programs.add(
          "C",
          Pair.start(processors, (...args) => c("round_trip", ...args)),
        ),
        contenders: await programs.addEach(
          runtimes,
          (runtime) => Pair.start(processors, (...args) => runtime.loop("round_trip", ...args)),
          goals,
        ),
        rounds: rounds(101),
        iterations: iterations(busy ? 500 : 1_000),
        warmUpRounds: rounds(10),
      });
    }
  },
};

/** Two processes and two queues, whose names are gone before anything is measured. */
class Pair implements Timed, AsyncDisposable {
  readonly #asker: Program;
  readonly #echo: Program;

  private constructor(asker: Program, echo: Program) {
    this.#asker = asker;
    this.#echo = echo;
  }

  static async start(
    processors: 1 | 2,
    command: (role: string, there: string, back: string) => Command,
  ): Promise<Pair> {
    const size = { maxMessages: 1, maxMessageBytes: 64 };
    const names = [uniqueName("bench-there"), uniqueName("bench-back")] as const;
    const queues: MessageQueue[] = [];
    try {
      for (const name of names) queues.push(MessageQueue.create(name, size));
      const echo = await Program.start(pinned(0, command("echo", ...names)));
      const asker = await Program.start(
        pinned(processors === 1 ? 0 : 1, command("ask", ...names)),
      );
      return new Pair(asker, echo);
    } finally {
      for (const queue of queues) {
        MessageQueue.unlink(queue.name);
        queue.close();
      }
    }
  }

  time(iterations: number): Promise<number> {
    return this.#asker.time(iterations);
  }

  /** The asker tells the echo that it is over, unless it died before. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#asker[Symbol.asyncDispose]();
    await this.#echo[Symbol.asyncDispose]();
  }
}
