/**
 * Refs: how an actor is spoken to.
 *
 * Rule: a ref is an address and no session. It is a plain object with a method for each kind of its
 * protocol, can be sent in messages, and stays good when its actor is started anew.
 */

import { shown } from "../../layout/mod.ts";
import type { MessageType, Nothing } from "./message.ts";
import type { AnyProtocol } from "./protocol.ts";
import type { OnFull } from "./spawn_options.ts";

/** The key of a ref's address. The same in every copy of the library, wherever it is loaded. */
export const ADDRESS: unique symbol = Symbol.for("postbox.address");

/** Where an actor is reached. */
export interface Address {
  /** The name of its system. */
  readonly system: string;
  /** The name of its protocol. */
  readonly protocol: string;
  /** The endpoint that it lives in. */
  readonly endpoint: number;
  /** Its number there; 0 with a mailbox: whoever serves that. */
  readonly actor: number;
  /** The kernel's name of the queue of its own, if it has one. */
  readonly mailbox: string | undefined;
  /** Whether several serve that queue. */
  readonly pool: boolean;
  /** What carries the messages to it. */
  readonly carrier: "local" | "queue" | "ring";
  /** What a sender does when it is full. */
  readonly onFull: OnFull;
  /** What people call it: `counter`, `counterActor#3`. */
  readonly label: string;
}

/** Whatever ref. */
export interface AnyRef {
  /** Where its actor is reached. */
  readonly [ADDRESS]: Address;
}

/** How a tell is sent. */
export interface TellOptions {
  /**
   * From 0 to 32 000; the highest is handled first, and of equals the oldest.
   * @default {what the protocol says}
   */
  priority?: number | undefined;
  /**
   * Milliseconds that the message is of use, at least 1; an older one is not handled.
   * @default {what the protocol says}
   */
  ttlMs?: number | undefined;
  /**
   * What to do while the mailbox is full: wait, fail with `MailboxFull`, or drop this message.
   * @default {what the actor was spawned with}
   */
  onFull?: Exclude<OnFull, "drop-old"> | undefined;
  /** Ends the wait for room: the promise rejects with the signal's reason, and nothing was sent. */
  signal?: AbortSignal | undefined;
  /**
   * Milliseconds to wait for room; then the promise rejects with a `TimeoutError`.
   * @default {for ever}
   */
  timeoutMs?: number | undefined;
}

/** How something is asked. */
export interface AskOptions extends Omit<TellOptions, "ttlMs"> {
  /**
   * Milliseconds until the reply is there; then the promise rejects with a `TimeoutError`, and the
   * handler's signal is aborted.
   * @default {for ever}
   */
  timeoutMs?: number | undefined;
  /** Ends the wait: the promise rejects with the signal's reason, and so does the handler's. */
  signal?: AbortSignal | undefined;
}

/** How a stream is asked for. */
export interface StreamOptions {
  /**
   * From 0 to 32 000, of the message that asks for it.
   * @default {what the protocol says}
   */
  priority?: number | undefined;
  /**
   * Ends the stream: the loop throws the signal's reason, and the handler's signal is aborted.
   * Leaving the loop does the latter, too.
   */
  signal?: AbortSignal | undefined;
  /**
   * How many items may be on the way that were not taken, 1 to 65 536.
   * @default {16}
   */
  credit?: number | undefined;
}

/** How a kind is sent: without a payload, the options come first. */
export type Method<M> = M extends
  MessageType<infer Shape, infer Sent, infer _R, infer _P, infer Answer> ? {
    tell: IsNothing<Sent> extends true ? (options?: TellOptions) => Promise<void>
      : (payload: Sent, options?: TellOptions) => Promise<void>;
    ask: IsNothing<Sent> extends true ? (options?: AskOptions) => Promise<AnswerOf<Answer>>
      : (payload: Sent, options?: AskOptions) => Promise<AnswerOf<Answer>>;
    stream: IsNothing<Sent> extends true
      ? (options?: StreamOptions) => AsyncIterableIterator<AnswerOf<Answer>>
      : (payload: Sent, options?: StreamOptions) => AsyncIterableIterator<AnswerOf<Answer>>;
  }[Shape]
  : never;

/** Whether a type stands for what a kind does not have; `any` and `never` do not. */
export type IsNothing<T> = [T] extends [never] ? false
  : 0 extends 1 & T ? false
  : [T] extends [Nothing] ? true
  : false;

/** What an asker gets: nothing where the reply is empty. */
export type AnswerOf<T> = IsNothing<T> extends true ? void : T;

/**
 * How an actor of a protocol is spoken to: a method for each kind.
 *
 * - A tell's promise is fulfilled when the mailbox has the message, not when it is handled.
 * - An ask's is fulfilled with the reply. It rejects with what the handler threw, and with an
 *   `ActorError` as soon as the actor dies.
 * - A stream is gone through with `for await`; its items come as they are taken.
 */
// A conditional type, so that editors and compilers show the methods and not this name.
export type Ref<P extends AnyProtocol> = P extends { readonly messages?: infer M }
  ? { readonly [K in keyof NonNullable<M>]: Method<NonNullable<M>[K]> } & AnyRef
  : never;

/**
 * Where the actor of a ref is reached.
 *
 * @throws {TypeError} If it is no ref.
 */
export function addressOf(ref: AnyRef): Address {
  const address: unknown = (ref as Partial<AnyRef> | undefined | null)?.[ADDRESS];
  if (typeof address === "object" && address !== null) return address as Address;
  throw new TypeError(`Cannot use ${shown(ref)} as a ref: expected what spawn() gives`);
}
