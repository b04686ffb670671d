/**
 * A mutex in shared memory that survives its owner.
 *
 * One iteration: lock it, add 1 to a word beside it, unlock it. Of the library: lockSync() and
 * unlock() of the guard. Baseline: pthread_mutex_lock and pthread_mutex_unlock in C, on a mutex that
 * the library made, robust and shared by processes. Alone: nobody else uses it. Contended: another
 * process does the same all the time on another core, C beside C, the runtime beside itself, or C.
 */

import { availableParallelism } from "node:os";
import { Mutex, SharedMemory, uniqueName } from "../mod.ts";
import { compare, type Timed } from "./measure.ts";
import { c, type Command, pinned, Program, Programs } from "./program.ts";
import type { Subject } from "./subject.ts";
import { MEMORY_BYTES, State, STATE_OFFSET } from "./ts/lock_memory.ts";

type Role = "measured" | "busy";
type Loop = (name: string, role?: Role) => Command;

const cLoop: Loop = (name, role = "measured") => c("lock", name, role);

export const lock: Subject = {
  name: "lock",
  title: "lock and unlock a robust mutex",
  chart: "memory",
  async *run({ runtimes, rounds, iterations }) {
    const loops = runtimes.map(({ label, title, loop }) => ({
      label,
      title,
      loop: ((name, role = "measured") => loop("lock", name, role)) satisfies Loop,
    }));
    {
      await using programs = new Programs();
      const baseline = await programs.add("C", Party.start(cLoop));
      const contenders = [];
      for (const { label, loop } of loops) {
        contenders.push(await programs.add(label, Party.start(loop)));
      }
      yield await compare({
        subject: "lock",
        case: "alone",
        baseline,
        contenders,
        rounds: rounds(51),
        iterations: iterations(100_000),
        warmUpRounds: rounds(10),
      });
    }
    if (availableParallelism() < 2) {
      console.error("lock: left out contended, for this process may use one core only");
      return;
    }
    await using programs = new Programs();
    const baseline = await programs.add("C and C", Party.start(cLoop, cLoop));
    const contenders = [];
    for (const { label, title, loop } of loops) {
      contenders.push(await programs.add(`${label}, twice`, Party.start(loop, loop)));
      contenders.push(await programs.add(`${title} beside C`, Party.start(loop, cLoop)));
    }
    yield await compare({
      subject: "lock",
      case: "contended, two cores",
      baseline,
      contenders,
      rounds: rounds(31),
      iterations: iterations(500_000),
      warmUpRounds: rounds(5),
    });
  },
};

/** Who locks, and who does so beside it while the first is measured. */
class Party implements Timed, AsyncDisposable {
  readonly #memory: SharedMemory;
  readonly #state: Int32Array;
  readonly #programs: readonly Program[];

  private constructor(memory: SharedMemory, programs: readonly Program[]) {
    this.#memory = memory;
    this.#state = new Int32Array(memory.buffer, STATE_OFFSET, 1);
    this.#programs = programs;
  }

  static async start(...loops: readonly [Loop] | readonly [Loop, Loop]): Promise<Party> {
    const name = uniqueName("bench-lock");
    const memory = SharedMemory.create(name, { byteLength: MEMORY_BYTES });
    try {
      Mutex.format(memory.bytes).close();
      const [measured, busy] = loops;
      if (busy === undefined) return new Party(memory, [await Program.start(measured(name))]);
      const beside = await Program.start(pinned(0, busy(name, "busy")));
      return new Party(memory, [await Program.start(pinned(1, measured(name))), beside]);
    } finally {
      SharedMemory.unlink(name);
    }
  }

  async time(iterations: number): Promise<number> {
    Atomics.store(this.#state, 0, State.busy);
    try {
      return await this.#programs[0]!.time(iterations);
    } finally {
      Atomics.store(this.#state, 0, State.paused);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    Atomics.store(this.#state, 0, State.over);
    for (const program of this.#programs) await program[Symbol.asyncDispose]();
    this.#memory.close();
  }
}
