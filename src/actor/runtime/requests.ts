/**
 * What an endpoint asks of others: tells, asks, streams, and the orders of the runtime.
 *
 * Rule: the sender encodes and does not judge; the schema speaks at the receiver, and once.
 */

import { onAbort } from "../../wait/mod.ts";
import { shown } from "../../layout/mod.ts";
import { ActorError, MailboxFull } from "../errors.ts";
import { realClock } from "../flow/clock.ts";
import { prefixOf } from "../memory/names.ts";
import type { KindSpec } from "../protocol/protocol.ts";
import type { Address, AskOptions, StreamOptions, TellOptions } from "../protocol/ref.ts";
import { codecNumber, decodePayload } from "../wire/codec.ts";
import { decodeError } from "../wire/error_codec.ts";
import { CODEC, FLAG, type FrameKind, KIND } from "../wire/frame_layout.ts";
import { encodeFrame, type Frame, FRAME_HEADER_BYTES, type FrameHeader } from "../wire/frame.ts";
import { MAX_USER_PRIORITY } from "../wire/priorities.ts";
import { AskCall } from "./ask_call.ts";
import type { Call } from "./calls.ts";
import type { Endpoint } from "./endpoint.ts";
import { actorKey, keyOf } from "./incarnations.ts";
import { type OrderName, type Orders, orderSpec } from "./orders.ts";
import { DEFAULT_STREAM_CREDIT, StreamCall, type StreamHost } from "./stream_call.ts";
import { MAX_CREDIT } from "./stream_server.ts";

const NOTHING = new Uint8Array();

type AnyOptions = TellOptions & AskOptions & StreamOptions;

/** The requests of one endpoint. */
export class Requests implements StreamHost {
  readonly #endpoint: Endpoint;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  /** Sends a tell; the promise is fulfilled when its mailbox has it. */
  async tell(
    address: Address,
    spec: KindSpec,
    value: unknown,
    options: AnyOptions = {},
  ): Promise<void> {
    this.#endpoint.checkOpen();
    const gone = this.#endpoint.incarnations.gone(keyOf(address));
    if (gone !== undefined) {
      const { label: actor, exit } = gone;
      throw new ActorError({ action: "send to", actor, code: "ENOACTOR", exit });
    }
    const header = this.#header(KIND.TELL, address, spec, value, options);
    header.sequence = this.#endpoint.calls.nextSequence();
    const ttlMs = options.ttlMs ?? spec.ttlMs;
    if (ttlMs !== undefined) header.expires = this.#expires(address, ttlMs);
    const payload = this.#encode(spec, value);
    options.signal?.throwIfAborted();
    const sent = this.#send(address, header, payload, priorityOf(spec, options), options);
    if (typeof sent === "boolean" ? sent : await sent) return;
    this.#dropped(address, header, payload);
  }

