/**
 * How an actor is spawned: where it lives, what carries its messages, how it is kept alive.
 *
 * Rule: what cannot be is refused by the compiler, for where an actor lives and what carries its
 * messages exclude some of each other.
 */

import type { Exit } from "../errors.ts";
import type { ChildOutput, WorkerLimits } from "../launch/launched.ts";
import type { AnyRef } from "./ref.ts";

/**
 * What a sender does while a mailbox is full.
 *
 * - `wait`: until there is room.
 * - `fail`: the promise rejects with `MailboxFull`.
 * - `drop-new`: the message goes to the dead letters.
 * - `drop-old`: the oldest of the lowest priority does. In this isolate alone: a kernel queue gives
 *   the most urgent message first, and that is the last one to drop.
 */
export type OnFull = "wait" | "fail" | "drop-new" | "drop-old";

/**
 * Which ends of an actor are followed by another incarnation.
 *
 * - `permanent`: each but that it was stopped.
 * - `transient`: each that is a failure.
 * - `temporary`: none.
 */
export type Keep = "permanent" | "transient" | "temporary";

/** How an actor that ended is started anew. */
export interface RestartOptions {
  /**
   * Which ends are followed by another incarnation.
   * @default {"transient"}
   */
  keep?: Keep | undefined;
  /**
   * How often within `withinMs`, at least 0, or Infinity; then it is given up.
   * @default {3}
   */
  max?: number | undefined;
  /**
   * The period that restarts are counted in, in milliseconds, at least 1.
   * @default {5_000}
   */
  withinMs?: number | undefined;
  /**
   * The least and the most milliseconds before a restart: the first waits the least, each further
   * one twice as long, until an incarnation lives for `withinMs`.
   * @default {[50, 5_000]}
   */
  backoffMs?: readonly [min: number, max: number] | undefined;
}

/** What holds for an actor wherever it lives. */
export interface CommonSpawnOptions {
  /**
   * What people call it, in errors and logs.
   * @default {the name of its mailbox, or one made of its export}
   */
  name?: string | undefined;
  /**
   * How it is started anew.
   * @default {it is not}
   */
  restart?: RestartOptions | undefined;
  /**
   * Milliseconds that it may go on with what is in its mailbox when it is stopped, at least 0. A
   * worker or a process that is still there a second later is killed.
   * @default {5_000}
   */
  stopMs?: number | undefined;
  /**
   * How many messages wait for it, at least 1: in its buffer, or in the queue of its mailbox, which
   * the kernel bounds by msg_max.
   * @default {1_000 in its buffer; in a queue 10, or msg_max where that is less}
   */
  capacity?: number | undefined;
}

/** An actor in this isolate. */
export interface HereOptions {
  /** Where it lives: in this isolate, between everything else that runs in it. */
  in?: "here" | undefined;
  /** Nobody could end a handler that hangs, but with all of this process. */
  deadlineMs?: undefined;
  /** Not in this isolate. */
  stdio?: undefined;
  /** Not in this isolate. */
  resourceLimits?: undefined;
}

/** How long a handler may take, of an actor that can be killed. */
export interface DeadlineOptions {
  /**
   * Milliseconds that the handler of a message of delivery `at-least-once` may run, at least 1. One
   * that takes longer hangs: what the actor lives in is killed, within a quarter of that time or a
   * second, and the message is given to the next incarnation. In Deno `terminate()` does not end a
   * worker that computes; take a process for what may do so.
   * @default {for ever}
   */
  deadlineMs?: number | undefined;
}

/** An actor in a worker of this process. */
export interface WorkerOptions extends DeadlineOptions {
  /**
   * Where it lives: in a worker of its own, of `node:worker_threads`. Deno wants `--allow-read` for
   * the modules of a worker: the actor's, this library's, and what they import.
   */
  in: "worker";
  /**
   * Where what it prints goes: with its name before each line, as it is, or nowhere.
   * @default {"label"}
   */
  stdio?: ChildOutput | undefined;
  /** Limits of the worker's memory. */
  resourceLimits?: WorkerLimits | undefined;
}

