/**
 * What is measured of actors, whatever library they are of.
 *
 * ```text
 * ask     one is asked, again and again; each timed: from the call to the reply
 * tell    so many tells, as fast as the library takes them, and an ask: they have all been handled
 * spawn   each iteration starts an actor, asks it once and stops it
 * many    so many actors at once: started, and each asked once; time and memory of each
 * ```
 *
 * The measured process is told a number of iterations and prints what the round gave as JSON.
 */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { nowNs } from "./clock.ts";
import { must, numbers, say } from "./loop.ts";

const { process } = globalThis as unknown as { process: typeof import("node:process") };

/** What an actor is told or asked: about 64 bytes on its way. */
export interface Note {
  by: number;
  text: string;
}

/** One: it adds what it is told. */
export interface Actor {
  /** Resolves, where it gives a promise, when the next can be told. */
  tell(note: Note): unknown;
  /** The total. */
  ask(note: Note): Promise<number>;
  /** Resolves when it has ended. */
  stop(): unknown;
}

/** A library, as the loops use it. */
export interface Library {
  start(): Actor | Promise<Actor>;
  /** Ends what is left of it. */
  end?(): unknown;
}

/** What a round gave. */
interface Sample {
  /** The median of the iterations, or their mean. */
  ns: number;
  p99Ns?: number;
  /** Memory of one actor. */
  bytes?: number;
}

/** A round, and what is needed for all of them. */
type Loop = (iterations: number) => Promise<Sample>;

const LOOPS: Record<string, (library: Library) => Promise<Loop> | Loop> = {
  ask,
  tell,
  spawn,
  many,
};

/** Runs the loop of a name. */
export async function run(role: string, library: Library): Promise<void> {
  const loop = await LOOPS[role]!(library);
  say("ready");
  for (const iterations of numbers()) say(JSON.stringify(await loop(iterations)));
  await library.end?.();
}

const note = (by: number): Note => ({ by, text: "about as much as a short line of text has" });

async function ask(library: Library): Promise<Loop> {
  const actor = await library.start();
  let total = await actor.ask(note(0));
  return async (iterations) => {
    const ns = new Float64Array(iterations);
    for (let i = 0; i < iterations; i++) {
      const startNs = nowNs();
      const reply = await actor.ask(note(1));
      ns[i] = nowNs() - startNs;
      must(reply === ++total, "ask");
    }
    ns.sort();
    return { ns: ns[iterations >> 1]!, p99Ns: ns[Math.floor((iterations - 1) * 0.99)]! };
  };
}

async function tell(library: Library): Promise<Loop> {
  const actor = await library.start();
  let total = await actor.ask(note(0));
  return async (iterations) => {
    const startNs = nowNs();
    for (let i = 1; i < iterations; i++) {
      const taken = actor.tell(note(1));
      if (taken instanceof Promise) await taken;
    }
    total += iterations;
    // Again where a question overtakes what was told before.
    for (let by = 1; await actor.ask(note(by)) !== total;) by = 0;
    return { ns: (nowNs() - startNs) / iterations };
  };
}

function spawn(library: Library): Loop {
  return async (iterations) => {
    let ns = 0;
    for (let i = 0; i < iterations; i++) {
      const startNs = nowNs();
      const actor = await library.start();
      must(await actor.ask(note(7)) === 7, "ask");
      await actor.stop();
      ns += nowNs() - startNs;
    }
    return { ns: ns / iterations };
  };
}

function many(library: Library): Loop {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  return async (iterations) => {
    const before = heapBytes(collect), startNs = nowNs();
    const actors: Actor[] = [];
    for (let i = 0; i < iterations; i++) actors.push(await library.start());
    const replies = await Promise.all(actors.map((actor) => actor.ask(note(3))));
    const ns = nowNs() - startNs;
    must(replies.every((reply) => reply === 3), "ask");
    const bytes = heapBytes(collect) - before;
    for (const actor of actors) await actor.stop();
    return { ns: ns / iterations, bytes: bytes / iterations };
  };
}

function heapBytes(collect: () => void): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
