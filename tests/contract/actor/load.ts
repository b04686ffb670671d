/** The contract of actors under load: nothing is lost, nothing overtakes, nobody stands still. */

import { assertEquals } from "../../assert.ts";
import { scaled } from "../../support/scale.ts";
import type { Place } from "../../support/stage.ts";
import { within } from "../../support/until.ts";
import type { Case } from "../actor_contract.ts";

/** So many tells are sent before the first of them is waited for. */
const BURST = 1000;

export function loadContract({ in: where, carrier, hasMailbox }: Place, promise: Case): void {
  promise("a flood of tells arrives in order, each once", async ({ subject }) => {
    const actor = await subject;
    // Of all places the one where most can go wrong.
    const times = scaled(where === "process" && !carrier && !hasMailbox ? 100_000 : 10_000);
    for (let sent = 0; sent < times;) {
      const burst = [];
      while (sent < times && burst.length < BURST) burst.push(actor.add(++sent));
      await Promise.all(burst);
    }
    assertEquals(await actor.sums(), { count: times, outOfOrder: 0 });
  });

  promise("two that are full of each other's asks both go on", async (stage) => {
    const pair = [await stage.subject, await stage.other] as const;
    const { probe, told } = await stage.probe();
    const often = { probe, times: scaled(2000), atOnce: 200 };
    await pair[0].askOften({ ...often, ref: pair[1] });
    await pair[1].askOften({ ...often, ref: pair[0] });
    await within("both", told.count(2));
    assertEquals(told.all, ["asked them all", "asked them all"]);
  });

  promise("asks of one sender overtake none of its tells", async ({ subject }) => {
    const actor = await subject;
    const tells = [], sums = [];
    for (let n = 1; n <= 300; n++) {
      tells.push(actor.add(n));
      if (n % 100 === 0) sums.push(actor.echo(n));
    }
    await Promise.all([...tells, ...sums]);
    assertEquals(await actor.sums(), { count: 300, outOfOrder: 0 });
  });
}
