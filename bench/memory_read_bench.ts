/**
 * Reading shared memory through the kernel, the way that a peer's truncation cannot hurt.
 *
 * One iteration: 64 bytes from the start of an object. The library gives each read its own array.
 * Baseline: pread into one buffer in C.
 */

import { SharedMemory, uniqueName } from "../mod.ts";
import { compare } from "./measure.ts";
import { c, Program, Programs } from "./program.ts";
import type { Subject } from "./subject.ts";

export const memoryRead: Subject = {
  name: "memory-read",
  title: "memory.read",
  async *run({ runtimes, rounds, iterations }) {
    const name = uniqueName("bench");
    using _memory = SharedMemory.create(name, { byteLength: 4096 });
    try {
      await using programs = new Programs();
      yield await compare({
        subject: "memory-read",
        case: "64 B",
        baseline: await programs.add("C", Program.start(c("memory_read", name))),
        contenders: await programs.addEach(
          runtimes,
          (runtime) => Program.start(runtime.loop("memory_read", name)),
        ),
        rounds: rounds(101),
        iterations: iterations(10_000),
        warmUpRounds: rounds(10),
      });
    } finally {
      SharedMemory.unlink(name);
    }
  },
};
