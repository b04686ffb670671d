/** A command of the tests ends, whatever it does. */

import { assert, assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { runShown } from "../../tools/run_shown.ts";
import "../support/loaded.ts";
import { run } from "../support/process.ts";
import { execPath, NO_DENO, ROOT } from "../support/runtime.ts";

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

test("runShown() kills nothing of another command of its run", { not: NO_DENO }, async () => {
  const whole = crypto.randomUUID();
  const start = (part: string, script: string, timeoutMs: number) =>
    runShown("heading", ["sh", "-c", script], { cwd: ROOT, mark: `${whole}/${part}`, timeoutMs });
  const beside = start("10", "sleep 0.5; echo done", 60_000);
  const hanging = await start("1", "sleep 1000", 100);
  assertEquals(hanging.killedAfterMs, 100);
  assertEquals((await beside).stdout, "done\n");
});

test("runShown() shows what it has held in one piece", { not: NO_DENO }, async () => {
  const shown = (name: string) =>
    `runShown("${name}", ["sh", "-c", "echo 1; sleep 0.1; echo 2 >&2"], ` +
    `{ cwd: "/", mark: "${crypto.randomUUID()}", timeoutMs: 60_000, held: true })`;
  const { code, stdout, stderr } = await run(execPath(), {
    args: [
      "eval",
      `import { runShown } from ${JSON.stringify(`${ROOT}tools/run_shown.ts`)};
       await Promise.all([${shown("a")}, ${shown("b")}]);`,
    ],
  });
  assertEquals([code, stderr], [0, ""]);
  const pieces = ["\na\n1\n2\n", "\nb\n1\n2\n"];
  assert([pieces.join(""), pieces.toReversed().join("")].includes(stdout), stdout);
});
