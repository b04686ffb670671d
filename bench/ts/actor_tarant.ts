/**
 * actor_tarant FOLDER ROLE: tarant, which is installed in FOLDER. Its actors are in this thread; it
 * looks after their messages on a timer, and knows no end of a single actor.
 */

import { type Note, run } from "./actor_loops.ts";
import { args, required } from "./loop.ts";

/** What is used of it. */
interface Tarant {
  Actor: new () => object;
  ActorSystem: { default(): { actorOf(of: unknown, args: unknown[]): Counter; free(): void } };
}

interface Counter {
  add(note: Note): Promise<number>;
}

const [folder, role] = args("FOLDER", "ROLE") as [string, string];
const { Actor, ActorSystem } = required(folder, "tarant") as Tarant;

class CounterActor extends Actor {
  total = 0;

  add({ by }: Note): number {
    return this.total += by;
  }
}

const system = ActorSystem.default();

await run(role, {
  start() {
    const actor = system.actorOf(CounterActor, []);
    return { tell: (note) => void actor.add(note), ask: (note) => actor.add(note), stop() {} };
  },
  end: () => system.free(),
});
