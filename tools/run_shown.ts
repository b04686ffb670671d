/**
 * Runs a command of the tests, passes on what it prints, and keeps that.
 *
 * Rule: it ends: after its bound it is killed with all that it started.
 */

import type { Finished } from "./counts.ts";
import { killProcessesOf, RUN_VARIABLE } from "./leftovers.ts";

/** How it is run. */
export interface ShownOptions {
  cwd: string;
  /** The mark that its process and those that it starts carry; see `RUN_VARIABLE`. */
  runId: string;
  /** After which it is killed. */
  timeoutMs: number;
}

/** Runs it to its end. */
export async function runShown(
  [command, ...args]: [string, ...string[]],
  { cwd, runId, timeoutMs }: ShownOptions,
): Promise<Finished> {
  const child = new Deno.Command(command, {
    args,
    cwd,
    // No word and no connection of the runtimes' own in between: Deno looks for updates.
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", [RUN_VARIABLE]: runId },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let killedAfterMs: number | undefined;
  const bound = setTimeout(() => {
    killedAfterMs = timeoutMs;
    for (const line of killProcessesOf(runId)) console.log(`Killed ${line}`);
  }, timeoutMs);
  try {
    // The output ends when the last process that has it open does, not when the first one ends.
    const [stdout, stderr, { code }] = await Promise.all([
      passedOn(child.stdout),
      passedOn(child.stderr),
      child.status,
    ]);
    return { stdout, stderr, code, killedAfterMs };
  } finally {
    clearTimeout(bound);
  }
}

async function passedOn(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    for (let sent = 0; sent < chunk.length;) sent += Deno.stdout.writeSync(chunk.subarray(sent));
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
}
