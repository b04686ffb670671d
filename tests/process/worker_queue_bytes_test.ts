/**
 * Terminated workers leave no bytes of queues: these count against a limit of the user's, which the
 * test sets so low that what three workers left would be refused.
 */

import { test } from "../harness.ts";
import { run } from "../support/process.ts";
import { evalArgs, execPath } from "../support/runtime.ts";
import { within } from "../support/until.ts";
import {
  assertNothingLeft,
  churnProgram,
  LONG_MS,
  PERMISSIONS,
  WAIT,
  WORKER,
} from "./worker_life_support.ts";

test("terminated workers leave no bytes of queues: three would be refused", async () => {
  // Two queues of 10 messages of 8192 bytes take 165 760 bytes: there is room for three workers.
  const program = evalArgs(churnProgram(WORKER + WAIT), { permissions: PERMISSIONS });
  const args = ["--msgqueue=500000:500000", execPath(), ...program, "8", "1", "10", "8192"];
  assertNothingLeft(await within("its end", run("prlimit", { args, timeoutMs: LONG_MS }), LONG_MS));
});
