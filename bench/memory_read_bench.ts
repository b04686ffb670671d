/**
 * Reading shared memory through the kernel, the way that a peer's truncation cannot hurt.
 *
 * One iteration: 64 bytes from the start of an object. The library gives each read its own array.
 * Baseline: pread into one buffer in C.
 */

import { SharedMemory, uniqueName } from "../mod.ts";
import { compare } from "./measure.ts";
import { c, Program, ts } from "./program.ts";
import type { Subject } from "./subject.ts";

export const memoryRead: Subject = {
  name: "memory-read",
  title: "memory.read",
  async *run(scale) {
    const name = uniqueName("bench");
    using _memory = SharedMemory.create(name, { byteLength: 4096 });
    try {
      await using baseline = await Program.start(c("memory_read", name));
      await using postbox = await Program.start(ts("memory_read", name));
      yield await compare({
        subject: "memory-read",
        case: "64 B",
        baseline: { label: "C", timed: baseline },
        postbox: { label: "Postbox", timed: postbox },
        rounds: scale.rounds(101),
        iterations: scale.iterations(10_000),
        warmUpRounds: scale.rounds(10),
      });
    } finally {
      SharedMemory.unlink(name);
    }
  },
};
