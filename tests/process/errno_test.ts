/**
 * errno is exact: millions of failing calls under heavy garbage collection.
 *
 * The collector's own system calls overwrite errno, so a driver that allocates between a call and
 * the reading of errno throws wrong codes now and then, and only then.
 */

import { assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { run } from "../support/process.ts";
import { execPath, fileArgs, siblingUrl } from "../support/runtime.ts";
import { scaled } from "../support/scale.ts";

const CALLS = scaled(2_500_000);

/** How V8 is made to collect all the time, and how JavaScriptCore. */
const TINY_HEAP = ["max-semi-space-size=1", "min-semi-space-size=1", "max-old-space-size=64"];
const COLLECTING = { BUN_JSC_collectContinuously: "1" };

test(`PosixError has the right code in ${CALLS} failing calls under garbage collection`, async () => {
  const program = siblingUrl("./errno_program.ts", import.meta.url);
  const { code, stdout, stderr } = await run(execPath(), {
    args: [...fileArgs(program, { v8Flags: TINY_HEAP }), String(CALLS)],
    env: COLLECTING,
  });
  assertEquals(code, 0, stderr);
  assertEquals(JSON.parse(stdout), { calls: CALLS, wrong: {}, length: 1 });
});
