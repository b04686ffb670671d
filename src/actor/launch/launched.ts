/**
 * What is launched: a process or a worker of this runtime that serves one endpoint of a system.
 */

import type { Exit } from "../errors.ts";

/** What goes on with the lines that a child prints. */
export type ChildOutput =
  /** Each is passed on to the same stream of this process, with the label in front. */
  | "label"
  /** They go where those of this process go, as they are. */
  | "inherit"
  /** They go nowhere. */
  | "ignore";

/** Which endpoint is launched: a child is told nothing else of the system. */
export interface LaunchedAs {
  /** The name of the system. */
  readonly system: string;
  /** The run of it: who comes too late for that joins no other. */
  readonly run: string;
  /** The number of the endpoint in it, 1 to 127. */
  readonly endpoint: number;
  /** Which incarnation of it: orders name the one that they are for. */
  readonly incarnation: number;
  /** The number of the actor that it is launched for. */
  readonly actor: number;
}

/** Which endpoint is launched, and how. */
export interface LaunchOptions extends LaunchedAs {
  /** What people call it: it stands before each line that it prints, and in errors. */
  readonly label: string;
  /** The module of its first actor, which the child imports when it is told to, not before. */
  readonly moduleUrl: string;
  /**
   * What goes on with what it prints.
   * @default {"label"}
   */
  readonly stdio?: ChildOutput | undefined;
  /** Environment variables of a process, beside those of this one. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Flags for the V8 of a process, beside those of this one: `--max-old-space-size=64`. */
  readonly v8Flags?: readonly string[] | undefined;
  /** Limits of a worker, as `node:worker_threads` has them. */
  readonly resourceLimits?: WorkerLimits | undefined;
  /** In place of `child.ts` or `worker.ts` of this folder: for tests. */
  readonly entryUrl?: string | undefined;
}

/** The memory that a worker may take. */
export interface WorkerLimits {
  /** The heap for what lives longer, in MiB. */
  readonly maxOldGenerationSizeMb?: number;
  /** The heap for what is new, in MiB. */
  readonly maxYoungGenerationSizeMb?: number;
  /** The stack, in MiB. */
  readonly stackSizeMb?: number;
}

/** A process or a worker that was launched. */
export interface Launched {
  /** Which of them it is. */
  readonly kind: "process" | "worker";
  /** The number of the process; a worker's is that of this one. Undefined if there never was one. */
  readonly pid: number | undefined;
  /**
   * How it ended, as soon as it has and all that it printed is passed on. It never rejects: what
   * cannot even be started ends by `threw`.
   */
  readonly exited: Promise<Exit>;
  /** Ends it: a process by the signal (`SIGKILL`), a worker by `terminate()`. */
  kill(signal?: string): void;
  /** Whether it keeps this process running; at first it does. */
  hold(holds: boolean): void;
}

/** What a worker is given, as `workerData`. */
export interface WorkerStart extends LaunchedAs {
  /** The module that its program was started with, where there is one. */
  readonly mainUrl: string | undefined;
  /** The native driver of the thread that launches it, where that has one. */
  readonly native: string | undefined;
  /** The memory of its descriptor table. */
  readonly table: SharedArrayBuffer;
  /** What the worker itself does with what it prints; undefined where its parent reads it. */
  readonly output: { readonly label: string; readonly stdio: ChildOutput } | undefined;
}
