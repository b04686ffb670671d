/** The contract of actors: pools, which share the work of one mailbox. */

import { ActorError } from "../../../src/actor/mod.ts";
import subjectActor from "../../actor/actors/subject.ts";
import { assert, assertEquals } from "../../assert.ts";
import type { Place } from "../../support/stage.ts";
import { errorOf, within } from "../../support/until.ts";
import type { Case } from "../actor_contract.ts";

export function poolContract({ in: where, carrier, hasMailbox }: Place, promise: Case): void {
  if (carrier === "ring") return; // it has one reader
  if (hasMailbox) return; // a pool always has one: once is enough
  const SIZE = 3;

  promise("a pool shares its work, and who dies takes one ask along", async (stage) => {
    const pool = await stage.shop.spawn(
      subjectActor,
      { in: where, size: SIZE, stopMs: 0 } as never,
    );
    const { probe, told } = await stage.probe();

    // Each in hand of another.
    const controllers = Array.from({ length: SIZE }, () => new AbortController());
    const held = controllers.map(({ signal }, index) =>
      errorOf(pool.hold({ probe, name: `held ${index}` }, { signal }))
    );
    await told.count(SIZE);
    controllers[1]!.abort(new Error("one of them"));
    assertEquals((await held[1] as Error).message, "one of them");
    await told.until("held 1 aborted by AbortError");
    assertEquals(await pool.echo("the free one"), "the free one");

    if (where !== "here") {
      const error = await within("the death of one", errorOf(pool.exit(3)));
      assert(error instanceof ActorError && error.code === "EDIED", `${error}`);
      assertEquals(error.exit, { kind: "exit", code: 3 });
    }
    // The other two still have theirs.
    assertEquals(told.all.length, SIZE + 1, `${told.all}`);
    for (const index of [0, 2]) {
      controllers[index]!.abort(new Error("the others"));
      assertEquals((await held[index] as Error).message, "the others");
    }
    const numbers = Array.from({ length: 200 }, (_, index) => index);
    assertEquals(await Promise.all(numbers.map((n) => pool.echo(n))), numbers, "each to one");
    await stage.shop.stop(pool);
  });
}
