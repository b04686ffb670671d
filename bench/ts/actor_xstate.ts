/**
 * actor_xstate FOLDER ROLE: actors of XState, which is installed in FOLDER. They are in this thread.
 * There is no ask: the message brings along what the reply is given to.
 */

import { type Note, run } from "./actor_loops.ts";
import { args, required } from "./loop.ts";

/** What is used of it. */
interface XState {
  fromCallback(
    logic: (given: { receive(handle: (event: Message) => void): void }) => void,
  ): unknown;
  createActor(logic: unknown): { start(): void; send(event: Message): void; stop(): void };
}

interface Message extends Note {
  type: "add";
  reply?: (total: number) => void;
}

const [folder, role] = args("FOLDER", "ROLE") as [string, string];
const { createActor, fromCallback } = required(folder, "xstate") as XState;

const logic = fromCallback(({ receive }) => {
  let total = 0;
  receive(({ by, reply }) => {
    total += by;
    reply?.(total);
  });
});

await run(role, {
  start() {
    const actor = createActor(logic);
    actor.start();
    return {
      tell: (note) => actor.send({ type: "add", ...note }),
      ask: (note) => new Promise((resolve) => actor.send({ type: "add", ...note, reply: resolve })),
      stop: () => actor.stop(),
    };
  },
});