/** An actor in a process. */
export interface ProcessOptions extends DeadlineOptions {
  /**
   * Where it lives: in a process of its own, with the permissions of this one and no more. Deno wants
   * `--allow-run` for it, beside the `--allow-ffi` that everything here needs, and nothing else.
   */
  in: "process";
  /**
   * Where what it prints goes: with its name before each line, as it is, or nowhere.
   * @default {"label"}
   */
  stdio?: ChildOutput | undefined;
  /** Of workers alone. */
  resourceLimits?: undefined;
}

/** How messages of delivery `at-least-once` are taken, which are kept until they are handled. */
export interface DeliveryOptions {
  /**
   * How often a message is given to a handler, at least 1: an actor that ended each time gets it no
   * more, and it goes to the dead letters as `attempts-spent`.
   * @default {5}
   */
  maxAttempts?: number | undefined;
  /**
   * How many messages are taken from the queue before the first of them is handled, 1 to 128. More
   * than one makes a more urgent message wait for those that were taken before it came.
   * @default {1}
   */
  prefetch?: number | undefined;
}

/** An actor that takes its messages from a buffer of this isolate. */
export interface BufferOptions {
  /** What a buffer is not: a queue with a name. */
  mailbox?: undefined;
  /** Only a queue is shared. */
  size?: undefined;
  /** Nothing carries a message within an isolate. */
  carrier?: undefined;
  /**
   * What a sender does while the buffer is full.
   * @default {"wait"}
   */
  onFull?: OnFull | undefined;
}

/** An actor that a kernel queue brings its messages. */
export interface QueueOptions extends DeliveryOptions {
  /**
   * The name of a queue of its own, which is `/<system>.<mailbox>` in the kernel: 1 to 64 letters,
   * digits, `_` and `-`, not digits alone. It outlives a crash of the actor, and programs that are
   * not of the system can send to it.
   * @default {it takes from the inbox of its worker or process; one that is derived, where a kind of
   * its protocol has delivery `at-least-once`}
   */
  mailbox?: string | undefined;
  /**
   * How many of it take from one queue, 1 to 64: a pool. Each message goes to one of them.
   * @default {1}
   */
  size?: number | undefined;
  /**
   * What carries its messages.
   * @default {"queue"}
   */
  carrier?: "queue" | undefined;
  /**
   * What a sender does while the queue is full.
   * @default {"wait"}
   */
  onFull?: Exclude<OnFull, "drop-old"> | undefined;
}

/** An actor that a ring in shared memory brings its messages: the fastest way between processes. */
export interface RingOptions extends DeliveryOptions {
  /**
   * What carries its messages: the ring of its worker or process; one of its own, where a kind of its
   * protocol has delivery `at-least-once`.
   */
  carrier: "ring";
  /** A ring has no name that others could send to. */
  mailbox?: undefined;
  /** Only a queue is shared. */
  size?: undefined;
  /**
   * What a sender does while the ring is full.
   * @default {"wait"}
   */
  onFull?: Exclude<OnFull, "drop-old"> | undefined;
}

/** What an actor's setup is given; needless where it takes nothing. */
export type InitOption<Init> = undefined extends Init ? {
    /** What the setup is given: what the codec takes, refs and regions among it. */
    init?: Init | undefined;
  }
  : {
    /** What the setup is given: what the codec takes, refs and regions among it. */
    init: Init;
  };

/** How an actor is spawned. */
export type SpawnOptions<Init = unknown> =
  & CommonSpawnOptions
  & InitOption<Init>
  & (
    | (HereOptions & BufferOptions)
    | (HereOptions & QueueOptions)
    | (WorkerOptions & QueueOptions)
    | (WorkerOptions & RingOptions)
    | (ProcessOptions & QueueOptions)
    | (ProcessOptions & RingOptions)
  );

/** The options of spawn(), which may be left out where the setup takes nothing. */
export type SpawnArguments<Init> = undefined extends Init ? [options?: SpawnOptions<Init>]
  : [options: SpawnOptions<Init>];

/** That an incarnation of an actor ended. */
export interface Down {
  /** The actor. */
  readonly ref: AnyRef;
  /** What people call it. */
  readonly label: string;
  /** How it ended. */
  readonly exit: Exit;
  /** Which incarnation it was, from 1. */
  readonly incarnation: number;
  /** Whether another will follow. */
  readonly restarting: boolean;
}
