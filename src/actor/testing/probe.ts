/**
 * A probe: an actor that does nothing by itself, keeps what it is sent, and answers as it is told.
 *
 * Rule: a test waits for the message itself and never for time to pass.
 */

import { realClock } from "../flow/clock.ts";
import { actor, type AnyActorDefinition } from "../protocol/definition.ts";
import type { AnyHandler, Handlers, PayloadOf, ReplyOf, Turn } from "../protocol/handlers.ts";
import type { MessageType } from "../protocol/message.ts";
import type { AnyProtocol, MessagesOf } from "../protocol/protocol.ts";
import type { Ref } from "../protocol/ref.ts";

/** What a kind's handler gets. */
export type ReceivedPayload<M> = M extends
  MessageType<infer _S, infer _I, infer Received, infer _R, infer _A> ? PayloadOf<Received>
  : never;

/** What a kind's handler gives back. */
export type ProbeReply<M> = M extends
  MessageType<infer _S, infer _I, infer _O, infer Replied, infer _A> ? ReplyOf<Replied>
  : never;

/** A message that a probe got. */
export interface ProbeMessage<P extends AnyProtocol, K extends keyof MessagesOf<P>> {
  /** Its kind. */
  readonly kind: K;
  /** What it carried, validated. */
  readonly payload: ReceivedPayload<MessagesOf<P>[K]>;
  /** What its handler would be told of it. */
  readonly turn: Turn;
  /** Answers an ask; until then the probe takes no other message. */
  reply(value: ProbeReply<MessagesOf<P>[K]>): void;
  /** Answers an ask by an error. */
  fail(error: unknown): void;
}

/** How long a probe waits. */
export interface ProbeWait {
  /**
   * Milliseconds of real time, whatever the clock of the system.
   * @default {5_000}
   */
  timeoutMs?: number | undefined;
}

/** A message as it came in. */
type AnyMessage = ProbeMessage<AnyProtocol, string>;

/** An actor that a test looks through. */
export class Probe<P extends AnyProtocol> {
  /** What is given to those who are to send to it. */
  readonly ref: Ref<P>;
  readonly #inbox: ProbeInbox;

  /** Made by `testSystem().probe()`. */
  constructor(ref: Ref<P>, inbox: ProbeInbox) {
    this.ref = ref;
    this.#inbox = inbox;
  }

  /** How many messages came that the test has not looked at. */
  get length(): number {
    return this.#inbox.messages.length;
  }

  /**
   * The next message, of whatever kind.
   *
   * @throws {DOMException} `TimeoutError` if none came in time.
   */
  receive(wait: ProbeWait = {}): Promise<ProbeMessage<P, keyof MessagesOf<P>>> {
    return this.#inbox.next(wait.timeoutMs ?? 5_000) as Promise<never>;
  }

  /**
   * The next message, which must be of a kind.
   *
   * @throws {Error} If it is of another.
   * @throws {DOMException} `TimeoutError` if none came in time.
   */
  async expect<K extends keyof MessagesOf<P>>(
    kind: K,
    wait: ProbeWait = {},
  ): Promise<ProbeMessage<P, K>> {
    const message = await this.receive(wait);
    if (message.kind === kind) return message as ProbeMessage<P, never> as ProbeMessage<P, K>;
    throw new Error(
      `Expected "${String(kind)}": the next message is "${String(message.kind)}" with ` +
        JSON.stringify(message.payload),
    );
  }

  /**
   * Answers asks and streams by handlers from now on; what has none waits for the test.
   *
   * @param handlers Some of the protocol's.
   */
  answer(handlers: Partial<Handlers<P>>): void {
    this.#inbox.handlers = handlers as Record<string, AnyHandler>;
  }
}

/** What a probe has got, and how it answers. */
export class ProbeInbox {
  /** Those that the test has not looked at. */
  readonly messages: AnyMessage[] = [];
  /** What answers by itself. */
  handlers: Record<string, AnyHandler> = {};
  #arrived: (() => void) | undefined;

  /** The next message. */
  async next(timeoutMs: number): Promise<AnyMessage> {
    if (this.messages.length === 0) {
      await new Promise<void>((resolve, reject) => {
        const cancel = realClock.after(timeoutMs, () =>
          reject(
            new DOMException(`The probe got no message within ${timeoutMs} ms`, "TimeoutError"),
          ));
        this.#arrived = () => {
          cancel();
          resolve();
        };
      });
      this.#arrived = undefined;
    }
    return this.messages.shift()!;
  }

  /** Keeps a message; the answer to it, when it is an ask. */
  take(kind: string, shape: string, payload: unknown, turn: Turn): unknown {
    const handler = this.handlers[kind];
    if (handler !== undefined) return handler(payload, turn);
    if (shape === "stream") return [];
    return new Promise((resolve, reject) => {
      this.messages.push({ kind, payload: payload as never, turn, reply: resolve, fail: reject });
      if (shape === "tell") resolve(undefined);
      turn.signal.addEventListener("abort", () => reject(turn.signal.reason));
      this.#arrived?.();
    });
  }
}

/** The actor that a probe is. */
export function probeActor(protocol: AnyProtocol, inbox: ProbeInbox): AnyActorDefinition {
  const handlers = Object.fromEntries(
    Object.values(protocol.kinds).map(({ kind, shape }) => [
      kind,
      (payload: unknown, turn: Turn) => inbox.take(kind, shape, payload, turn),
    ]),
  );
  return actor({ url: import.meta.url }, protocol, () => handlers as Handlers<AnyProtocol>);
}
