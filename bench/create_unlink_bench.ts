/**
 * The life of a queue.
 *
 * One iteration: make a queue for one message of 64 bytes, close it, take its name away. The
 * library also asks for the attributes of what it opened. Baseline: mq_open with O_CREAT and
 * O_EXCL, mq_close, mq_unlink in C.
 */

import { uniqueName } from "../mod.ts";
import { compare } from "./measure.ts";
import { c, Program, ts } from "./program.ts";
import type { Subject } from "./subject.ts";

export const createUnlink: Subject = {
  name: "create-unlink",
  title: "create, close and unlink a queue",
  async *run(scale) {
    await using baseline = await Program.start(c("create_unlink", uniqueName("bench")));
    await using postbox = await Program.start(ts("create_unlink", uniqueName("bench")));
    yield await compare({
      subject: "create-unlink",
      case: "queue of 1 × 64 B",
      baseline: { label: "C", timed: baseline },
      postbox: { label: "Postbox", timed: postbox },
      rounds: scale.rounds(51),
      iterations: scale.iterations(1_000),
      warmUpRounds: scale.rounds(10),
    });
  },
};
