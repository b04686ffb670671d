/**
 * errno is exact: five million failing calls under heavy garbage collection.
 *
 * The collector's own system calls overwrite errno, so a driver that allocates between a call and
 * the reading of errno throws wrong codes now and then, and only then. The heap is made tiny to
 * collect all the time.
 */

import { assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { FFI_ONLY, ROOT, run } from "../support/process.ts";

const CALLS = 5_000_000;

test(`PosixError has the right code in ${CALLS} failing calls under garbage collection`, async () => {
  const { code, stdout, stderr } = await run(Deno.execPath(), {
    args: [
      "run",
      ...FFI_ONLY,
      "--v8-flags=--max-semi-space-size=1,--min-semi-space-size=1,--max-old-space-size=64",
      `${ROOT}tests/process/errno_program.ts`,
      String(CALLS),
    ],
  });
  assertEquals(code, 0, stderr);
  assertEquals(JSON.parse(stdout), { calls: CALLS, wrong: {}, length: 1 });
});
