/** A command of the tests ends, whatever it does. */

import { assert, assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { runShown } from "../../tools/run_shown.ts";
import "../support/loaded.ts";
import { NO_DENO, ROOT } from "../support/runtime.ts";

test("runShown() keeps both outputs and the exit code", { not: NO_DENO }, async () => {
  const { tookMs, ...finished } = await runShown(
    "heading",
    ["sh", "-c", "echo out; echo err >&2; exit 3"],
    { cwd: ROOT, mark: crypto.randomUUID(), timeoutMs: 60_000 },
  );
  assertEquals(finished, { stdout: "out\n", stderr: "err\n", code: 3, killedAfterMs: undefined });
  assert(tookMs > 0);
});

test("runShown() kills what hangs, with what that has started", { not: NO_DENO }, async () => {
  // The child ends at once; what it leaves behind keeps its output open.
  for (const hanging of ["sleep 1000", "sleep 1000 & exit 0", "trap '' TERM; sleep 1000 & wait"]) {
    const { killedAfterMs } = await runShown("heading", ["sh", "-c", hanging], {
      cwd: ROOT,
      mark: crypto.randomUUID(),
      timeoutMs: 100,
    });
    assert(killedAfterMs === 100, hanging);
  }
});
