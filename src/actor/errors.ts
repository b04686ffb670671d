/**
 * How actors end, and the errors of the actors.
 *
 * Rule: an error is told apart by its class and its `code`; its message is for people, and bounded,
 * whatever a peer sent.
 */

import { shown } from "../layout/mod.ts";

/** How an actor, or the thread or process that it lived in, ended. */
export type Exit =
  /** It was asked to. */
  | { readonly kind: "stopped" }
  /** A handler threw, or its setup. */
  | { readonly kind: "threw"; readonly error: unknown }
  /** The process or the worker ended by itself. */
  | { readonly kind: "exit"; readonly code: number }
  /** A signal ended the process: `SIGKILL`, `SIGSEGV`. */
  | { readonly kind: "signal"; readonly signal: string }
  /** `worker.terminate()`. */
  | { readonly kind: "terminated" }
  /** The heap was full. */
  | { readonly kind: "out-of-memory" }
  /** What it depended on ended: its parent, its system, an actor that it was linked to. */
  | { readonly kind: "lost"; readonly reason: string }
  /** It ended more often than its supervisor allows, and last like this. */
  | {
    readonly kind: "gave-up";
    readonly restarts: number;
    readonly withinMs: number;
    readonly last: Exit;
  };

/**
 * How something ended, as the end of a sentence: `was killed by SIGKILL`.
 *
 * @example An end in words
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { describeExit } from "@postbox/postbox/actor";
 *
 * assertEquals(describeExit({ kind: "signal", signal: "SIGKILL" }), "was killed by SIGKILL");
 * ```
 */
export function describeExit(exit: Exit): string {
  switch (exit.kind) {
    case "stopped":
      return "was stopped";
    case "threw":
      return `threw ${describeError(exit.error)}`;
    case "exit":
      return `exited with code ${exit.code}`;
    case "signal":
      return `was killed by ${exit.signal}`;
    case "terminated":
      return "was terminated";
    case "out-of-memory":
      return "ran out of memory";
    case "lost":
      return `was lost: ${exit.reason}`;
    case "gave-up": {
      const { restarts, withinMs, last } = exit;
      const often = `${restarts} ${restarts === 1 ? "restart" : "restarts"}`;
      return `was given up after ${often} within ${withinMs} ms: at last it ${describeExit(last)}`;
    }
  }
}

/** The most characters that a message shows of what somebody else wrote. */
const MAX_TEXT = 300;

/** An error in one line. It may be anything: what was thrown decides what its fields are. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return shown(error);
  const { name, message } = error;
  return bounded(message === "" ? `${name}` : `${name}: ${message}`);
}

function bounded(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}…`;
}

/**
 * What an {@linkcode ActorError} is about.
 *
 * - `EDIED`: the actor ended before it answered; `exit` says how.
 * - `ESTART`: the actor could not be started; `cause` says why.
 * - `ENOACTOR`: there is no such actor, or no more.
 * - `EKIND`: the actor does not know that kind of message.
 * - `ELOST`: the message or its answer is there, its payload is not.
 * - `EREMOTE`: the actor failed, and its error cannot be read.
 */
export type ActorErrorCode = "EDIED" | "ESTART" | "ENOACTOR" | "EKIND" | "ELOST" | "EREMOTE";

/** What an {@linkcode ActorError} is made of. */
export interface ActorErrorInit {
  /** What was tried, as the middle of a sentence: `send to`. */
  action: string;
  /** The label of the actor. */
  actor: string;
  /** What it is about. */
  code: ActorErrorCode;
  /** What is the case, in words; without it, how the actor ended. */
  description?: string | undefined;
  /** How the actor ended, if it did. */
  exit?: Exit | undefined;
  /** The error behind it; without it, what the actor threw when that was its end. */
  cause?: unknown;
}

/**
 * An actor failed: it died with an answer due, could not be started, or is not there.
 *
 * An error that a handler throws at an ask is none of these: it comes to the asker as it is.
 *
 * @example Telling how an actor died
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ActorError } from "@postbox/postbox/actor";
 *
 * const error = ActorError.died("counter", { kind: "signal", signal: "SIGKILL" });
 * assertEquals([error.code, error.exit?.kind], ["EDIED", "signal"]);
 * assertEquals(error.message, 'Cannot get an answer of "counter": it was killed by SIGKILL');
 * ```
 */
