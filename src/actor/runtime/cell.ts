/**
 * A running actor: takes one message after the other and calls its handlers.
 *
 * Rule: one handler at a time, streams excepted; a message that cannot be handled never ends the
 * actor, a handler that throws on a tell does.
 */

import { attemptsText } from "../delivery/recovery.ts";
import { ActorError, describeExit, type Exit, MailboxFull } from "../errors.ts";
import { inTime } from "../flow/in_time.ts";
import type { AnyActorDefinition } from "../protocol/definition.ts";
import { type AnyHandler, handlersByKind } from "../protocol/handlers.ts";
import type { KindSpec } from "../protocol/protocol.ts";
import { validate } from "../protocol/standard_schema.ts";
import type { Address } from "../protocol/ref.ts";
import { KIND } from "../wire/frame_layout.ts";
import { decodeFrame, type Frame } from "../wire/frame.ts";
import { CellContext } from "./context.ts";
import type { Endpoint } from "./endpoint.ts";
import { keyOf } from "./incarnations.ts";
import { frameKindOf, shapeOf } from "./shapes.ts";
import type { Source } from "./source.ts";
import { StreamServer } from "./stream_server.ts";
import { MessageTurn } from "./turn.ts";

/** What makes a cell. */
export interface CellParts {
  readonly endpoint: Endpoint;
  readonly address: Address;
  /** Its number in its endpoint, also where others know it by its mailbox. */
  readonly actor: number;
  readonly definition: AnyActorDefinition;
  readonly init: unknown;
  readonly incarnation: number;
  readonly source: Source;
  /** How long what it does at its end may take, in milliseconds. */
  readonly stopMs: number;
  /** Called once, as soon as it handles nothing more; {@linkcode Cell.over} is later. */
  onExit(exit: Exit): void;
}

/** Something that is served and must be ended with the cell. */
interface Open {
  turn: MessageTurn;
  fail(error: unknown): void;
}

/** A message that a handler has, or had and set aside. */
interface InHand {
  bytes: Uint8Array;
  readonly priority: number;
  /** What it is kept by until it is acknowledged; 0 where it is not. */
  readonly receipt: number;
}

/** So many messages are handled without a turn for others. */
const IN_A_ROW = 64;
/** So many messages are set aside at most: nothing else bounds them, for they were taken. */
const MAX_STASHED = 10_000;

/** One incarnation of an actor. */
export class Cell {
  readonly parts: CellParts;
  readonly context: CellContext;
  /** Settles when nothing of it is left, neither its children nor what it does at its end. */
  readonly over: Promise<void>;
  readonly #halt = new AbortController();
  readonly #open = new Set<Open>();
  readonly #stashed: InHand[] = [];
  readonly #unstashed: InHand[] = [];
  #state: "starting" | "running" | "draining" | "leaving" | "ended" = "starting";
  /** How it ended, once it has. */
  #exit: Exit | undefined;
  #handlers: ReadonlyMap<string, AnyHandler> = new Map();
  #current: InHand | undefined;
  /** The receipt of the message that is dealt with, as long as it is to be acknowledged here. */
  #receipt = 0;
  /** Settles when no message is in hand any more, and none will be. */
  readonly #idle: Promise<void>;
  #becomeIdle!: () => void;
  #becomeOver!: () => void;

  constructor(parts: CellParts) {
    this.parts = parts;
    this.#idle = new Promise((resolve) => this.#becomeIdle = resolve);
    this.over = new Promise((resolve) => this.#becomeOver = resolve);
    this.context = new CellContext(this);
  }

  /** How it is called in messages to people. */
  get label(): string {
    return this.parts.address.label;
  }

  /** Whether it has ended. */
  get ended(): boolean {
    return this.#state === "ended";
  }

  /** Whether it takes messages. */
  get #goesOn(): boolean {
    return this.#state === "running" || this.#state === "draining";
  }

