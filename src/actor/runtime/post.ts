/**
 * What an endpoint sends: messages, which wait for credit and room as their mailbox says, and
 * control frames, which need no credit and go before them.
 *
 * Rule: a message has gone when its carrier has it; when it does not go, its credit is given back
 * and its block in the slab is freed.
 */

import type { Lane, Outbox } from "../carriers/carrier.ts";
import { ClosedError } from "../../errors.ts";
import { ActorError, MailboxFull } from "../errors.ts";
import { type Clock, realClock } from "../flow/clock.ts";
import { CREDIT_LIMIT, CreditSender } from "../flow/credit.ts";
import { inTime } from "../flow/in_time.ts";
import type { Slab } from "../memory/slab.ts";
import type { Address } from "../protocol/ref.ts";
import type { OnFull } from "../protocol/spawn_options.ts";
import { KIND } from "../wire/frame_layout.ts";
import { encodeFrame, type FrameHeader, headBytesOf, type SlabDescriptor } from "../wire/frame.ts";
import { CONTROL_PRIORITY, REPLY_PRIORITY } from "../wire/priorities.ts";
import { Departures } from "./departures.ts";
import type { Outlets } from "./outlets.ts";

/** What a sender says about waiting. */
export interface Flow {
  readonly onFull: OnFull;
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Who control frames go to: an endpoint, by its ring where that is wanted, or a queue by its name. */
export interface Recipient {
  readonly endpoint: number | undefined;
  readonly queue: string | undefined;
  readonly byRing: boolean;
  /** How long a frame may wait for room; as long as it takes, if it is not said. */
  readonly timeoutMs?: number | undefined;
}

/** How long the last control frames may take to leave. */
const FAREWELL_MS = 1000;

/** How long a sender waits before it looks for a free block again, at first and at most. */
const SLAB_RETRY_MS = 1, MAX_SLAB_RETRY_MS = 20;

/** What the parts of an endpoint send by. */
export class Post {
  readonly #outlets: Outlets;
  readonly #slab: () => Slab;
  readonly #clock: Clock;
  readonly #credits = new Map<number, Map<number, CreditSender>>();
  /** Messages that wait, by where they go. */
  readonly #lines = new Map<string, Departures>();
  /** Control frames that wait for room. */
  readonly #leaving = new Set<Promise<void>>();
  #framesSent = 0;
  #scratch = new Uint8Array(8192);

  constructor({ outlets, slab, clock }: { outlets: Outlets; slab: () => Slab; clock: Clock }) {
    this.#outlets = outlets;
    this.#slab = slab;
    this.#clock = clock;
  }

