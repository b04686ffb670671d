/**
 * What the library adds to the start of a program.
 *
 * One iteration: a whole process, from its start to its end. The goal is for what an import of
 * mod.ts adds to an empty module; beside it, import plus a first queue and its first message, which
 * is when the C library is loaded. The processes are cold, Deno's cache of compiled modules is
 * warm, as from the second run of any program on. Baseline: an empty module on the same runtime.
 */

import { compare } from "./measure.ts";
import { type Goals, wholeProcess } from "./program.ts";
import type { Subject } from "./subject.ts";

const CASES: { case: string; loop: string; goals?: Goals }[] = [
  { case: "import", loop: "import_mod", goals: { deno: { of: "extraMs", atMost: 15 } } },
  { case: "import, first queue and message", loop: "first_use" },
];

export const coldImport: Subject = {
  name: "import",
  title: "import of mod.ts, whole processes",
  async *run({ runtimes, rounds }) {
    for (const { case: label, loop, goals } of CASES) {
      for (const runtime of runtimes) {
        yield await compare({
          subject: "import",
          case: label,
          baseline: {
            label: `empty module, ${runtime.title}`,
            timed: wholeProcess(runtime.loop("empty")),
          },
          contenders: [{
            label: runtime.label,
            timed: wholeProcess(runtime.loop(loop)),
            goal: goals?.[runtime.name],
          }],
          rounds: rounds(101),
          iterations: 1,
          warmUpRounds: rounds(5),
        });
      }
    }
  },
};
