/**
 * The torture of locks in short: `deno task torture locks` is the long form.
 *
 * Goal: owners and waiters that are killed at any instant damage nothing and hinder nobody. Method:
 * tests/torture/locks.ts.
 */

import "../support/loaded.ts";
import { assertEquals, assertGreater } from "../assert.ts";
import { test } from "../harness.ts";
import { scaled } from "../support/scale.ts";
import { subject } from "../torture/locks.ts";

const KILLS = Math.max(25, scaled(60));

test(`${KILLS} kills of who has a lock or waits for it damage nothing`, async () => {
  const seed = Date.now() % 2 ** 32;
  const { kills, violations, hangs, counts } = await subject.run({ kills: KILLS, seed });
  const shown = `seed ${seed}: ${JSON.stringify(counts)}`;
  assertEquals([kills, violations, hangs], [KILLS, 0, 0], shown);
  assertGreater(counts["owners found dead"]!, 0, shown);
});
