/** What an actor's setup is given: itself, its children, its timers, its log. */

import type { ActorDefinition } from "./definition.ts";
import type { Handlers } from "./handlers.ts";
import type { AnyProtocol } from "./protocol.ts";
import type { AnyRef, Ref } from "./ref.ts";
import type { Down, SpawnArguments } from "./spawn_options.ts";

/** Writes what an actor has to tell people, with its name. */
export interface ContextLog {
  /** For who looks for a fault. */
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** What is as it should be. */
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** What should be looked at. */
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** What failed. */
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** What starts actors: a system, or an actor that has children. */
export interface Spawner {
  /**
   * Starts an actor; the promise is fulfilled when its setup is done.
   *
   * @param definition What {@linkcode actor} makes.
   * @throws {ActorError} `ESTART` if it cannot be started, with the cause.
   * @throws {TypeError} If an option is wrong.
   * @throws {PosixError} `EEXIST` if its mailbox has an actor, and what a limit of the kernel refuses.
   */
  spawn<P extends AnyProtocol, Init>(
    definition: ActorDefinition<P, Init>,
    ...options: SpawnArguments<NoInfer<Init>>
  ): Promise<Ref<P>>;
  /**
   * Calls a function each time an incarnation of an actor ends; at once, in a turn of its own, when
   * the actor has ended for good.
   *
   * @returns Takes it back.
   */
  watch(ref: AnyRef, onDown: (down: Down) => void): () => void;
}

/**
 * What an actor's setup is given. It belongs to one incarnation: with that end its children, its
 * timers and what it watches.
 */
export interface Context<P extends AnyProtocol = AnyProtocol> extends Spawner {
  /** The actor itself: can be sent to others, and sends to itself. */
  readonly self: Ref<P>;
  /** What people call it. */
  readonly name: string;
  /** Which start of the actor this is, from 1. */
  readonly incarnation: number;
  /** Aborted when the incarnation ends. */
  readonly signal: AbortSignal;
  /** Writes what it has to tell people, with its name. */
  readonly log: ContextLog;
  /** Ends the actor when the message in hand is handled; it is not started anew. */
  stop(): void;
  /**
   * Calls a function once. What it throws ends the actor as a handler of a tell does.
   *
   * @param delayMs Milliseconds, at least 0.
   * @returns Takes it back.
   */
  after(delayMs: number, run: () => void | Promise<void>): () => void;
  /**
   * Calls a function again and again. What it throws ends the actor as a handler of a tell does.
   *
   * @param periodMs Milliseconds between two calls, at least 1.
   * @returns Takes it back.
   */
  every(periodMs: number, run: () => void | Promise<void>): () => void;
  /**
   * Puts the message in hand aside: what its handler gives is not sent, and it is handled anew after
   * {@linkcode Context.unstash}.
   *
   * @throws {MailboxFull} If 10 000 messages were put aside.
   */
  stash(): void;
  /** Handles next what was put aside, in the order in which it came. */
  unstash(): void;
  /** Handles messages by other handlers from the next one on. */
  become(handlers: Handlers<P>): void;
  /**
   * Calls a function when the incarnation ends; the one given last is called first. All of them
   * together may take as long as `stopMs` of spawn() allows; then they are not waited for.
   */
  onStop(run: () => void | Promise<void>): void;
}
