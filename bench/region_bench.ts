/**
 * A region: shared memory with a schema, and a record in it.
 *
 * - attach: open a region by its name, load one field, close it. The library also checks whose it
 *   is, its header and its schema. Baseline: shm_open, fstat, mmap, the checks of the header that
 *   the library makes for C, the load, munmap, close.
 * - read: a validated copy of a record of 16 numbers, of 8 and 4 bytes, as an object. Baseline: the
 *   same into a struct, by that header.
 * - update: two of its numbers, one writer, its lock included. Baseline: the same by that header.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { Region, toCHeader, uniqueName } from "../mod.ts";
import { compare } from "./measure.ts";
import { BUILD, c, Program, Programs } from "./program.ts";
import type { Subject } from "./subject.ts";
import { Bench } from "./ts/region_schema.ts";

const CASES = [
  { case: "attach, one field, close", what: "attach", rounds: 51, iterations: 500 },
  { case: "record of 16 numbers, read", what: "read", rounds: 51, iterations: 50_000 },
  { case: "record of 16 numbers, update", what: "update", rounds: 51, iterations: 20_000 },
];

export const region: Subject = {
  name: "region",
  title: "attach to a region; read and update a record",
  chart: "memory",
  async *run({ runtimes, rounds, iterations }) {
    const name = uniqueName("bench-region");
    using _region = Region.create(name, Bench);
    try {
      mkdirSync(BUILD, { recursive: true });
      writeFileSync(`${BUILD}/region_schema.h`, toCHeader(Bench));
      for (const { case: label, what, ...turns } of CASES) {
        await using programs = new Programs();
        yield await compare({
          subject: "region",
          case: label,
          baseline: await programs.add("C", Program.start(c("region", name, what))),
          contenders: await programs.addEach(
            runtimes,
            (runtime) => Program.start(runtime.loop("region", name, what)),
          ),
          rounds: rounds(turns.rounds),
          iterations: iterations(turns.iterations),
          warmUpRounds: rounds(10),
        });
      }
    } finally {
      Region.unlink(name);
    }
  },
};
