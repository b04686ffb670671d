/** The contract of actors: timers, children, and what ends with an actor. */

import type { Down } from "../../../src/actor/mod.ts";
import { ActorError } from "../../../src/actor/mod.ts";
import { Region } from "../../../src/region/mod.ts";
import { Hits } from "../../actor/actors/subject.ts";
import { assert, assertEquals } from "../../assert.ts";
import { memoryName } from "../../support/names.ts";
import type { Place, SubjectRef } from "../../support/stage.ts";
import { errorOf, until, within } from "../../support/until.ts";
import type { Case } from "../actor_contract.ts";

export function lifeContract({ carrier, hasMailbox }: Place, promise: Case): void {
  promise("timers run when their time has come, unless taken back", async (stage) => {
    const actor = await stage.subject;
    const { probe, told } = await stage.probe();
    await actor.cancelledTimers({ probe });
    await told.until("the one left");
    assertEquals(told.all, ["the one left"]);
  });

  promise(
    "what was told before a stop is handled, also after asks that came alone",
    async (stage) => {
      const actor = await stage.spawn();
      for (let ask = 0; ask < 20; ask++) await actor.nothing();
      const before = stage.shop.deadLetters.count("stopped");
      for (let note = 0; note < 5; note++) await actor.note(`${note}`);
      await stage.shop.stop(actor);
      assertEquals(stage.shop.deadLetters.count("stopped"), before);
    },
  );

  promise("a tell whose handler throws is a dead letter, and ends the actor", async (stage) => {
    const actor = await stage.other;
    const held = await stage.hold(actor);
    const asked = errorOf(actor.echo("waits with the dead one"));
    await actor.note("waits for the next");
    const downs: Down[] = [];
    const unwatch = stage.shop.watch(actor, (down) => void downs.push(down));
    const [letter] = await stage.letters("handler-threw", 1, async () => {
      await actor.failNote("on purpose", { priority: 1 });
      await held.release();
    });
    assertEquals([letter!.kind, letter!.detail], ["failNote", "on purpose"]);
    const error = await asked;
    assert(error instanceof ActorError && error.code === "EDIED", `${error}`);
    assertEquals(error.exit?.kind, "threw");
    assertEquals(await actor.notes(), ["waits for the next"]);
    assertEquals(downs.map(({ exit, restarting }) => [exit.kind, restarting]), [["threw", true]]);
    unwatch();
  });

  promise(
    "what was set aside when an actor failed is the next one's, and comes first",
    async (stage) => {
      const actor = await stage.other;
      await actor.close();
      const held = await stage.hold(actor);
      await actor.laterNote("a", { priority: 2 });
      await actor.laterNote("b", { priority: 2 });
      await stage.letters("handler-threw", 1, async () => {
        await actor.failNote("on purpose", { priority: 1 });
        await actor.note("c");
        await held.release();
      });
      let notes: string[] = [];
      await until("the next one is there", async () => {
        notes = await actor.notes().catch(() => []);
        return notes.length > 0;
      });
      assertEquals(notes, ["a", "b", "c"]);
    },
  );

  promise("what waits when an actor stops for good ends, whatever it is", async (stage) => {
    const actor = await stage.spawn({ stopMs: 0 });
    const { probe, told } = await stage.probe();
    const inHand = errorOf(actor.hold({ probe, name: "last" }));
    await told.until("last began");
    const asks = Array.from({ length: 100 }, () => errorOf(actor.nothing()));
    const tells = Array.from({ length: 100 }, (_, index) => actor.note(`${index}`));
    const settled = Promise.allSettled(tells);
    const { deadLetters } = stage.shop;
    const before = deadLetters.total;
    await within("the stop", stage.shop.stop(actor));
    const error = await within("the answer", inHand);
    assert(error instanceof ActorError && error.code === "EDIED", `${error}`);
    for (const error of await within("all answers", Promise.all(asks))) {
      assert(error instanceof ActorError, `${error}`);
    }
    // Each that was taken is a dead letter; the others say that they were not.
    const taken = (await within("all tells", settled)).filter(({ status }) =>
      status === "fulfilled"
    );
    const notes = () => deadLetters.list().filter(({ id, kind }) => id > before && kind === "note");
    await within(
      "the letters",
      (async () => {
        while (notes().length < taken.length) {
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      })(),
    );
    assertEquals(notes().length, taken.length);
  });

  // What ends with an actor is not its carrier's affair, and to start one takes long.
  if (carrier !== undefined || hasMailbox) return;

  promise("children end before their parent, the last first; timers end with it", async (stage) => {
    using memory = memoryName();
    using region = Region.create(memory.name, Hits);
    const actor = await stage.spawn({ init: { region } });
    assertEquals(await actor.init(), { region: "a region" });
    const { probe, told } = await stage.probe();
    await actor.timers({ probe });
    await told.count(4);
    assertEquals([...told.all].sort(), ["after", "tick 1", "tick 2", "tick 3"]);
    const children = await stage.probe();
    assertEquals(await actor.children({ probe: children.probe }), "3 children");
    await stage.shop.stop(actor);
    assertEquals(children.told.all, [
      "third stopped",
      "second stopped",
      "first stopped",
      "parent stopped",
    ]);
    assertEquals(told.all.length, 4, `${told.all}`);
  });

  promise(
    "an actor that stops itself handles what it has in hand, and nothing more",
    async (stage) => {
      const actor = await stage.spawn({ restart: { keep: "transient" } });
      const { probe, told } = await stage.probe();
      const down = new Promise<Down>((resolve) => stage.shop.watch(actor, resolve));
      assertEquals(await actor.stopSelf({ probe }), "said at last");
      const { exit, restarting } = await within("the end", down);
      assertEquals([exit.kind, restarting], ["stopped", false]);
      assertEquals(told.all, ["still here"]);
      await nobodySpeaksTo(actor);
    },
  );
}

/** That everything that is sent to an actor is refused, and at once. */
async function nobodySpeaksTo(actor: SubjectRef): Promise<void> {
  const asked = await within("an ask of nobody", errorOf(actor.nothing()));
  assert(asked instanceof ActorError, `${asked}`);
  // More than its credit would be.
  for (let index = 0; index < 40; index++) {
    const told = await within("a tell to nobody", errorOf(actor.note("into the void")));
    assert(told instanceof ActorError && told.code === "ENOACTOR", `${told}`);
  }
  const items = await within("a stream of nobody", errorOf(actor.countSync(1).next()));
  assert(items instanceof ActorError, `${items}`);
}
