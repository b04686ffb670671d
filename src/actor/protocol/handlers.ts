/**
 * Handlers: what an actor does with each kind of its protocol.
 *
 * Rule: there is one for each kind and no other, for the compiler and when the actor starts.
 */

import { shown } from "../../layout/mod.ts";
import type { MessageType } from "./message.ts";
import type { AnyProtocol, MessagesOf } from "./protocol.ts";
import type { IsNothing } from "./ref.ts";

/** What a handler is told of the message in its hands. */
export interface Turn {
  /**
   * Of this message alone, whoever sent it and whatever was started anew; the same each time that
   * it is handled. At most 51 characters of ASCII: the run of the system, the sender, its start, and
   * the message's number there. Who sends from outside the system numbers its messages itself.
   */
  readonly id: string;
  /**
   * Aborted when nobody waits for the answer any more: its asker gave up or died, its deadline
   * passed, the actor is to stop.
   */
  readonly signal: AbortSignal;
  /** Which time it is that this message is handled, from 1. */
  readonly attempt: number;
  /** What it was sent with. */
  readonly priority: number;
  /** When it is of no more use, in milliseconds since 1970; undefined: never. */
  readonly deadlineMs: number | undefined;
  /** The endpoint that it says it comes from; undefined: from outside the system. */
  readonly from: number | undefined;
}

/** What handles a kind; without a payload it gets undefined in its place. */
export type Handler<M> = M extends
  MessageType<infer Shape, infer _S, infer Received, infer Replied, infer _A> ? {
    tell: (payload: PayloadOf<Received>, turn: Turn) => void | Promise<void>;
    ask: (
      payload: PayloadOf<Received>,
      turn: Turn,
    ) => ReplyOf<Replied> | Promise<ReplyOf<Replied>>;
    stream: (
      payload: PayloadOf<Received>,
      turn: Turn,
    ) => Iterable<ReplyOf<Replied>> | AsyncIterable<ReplyOf<Replied>>;
  }[Shape]
  : never;

/** What a handler gets. */
export type PayloadOf<T> = IsNothing<T> extends true ? undefined : T;

/** What a handler gives back. */
export type ReplyOf<T> = IsNothing<T> extends true ? void : T;

/** What an actor does with each kind of its protocol. */
export type Handlers<P extends AnyProtocol> = {
  readonly [K in keyof MessagesOf<P>]: Handler<MessagesOf<P>[K]>;
};

/** Refuses handlers of kinds that a protocol does not have. */
export type WithoutUnknown<H, P extends AnyProtocol> = {
  readonly [K in Exclude<keyof H, keyof MessagesOf<P>>]: "the protocol has no such kind";
};

/** Any handler, as the runtime calls it. */
export type AnyHandler = (payload: unknown, turn: Turn) => unknown;

/**
 * The handlers by kind, judged: one for each kind, and no other that is the object's own.
 *
 * A method of a class counts; what a class has beside its handlers stays unseen.
 *
 * @param actor The label of the actor, for the errors.
 * @throws {TypeError} If one is missing, is no function, or is for a kind that there is not.
 */
export function handlersByKind(
  protocol: AnyProtocol,
  handlers: unknown,
  actor: string,
): ReadonlyMap<string, AnyHandler> {
  const cannot = `Cannot use the handlers of ${shown(actor)}`;
  if (typeof handlers !== "object" || handlers === null) {
    throw new TypeError(
      `${cannot}: they are ${shown(handlers)}, expected an object with one for each kind of ` +
        `protocol ${shown(protocol.name)}`,
    );
  }
  const byKind = new Map<string, AnyHandler>();
  for (const kind of Object.keys(protocol.kinds)) {
    const handler = (handlers as Record<string, unknown>)[kind];
    if (typeof handler !== "function") {
      throw new TypeError(
        `${cannot}: that of ${shown(kind)} is ${shown(handler)}, expected a function`,
      );
    }
    byKind.set(kind, handler.bind(handlers));
  }
  const unknown = Object.entries(handlers).find(([key, value]) =>
    typeof value === "function" && !byKind.has(key)
  );
  if (unknown === undefined) return byKind;
  throw new TypeError(
    `${cannot}: one is for ${shown(unknown[0])}, expected kinds of protocol ` +
      shown(protocol.name),
  );
}
