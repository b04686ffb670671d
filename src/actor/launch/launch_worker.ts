/**
 * Starts a worker thread that serves an endpoint.
 *
 * Rule: what the worker has open is closed here when its thread has ended, whatever ended it: it has
 * a descriptor table from its first step on (worker.ts attaches to it).
 */

import { Worker, type WorkerOptions } from "node:worker_threads";
import { chosenNative, host, readerOfNode } from "../../life/inside.ts";
import { DescriptorTable } from "../../life/mod.ts";
import type { Exit } from "../errors.ts";
import type { Launched, LaunchOptions, WorkerStart } from "./launched.ts";
import { siblingUrl } from "./modules.ts";
import { Relay } from "./relay.ts";

/**
 * How long the thread of a worker may take to end after the runtime said that it has, in
 * milliseconds. In Deno one that computes goes on, and the process with it.
 */
const THREAD_END_MS = 1000;

/** The code of the error of a worker whose heap is full, in both runtimes. */
const OUT_OF_MEMORY = "ERR_WORKER_OUT_OF_MEMORY";

/** Launches a worker. It runs `worker.ts`. */
export function launchWorker(options: LaunchOptions): Launched {
  const { label, stdio = "label", entryUrl = siblingUrl("worker") } = options;
  const { workersPrint, pid, mainUrl } = host();
  const table = DescriptorTable.create();
  const start: WorkerStart = {
    system: options.system,
    run: options.run,
    endpoint: options.endpoint,
    incarnation: options.incarnation,
    actor: options.actor,
    mainUrl: mainUrl(),
    native: chosenNative(),
    table: table.buffer,
    output: workersPrint ? { label, stdio } : undefined,
  };
  const isRead = !workersPrint && stdio !== "inherit";
  let worker: Worker;
  try {
    worker = new Worker(loading(entryUrl), {
      workerData: start,
      name: label,
      stdout: isRead,
      stderr: isRead,
      ...(options.resourceLimits && { resourceLimits: options.resourceLimits }),
    } as WorkerOptions);
  } catch (cause) {
    return neverStarted(label, cause);
  }

  let isTerminated = false, failure: Exit | undefined;
  worker.on("error", (error: unknown) => failure = failureOf(error));
  const ended = new Promise<number>((resolve) => worker.on("exit", resolve));
  const relays = isRead && stdio === "label"
    ? [
      new Relay(readerOfNode(worker.stdout), "stdout", label),
      new Relay(readerOfNode(worker.stderr), "stderr", label),
    ]
    : [];
  if (isRead && stdio === "ignore") {
    worker.stdout.resume();
    worker.stderr.resume();
  }

  async function exited(): Promise<Exit> {
    const code = await ended;
    await Promise.all([...relays.map((relay) => relay.finish()), closed(table)]);
    return failure ?? (isTerminated ? { kind: "terminated" } : { kind: "exit", code });
  }

  return {
    kind: "worker",
    pid: pid(),
    exited: exited(),
    kill() {
      isTerminated = true;
      worker.terminate();
    },
    hold: (holds) => holds ? worker.ref() : worker.unref(),
  };
}

/** Closes what the worker left, and waits for that as long as its thread may reasonably take. */
async function closed(table: DescriptorTable): Promise<void> {
  const closing = table.close(); // goes on: a thread that still computes may end later
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => timer = setTimeout(resolve, THREAD_END_MS));
  await Promise.race([closing, late]);
  clearTimeout(timer);
}

function failureOf(error: unknown): Exit {
  const { code } = (error ?? {}) as { code?: unknown };
  return code === OUT_OF_MEMORY ? { kind: "out-of-memory" } : { kind: "threw", error };
}

/**
 * A text that imports the module: workers load no module over HTTP themselves, and none from a file
 * where Node was given `--input-type` for a text of its own.
 *
 * By a name that only running it tells: `deno test` would check the types of all of it for each
 * worker that is started before the first check is done, which takes seconds.
 */
function loading(url: string): URL {
  const text = `const module = ${JSON.stringify(url)};\nawait import(module);`;
  return new URL(`data:text/javascript,${encodeURIComponent(text)}`);
}

function neverStarted(label: string, cause: unknown): Launched {
  const reason = (cause as Error).message;
  const error = new Error(`Cannot launch ${JSON.stringify(label)}: ${reason}`, { cause });
  return {
    kind: "worker",
    pid: undefined,
    exited: Promise.resolve({ kind: "threw", error }),
    kill() {},
    hold() {},
  };
}
