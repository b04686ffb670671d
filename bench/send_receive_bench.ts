/**
 * One message through a queue and back on one thread.
 *
 * One iteration: a send and a receive on one nonblocking handle of a queue for one message, so
 * neither ever waits. Not in it: opening, making the message. Of the library: trySend and
 * tryReceiveInto into one array, and beside it tryReceive with a fresh array for each message.
 * Baseline: mq_send and mq_receive in C.
 */

import { uniqueName } from "../mod.ts";
import { compare } from "./measure.ts";
import { c, Program, ts } from "./program.ts";
import type { Goal, Subject } from "./subject.ts";

const CASES: { bytes: number; loop: string; calls: string; goal?: Goal }[] = [
  {
    bytes: 64,
    loop: "send_receive",
    calls: "tryReceiveInto",
    goal: { of: "ratio", atMost: 1.10 },
  },
  { bytes: 1024, loop: "send_receive", calls: "tryReceiveInto" },
  { bytes: 8192, loop: "send_receive", calls: "tryReceiveInto" },
  { bytes: 64, loop: "send_receive_fresh", calls: "tryReceive" },
  { bytes: 1024, loop: "send_receive_fresh", calls: "tryReceive" },
  { bytes: 8192, loop: "send_receive_fresh", calls: "tryReceive" },
];

export const sendReceive: Subject = {
  name: "send-receive",
  title: "send and receive, one thread, nonblocking",
  async *run(scale) {
    for (const { bytes, loop, calls, goal } of CASES) {
      const args = () => [uniqueName("bench"), String(bytes)];
      await using baseline = await Program.start(c("send_receive", ...args()));
      await using postbox = await Program.start(ts(loop, ...args()));
      yield await compare({
        subject: "send-receive",
        case: `${bytes} B, trySend and ${calls}`,
        baseline: { label: "C", timed: baseline },
        postbox: { label: "Postbox", timed: postbox },
        rounds: scale.rounds(101),
        iterations: scale.iterations(10_000),
        warmUpRounds: scale.rounds(10),
        ...(goal && { goal }),
      });
    }
  },
};
