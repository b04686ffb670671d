/** Records between processes, in JavaScript and C, with their writers killed: a short torture. */

import "../support/loaded.ts";
import { assertEquals, assertGreaterOrEqual } from "../assert.ts";
import { test } from "../harness.ts";
import { scaled } from "../support/scale.ts";
import { subject } from "../torture/record.ts";

const KILLS = scaled(20);

test(`no read of a record is torn, ${KILLS} of its writers and readers are killed`, async () => {
  const seed = Date.now() >>> 0;
  const { kills, violations, hangs, counts } = await subject.run({ kills: KILLS, seed });
  assertEquals([kills, violations, hangs], [KILLS, 0, 0], `seed ${seed}`);
  assertGreaterOrEqual(counts.reads!, KILLS * 10_000);
});
