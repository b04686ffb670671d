/** What spawn() refuses before anything is made. */

import { actor, msg, protocol } from "../../src/actor/mod.ts";
import { planOf } from "../../src/actor/runtime/plan.ts";
import { assertEquals, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import "../support/loaded.ts";

const Twin = protocol("test.twin", { go: msg() });
const meta = { url: "file:///srv/twins.ts" };

test("planOf() refuses to launch one of two actors that say they are the same export", () => {
  const one = actor(meta, Twin, () => ({ go() {} }));
  assertEquals(planOf(one, { in: "process" }).in, "process");
  const other = actor(meta, Twin, () => ({ go() {} }));
  const named = actor(meta, Twin, () => ({ go() {} }), { export: "named" });
  for (const definition of [one, other]) {
    assertThrows(() => planOf(definition, { in: "process" }), TypeError, "defines another");
    assertEquals(planOf(definition, {}).in, "here");
  }
  assertEquals(planOf(named, { in: "process" }).in, "process");
});
