/**
 * What the library adds to the start of a program.
 *
 * One iteration: a whole process, from its start to its end. The goal is for what an import of
 * mod.ts adds to an empty module; beside it, import plus a first queue and its first message, which
 * is when the C library is loaded. The processes are cold, the runtime's cache of compiled modules
 * is warm, as from the second run of any program on. Baseline: an empty module.
 */

import { compare } from "./measure.ts";
import { ts, wholeProcess } from "./program.ts";
import type { Subject } from "./subject.ts";

export const coldImport: Subject = {
  name: "import",
  title: "import of mod.ts, whole processes",
  async *run(scale) {
    const both = {
      subject: "import",
      baseline: { label: "empty module", timed: wholeProcess(ts("empty")) },
      rounds: scale.rounds(101),
      iterations: 1,
      warmUpRounds: scale.rounds(5),
    };
    yield await compare({
      ...both,
      case: "import",
      postbox: { label: "Postbox", timed: wholeProcess(ts("import_mod")) },
      goal: { of: "extraMs", atMost: 15 },
    });

    yield await compare({
      ...both,
      case: "import, first queue and message",
      postbox: { label: "Postbox", timed: wholeProcess(ts("first_use")) },
    });
  },
};
