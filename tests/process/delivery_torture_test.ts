/**
 * The torture of deliveries in short: `deno task torture:delivery` is the long form.
 *
 * Goal: what a sender was told that the mailbox has is handled, whoever is killed. Method:
 * tests/torture/delivery/run.ts. That it can tell shows the long form, which does the same with
 * at-most-once and finds messages lost.
 */

import "../support/loaded.ts";
import { assertEquals, assertGreater } from "../assert.ts";
import { test } from "../harness.ts";
import { scaled } from "../support/scale.ts";
import { complaints, run } from "../torture/delivery/run.ts";

const NO_BUN = {
  bun: "the table in shared memory fills with its engine's own bytes, not known why",
};

for (const [carrier, most, least] of [["queue", 45, 12], ["ring", 15, 6]] as const) {
  const kills = Math.max(least, scaled(most));
  const name =
    `by a ${carrier} no message is lost: ${kills} senders, receivers, supervisors are killed`;
  test(name, { not: NO_BUN }, async () => {
    const seed = Date.now() % 2 ** 32;
    const result = await run({ delivery: "at-least-once", carrier, kills, seed });
    assertEquals(complaints(result), [], JSON.stringify(result));
    assertGreater(result.handled, kills, JSON.stringify(result));
  });
}
