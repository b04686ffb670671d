/**
 * One message from a shell script.
 *
 * One iteration: a whole process, `postbox mq send NAME hello --nonblock`, from its start to its
 * end; taking the message out of the queue again is not in it. Baselines: a C program that does
 * the same, and an empty module, which is what the runtime costs before any of ours.
 */

import { MessageQueue, uniqueName } from "../mod.ts";
import { compare } from "./measure.ts";
import { c, entryPoint, ts, wholeProcess } from "./program.ts";
import type { Subject } from "./subject.ts";

export const commandLine: Subject = {
  name: "command-line",
  title: "postbox mq send, whole processes",
  async *run(scale) {
    const name = uniqueName("bench");
    using queue = MessageQueue.create(name, { maxMessages: 1, maxMessageBytes: 64 });
    try {
      const drain = () => {
        if (queue.tryReceive()?.text() !== "hello") throw new Error("Cannot go on: nothing came");
      };
      const command = entryPoint("cli/main.ts", "mq", "send", name, "hello", "--nonblock");
      const both = {
        subject: "command-line",
        postbox: { label: "Postbox", timed: wholeProcess(command, drain) },
        rounds: scale.rounds(51),
        iterations: 1,
        warmUpRounds: scale.rounds(5),
      };
      yield await compare({
        ...both,
        case: "beside C",
        baseline: { label: "C", timed: wholeProcess(c("mq_send", name, "hello"), drain) },
      });
      yield await compare({
        ...both,
        case: "beside an empty module",
        baseline: { label: "empty module", timed: wholeProcess(ts("empty")) },
      });
    } finally {
      MessageQueue.unlink(name);
    }
  },
};