  /** Asks; the promise is that of the reply. */
  ask(
    address: Address,
    spec: KindSpec,
    value: unknown,
    options: AnyOptions = {},
  ): Promise<unknown> {
    const { calls } = this.#endpoint;
    let call: AskCall;
    let header: FrameHeader;
    try {
      this.#endpoint.checkOpen();
      options.signal?.throwIfAborted();
      header = this.#header(KIND.ASK, address, spec, value, options);
      header.sequence = calls.nextSequence();
      call = new AskCall(this, spec, header.sequence, this.#target(address, header));
      this.#begin(call, address, header, spec, this.#encode(spec, value), options);
    } catch (error) {
      return Promise.reject(error);
    }
    return call.reply;
  }

  /** Asks for a stream; it is asked for when its first item is. */
  stream(
    address: Address,
    spec: KindSpec,
    value: unknown,
    options: AnyOptions = {},
  ): StreamCall {
    const credit = options.credit ?? DEFAULT_STREAM_CREDIT;
    if (!Number.isInteger(credit) || credit < 1 || credit > MAX_CREDIT) {
      throw new RangeError(
        `Cannot stream "${spec.kind}": credit is ${credit}, expected 1 to ${MAX_CREDIT} items`,
      );
    }
    checkFlow(spec, options);
    const payload = this.#encode(spec, value);
    return new StreamCall(this, spec, credit, (call) => {
      this.#endpoint.checkOpen();
      options.signal?.throwIfAborted();
      const header = this.#header(KIND.OPEN, address, spec, value, options);
      header.sequence = this.#endpoint.calls.nextSequence();
      header.argument = credit;
      call.begin(header.sequence, this.#target(address, header));
      this.#begin(call, address, header, spec, payload, options);
    });
  }

  /** Asks another endpoint's runtime. Orders go before messages and need no credit. */
  order<N extends OrderName>(
    endpoint: number,
    name: N,
    value: Parameters<Orders[N]>[0],
    { incarnation = 0, priority }: { incarnation?: number; priority?: number } = {},
  ): Promise<Awaited<ReturnType<Orders[N]>>> {
    const spec = orderSpec(name);
    const address: Address = this.#endpoint.addressOf(0, {
      endpoint,
      label: `endpoint ${endpoint}`,
    });
    const header = this.#header(KIND.ASK, address, spec, value, {});
    header.toIncarnation = incarnation;
    header.sequence = this.#endpoint.calls.nextSequence();
    const key = actorKey(endpoint, 0), { label } = address;
    const target = { key, label, incarnation, endpoint, queue: undefined };
    const call = new AskCall(this, spec, header.sequence, target);
    this.#endpoint.calls.add(header.sequence, call);
    try {
      this.#endpoint.post
        .control(
          { endpoint, queue: undefined, byRing: false },
          header,
          this.#encode(spec, value),
          priority,
        )?.catch((error) => call.giveUp(error));
      call.isSent = true;
    } catch (error) {
      call.giveUp(error);
    }
    return call.reply as Promise<Awaited<ReturnType<Orders[N]>>>;
  }

