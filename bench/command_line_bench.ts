/**
 * One message from a shell script.
 *
 * One iteration: a whole process, `postbox mq send NAME hello --nonblock`, from its start to its
 * end; taking the message out of the queue again is not in it. Baselines: a C program that does
 * the same, and an empty module, which is what the runtime costs before any of ours.
 */

import { MessageQueue, uniqueName } from "../mod.ts";
import { compare } from "./measure.ts";
import { c, wholeProcess } from "./program.ts";
import type { Subject } from "./subject.ts";

export const commandLine: Subject = {
  name: "command-line",
  title: "postbox mq send, whole processes",
  async *run({ runtimes, rounds }) {
    const name = uniqueName("bench");
    using queue = MessageQueue.create(name, { maxMessages: 1, maxMessageBytes: 64 });
    try {
      const drain = () => {
        if (queue.tryReceive()?.text() !== "hello") throw new Error("Cannot go on: nothing came");
      };
      const contenders = runtimes.map((runtime) => ({
        label: runtime.label,
        timed: wholeProcess(runtime.postbox("mq", "send", name, "hello", "--nonblock"), drain),
      }));
      const all = {
        subject: "command-line",
        rounds: rounds(51),
        iterations: 1,
        warmUpRounds: rounds(5),
      };
      yield await compare({
        ...all,
        case: "beside C",
        baseline: { label: "C", timed: wholeProcess(c("mq_send", name, "hello"), drain) },
        contenders,
      });
      for (const [i, runtime] of runtimes.entries()) {
        yield await compare({
          ...all,
          case: "beside an empty module",
          baseline: {
            label: `empty module, ${runtime.title}`,
            timed: wholeProcess(runtime.loop("empty")),
          },
          contenders: [contenders[i]!],
        });
      }
    } finally {
      MessageQueue.unlink(name);
    }
  },
};
