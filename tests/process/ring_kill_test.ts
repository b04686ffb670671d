/**
 * Producers and consumers of a ring that are killed: a few here, and `deno task torture ring` kills
 * a thousand. tests/torture/ring.ts says what must hold.
 */

import "../support/loaded.ts";
import { assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { scaled } from "../support/scale.ts";
import { subject } from "../torture/ring.ts";

test("a ring whose producers and consumer are killed loses nothing", async () => {
  const kills = scaled(15), seed = Date.now() >>> 0;
  const { violations, hangs } = await subject.run({ kills, seed });
  assertEquals([violations, hangs], [0, 0], `seed ${seed}`);
});