export class ActorError extends Error {
  /** `ActorError` */
  override readonly name: string = "ActorError";
  /** What it is about. */
  readonly code: ActorErrorCode;
  /** The label of the actor. */
  readonly actor: string;
  /** How the actor ended, if it did. */
  readonly exit: Exit | undefined;

  /** Makes the error; the library does this, programs only catch it. */
  constructor(init: ActorErrorInit) {
    const { action, actor, code, exit } = init;
    const end = exit === undefined ? "is gone" : describeExit(exit);
    const cause = init.cause ?? (exit?.kind === "threw" ? exit.error : undefined);
    super(
      `Cannot ${action} ${JSON.stringify(actor)}: ${init.description ?? `it ${end}`}`,
      cause === undefined ? {} : { cause },
    );
    this.code = code;
    this.actor = actor;
    this.exit = exit;
  }

  /** That an actor ended before it answered. */
  static died(actor: string, exit: Exit): ActorError {
    return new ActorError({ action: "get an answer of", actor, code: "EDIED", exit });
  }
}

/**
 * A mailbox had no room, and its sender did not want to wait: `onFull: "fail"`.
 *
 * @example How full it is
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { MailboxFull } from "@postbox/postbox/actor";
 *
 * const { message } = new MailboxFull("counter", 8, 8);
 * assertEquals(message, 'Cannot send to "counter": 8 of 8 messages wait, expected room for one');
 * ```
 */
export class MailboxFull extends Error {
  /** `MailboxFull` */
  override readonly name: string = "MailboxFull";
  /** The label of the mailbox. */
  readonly mailbox: string;
  /** How many messages wait in it. */
  readonly depth: number;
  /** How many it takes. */
  readonly capacity: number;

  /** Makes the error; the library does this, programs only catch it. */
  constructor(mailbox: string, depth: number, capacity: number) {
    const found = `${depth} of ${capacity} messages wait`;
    super(`Cannot send to ${JSON.stringify(mailbox)}: ${found}, expected room for one`);
    this.mailbox = mailbox;
    this.depth = depth;
    this.capacity = capacity;
  }
}

/** What a schema has against a value. */
export interface ValidationIssue {
  /** In the words of the schema's library. */
  readonly message: string;
  /** Where in the value: `items[3].name`; empty for the value as a whole. */
  readonly path: string;
}

/** The part of a kind of messages that is validated. */
export type ValidatedPart = "payload" | "reply" | "item";

/** What a {@linkcode ValidationError} is made of. */
export interface ValidationErrorInit {
  /** The protocol and the kind: `counter.add`. */
  kind: string;
  /** What of it was judged. */
  part: ValidatedPart;
  /** What the schema said. */
  issues: readonly ValidationIssue[];
}

/** How many issues an error carries: a peer must not make it as large as it likes. */
const MAX_ISSUES = 64;

/** How many of them its message tells. */
const MAX_ISSUES_IN_MESSAGE = 3;

/**
 * A payload, a reply or an item is not what the schema of its kind says.
 *
 * @example What is wrong, and where
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ValidationError } from "@postbox/postbox/actor";
 *
 * const issues = [{ path: "by", message: "Expected a number" }];
 * const { message } = new ValidationError({ kind: "counter.add", part: "payload", issues });
 * assertEquals(message, 'Cannot accept payload of "counter.add": by: Expected a number');
 * ```
 */
export class ValidationError extends Error {
  /** `ValidationError` */
  override readonly name: string = "ValidationError";
  /** The protocol and the kind: `counter.add`. */
  readonly kind: string;
  /** What of it was judged. */
  readonly part: ValidatedPart;
  /** What the schema said, the first 64 of it. */
  readonly issues: readonly ValidationIssue[];

  /** Makes the error; the library does this, programs only catch it. */
  constructor({ kind, part, issues }: ValidationErrorInit) {
    const kept = issues.slice(0, MAX_ISSUES).map(({ path, message }) => ({
      path: bounded(path),
      message: bounded(message),
    }));
    const told = kept.slice(0, MAX_ISSUES_IN_MESSAGE).map(({ path, message }) =>
      path === "" ? message : `${path}: ${message}`
    );
    const more = issues.length - told.length;
    if (more > 0) told.push(`${more} more`);
    if (told.length === 0) told.push("the schema refuses it without a reason");
    super(`Cannot accept ${part} of ${JSON.stringify(kind)}: ${told.join("; ")}`);
    this.kind = kind;
    this.part = part;
    this.issues = kept;
  }
}
