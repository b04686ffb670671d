/** An actor that ends in every way there is, for tests; what it was told it tells. */

import process from "node:process";
import { actor, msg, protocol } from "../../../src/actor/mod.ts";
import { plain } from "../../support/plain.ts";
import { sys } from "../../../src/sys/load.ts";

/** The ways to end at once. */
export type Way =
  | "exit"
  | "throw"
  | "symbol"
  | "timer"
  | "rejection"
  | "kill"
  | "fault"
  | "fill"
  | "spin";

/** Who this is, and what it has seen. */
export interface Life {
  readonly pid: number;
  readonly incarnation: number;
  readonly notes: readonly string[];
}

export const Mortal = protocol("test.mortal", {
  /** Remembered by this incarnation. */
  note: msg(plain<string>()),
  /** Ends it. */
  die: msg(plain<Way>()),
  /** Is in hand so many milliseconds, and throws. */
  dieLater: msg(plain<number>()),
  /** Ends it, and is not answered. */
  dieAsked: msg(plain<Way>()).reply(),
  life: msg().reply(plain<Life>()),
  /** The same with large payloads both ways. */
  large: msg(plain<Uint8Array>()).reply(plain<Uint8Array>()),
  /** Not answered. */
  hang: msg().reply(),
  /** How many asks it leaves hanging, over and over; what became of such streams is noted. */
  items: msg().stream(plain<number>()),
  /** Ends it in good order. */
  stop: msg(),
});

/** How it begins. */
export interface Birth {
  /** What its setup does, other than nothing. */
  readonly setup?: "throw" | "exit" | "hang" | undefined;
  /** In its incarnations from this one, */
  readonly fromIncarnation?: number | undefined;
  /** to this one. */
  readonly untilIncarnation?: number | undefined;
}

const WAYS: Record<Way, () => void> = {
  exit: () => process.exit(3),
  throw() {
    throw new RangeError("thrown on purpose");
  },
  symbol() {
    throw Symbol("on purpose"); // which does not cross
  },
  timer: () => void setTimeout(WAYS.throw, 0),
  rejection: () => void Promise.reject(new RangeError("thrown on purpose")),
  kill: () => process.kill(process.pid, "SIGKILL"),
  fault() {
    // LINUX: nothing is ever mapped at the first page, proc_sys_vm(5).
    new Uint8Array(sys().viewOf(16n, 8))[0] = 1;
  },
  fill() {
    const taken: number[][] = [];
    for (;;) taken.push(new Array(100_000).fill(1.5));
  },
  spin() {
    for (;;);
  },
};

export default actor(import.meta, Mortal, async (context, birth: Birth | undefined) => {
  const { setup, fromIncarnation = 1, untilIncarnation = Infinity } = birth ?? {};
  if (context.incarnation >= fromIncarnation && context.incarnation <= untilIncarnation) {
    if (setup === "throw") throw new RangeError("the setup threw on purpose");
    if (setup === "exit") process.exit(4);
    if (setup === "hang") await new Promise(() => setInterval(() => {}, 1000));
  }
  const notes: string[] = [];
  let hanging = 0;
  return {
    note: (text) => void notes.push(text),
    die: (way) => WAYS[way](),
    async dieLater(ms) {
      await new Promise((resolve) => setTimeout(resolve, ms));
      WAYS.throw();
    },
    dieAsked(way) {
      context.after(0, () => WAYS[way]()); // what an ask throws goes to who asked
      return new Promise<void>(() => {});
    },
    life: () => ({ pid: process.pid, incarnation: context.incarnation, notes }),
    large: (bytes) => bytes,
    hang() {
      hanging++;
      return new Promise<void>(() => {});
    },
    async *items() {
      try {
        for (;;) yield hanging;
      } finally {
        notes.push("a stream ended");
      }
    },
    stop: () => context.stop(),
  };
});