  /**
   * Tells another endpoint's runtime, which does not answer.
   *
   * @returns Undefined when it has gone, or the promise that it goes.
   */
  report<N extends OrderName>(
    endpoint: number,
    name: N,
    value: Parameters<Orders[N]>[0],
  ): Promise<void> | undefined {
    const spec = orderSpec(name);
    const header = { ...this.#endpoint.blank(KIND.TELL), tag: spec.tag };
    header.codec = codecNumber(spec.codec);
    const to = { endpoint, queue: undefined, byRing: false };
    return this.#endpoint.post.control(to, header, this.#encode(spec, value));
  }

  /** Sends a message once more, with what it carried; nobody waits for an answer to it. */
  async again(address: Address, frame: Frame): Promise<void> {
    const header: FrameHeader = {
      ...this.#endpoint.blank(frame.kind),
      codec: frame.codec,
      tag: frame.tag,
      to: frame.to,
      sequence: this.#endpoint.calls.nextSequence(),
    };
    if (!await this.#send(address, header, frame.payload, 0, { onFull: "wait" })) {
      throw this.#full(address);
    }
  }

  decode(spec: KindSpec, frame: Frame): unknown {
    const payload = this.#endpoint.payloadOf(frame);
    if (payload === undefined) {
      throw new ActorError({
        action: "read an answer of",
        actor: `${spec.protocol}.${spec.kind}`,
        code: "ELOST",
        description: "its payload is not in the slab any more",
      });
    }
    if (frame.codec === CODEC.NONE) return undefined;
    return decodePayload(frame.codec, spec.replyCodec, payload, this.#endpoint.crossing);
  }

  decodeError(frame: Frame): Error {
    try {
      const payload = this.#endpoint.payloadOf(frame) ?? NOTHING;
      return decodeError(
        decodePayload(frame.codec, "messagepack", payload, this.#endpoint.crossing),
      );
    } catch (cause) {
      return new ActorError({
        action: "read why there is no answer of",
        actor: `endpoint ${frame.from - 1}`,
        code: "ELOST",
        description: "the error that it sent cannot be decoded",
        cause,
      });
    }
  }

  finish(sequence: number): void {
    this.#endpoint.calls.remove(sequence);
  }

  abandon(sequence: number): void {
    const call = this.#endpoint.calls.get(sequence);
    this.finish(sequence);
    if (call?.isSent) this.cancel(sequence, call);
  }

  /** Tells who serves a call, or will, that nobody waits for it any more. */
  cancel(sequence: number, call: Call): void {
    if (isKnown(call)) this.#about(KIND.CANCEL, call, sequence, 0);
    else this.#endpoint.calls.cancelWhenTaken(sequence);
  }

  credit(sequence: number, count: number): void {
    const call = this.#endpoint.calls.get(sequence);
    if (call !== undefined && isKnown(call)) this.#about(KIND.CREDIT, call, sequence, count);
  }

  /** A word about an ask of ours, to who serves it. */
  #about(kind: FrameKind, to: Server, sequence: number, argument: number): void {
    const endpoint = this.#endpoint;
    const header: FrameHeader = {
      ...endpoint.blank(kind),
      sequence,
      argument,
    };
    if (to.endpoint === endpoint.id) {
      const frame = { ...header, payload: NOTHING, block: undefined };
      if (kind === KIND.CANCEL) endpoint.servings.cancel(frame);
      else endpoint.servings.credit(frame);
      return;
    }
    endpoint.controlQuietly({ endpoint: to.endpoint, queue: to.queue, byRing: false }, header);
  }

  /** Tells a pool's member that has just taken an ask that nobody waits for it any more. */
  cancelTaken(frame: Frame): void {
    const server = { endpoint: frame.from - 1, queue: undefined };
    this.#about(KIND.CANCEL, server, frame.sequence, 0);
  }

  #begin(
    call: AskCall | StreamCall,
    address: Address,
    header: FrameHeader,
    spec: KindSpec,
    payload: Uint8Array,
    options: AnyOptions,
  ): void {
    const { calls, clock, incarnations } = this.#endpoint;
    const gone = incarnations.gone(call.key);
    if (gone !== undefined) throw ActorError.died(gone.label, gone.exit);

    const { timeoutMs, signal } = options;
    if (timeoutMs !== undefined) {
      header.expires = this.#expires(address, timeoutMs);
      call.onEnd(clock.after(timeoutMs, () =>
        call.giveUp(
          new DOMException(
            `"${spec.kind}" of "${address.label}" was not answered within ${timeoutMs} ms`,
            "TimeoutError",
          ),
        )));
    }
    if (signal !== undefined) {
      call.onEnd(onAbort(signal, () => call.giveUp(signal.reason)));
    }
    if (address.pool) header.flags |= FLAG.WANTS_TAKEN;
    calls.add(header.sequence, call);
    const fail = (error: unknown) => {
      calls.remove(header.sequence);
      call.failed(error);
    };
    const settled = (hasGone: boolean) => {
      if (!hasGone) return fail(this.#full(address));
      call.isSent = true;
      // It was given up while it waited, and went all the same.
      if (calls.get(header.sequence) !== call) this.cancel(header.sequence, call);
    };
    try {
      const sent = this.#send(address, header, payload, priorityOf(spec, options), options);
      if (typeof sent === "boolean") settled(sent);
      else sent.then(settled, fail);
    } catch (error) {
      fail(error);
    }
  }

  /** On its way, or not, or perhaps. */
  #send(
    address: Address,
    header: FrameHeader,
    payload: Uint8Array,
    priority: number,
    options: AnyOptions,
  ): boolean | Promise<boolean> {
    const endpoint = this.#endpoint;
    const flow = {
      onFull: options.onFull ?? address.onFull,
      timeoutMs: options.timeoutMs,
      signal: options.signal,
    };
    if (address.mailbox === undefined && address.endpoint === endpoint.id) {
      const bytes = new Uint8Array(FRAME_HEADER_BYTES + payload.byteLength);
      encodeFrame(bytes, header, payload);
      return endpoint.deliver(address, bytes, priority, flow);
    }
    return endpoint.post.message(address, header, payload, priority, flow);
  }

  #target(address: Address, header: FrameHeader) {
    return {
      key: keyOf(address),
      label: address.label,
      incarnation: header.toIncarnation,
      endpoint: address.pool ? undefined : address.endpoint,
      queue: isOutside(address) ? address.mailbox : undefined,
    };
  }

