/** How a worker is started: the one place that knows the command line of the runtime. */

import process from "node:process";
import { fileURLToPath } from "node:url";

/** What runs a worker for a column. It may call C, and nothing else: no files, no network. */
export function workerCommand(column: number): { command: string; args: string[] } {
  const script = fileURLToPath(new URL("./worker.ts", import.meta.url));
  return {
    command: process.execPath,
    args: ["run", "--allow-ffi", "--no-prompt", "--quiet", script, String(column)],
  };
}

/** The descriptor at which a worker finds the table. */
export const TABLE_DESCRIPTOR = 3;
