/**
 * Runs a command of the tests, shows what it prints, and keeps that.
 *
 * Rule: it ends: after its bound it is killed with all that it started.
 */

import type { Finished } from "./counts.ts";
import { killProcessesOf, RUN_VARIABLE } from "./leftovers.ts";

/** How it is run. */
export interface ShownOptions {
  cwd: string;
  /** The mark that its process and those that it starts carry; see `RUN_VARIABLE`. */
  mark: string;
  /** After which it is killed. */
  timeoutMs: number;
  /** Beside the environment of this process. */
  env?: Readonly<Record<string, string>>;
  /**
   * What it prints is shown in one piece when it has ended, for another one runs beside it.
   * @default {false}
   */
  held?: boolean;
}

/** What came of it. */
export interface Shown extends Finished {
  /** How long it ran. */
  tookMs: number;
}

/** Runs it to its end. The heading comes before what it prints. */
export async function runShown(
  heading: string,
  [command, ...args]: readonly [string, ...string[]],
  { cwd, mark, timeoutMs, env = {}, held = false }: ShownOptions,
): Promise<Shown> {
  const heldBack: Uint8Array[] = [];
  const show = held ? (chunk: Uint8Array) => void heldBack.push(chunk) : write;
  show(new TextEncoder().encode(`\n${heading}\n`));
  const startedMs = performance.now();
  const child = new Deno.Command(command, {
    args,
    cwd,
    // No word and no connection of the runtimes' own in between: Deno looks for updates.
    env: { ...env, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", [RUN_VARIABLE]: mark },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let killedAfterMs: number | undefined;
  const bound = setTimeout(() => {
    killedAfterMs = timeoutMs;
    for (const line of killProcessesOf(mark)) console.log(`Killed ${line}`);
  }, timeoutMs);
  try {
    // The output ends when the last process that has it open does, not when the first one ends.
    const [stdout, stderr, { code }] = await Promise.all([
      passedOn(child.stdout, show),
      passedOn(child.stderr, show),
      child.status,
    ]);
    return { stdout, stderr, code, killedAfterMs, tookMs: performance.now() - startedMs };
  } finally {
    clearTimeout(bound);
    heldBack.forEach(write);
  }
}

async function passedOn(
  stream: ReadableStream<Uint8Array>,
  show: (chunk: Uint8Array) => void,
): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    show(chunk);
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
}

function write(chunk: Uint8Array): void {
  for (let sent = 0; sent < chunk.length;) sent += Deno.stdout.writeSync(chunk.subarray(sent));
}
