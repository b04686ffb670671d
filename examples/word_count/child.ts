/** How a worker is started: the one place that knows the command lines of the runtimes. */

import process from "node:process";
import { fileURLToPath } from "node:url";

/** This file is TypeScript, or JavaScript that was made of it; so is the worker. */
const EXTENSION = import.meta.url.slice(import.meta.url.lastIndexOf("."));
const WORKER = fileURLToPath(new URL(`./worker${EXTENSION}`, import.meta.url));

/** Under Deno it may call C, and nothing else: no files, no network. */
const FLAGS = "Deno" in globalThis ? ["run", "--allow-ffi", "--no-prompt", "--quiet"] : [];

/** What runs a worker for a column. */
export function workerCommand(column: number): { command: string; args: string[] } {
  return { command: process.execPath, args: [...FLAGS, WORKER, String(column)] };
}

/** The descriptor at which a worker finds the table. */
export const TABLE_DESCRIPTOR = 3;
