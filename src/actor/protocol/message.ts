/**
 * The contract of one kind of messages: what the runtime reads of it, and its types.
 *
 * Rule: types are told apart by who sees them. A schema's input is what somebody gives, its output
 * what the other side gets; a struct's are the same.
 */

import type { ContentFields, Struct, Value } from "../../layout/mod.ts";
import type { CodecChoice } from "./codec_choice.ts";
import type { SchemaInput, SchemaOutput, StandardSchema } from "./standard_schema.ts";

/** What comes back for a message: nothing, a reply, or a stream of items. */
export type Shape = "tell" | "ask" | "stream";

/**
 * How hard the system tries to deliver.
 *
 * - `at-most-once`: what a process has taken dies with it.
 * - `at-least-once`: it is kept in shared memory until its handler is done, so killing the process
 *   loses nothing; the next incarnation gets it first, and may get it twice. docs/delivery.md has the
 *   whole promise. Not for streams.
 */
export type Delivery = "at-most-once" | "at-least-once";

/** What the runtime reads of one kind of messages. */
export interface MessageSpec {
  /** What comes back. */
  readonly shape: Shape;
  /** What judges a payload; undefined for a kind without one. */
  readonly payload: StandardSchema | undefined;
  /** What judges a reply, or each item of a stream; undefined where there is nothing in it. */
  readonly reply: StandardSchema | undefined;
  /** How a payload becomes bytes. */
  readonly codec: CodecChoice;
  /** How a reply or an item becomes bytes. */
  readonly replyCodec: CodecChoice;
  /** From 0 to 32 000, unless the sender says another. */
  readonly priority: number;
  /** Milliseconds that a message is of use, unless its sender says other; undefined: for ever. */
  readonly ttlMs: number | undefined;
  /** How hard the system tries. */
  readonly delivery: Delivery;
}

/** Stands in types for a payload, a reply or an item that a kind does not have. */
export interface Nothing {
  /** No value has it. */
  readonly nothing: never;
}

/** The contract of a kind of messages, with the types of what is sent for it. */
export interface MessageType<
  S extends Shape = Shape,
  Sent = unknown,
  Received = unknown,
  Replied = unknown,
  Answer = unknown,
> {
  /** What comes back. */
  readonly shape: S;
  /** What the runtime reads. */
  readonly spec: MessageSpec;
  /** The tag that it was given; undefined: its protocol makes one of the names. */
  readonly tag: number | undefined;
  /** For the compiler alone: what a sender gives, a handler gets and gives, an asker gets. */
  readonly types?: {
    readonly sent: Sent;
    readonly received: Received;
    readonly replied: Replied;
    readonly answer: Answer;
  } | undefined;
}

/** A kind whose messages nobody answers. */
export interface Tell<Sent, Received = Sent>
  extends MessageType<"tell", Sent, Received, Nothing, Nothing> {
  /**
   * The kind with a reply.
   *
   * @param schema What is replied; without it a reply is empty and says that the handler is done,
   * or is bytes with the codec `raw`.
   */
  reply<S extends Content = undefined, C extends CodecFor<S> = never>(
    schema?: S,
    options?: ReplyOptions<C>,
  ): Ask<Sent, Received, InputOf<S, C>, OutputOf<S, C>>;
  /**
   * The kind with a stream of items.
   *
   * @param schema What each item is; without it an item is empty, or is bytes with the codec `raw`.
   */
  stream<S extends Content = undefined, C extends CodecFor<S> = never>(
    schema?: S,
    options?: ReplyOptions<C>,
  ): Stream<Sent, Received, InputOf<S, C>, OutputOf<S, C>>;
}

/** A kind whose messages are answered by one reply. */
export type Ask<Sent, Received = Sent, Replied = Nothing, Answer = Replied> = MessageType<
  "ask",
  Sent,
  Received,
  Replied,
  Answer
>;

/** A kind whose messages are answered by a stream of items. */
export type Stream<Sent, Received = Sent, Replied = Nothing, Answer = Replied> = MessageType<
  "stream",
  Sent,
  Received,
  Replied,
  Answer
>;

/** What says what a payload, a reply or an item is. */
export type Content = StandardSchema | Struct<ContentFields> | undefined;

/** The codecs that there is a choice of: a struct is its own, and without a schema there is `raw`. */
export type CodecFor<S extends Content> = S extends StandardSchema ? CodecChoice
  : S extends undefined ? "raw"
  : never;

/** What somebody gives. */
export type InputOf<S extends Content, C> = S extends StandardSchema ? SchemaInput<S>
  : S extends Struct<ContentFields> ? Value<S>
  : [C] extends [never] ? Nothing
  : Uint8Array;

/** What the other side gets. */
export type OutputOf<S extends Content, C> = S extends StandardSchema ? SchemaOutput<S>
  : S extends Struct<ContentFields> ? Value<S>
  : [C] extends [never] ? Nothing
  : Uint8Array;

/** How replies and items cross. */
export interface ReplyOptions<C extends CodecChoice = CodecChoice> {
  /**
   * How they become bytes. Not for a struct, which is its own.
   * @default {"messagepack"}
   */
  codec?: C | undefined;
}

/** How the messages of a kind cross. */
export interface MessageOptions<C extends CodecChoice = CodecChoice> extends ReplyOptions<C> {
  /**
   * From 0 to 32 000; the highest is handled first, and of equals the oldest. A sender may say
   * another.
   * @default {0}
   */
  priority?: number | undefined;
  /**
   * Milliseconds that a message is of use, at least 1: an older one goes to the dead letters and
   * not to a handler. A sender may say other.
   * @default {for ever}
   */
  ttlMs?: number | undefined;
  /**
   * The number that stands for the kind on the wire, 0 to 2^32 - 1: for programs in other
   * languages that have one already.
   * @default {FNV-1a of "protocol.kind"}
   */
  tag?: number | undefined;
  /**
   * How hard the system tries.
   * @default {"at-most-once"}
   */
  delivery?: Delivery | undefined;
}
