/** An actor that has actors of its own, for tests: it asks others, and starts some. */

import process from "node:process";
import { actor, ActorError, type Exit, msg, protocol, type Ref } from "../../../src/actor/mod.ts";
import { plain } from "../../support/plain.ts";
import mortalActor, { type Mortal } from "./mortal.ts";

type MortalRef = Ref<typeof Mortal>;

/** How a mortal is spawned by a relay. */
export interface Spawned {
  readonly in: "here" | "worker" | "process";
  readonly mailbox?: string;
}

export const Relay = protocol("test.relay", {
  life: msg().reply(plain<{ readonly pid: number }>()),
  /** Asks a mortal what is not answered. @returns How it ended. */
  outlive: msg(plain<MortalRef>()).reply(plain<Exit | undefined>()),
  /** Watches a mortal. @returns How it ended. */
  watch: msg(plain<MortalRef>()).reply(plain<Exit>()),
  /** Takes items until told otherwise. */
  consume: msg(plain<MortalRef>()),
  /** How many it took. */
  consumed: msg().reply(plain<number>()),
  spawn: msg(plain<Spawned>()).reply(plain<MortalRef>()),
  /** Sends so many bytes to a mortal over and over, so many times at once. */
  flood: msg(plain<{ mortal: MortalRef; byteLength: number; atOnce: number }>()),
  kill: msg(),
});

export default actor(import.meta, Relay, (context) => {
  let consumed = 0;
  return {
    life: () => ({ pid: process.pid }),
    async outlive(mortal) {
      try {
        await mortal.hang();
      } catch (error) {
        if (error instanceof ActorError) return error.exit;
        throw error;
      }
    },
    watch: (mortal) => new Promise((resolve) => context.watch(mortal, ({ exit }) => resolve(exit))),
    consume(mortal) {
      (async () => {
        for await (const _ of mortal.items()) consumed++;
      })();
    },
    consumed: () => consumed,
    spawn: ({ in: place, mailbox }) =>
      context.spawn(mortalActor, { in: place, mailbox } as { in: "process" }),
    flood({ mortal, byteLength, atOnce }) {
      const send = async () => {
        for (;;) await mortal.large(new Uint8Array(byteLength)).catch(() => {});
      };
      for (let i = 0; i < atOnce; i++) send();
    },
    kill: () => void process.kill(process.pid, "SIGKILL"),
  };
});
