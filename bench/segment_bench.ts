/**
 * Attaching to shared memory that exists, and letting go of it.
 *
 * One iteration: open a named object of 64 KiB, map it, read its first byte, close it. The library
 * also checks whose it is, reserves the address range as a SharedArrayBuffer, whose unmapping is
 * left to the garbage collector, and lays zero pages over it when it closes. Baseline: shm_open,
 * fstat, mmap, the byte, munmap, close in C. Beside it: get and detach of shm-typed-array; from the
 * second time on its detach unmaps nothing, which bounds how often it can be measured.
 */

import { SharedMemory, uniqueName } from "../mod.ts";
import { compare } from "./measure.ts";
import { c, Program, Programs } from "./program.ts";
import type { Subject } from "./subject.ts";

const BYTES = 64 * 1024;

export const segment: Subject = {
  name: "segment",
  title: "attach to a segment and close it",
  async *run({ runtimes, peer, rounds, iterations }) {
    const name = uniqueName("bench"), peerName = uniqueName("bench-peer");
    using _memory = SharedMemory.create(name, { byteLength: BYTES });
    using peerMemory = SharedMemory.create(peerName, { byteLength: BYTES });
    try {
      await using programs = new Programs();
      const baseline = await programs.add("C", Program.start(c("segment", name)));
      const contenders = await programs.addEach(
        runtimes,
        (runtime) => Program.start(runtime.loop("segment", name)),
      );
      const shmTypedArray = await peer("shm-typed-array");
      if (shmTypedArray !== undefined) {
        // It keeps the length of what follows in the first eight bytes.
        new DataView(peerMemory.buffer).setBigUint64(0, BigInt(BYTES - 8), true);
        const command = shmTypedArray.loop("shm_typed_array", peerName);
        contenders.push(await programs.add(shmTypedArray.label, Program.start(command)));
      }
      yield await compare({
        subject: "segment",
        case: "64 KiB, by name",
        baseline,
        contenders,
        rounds: rounds(51),
        iterations: iterations(500),
        warmUpRounds: rounds(10),
      });
    } finally {
      SharedMemory.unlink(name);
      SharedMemory.unlink(peerName);
    }
  },
};
