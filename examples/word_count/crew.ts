/**
 * Who counts: a pool of workers, processes of their own, a program in C where there is a compiler.
 *
 * Rule: to who shares out the work they are all the same.
 */

import { ActorError, describeExit, type Down, type Ref, type System } from "../../mod.ts";
import { type CCounter, startCCounter } from "./c_counter.ts";
import counterActor from "./counter.ts";
import type { Piece } from "./pieces.ts";
import type { WordCounter, Words } from "./protocol.ts";

/** Whom to hire. */
export interface CrewOptions {
  /** Workers, in one pool. */
  threads: number;
  /** Processes. */
  processes: number;
  /** Whether to try for a program in C. */
  c: boolean;
  /** About how long a piece is, in bytes. */
  pieceBytes: number;
}

/** How a counter ended that was not asked to. */
export interface Lost {
  counter: Counter;
  /** In words: "was killed by SIGKILL". */
  how: string;
  /** Whether it is started anew. */
  restarting: boolean;
}

/** Who counts pieces. */
export interface Counter {
  /** What people call it. */
  readonly name: string;
  readonly kind: "threads" | "process" | "c";
  /** The process that it is now. */
  readonly pid: number;
  /** How many pieces it can have in hand: one to work on, and the next. */
  readonly atOnce: number;
  /**
   * Counts a piece.
   *
   * @throws {ActorError} If it died with the piece in hand.
   */
  count(piece: Piece, signal: AbortSignal): Promise<Words>;
  /** After its death: waits for its successor. False when none will come. */
  isBack(signal: AbortSignal): Promise<boolean>;
}

/** Everybody, and how to let them go. */
export interface Crew {
  readonly counters: readonly Counter[];
  /** Why there is no program in C, if one was wanted. */
  readonly whyNoC: string | undefined;
  /** Ends what is not of the system. */
  dismiss(): Promise<void>;
}

/** Starts everybody at once. */
export async function hire(
  system: System,
  paths: readonly string[],
  { threads, processes, c, pieceBytes }: CrewOptions,
  onLost: (lost: Lost) => void,
): Promise<Crew> {
  // The processes come first, so they are asked first; one of them is to be killed at work.
  const hired: Promise<Counter>[] = Array.from(
    { length: processes },
    (_, index) => hireProcess(system, paths, index + 1, onLost),
  );
  if (threads > 0) hired.push(hireThreads(system, paths, threads, onLost));
  const program = c ? startCCounter(system, paths, pieceBytes) : undefined;
  const [ends, [start]] = await Promise.all([
    Promise.allSettled(hired),
    Promise.allSettled([program]),
  ]);

  const running = start.status === "fulfilled" ? start.value : undefined;
  const failed = ends.find((end) => end.status === "rejected");
  if (failed !== undefined) {
    await running?.close();
    throw failed.reason;
  }
  const counters = ends.map((end) => (end as PromiseFulfilledResult<Counter>).value);
  return {
    counters: running === undefined ? counters : [...counters, new CProgram(running, onLost)],
    whyNoC: start.status === "rejected" ? (start.reason as Error).message : undefined,
    dismiss: async () => await running?.close(),
  };
}

async function hireProcess(
  system: System,
  paths: readonly string[],
  number: number,
  onLost: (lost: Lost) => void,
): Promise<Counter> {
  const name = `process ${number}`;
  const ref = await system.spawn(counterActor, {
    name,
    in: "process",
    init: { paths },
    restart: { max: 5, withinMs: 10_000 },
  });
  const { pid } = await ref.who();
  return new ActorCounter(system, ref, { name, kind: "process", atOnce: 2, pid }, onLost);
}

/** They take from one queue, so each piece is had by who is free. */
async function hireThreads(
  system: System,
  paths: readonly string[],
  size: number,
  onLost: (lost: Lost) => void,
): Promise<Counter> {
  const name = `${size} ${size === 1 ? "thread" : "threads"}`;
  const ref = await system.spawn(counterActor, {
    name,
    in: "worker",
    mailbox: "threads",
    size,
    init: { paths },
  });
  const { pid } = await ref.who();
  return new ActorCounter(system, ref, { name, kind: "threads", atOnce: size * 2, pid }, onLost);
}

/** An actor, wherever it lives. */
class ActorCounter implements Counter {
  readonly name: string;
  readonly kind: "threads" | "process";
  readonly atOnce: number;
  pid: number;
  readonly #ref: Ref<typeof WordCounter>;

  constructor(
    system: System,
    ref: Ref<typeof WordCounter>,
    { name, kind, atOnce, pid }: Pick<ActorCounter, "name" | "kind" | "atOnce" | "pid">,
    onLost: (lost: Lost) => void,
  ) {
    this.name = name;
    this.kind = kind;
    this.atOnce = atOnce;
    this.pid = pid;
    this.#ref = ref;
    system.watch(ref, ({ exit, restarting }: Down) => {
      if (exit.kind !== "stopped") onLost({ counter: this, how: describeExit(exit), restarting });
    });
  }

  count({ file, offset, byteLength }: Piece, signal: AbortSignal): Promise<Words> {
    return this.#ref.count({ file, offset, byteLength }, { signal });
  }

  async isBack(signal: AbortSignal): Promise<boolean> {
    try {
      // It waits in the mailbox, which is the same for each incarnation.
      this.pid = (await this.#ref.who({ signal })).pid;
      return true;
    } catch (error) {
      if (error instanceof ActorError) return false; // it was given up
      throw error;
    }
  }
}

/** The program in C. */
class CProgram implements Counter {
  readonly name = "C program";
  readonly kind = "c";
  readonly atOnce = 1;
  readonly #running: CCounter;

  constructor(running: CCounter, onLost: (lost: Lost) => void) {
    this.#running = running;
    void running.ended.then((exit) =>
      onLost({ counter: this, how: describeExit(exit), restarting: false })
    );
  }

  get pid(): number {
    return this.#running.pid;
  }

  count(piece: Piece, signal: AbortSignal): Promise<Words> {
    return this.#running.count(piece, signal);
  }

  isBack(): Promise<boolean> {
    return Promise.resolve(false); // nobody supervises it
  }
}
