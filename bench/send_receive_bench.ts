/**
 * One message through a queue and back on one thread.
 *
 * One iteration: a send and a receive on one nonblocking handle of a queue for one message, so
 * neither ever waits. Not in it: opening, making the message. Of the library: trySend and
 * tryReceiveInto into one array, and beside it tryReceive with a fresh array for each message.
 * Baseline: mq_send and mq_receive in C. Beside the first: push and shift of posix-mq, which also
 * asks for the attributes after each.
 */

import { uniqueName } from "../mod.ts";
import { compare } from "./measure.ts";
import { c, type Goals, Program, Programs } from "./program.ts";
import type { Subject } from "./subject.ts";

const CASES: { bytes: number; loop: string; calls: string; peerLoop?: string; goals?: Goals }[] = [
  {
    bytes: 64,
    loop: "send_receive",
    calls: "tryReceiveInto",
    peerLoop: "posix_mq",
    goals: { deno: { of: "ratio", atMost: 1.10 }, node: { of: "ratio", atMost: 1.25 } },
  },
  { bytes: 1024, loop: "send_receive", calls: "tryReceiveInto", peerLoop: "posix_mq" },
  { bytes: 8192, loop: "send_receive", calls: "tryReceiveInto", peerLoop: "posix_mq" },
  { bytes: 64, loop: "send_receive_fresh", calls: "tryReceive" },
  { bytes: 1024, loop: "send_receive_fresh", calls: "tryReceive" },
  { bytes: 8192, loop: "send_receive_fresh", calls: "tryReceive" },
];

export const sendReceive: Subject = {
  name: "send-receive",
  title: "send and receive, one thread, nonblocking",
  async *run({ runtimes, peer, rounds, iterations }) {
    for (const { bytes, loop, calls, peerLoop, goals } of CASES) {
      const args = () => [uniqueName("bench"), String(bytes)];
      await using programs = new Programs();
      const baseline = await programs.add("C", Program.start(c("send_receive", ...args())));
      const contenders = await programs.addEach(
        runtimes,
        (runtime) => Program.start(runtime.loop(loop, ...args())),
        goals,
      );
      const posixMq = peerLoop === undefined ? undefined : await peer("posix-mq");
      if (posixMq !== undefined) {
        const command = posixMq.loop(peerLoop!, ...args());
        contenders.push(await programs.add(posixMq.label, Program.start(command)));
      }
      yield await compare({
        subject: "send-receive",
        case: `${bytes} B, trySend and ${calls}`,
        baseline,
        contenders,
        rounds: rounds(101),
        iterations: iterations(10_000),
        warmUpRounds: rounds(10),
      });
    }
  },
};
