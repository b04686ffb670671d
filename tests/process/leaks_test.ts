/** Nothing leaks: descriptors and mappings are counted from /proc, before and after. */

import { assert, assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { run } from "../support/process.ts";
import { execPath, fileArgs, siblingUrl } from "../support/runtime.ts";

const ROUNDS = 2000;

test(`${ROUNDS} rounds of everything leave no descriptor and no mapping`, async () => {
  const program = siblingUrl("./leaks_program.ts", import.meta.url);
  const { code, stdout, stderr } = await run(execPath(), {
    args: [...fileArgs(program, { v8Flags: ["expose-gc"] }), String(ROUNDS)],
    env: { DENO_NO_UPDATE_CHECK: "1" }, // it would open sockets of its own
  });
  assertEquals(code, 0, stderr);
  const { before, after } = JSON.parse(stdout);
  assertEquals(after.descriptors, before.descriptors);
  assertEquals([before.mappings, after.mappings], [0, 0]);
  // The runtime's own mappings come and go; one leaked a round would be thousands.
  assert(after.allMappings < before.allMappings + ROUNDS / 10, stdout);
  assert(after.threads <= before.threads + 4, stdout);
});
