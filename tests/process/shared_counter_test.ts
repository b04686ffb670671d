/** examples/shared_counter.ts, with its C program and without a compiler. */

import { assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { test } from "../harness.ts";
import { run, temporaryFolder } from "../support/process.ts";
import { execPath, fileArgs, siblingUrl } from "../support/runtime.ts";

const EXAMPLE = siblingUrl("../../examples/shared_counter.ts", import.meta.url);

/** The arguments that run it. */
function example(rounds: number): string[] {
  return [...fileArgs(EXAMPLE, { permissions: ["--allow-all", "--quiet"] }), String(rounds)];
}

test("examples/shared_counter.ts counts exactly together with C", async () => {
  const { code, stdout, stderr } = await run(execPath(), { args: example(200_000) });
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /^400000 hits, expected 400000; (C|JavaScript) was done last\n$/);
});

test("examples/shared_counter.ts counts alone where there is no compiler", async () => {
  using empty = temporaryFolder();
  const { code, stdout, stderr } = await run(execPath(), {
    args: example(1000),
    env: { PATH: empty.path },
  });
  assertEquals([code, stderr], [0, ""]);
  assertStringIncludes(stdout, "There is no C compiler");
  assertStringIncludes(stdout, "\n1000 hits, expected 1000; JavaScript was done last\n");
});