  #header(
    kind: FrameKind,
    address: Address,
    spec: KindSpec,
    value: unknown,
    options: AnyOptions,
  ): FrameHeader {
    if (address.system !== this.#endpoint.system) {
      throw new ActorError({
        action: "reach",
        actor: address.label,
        code: "ENOACTOR",
        description: `it is of system "${address.system}", expected "${this.#endpoint.system}"`,
      });
    }
    checkFlow(spec, options);
    const header = this.#endpoint.blank(kind);
    header.codec = value === undefined ? CODEC.NONE : codecNumber(spec.codec);
    header.tag = spec.tag;
    header.to = address.mailbox === undefined ? address.actor : 0;
    if (kind !== KIND.TELL && !address.pool) {
      header.toIncarnation = this.#endpoint.incarnations.current(keyOf(address));
    }
    if (address.carrier === "ring" && this.#endpoint.hasRing) header.flags |= FLAG.RING;
    // Who is not of the system does not know its inboxes by their numbers.
    if (kind !== KIND.TELL && isOutside(address)) header.replyName = this.#endpoint.inboxName;
    return header;
  }

  #encode({ codec }: KindSpec, value: unknown): Uint8Array {
    return this.#endpoint.encode(codec, value);
  }

  /** When it is too late, by the clock of who judges that: of a virtual one only this thread knows. */
  #expires({ endpoint, pool }: Address, ms: number): number {
    const { id, clock } = this.#endpoint;
    const isHere = endpoint === id && !pool;
    return Math.ceil((isHere ? clock : realClock).now() + ms);
  }

  #full(address: Address): MailboxFull {
    const { depth, capacity } = this.#endpoint.depthOf(address);
    return new MailboxFull(address.label, depth, capacity);
  }

  /** A tell that its mailbox had no room for, where that is allowed. */
  #dropped(address: Address, header: FrameHeader, payload: Uint8Array): void {
    const bytes = new Uint8Array(FRAME_HEADER_BYTES + payload.byteLength);
    encodeFrame(bytes, header, payload);
    this.#endpoint.dropped(address, bytes);
  }
}

/** Judges what a sender says about its message. @throws {RangeError} If a number is none. */
function checkFlow(spec: KindSpec, options: AnyOptions): void {
  for (const name of ["timeoutMs", "ttlMs"] as const) {
    const ms: unknown = options[name];
    if (ms === undefined || (typeof ms === "number" && ms >= 0 && ms < Infinity)) continue;
    throw new RangeError(
      `Cannot send "${spec.kind}": ${name} is ${
        shown(ms)
      }, expected a number of milliseconds from 0; ` +
        "without it there is no limit",
    );
  }
  const priority = priorityOf(spec, options);
  if (Number.isInteger(priority) && priority >= 0 && priority <= MAX_USER_PRIORITY) return;
  throw new RangeError(
    `Cannot send "${spec.kind}": its priority is ${priority}, expected 0 to ${MAX_USER_PRIORITY}`,
  );
}

function priorityOf(spec: KindSpec, { priority }: AnyOptions): number {
  return priority ?? spec.priority;
}

/** Who serves an ask, as far as that is known. */
type Server = Pick<Call, "endpoint" | "queue">;

function isKnown({ endpoint, queue }: Server): boolean {
  return endpoint !== undefined || queue !== undefined;
}

/** Whether a queue is not of the system of its address. */
function isOutside({ mailbox, system }: Address): boolean {
  return mailbox !== undefined && !mailbox.startsWith(prefixOf(system));
}
