/** The commands that measure actors: those of Postbox, and of whatever else there is. */

import type { PeerName } from "./peers.ts";
import { type Command, pinned, Program } from "./program.ts";
import type { Runtime } from "./runtimes.ts";
import type { Run } from "./subject.ts";
import { Pair, type Placement } from "./waiting_pairs.ts";

/** Where an actor is. */
export type Where = "here" | "worker" | "process";

/** What is measured: the loops of bench/ts/actor_loops.ts. */
export type Role = "ask" | "tell" | "spawn" | "many";

/** Where both ends of a question are: a child stays where its parent is. */
export type Place = Extract<Placement, "one core" | "free">;

export const PLACES: readonly Place[] = ["one core", "free"];

/** Starts what is measured, in its place. */
export async function started(place: Place, command: Command): Promise<Pair> {
  return new Pair(await Program.start(place === "free" ? command : pinned(0, command)));
}

/** A command, and how the tables call it. */
export interface Labelled {
  label: string;
  command: Command;
}

/** The commands of one runtime. */
export interface Commands {
  /** Actors of Postbox; the question is a layout, or MessagePack. */
  ours(role: Role, where: Where, carrier: "queue" | "ring", question: "sum" | "pack"): Command;
  /** What stands in for an actor there, first; then the libraries that install. */
  others(role: Role, where: Where): Promise<Labelled[]>;
  /** Payloads to an actor of Postbox; see bench/ts/actor_payload.ts. */
  payload(role: "whole" | "handed", bytes: number): Command;
}

/** A library of npm, where its actors can be, and what its loop is told of that. */
interface Library {
  peer: PeerName;
  loop: string;
  places: Partial<Record<Where, { title: string; words: readonly string[] }>>;
  /** What it cannot do. */
  not?: readonly Role[];
}

const IN_THREAD = { here: { title: "", words: [] } };

const LIBRARIES: readonly Library[] = [
  { peer: "nact", loop: "actor_nact", places: IN_THREAD },
  { peer: "xstate", loop: "actor_xstate", places: IN_THREAD },
  // It knows no end of a single actor.
  { peer: "tarant", loop: "actor_tarant", places: IN_THREAD, not: ["spawn"] },
  {
    peer: "comedy",
    loop: "actor_comedy",
    places: {
      here: { title: "", words: ["in-memory"] },
      worker: { title: ", threaded", words: ["threaded"] },
      process: { title: ", forked", words: ["forked"] },
    },
  },
  { peer: "comlink", loop: "actor_comlink", places: { worker: { title: "", words: [] } } },
];

/** The commands for a runtime. */
export function actorCommands(run: Run, runtime: Runtime): Commands {
  return {
    ours: (role, where, ...rest) => runtime.other("actor_postbox", role, where, ...rest),
    async others(role, where) {
      const all = [standIn(runtime, role, where)];
      if (runtime.name !== "node") return all;
      for (const { peer: name, loop, places, not = [] } of LIBRARIES) {
        const place = places[where];
        if (place === undefined || not.includes(role)) continue;
        const peer = await run.peer(name);
        if (peer === undefined) continue;
        const command = peer.loop(loop, role, ...place.words);
        all.push({ label: `${peer.label}${place.title}`, command });
      }
      return all;
    },
    payload: (role, bytes) => runtime.other("actor_payload", role, String(bytes), "queue"),
  };
}

/** No library: what a program would do by itself. */
function standIn(runtime: Runtime, role: Role, where: Where): Labelled {
  const { title } = runtime;
  switch (where) {
    case "here":
      return { label: `object, ${title}`, command: runtime.other("actor_plain", role) };
    case "worker":
      return { label: `worker, ${title}`, command: runtime.other("actor_channel", role, "worker") };
    case "process":
      return { label: `fork, ${title}`, command: runtime.other("actor_channel", role, "fork") };
  }
}
