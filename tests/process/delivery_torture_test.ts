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

const KILLS = Math.max(25, scaled(60));

test(`${KILLS} kills of senders, receivers and their supervisor lose no message`, async () => {
  const result = await run({ delivery: "at-least-once", kills: KILLS, seed: Date.now() % 2 ** 32 });
  assertEquals(complaints(result), [], JSON.stringify(result));
  assertGreater(result.handled, KILLS, JSON.stringify(result));
});