  /** Runs its setup, then goes on by itself. @throws What the setup threw. */
  async start(): Promise<void> {
    const { definition, init } = this.parts;
    if (this.ended) throw this.#died(this.#exit!);
    // A timer that it has set may end it, or whoever stops it.
    const ended = this.over.then(() => {
      throw this.#died(this.#exit!);
    });
    ended.catch(() => {}); // a setup that throws at once is not raced
    try {
      this.become(await Promise.race([definition.setup(this.context, init), ended]));
    } catch (error) {
      await this.#end({ kind: "threw", error }, false);
      throw error;
    }
    if (this.#state !== "starting") throw this.#died(this.#exit!);
    this.#state = "running";
    void this.#run();
  }

  /** Handles what is there, as long as the deadline allows, and ends. */
  async stop(drainMs: number): Promise<void> {
    if (this.#state === "running" && drainMs > 0) {
      this.#state = "draining";
      this.#halt.abort();
    }
    if (this.#state === "draining" || this.#state === "leaving") {
      await inTime(this.#idle, drainMs, this.parts.endpoint.clock);
    }
    await this.#end({ kind: "stopped" });
  }

  /** Ends it when the message in hand is handled. */
  leave(): void {
    if (this.#state === "starting") return void this.#end({ kind: "stopped" });
    if (this.#state !== "running" && this.#state !== "draining") return;
    this.#state = "leaving";
    this.#halt.abort();
  }

  /** Ends it as a handler that throws does. */
  crash(exit: Exit): Promise<void> {
    return this.#end(exit);
  }

  /** Handles messages by other handlers from the next one on. */
  become(handlers: unknown): void {
    this.#handlers = handlersByKind(this.parts.definition.protocol, handlers, this.label);
  }

  /** Puts the message in hand aside, until unstash(). */
  stash(): void {
    if (this.#current === undefined) {
      throw new TypeError(`Cannot stash in "${this.label}": no message is in hand`);
    }
    if (this.#stashed.length >= MAX_STASHED) {
      throw new MailboxFull(this.label, this.#stashed.length, MAX_STASHED);
    }
    if (this.#current.receipt !== 0) this.#keepAside();
    this.#stashed.push({ ...this.#current, bytes: this.#current.bytes.slice() });
    this.#current = undefined;
  }

  /** Handles what was put aside next, in its order. */
  unstash(): void {
    this.#unstashed.push(...this.#stashed.splice(0));
  }

  async #run(): Promise<void> {
    const { source, endpoint } = this.parts, { receipts } = source;
    let inARow = 0;
    while (this.#goesOn) {
      const again = this.#unstashed.shift();
      let bytes: Uint8Array | undefined;
      try {
        bytes = again?.bytes ?? source.tryNext();
        if (bytes === undefined) {
          if (this.#state === "draining") break;
          bytes = await source.next(this.#halt.signal);
          inARow = 0;
          if (bytes === undefined) continue;
        }
      } catch (error) {
        // Its queue is gone or refused: nobody can reach this actor any more.
        return void await this.#end({ kind: "threw", error });
      }
      const receipt = again === undefined ? receipts?.last ?? 0 : again.receipt;
      if (!this.#goesOn) {
        // It ended while it waited: the message is the next incarnation's.
        this.#giveBack({ bytes: bytes.slice(), priority: source.priority, receipt });
        break;
      }
      this.#receipt = receipt;
      try {
        const handled = again === undefined
          ? this.#handle(bytes, source.priority, true)
          : this.#handle(bytes, again.priority, false);
        if (handled !== undefined) await handled;
      } catch (error) {
        await this.#failed(bytes, error);
      }
      if (receipt !== 0) this.#acknowledge(receipt);
      // Whatever was waited for may have been there at once.
      if (++inARow % IN_A_ROW === 0) await endpoint.turn();
    }
    this.#becomeIdle();
    if (this.#state === "leaving") await this.#end({ kind: "stopped" });
  }

  /**
   * One message. Undefined when it is done, or the promise that it will be.
   *
   * @param isFirst Whether it was not in hand before: it was not set aside.
   */
  #handle(given: Uint8Array, priority: number, isFirst: boolean): Promise<void> | undefined {
    const { endpoint, definition, incarnation, source: { receipts } } = this.parts;
    const receipt = this.#receipt;
    let bytes = given, frame = decodeFrame(bytes, bytes.byteLength);
    if (!("problem" in frame) && frame.block !== undefined) {
      // What is set aside, or becomes a dead letter, has its payload with it.
      bytes = endpoint.whole(frame, bytes, receipt !== 0);
      frame = decodeFrame(bytes, bytes.byteLength);
    }
    if ("problem" in frame) {
      return this.#kept(endpoint.dead("invalid-frame", this.parts.address, bytes, {
        detail: `${frame.problem}: ${frame.detail}`,
      }));
    }
    if (isFirst) endpoint.arrivals.took(frame, this.parts);
    const spec = definition.protocol.byTag.get(frame.tag);
    const isAsk = frame.kind !== KIND.TELL;
    const isCancelled = isAsk && endpoint.servings.isCancelled(frame);
    if (frame.expires !== 0 && frame.expires < endpoint.clock.now()) {
      return this.#kept(endpoint.dead("expired", this.parts.address, bytes, { frame }));
    }
    // Who asked an incarnation that died was told so, and asks again or does not; what is to happen
    // at least once happens all the same.
    const isForDead = frame.toIncarnation !== 0 && frame.toIncarnation < incarnation;
    if ((isCancelled || isForDead) && spec?.delivery !== "at-least-once") return;
    const told = isAsk && isFirst ? endpoint.answers.taken(frame, this.parts.actor) : undefined;
    if (spec === undefined || frameKindOf(spec) !== frame.kind) {
      const error = new ActorError({
        action: "send to",
        actor: this.label,
        code: "EKIND",
        description: `protocol "${definition.protocol.name}" has no ${shapeOf(frame.kind)} with ` +
          `tag ${frame.tag}`,
      });
      return this.#refuse("unknown-kind", frame, bytes, error);
    }
    // From here on it may be what ends the actor, or never comes back.
    const attempt = receipt === 0 ? Math.max(1, frame.attempt) : receipts!.begin(receipt);
    if (receipt !== 0 && attempt > receipts!.maxAttempts) {
      const description = attemptsText(receipts!.maxAttempts, receipts!.lastError(receipt));
      const error = new ActorError({
        action: "handle a message of",
        actor: this.label,
        code: "EDIED",
        description,
      });
      return this.#refuse("attempts-spent", frame, bytes, error);
    }
    let value: unknown;
    try {
      const payload = endpoint.payloadOf(frame);
      if (payload === undefined) {
        const error = new ActorError({
          action: "send to",
          actor: this.label,
          code: "ELOST",
          description: "the payload is not in the slab any more",
        });
        return this.#refuse("payload-lost", frame, bytes, error);
      }
      value = endpoint.decode(spec.codec, frame, payload);
    } catch (error) {
      return this.#refuse("undecodable", frame, bytes, error);
    }
    const isKept = receipt !== 0 && spec.delivery === "at-least-once";
    this.#current = { bytes, priority, receipt: isKept ? receipt : 0 };
    let validated: unknown;
    try {
      validated = spec.payload === undefined ? value : validate(spec.payload, value, spec);
    } catch (error) {
      return this.#refuse("invalid-payload", frame, bytes, error);
    }
    const turn = new MessageTurn(frame, priority, endpoint.directory.run, attempt);
    if (told !== undefined || isPromise(validated)) {
      // Who asked is to know whom, should that one end over it.
      const ready = Promise.all([validated, told]).then(([value]) => value);
      return this.#callLater(spec, frame, bytes.slice(), ready, turn);
    }
    return this.#call(spec, frame, bytes, validated, turn);
  }

  /** Calls the handler when the payload is judged, if the actor is there and it is wanted then. */
  async #callLater(
    spec: KindSpec,
    frame: Frame,
    bytes: Uint8Array,
    validated: Promise<unknown>,
    turn: MessageTurn,
  ): Promise<void> {
    const { endpoint, source, actor } = this.parts;
    let isWanted = true;
    const open = this.#serve(turn, (error) => {
      isWanted = false;
      // No handler has seen it: it is for the next incarnation, as what waits is.
      if (spec.shape !== "tell") endpoint.answers.failed(frame, error, actor);
      else if (this.#receipt === 0) source.giveBack(bytes, turn.priority);
    });
    const finish = spec.shape === "tell" ? () => {} : endpoint.servings.begin(frame, {
      cancelled: () => isWanted &&= spec.delivery === "at-least-once",
      credited() {},
    });
    let value: unknown, refusal: { error: unknown } | undefined;
    try {
      value = await validated;
    } catch (error) {
      refusal = { error };
    }
    finish();
    this.#open.delete(open);
    if (!isWanted) this.#current = undefined;
    else if (refusal !== undefined) {
      await this.#refuse("invalid-payload", frame, bytes, refusal.error);
    } else await this.#call(spec, frame, bytes, value, turn);
  }

  /** Calls the handler, and sees to its result. */
  #call(
    spec: KindSpec,
    frame: Frame,
    bytes: Uint8Array,
    value: unknown,
    turn: MessageTurn,
  ): Promise<void> | undefined {
    // What dies with who has taken it is not kept for the next, whatever the handler does.
    if (this.#receipt !== 0 && spec.delivery === "at-most-once") this.#acknowledge(this.#receipt);
    let result: unknown;
    try {
      result = this.#handlers.get(spec.kind)!(value, turn);
    } catch (error) {
      return this.#threw(spec, frame, bytes, error);
    }
    if (spec.shape === "stream") {
      // One that was set aside is served when it is in hand again.
      if (this.#current === undefined) return;
      return this.#serveStream(spec, frame, turn, result);
    }
    if (!isPromise(result)) {
      const hasReply = spec.shape === "ask" && this.#current !== undefined;
      this.#current = undefined;
      if (!hasReply) return;
      return this.#kept(this.parts.endpoint.answers.reply(spec, frame, result, this.parts.actor));
    }
    if (spec.shape === "tell") return this.#serveTell(spec, frame, turn, result, this.#keep(bytes));
    return this.#serveAsk(spec, frame, turn, result, this.#keep(bytes));
  }

  async #serveTell(
    spec: KindSpec,
    frame: Frame,
    turn: MessageTurn,
    result: Promise<unknown>,
    bytes: Uint8Array,
  ): Promise<void> {
    const open = this.#serve(turn, () => {});
    try {
      await result;
      this.#current = undefined;
    } catch (error) {
      await this.#threw(spec, frame, bytes, error);
    } finally {
      this.#open.delete(open);
    }
  }

  async #serveAsk(
    spec: KindSpec,
    frame: Frame,
    turn: MessageTurn,
    result: Promise<unknown>,
    bytes: Uint8Array,
  ): Promise<void> {
    const { endpoint } = this.parts;
    let wanted = true;
    const open = this.#serve(turn, (error) => {
      wanted = false;
      endpoint.answers.failed(frame, error, this.parts.actor);
    });
    const finish = endpoint.servings.begin(frame, {
      cancelled() {
        wanted = false;
        turn.abort(new DOMException("The ask was cancelled", "AbortError"));
      },
      credited() {},
    });
    try {
      const value = await result;
      if (wanted && this.#current !== undefined) {
        await this.#kept(endpoint.answers.reply(spec, frame, value, this.parts.actor));
      }
    } catch (error) {
      if (wanted) await this.#threw(spec, frame, bytes, error);
    } finally {
      finish();
      this.#open.delete(open);
      this.#current = undefined;
    }
  }

  #serveStream(
    spec: KindSpec,
    frame: Frame,
    turn: MessageTurn,
    items: unknown,
  ): undefined {
    this.#current = undefined;
    const { endpoint } = this.parts;
    if (!isIterable(items)) {
      const error = new TypeError(
        `Cannot stream "${spec.kind}" of "${this.label}": its handler gave ${String(items)}, ` +
          "expected an iterable or async iterable",
      );
      endpoint.answers.failed(frame, error, this.parts.actor);
      return;
    }
    let over = false;
    const once = (end: () => void) => {
      if (over) return;
      over = true;
      finish();
      this.#open.delete(open);
      end();
    };
    const server = new StreamServer(turn, {
      item: (value) => endpoint.answers.item(spec, frame, value, this.parts.actor),
      end: () => once(() => endpoint.answers.end(frame, this.parts.actor)),
      failed: (error) => once(() => endpoint.answers.failed(frame, error, this.parts.actor)),
    }, frame.argument);
    const finish = endpoint.servings.begin(frame, server);
    const open = this.#serve(turn, (error) => {
      once(() => endpoint.answers.failed(frame, error, this.parts.actor));
      server.cancelled(error);
    });
    void server.run(items);
  }

  /** It is told when the actor ends. */
  #serve(turn: MessageTurn, fail: (error: unknown) => void): Open {
    const open = { turn, fail };
    this.#open.add(open);
    return open;
  }

  /** A handler threw: an asker is told, a tell ends the actor. */
  #threw(
    { shape, delivery }: KindSpec,
    frame: Frame,
    bytes: Uint8Array,
    error: unknown,
  ): Promise<void> | undefined {
    this.#current = undefined;
    const { endpoint, address, source: { receipts } } = this.parts;
    if (shape !== "tell") {
      return this.#kept(endpoint.answers.failed(frame, error, this.parts.actor));
    }
    const exit: Exit = { kind: "threw", error };
    if (receipts === undefined || delivery === "at-most-once") {
      endpoint.dead("handler-threw", address, bytes, { frame, error });
    } else if (this.#receipt !== 0) {
      receipts.failed(this.#receipt, describeExit(exit));
      this.#receipt = 0;
    }
    return this.#end(exit);
  }

  /** A message that does not reach a handler: it goes to the dead letters, an asker is told. */
  #refuse(
    reason:
      | "unknown-kind"
      | "undecodable"
      | "invalid-payload"
      | "payload-lost"
      | "attempts-spent",
    frame: Frame,
    bytes: Uint8Array,
    error: unknown,
  ): Promise<void> | undefined {
    const { endpoint, address } = this.parts;
    this.#current = undefined;
    const told = endpoint.dead(reason, address, bytes, { frame, error });
    if (frame.kind === KIND.TELL) return this.#kept(told);
    const answered = endpoint.answers.failed(frame, error, this.parts.actor);
    return this.#kept(told === undefined ? answered : told.then(() => answered));
  }

  /** What is kept is not acknowledged before something is done; nobody else waits for that. */
  #kept(done: Promise<void> | undefined): Promise<void> | undefined {
    if (this.#receipt === 0 || done === undefined) return undefined;
    this.parts.source.receipts!.outOfHand(); // who is slow to take an answer is no handler that hangs
    return done;
  }

  /** A message is over, unless it was set aside, or is for the next incarnation. */
  #acknowledge(receipt: number): void {
    if (this.#receipt !== receipt) return;
    this.#receipt = 0;
    this.parts.source.receipts!.done(receipt);
  }

  /** The message in hand is set aside, and stays kept. */
  #keepAside(): void {
    const { receipts } = this.parts.source;
    if (!receipts!.canSetAside) {
      throw new MailboxFull(this.label, this.#stashed.length, this.#stashed.length);
    }
    receipts!.outOfHand();
    this.#receipt = 0;
  }

  #giveBack({ bytes, priority, receipt }: InHand): void {
    const { source } = this.parts;
    if (receipt === 0) source.giveBack(bytes, priority);
    else source.receipts!.back(receipt);
  }

  /** The bytes of the message in hand, which outlive this turn of the source. */
  #keep(bytes: Uint8Array): Uint8Array {
    const copy = bytes.slice();
    if (this.#current !== undefined) this.#current.bytes = copy;
    return copy;
  }

  /** A fault of ours, or of the system: it costs one message and not the actor. */
  #failed(bytes: Uint8Array, error: unknown): Promise<void> | undefined {
    const { endpoint, address } = this.parts;
    this.#current = undefined;
    endpoint.log.error("A message could not be handled", { actor: this.label, error });
    return this.#kept(endpoint.dead("undecodable", address, bytes, { error }));
  }

  /** Ends it, once. @returns When it is over. */
  async #end(exit: Exit, tell = true): Promise<void> {
    if (this.#state === "ended") return await this.over;
    const { endpoint, address, incarnation, source: { receipts }, stopMs } = this.parts;
    this.#state = "ended";
    this.#exit = exit;
    this.#halt.abort();
    const error = this.#died(exit);
    for (const open of [...this.#open]) {
      open.turn.abort(error);
      open.fail(error);
    }
    // The last first: each goes before what waits.
    for (const aside of [...this.#unstashed, ...this.#stashed].reverse()) this.#giveBack(aside);
    if (this.#receipt !== 0) {
      receipts!.back(this.#receipt);
      this.#receipt = 0;
      this.#current = undefined;
    }
    endpoint.incarnations.learn(keyOf(address), incarnation);
    this.#becomeIdle();
    try {
      // Who waits for an answer, and who supervises it, is not to wait for its children.
      if (tell) this.parts.onExit(exit);
    } finally {
      await this.context.end(error, stopMs);
      this.#becomeOver();
    }
  }

  #died(exit: Exit): ActorError {
    return ActorError.died(this.label, exit);
  }
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === "function";
}

function isIterable(value: unknown): value is Iterable<unknown> | AsyncIterable<unknown> {
  return typeof value === "object" && value !== null &&
    (Symbol.asyncIterator in value || Symbol.iterator in value);
}
