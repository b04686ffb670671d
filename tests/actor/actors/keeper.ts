/** An actor that must not lose what it was told, for tests: it says what it does, and dies over it. */

import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import {
  actor,
  type ActorDefinition,
  type AnyRef,
  msg,
  type Protocol,
  protocol,
  type Ref,
  type SpawnOptions,
  type Tell,
  type Turn,
} from "../../../src/actor/mod.ts";
import { plain } from "../../support/plain.ts";
import { onStep } from "../../../src/actor/delivery/steps.ts";

/** What becomes of the actor over a message. */
export type Fate = "fine" | "throw" | "kill" | "hang" | "stash" | "exit" | "later";

/** A message. */
export interface Note {
  readonly text: string;
  /** What becomes of the actor, attempt by attempt; the last also of all that follow. */
  readonly fates: readonly Fate[];
  /** Makes it so large that it goes through the slab. */
  readonly ballast?: Uint8Array | undefined;
}

/** That a handler was called. */
export interface Seen {
  readonly text: string;
  readonly attempt: number;
  readonly id: string;
  readonly priority: number;
  readonly incarnation: number;
  readonly bytes: number;
  readonly by: string;
}

/** What hears of each call of a handler. */
export const Witness: Protocol<"test.witness", { seen: Tell<Seen> }> = protocol("test.witness", {
  seen: msg(plain<Seen>()),
});

const Keeper = protocol("test.keeper", {
  /** Kept until it is handled. */
  keep: msg(plain<Note>(), { delivery: "at-least-once" }),
  /** The same, answered with the attempt. */
  keepAsked: msg(plain<Note>(), { delivery: "at-least-once" }).reply(plain<number>()),
  /** Not kept, in the same mailbox. */
  risk: msg(plain<Note>()),
  /** Not kept, and answered. */
  pid: msg().reply(plain<number>()),
  /** Spawns another one, which is its child. */
  child: msg(plain<SpawnOptions>()).reply(plain<AnyRef>()),
  /** Handles what was set aside. */
  unstash: msg(undefined, { delivery: "at-least-once" }),
});
export type KeeperRef = Ref<typeof Keeper>;

/** How it begins. */
export interface KeeperInit {
  readonly witness: Ref<typeof Witness>;
}

/**
 * The module kills its process at steps of the delivery that a file names, which its URL leads to:
 * each incarnation at the first of them, which it takes out.
 */
const steps = new URL(import.meta.url).searchParams.get("steps");
if (steps !== null) {
  onStep((step) => {
    const [next, ...others] = readFileSync(steps, "utf8").split(" ");
    if (step !== next) return;
    writeFileSync(steps, others.join(" "));
    die();
  });
}

function die(): void {
  process.kill(process.pid, "SIGKILL");
}

const keeperActor: ActorDefinition<typeof Keeper, KeeperInit> = actor(
  import.meta,
  Keeper,
  (context, init: KeeperInit) => {
    const aside = new Set<string>();
    const handle = async (note: Note, { attempt, id, priority }: Turn) => {
      const fate = note.fates[Math.min(attempt, note.fates.length) - 1]!;
      await init.witness.seen({
        text: note.text,
        attempt,
        id,
        priority,
        incarnation: context.incarnation,
        bytes: note.ballast?.byteLength ?? 0,
        by: context.name,
      });
      switch (fate) {
        case "throw":
          throw new RangeError("thrown on purpose");
        case "kill":
          die();
          break;
        case "exit":
          process.exit(3);
          break;
        case "hang":
          for (;;);
        case "later":
          await new Promise(() => {});
          break;
        case "stash":
          // It is handled anew when it is no longer aside.
          if (aside.has(note.text)) return;
          aside.add(note.text);
          context.stash();
      }
    };
    return {
      keep: handle,
      async keepAsked(note, turn) {
        await handle(note, turn);
        return turn.attempt;
      },
      risk: handle,
      pid: () => process.pid,
      child: (options) =>
        context.spawn(keeperActor, { ...options, init } as SpawnOptions<KeeperInit>),
      unstash: () => context.unstash(),
    };
  },
);

export default keeperActor;
