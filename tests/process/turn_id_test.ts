/**
 * `turn.id`: no two messages have the same, whoever sends them and whatever is started anew; what
 * remembers ids may live longer than the system.
 */

import namer from "../actor/actors/namer.ts";
import { assert, assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { Downs, quietSystem, systemName } from "../support/actors.ts";
import { within } from "../support/until.ts";

/** The ids of a system in which the main endpoint sends, and a process that is started anew. */
async function idsOf(name: string): Promise<string[]> {
  await using shop = await quietSystem({ name });
  const all = await shop.spawn(namer);
  const restart = { keep: "permanent", backoffMs: [0, 1] } as const;
  const sender = await shop.spawn(namer, { in: "process", restart });
  const downs = new Downs(shop, sender);
  for (let starts = 1; starts <= 3; starts++) {
    await all.note();
    await within("it sends", sender.send({ to: all }));
    await sender.die();
    await downs.first(starts);
  }
  return await all.ids();
}

test("turn.id is of one message alone, also after restarts of its sender and of the system", async () => {
  const name = systemName();
  const ids = [...await idsOf(name), ...await idsOf(name)];
  assertEquals(ids.length, 2 * (3 * 3 + 1));
  assertEquals(new Set(ids).size, ids.length, ids.join("\n"));
  for (const id of ids) assert(/^[0-9a-f]{16}(\.\d+){3}$/.test(id), id);
});
