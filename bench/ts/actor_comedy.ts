/**
 * actor_comedy FOLDER ROLE MODE: comedy, which is installed in FOLDER. MODE is where its actors are:
 * `in-memory`, `threaded` or `forked`.
 */

import { type Note, run } from "./actor_loops.ts";
import { args, required } from "./loop.ts";

/** What is used of it. */
interface Comedy {
  createSystem(options: { test: boolean }): System;
}

interface System {
  rootActor(): Promise<{ createChild(of: unknown, options: { mode: string }): Promise<Child> }>;
  destroy(): Promise<void>;
}

interface Child {
  send(topic: "add", note: Note): Promise<void>;
  sendAndReceive(topic: "add", note: Note): Promise<number>;
  destroy(): Promise<void>;
}

const [folder, role, mode] = args("FOLDER", "ROLE", "MODE") as [string, string, string];

/**
 * What the actors are: sent to the other process or thread as text, so it uses nothing of this
 * module, and has its name in it, which a bundler takes from a class of a module.
 */
function counterClass(): new () => unknown {
  return class Counter {
    total = 0;

    add({ by }: Note): number {
      this.total += by;
      return this.total;
    }
  };
}

const Counter = counterClass();

// `test`: it says nothing on standard output.
const system = (required(folder, "comedy") as Comedy).createSystem({ test: true });
const root = await system.rootActor();

await run(role, {
  async start() {
    const child = await root.createChild(Counter, { mode });
    return {
      tell: (note) => child.send("add", note),
      ask: (note) => child.sendAndReceive("add", note),
      stop: () => child.destroy(),
    };
  },
  end: () => system.destroy(),
});
