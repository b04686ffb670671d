/**
 * Attaching to shared memory that exists, and letting go of it.
 *
 * One iteration: open a named object of 64 KiB, map it, read its first byte, close it. The library
 * also checks whose it is, reserves the address range as a SharedArrayBuffer, whose unmapping is
 * left to the garbage collector, and lays zero pages over it when it closes. Baseline: shm_open,
 * fstat, mmap, the byte, munmap, close in C.
 */

import { SharedMemory, uniqueName } from "../mod.ts";
import { compare } from "./measure.ts";
import { c, Program, ts } from "./program.ts";
import type { Subject } from "./subject.ts";

export const segment: Subject = {
  name: "segment",
  title: "attach to a segment and close it",
  async *run(scale) {
    const name = uniqueName("bench");
    using _memory = SharedMemory.create(name, { byteLength: 64 * 1024 });
    try {
      await using baseline = await Program.start(c("segment", name));
      await using postbox = await Program.start(ts("segment", name));
      yield await compare({
        subject: "segment",
        case: "64 KiB, by name",
        baseline: { label: "C", timed: baseline },
        postbox: { label: "Postbox", timed: postbox },
        rounds: scale.rounds(51),
        iterations: scale.iterations(1_000),
        warmUpRounds: scale.rounds(10),
      });
    } finally {
      SharedMemory.unlink(name);
    }
  },
};
