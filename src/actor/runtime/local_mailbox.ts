/**
 * The mailbox of an actor without a kernel queue of its own: the local carrier, as a cell takes from
 * it and as this thread's own messages go in.
 *
 * Rule: it outlives the incarnations of its actor. Senders of this thread are bounded by its
 * capacity; what comes from other threads is bounded by their credit, and always taken in.
 */

import type { Outbox } from "../carriers/carrier.ts";
import { type LocalFrame, LocalInbox } from "../carriers/local.ts";
import { MailboxFull } from "../errors.ts";
import type { Clock } from "../flow/clock.ts";
import { onAbort } from "../../wait/mod.ts";
import type { Flow } from "./post.ts";
import type { Source } from "./source.ts";

/** What a message of this thread has beside its bytes. */
export interface LocalPosting {
  readonly priority: number;
  readonly flow: Flow;
  /** Of the actor, for errors. */
  readonly label: string;
  readonly clock: Clock;
  /** Is told of what was dropped for it. */
  dropped(bytes: Uint8Array): void;
}

/** The buffer between senders and the cells that take from it: one, or those of a pool. */
export class LocalMailbox implements Source {
  readonly #inbox: LocalInbox;
  /** Where this thread's own messages go in; most actors of a process never need it. */
  #outbox: Outbox | undefined;

  constructor(name: string, capacity: number) {
    const size = { maxFrames: capacity, maxFrameBytes: Infinity, takesControl: false };
    this.#inbox = new LocalInbox(name, size);
  }

  /** How many frames fit; those that are in stay, if they are more. */
  get capacity(): number {
    return this.#inbox.capacity;
  }

  set capacity(capacity: number) {
    this.#inbox.capacity = capacity;
  }

  /** How many frames wait. */
  get depth(): number {
    return this.#inbox.depth;
  }

  get priority(): number {
    return this.#inbox.priority;
  }

  /** Takes in what came from another thread; the bytes are the mailbox's from now on. */
  accept(bytes: Uint8Array, priority: number): void {
    this.#inbox.admit(bytes, priority);
  }

  giveBack(bytes: Uint8Array, priority: number): void {
    this.#inbox.putBack(bytes, priority);
  }

  /**
   * A message of a sender in this thread.
   *
   * @returns Whether it is in: false when it was dropped.
   * @throws {MailboxFull} If there is no room, and `onFull` is "fail".
   */
  put(bytes: Uint8Array, posting: LocalPosting): boolean | Promise<boolean> {
    const { priority, flow, label } = posting;
    if (flow.onFull === "drop-old") {
      const old = this.#inbox.putDroppingOld(bytes, priority);
      if (old !== undefined && old !== bytes) posting.dropped(old);
      return old !== bytes;
    }
    const outbox = this.#outbox ??= this.#inbox.outbox();
    if (outbox.trySend(bytes, "message", priority)) return true;
    switch (flow.onFull) {
      case "drop-new":
        return false;
      case "fail":
        throw new MailboxFull(label, this.depth, this.capacity);
      case "wait":
        return putLater(outbox, bytes, posting);
    }
  }

  tryNext(): Uint8Array | undefined {
    return this.#inbox.tryTakeFrame();
  }

  async next(signal: AbortSignal): Promise<Uint8Array | undefined> {
    if (signal.aborted) return undefined;
    try {
      return await this.#inbox.takeFrame({ signal });
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    }
  }

  /** Takes out all that waits, for the dead letters. */
  drain(): LocalFrame[] {
    return this.#inbox.drain();
  }
}

/** Puts it in as soon as there is room; the deadline is one of the system's clock. */
async function putLater(
  outbox: Outbox,
  bytes: Uint8Array,
  { priority, flow: { timeoutMs, signal }, label, clock }: LocalPosting,
): Promise<boolean> {
  const giveUp = new AbortController();
  const cancel = timeoutMs === undefined ? undefined : clock.after(timeoutMs, () => {
    const message = `Mailbox "${label}" had no room within ${timeoutMs} ms`;
    giveUp.abort(new DOMException(message, "TimeoutError"));
  });
  const stopListening = signal && onAbort(signal, () => giveUp.abort(signal.reason));
  try {
    await outbox.send(bytes, "message", priority, { signal: giveUp.signal });
    return true;
  } finally {
    cancel?.();
    stopListening?.();
  }
}
