/**
 * The life of a queue.
 *
 * One iteration: make a queue for one message of 64 bytes, close it, take its name away. The
 * library also asks for the attributes of what it opened. Baseline: mq_open with O_CREAT and
 * O_EXCL, mq_close, mq_unlink in C.
 */

import { uniqueName } from "../mod.ts";
import { compare } from "./measure.ts";
import { c, Program, Programs } from "./program.ts";
import type { Subject } from "./subject.ts";

export const createUnlink: Subject = {
  name: "create-unlink",
  title: "create, close and unlink a queue",
  async *run({ runtimes, rounds, iterations }) {
    await using programs = new Programs();
    yield await compare({
      subject: "create-unlink",
      case: "queue of 1 × 64 B",
      baseline: await programs.add("C", Program.start(c("create_unlink", uniqueName("bench")))),
      contenders: await programs.addEach(
        runtimes,
        (runtime) => Program.start(runtime.loop("create_unlink", uniqueName("bench"))),
      ),
      rounds: rounds(51),
      iterations: iterations(1_000),
      warmUpRounds: rounds(10),
    });
  },
};
