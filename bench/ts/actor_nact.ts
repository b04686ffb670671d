/** actor_nact FOLDER ROLE: nact, which is installed in FOLDER. Its actors are in this thread. */

import { type Note, run } from "./actor_loops.ts";
import { args, required } from "./loop.ts";

/** What is used of it. */
interface Nact {
  start(): unknown;
  spawn(
    parent: unknown,
    handle: (total: number, message: Message) => number,
    name: string,
  ): unknown;
  dispatch(actor: unknown, message: Message): void;
  query(
    actor: unknown,
    message: (replyTo: unknown) => Message,
    timeoutMs: number,
  ): Promise<unknown>;
  stop(actor: unknown): void;
}

interface Message extends Note {
  replyTo?: unknown;
}

const LONG_MS = 60_000;

const [folder, role] = args("FOLDER", "ROLE") as [string, string];
const nact = required(folder, "nact") as Nact;
const system = nact.start();
let started = 0;

await run(role, {
  start() {
    const actor = nact.spawn(system, (total = 0, { by, replyTo }) => {
      const sum = total + by;
      if (replyTo !== undefined) nact.dispatch(replyTo, sum as never);
      return sum;
    }, `actor-${++started}`);
    return {
      tell: (note) => nact.dispatch(actor, note),
      ask: (note) =>
        nact.query(actor, (replyTo) => ({ ...note, replyTo }), LONG_MS) as Promise<number>,
      stop: () => nact.stop(actor),
    };
  },
  end: () => nact.stop(system),
});
