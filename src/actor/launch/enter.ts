/**
 * The first and the last steps of a child: which endpoint it is, what is arranged before anything
 * else runs, and how it ends.
 *
 * `child.ts` and `worker.ts` are made of these, and so are the programs of the tests.
 */

import { setTimeout } from "node:timers";
import { workerData } from "node:worker_threads";
import { chooseNative, host } from "../../life/inside.ts";
import { DescriptorTable } from "../../life/mod.ts";
import { followParent } from "./follow_parent.ts";
import type { LaunchedAs, WorkerStart } from "./launched.ts";
import { labelOwnOutput } from "./own_output.ts";

/**
 * How long what the actors began may go on when the endpoint has been told to end, in milliseconds:
 * a file that is being written. A timer that they forgot keeps it no longer than this.
 */
const LINGER_MS = 500;

/** Which endpoint this process or worker is. */
export interface Entered extends LaunchedAs {
  /** Call it when nothing is left to do: the child ends as soon as nothing is under way. */
  leave(): void;
}

/** What is used of `process`. */
interface Process {
  argv: string[];
  exit(code: number): never;
}

/** In a process: it ends with its parent from now on. */
export function enterProcess(): Entered {
  const [system, run, native, ...numbers] = process().argv.slice(2);
  const [endpoint, incarnation, actor, parentPid] = numbers.map(Number);
  if (native !== "") chooseNative(native!);
  const unfollow = followParent(parentPid!);
  const leave = () => {
    unfollow();
    exitSoon();
  };
  return {
    system: system!,
    run: run!,
    endpoint: endpoint!,
    incarnation: incarnation!,
    actor: actor!,
    leave,
  };
}

/** In a worker: its parent closes what it opens from now on, and its lines have a label. */
export function enterWorker(): Entered {
  const { table, output, mainUrl, native, ...launchedAs } = workerData as WorkerStart;
  if (native !== undefined) chooseNative(native);
  DescriptorTable.attach(table);
  host().belongsTo(mainUrl);
  if (output !== undefined) labelOwnOutput(output);
  return { ...launchedAs, leave: exitSoon };
}

function exitSoon(): void {
  setTimeout(() => process().exit(0), LINGER_MS).unref();
}

/** In a worker too: it ends the worker alone. */
function process(): Process {
  return (globalThis as unknown as { process: Process }).process;
}
