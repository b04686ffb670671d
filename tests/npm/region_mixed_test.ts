/**
 * Two processes of Deno from the checkout, one of Node from the npm package, and one in C add to
 * every type of integer in one region, all at once.
 *
 * Rule: totals are exact.
 */

import { writeFileSync } from "node:fs";
import { assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import "../support/loaded.ts";
import { ADDER, assertTotals, compilePeer, sharedRegion } from "../process/region_schemas.ts";
import { run } from "../support/process.ts";
import { BUILT_BY_DENO, evalArgs, execPath } from "../support/runtime.ts";
import { within } from "../support/until.ts";
import { ownProject, tarball } from "./support.ts";

const ROUNDS = 1_000_000;

test(
  `Deno twice, Node and C add ${ROUNDS} times each to every type of integer, exactly`,
  { not: BUILT_BY_DENO },
  async () => {
    using project = await ownProject(await tarball());
    const adder = `${project.path}/adder.mjs`;
    writeFileSync(adder, ADDER);
    using program = await compilePeer();
    using shared = sharedRegion();
    const { started, ready } = shared.fields;
    const counts = [shared.name, String(ROUNDS)];
    const parties = [
      { command: execPath(), args: [...evalArgs(ADDER), ...counts] },
      { command: execPath(), args: [...evalArgs(ADDER), ...counts] },
      { command: "node", args: [adder, ...counts] },
      { command: program.path, args: [shared.name, "add", String(ROUNDS)] },
    ].map(({ command, args }) => run(command, { args, timeoutMs: 120_000 }));
    await within("all four", started.waitFor(parties.length));
    ready.store(1);
    for (const { code, stderr } of await within("the end", Promise.all(parties), 130_000)) {
      assertEquals([code, stderr], [0, ""]);
    }
    assertTotals(shared.fields, parties.length * ROUNDS);
    assertEquals(shared.fields.sum.load(), 3 * ROUNDS);
  },
);