  /**
   * Sends a message to an actor in another endpoint, or to a named mailbox.
   *
   * @returns Whether it has gone: false when it was dropped for want of room. A promise when that
   * is not known at once.
   * @throws {MailboxFull} If there is no room, `onFull` is "fail".
   */
  message(
    address: Address,
    header: FrameHeader,
    payload: Uint8Array,
    priority: number,
    flow: Flow,
  ): boolean | Promise<boolean> {
    const outbox = this.#outlets.to(address);
    this.#checkSize(outbox, header, payload);
    const line = this.#lines.get(lineOf(address));
    if (!line?.holdsBack(priority)) {
      const credit = this.#creditFor(address);
      if (credit === undefined || credit.tryTake()) {
        if (this.#trySend(outbox, header, payload, "message", priority)) return true;
        credit?.grant(1);
      }
    }
    switch (flow.onFull) {
      case "drop-new":
      case "drop-old":
        return false;
      case "fail": {
        const { depth, capacity } = this.depthOf(address);
        throw new MailboxFull(address.label, depth, capacity);
      }
      case "wait":
        return this.#messageLater(address, header, payload, priority, flow);
    }
  }

  /**
   * Sends a frame that must not wait behind messages: an answer, or a word about one.
   *
   * @param priority That of its kind; of a word that must not overtake answers, theirs.
   * @returns Undefined when it has gone, or the promise that it goes.
   */
  control(
    to: Recipient,
    header: FrameHeader,
    payload: Uint8Array,
    priority: number = controlPriority(header.kind),
  ): Promise<void> | undefined {
    const outbox = to.queue !== undefined
      ? this.#outlets.toQueue(to.queue)
      : this.#outlets.toEndpoint(to.endpoint!, to.byRing);
    this.#checkSize(outbox, header, payload);
    if (this.#trySend(outbox, header, payload, "control", priority)) return undefined;
    const options = defined({ timeoutMs: to.timeoutMs });
    const leaving = this.#send(outbox, header, payload, "control", priority, options);
    this.#leaving.add(leaving);
    const left = () => void this.#leaving.delete(leaving);
    leaving.then(left, left);
    return leaving;
  }

  /** How many frames have gone at once, of any kind. */
  get framesSent(): number {
    return this.#framesSent;
  }

  /** How full what leads to an address is: what this endpoint may have on the way, or its queue. */
  depthOf(address: Address): { depth: number; capacity: number } {
    if (this.#creditFor(address)?.available === 0) {
      return { depth: CREDIT_LIMIT, capacity: CREDIT_LIMIT };
    }
    const { depth, capacity } = this.#outlets.to(address);
    return { depth, capacity };
  }

  /** Settles when no control frame waits for room any more; a reader that takes none holds nobody up. */
  async farewell(): Promise<void> {
    await inTime(this.#idle(), FAREWELL_MS, realClock);
  }

  async #idle(): Promise<void> {
    while (this.#leaving.size > 0) await Promise.allSettled(this.#leaving);
  }

  /** A queue was unlinked: who waits to send to it hears that. */
  forgetQueue(name: string): void {
    this.#outlets.forgetQueue(name);
  }

  /** An endpoint ended for good: who waits to send to it hears that. */
  forgetEndpoint(endpoint: number): void {
    this.#outlets.forget(endpoint);
    this.#resetCredit(endpoint);
  }

  /** More messages of ours may be on the way to that actor. */
  granted(endpoint: number, actor: number, count: number): void {
    this.#credits.get(endpoint)?.get(actor)?.grant(count);
  }

  /**
   * An incarnation of an endpoint ended: what was on the way to it takes no credit any more. Its
   * inbox stays, and who waits for room in it goes on.
   */
  endpointDied(endpoint: number): void {
    this.#resetCredit(endpoint);
  }

  /** An actor ended for good: what waits for its credit goes, and comes back as what it finds. */
  actorEnded({ endpoint, actor }: { endpoint: number; actor: number }): void {
    const actors = this.#credits.get(endpoint);
    actors?.get(actor)?.reset();
    actors?.delete(actor);
  }

  #resetCredit(endpoint: number): void {
    for (const credit of this.#credits.get(endpoint)?.values() ?? []) credit.reset();
    this.#credits.delete(endpoint);
  }

  /** Lets nobody wait any longer. */
  close(error: unknown): void {
    for (const actors of this.#credits.values()) {
      for (const credit of actors.values()) credit.close(error);
    }
    this.#outlets.close();
  }

  async #messageLater(
    address: Address,
    header: FrameHeader,
    payload: Uint8Array,
    priority: number,
    { timeoutMs, signal }: Flow,
  ): Promise<boolean> {
    const key = lineOf(address);
    let line = this.#lines.get(key);
    if (line === undefined) {
      line = new Departures(() => this.#creditFor(address), () => this.#lines.delete(key));
      this.#lines.set(key, line);
    }
    await line.wait({
      priority,
      tryLeave: () =>
        this.#trySend(this.#outlets.to(address), header, payload, "message", priority),
      leave: (signal) => {
        // It may lead to nobody by now.
        const outbox = this.#outlets.to(address);
        return this.#send(outbox, header, payload, "message", priority, defined({ signal }))
          .catch((cause) => {
            if (!(cause instanceof ClosedError)) throw cause;
            throw new ActorError({
              action: "reach",
              actor: address.label,
              code: "ENOACTOR",
              cause,
            });
          });
      },
    }, { timeoutMs, signal, clock: this.#clock });
    return true;
  }

  /** One try, which makes nothing where the payload fits a frame. */
  #trySend(
    outbox: Outbox,
    header: FrameHeader,
    payload: Uint8Array,
    lane: Lane,
    priority: number,
  ): boolean {
    if (fits(outbox, header, payload)) {
      const byteLength = encodeFrame(this.#room(outbox), header, payload);
      const isSent = outbox.trySend(this.#scratch.subarray(0, byteLength), lane, priority);
      if (isSent) this.#framesSent++;
      return isSent;
    }
    const slab = this.#slab();
    const block = slab.tryWrite(payload, lane === "message");
    if (block === undefined) return false;
    const frame = this.#byReference(outbox, header, block);
    slab.queue(block, outbox.target);
    if (outbox.trySend(frame, lane, priority)) return true;
    slab.unqueue(block);
    slab.free(block);
    return false;
  }

  async #send(
    outbox: Outbox,
    header: FrameHeader,
    payload: Uint8Array,
    lane: Lane,
    priority: number,
    options: { timeoutMs?: number; signal?: AbortSignal },
  ): Promise<void> {
    if (fits(outbox, header, payload)) {
      const frame = new Uint8Array(
        headBytesOf(header) + payload.byteLength,
      );
      encodeFrame(frame, header, payload);
      return await outbox.send(frame, lane, priority, options);
    }
    const slab = this.#slab();
    const block = await this.#block(slab, payload, lane, options);
    try {
      const frame = this.#byReference(outbox, header, block).slice();
      // The block belongs to the mailbox while an attempt is made, and to us in between: so it is
      // never without an owner that can be asked whether it still needs it.
      await outbox.send(frame, lane, priority, {
        ...options,
        attempt: (send) => {
          slab.queue(block, outbox.target);
          const sent = send();
          if (!sent) slab.unqueue(block);
          return sent;
        },
      });
    } catch (error) {
      slab.free(block);
      throw error;
    }
  }

  /** Who is not of the system has no slab: what does not fit a message of its queue cannot go. */
  #checkSize(outbox: Outbox, header: FrameHeader, payload: Uint8Array): void {
    if (fits(outbox, header, payload) || this.#outlets.isOfSystem(outbox)) return;
    const mostBytes = outbox.maxFrameBytes - headBytesOf(header);
    throw new RangeError(
      `Cannot send ${payload.byteLength} bytes to "${outbox.target}": a message of that queue has ` +
        `room for ${mostBytes}, and the slab is for endpoints of the system`,
    );
  }

  /** A block with the payload in it, as soon as there is one. */
  async #block(
    slab: Slab,
    payload: Uint8Array,
    lane: Lane,
    { timeoutMs, signal }: { timeoutMs?: number; signal?: AbortSignal },
  ): Promise<SlabDescriptor> {
    const deadline = timeoutMs === undefined ? Infinity : this.#clock.monotonic() + timeoutMs;
    for (let waitMs = SLAB_RETRY_MS;; waitMs = Math.min(waitMs * 2, MAX_SLAB_RETRY_MS)) {
      const block = slab.tryWrite(payload, lane === "message");
      if (block !== undefined) return block;
      signal?.throwIfAborted();
      if (this.#clock.monotonic() >= deadline) {
        throw new DOMException("No block of the slab became free in time", "TimeoutError");
      }
      await new Promise<void>((resolve) => this.#clock.after(waitMs, resolve));
    }
  }

  #byReference(outbox: Outbox, header: FrameHeader, block: SlabDescriptor): Uint8Array {
    const byteLength = encodeFrame(this.#room(outbox), header, block);
    return this.#scratch.subarray(0, byteLength);
  }

  #room({ maxFrameBytes }: Outbox): Uint8Array {
    if (maxFrameBytes > this.#scratch.byteLength) this.#scratch = new Uint8Array(maxFrameBytes);
    return this.#scratch;
  }

  /** What messages to an address take one of; a named mailbox is bounded by its queue. */
  #creditFor({ mailbox, endpoint, actor }: Address): CreditSender | undefined {
    if (mailbox !== undefined) return undefined;
    let actors = this.#credits.get(endpoint);
    if (actors === undefined) this.#credits.set(endpoint, actors = new Map());
    let credit = actors.get(actor);
    if (credit === undefined) actors.set(actor, credit = new CreditSender());
    return credit;
  }
}

/** What messages to an address wait in line for. */
function lineOf({ mailbox, endpoint, actor }: Address): string {
  return mailbox ?? `${endpoint}:${actor}`;
}

/** Whether a payload travels in its frame. */
function fits(outbox: Outbox, header: FrameHeader, { byteLength }: Uint8Array): boolean {
  return headBytesOf(header) + byteLength <= outbox.maxFrameBytes;
}

/**
 * Words about messages go first. Answers and orders keep their order among each other, so that
 * nobody is told of a death before the answers that the dead one gave.
 */
function controlPriority(kind: number): number {
  const isWord = kind === KIND.TAKEN || kind === KIND.CREDIT ||
    kind === KIND.CANCEL || kind === KIND.GRANT;
  return isWord ? CONTROL_PRIORITY : REPLY_PRIORITY;
}

/** Options without those that are not given. */
function defined<T extends object>(options: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as T;
}
