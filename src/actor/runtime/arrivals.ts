/**
 * What comes in at an endpoint, sorted: messages for its actors, orders for its runtime, answers to
 * what it asked, and words about messages.
 *
 * Rule: nothing that a frame says is believed before it is judged, and nothing ends the loop that
 * takes frames in.
 */

import { ActorError, MailboxFull } from "../errors.ts";
import { CreditReceiver } from "../flow/credit.ts";
import { MAX_ENDPOINTS } from "../memory/directory_layout.ts";
import type { Address } from "../protocol/ref.ts";
import { decodeFrame, type Frame } from "../wire/frame.ts";
import { FLAG, KIND } from "../wire/frame_layout.ts";
import type { CellParts } from "./cell.ts";
import type { Endpoint } from "./endpoint.ts";

/** So many actors are remembered that were stopped, for messages that come too late. */
const MAX_STOPPED = 1024;

/** What comes in at one endpoint. */
export class Arrivals {
  readonly #endpoint: Endpoint;
  readonly #credit = new CreditReceiver();
  readonly #stopped = new Map<number, Address>();

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  /** An actor takes nothing any more: who waits for its credit comes, and is told so. */
  stopped(actor: number, address: Address): void {
    this.#stopped.set(actor, address);
    if (this.#stopped.size > MAX_STOPPED) {
      this.#stopped.delete(this.#stopped.keys().next().value!);
    }
    for (const { from, count } of this.#credit.forgetActor(actor)) this.#grant(from, actor, count);
  }

  /** An endpoint ended for good. */
  forgetSender(endpoint: number): void {
    this.#credit.forgetSender(endpoint);
  }

  /** Takes in a frame. Throws nothing. @returns Whether it overtook what it is to come after. */
  takeIn(bytes: Uint8Array, priority: number): boolean {
    try {
      return this.#sort(bytes, priority);
    } catch (error) {
      // A fault of ours, or of the system: it costs one frame and not the inbox.
      this.#endpoint.log.error("A frame could not be taken in", { error });
      this.#endpoint.dead("undecodable", undefined, bytes, { error });
      return false;
    }
  }

  #sort(bytes: Uint8Array, priority: number): boolean {
    const frame = decodeFrame(bytes, bytes.byteLength);
    if ("problem" in frame) {
      this.#endpoint.dead("invalid-frame", undefined, bytes, {
        detail: `${frame.problem}: ${frame.detail}`,
      });
      return false;
    }
    switch (frame.kind) {
      case KIND.TELL:
      case KIND.ASK:
      case KIND.OPEN:
        if (!this.#isCredible(frame)) {
          this.#endpoint.dead("dropped", undefined, bytes, {
            frame,
            detail: "its sender is none that there is",
          });
        } else if (frame.to === 0) {
          this.#endpoint.orders.take(frame, bytes);
          return true;
        } else this.#forActor(frame, bytes, priority);
        return false;
      case KIND.REPLY:
      case KIND.FAILED:
      case KIND.TAKEN:
      case KIND.ITEM:
      case KIND.END:
        if (frame.epoch === this.#endpoint.incarnation) this.answered(frame);
        else this.#endpoint.free(frame);
        return false;
      case KIND.CREDIT:
        this.#endpoint.servings.credit(frame);
        return false;
      case KIND.CANCEL:
        this.#endpoint.servings.cancel(frame);
        return true;
      case KIND.GRANT:
        if (frame.from !== 0) {
          this.#endpoint.post.granted(frame.from - 1, frame.fromActor, frame.argument);
        }
        return false;
    }
  }

  /** A message for an actor that lives here, with its payload: the slab's block is free again. */
  #forActor(frame: Frame, bytes: Uint8Array, priority: number): void {
    const mailbox = this.#endpoint.mailboxes.get(frame.to);
    if (mailbox === undefined) {
      const stopped = this.#stopped.get(frame.to);
      const reason = stopped === undefined ? "unknown-actor" : "stopped";
      this.#endpoint.dead(reason, stopped, bytes, { frame });
      if (!this.#isFromHere(frame)) this.#grant(frame.from - 1, frame.to, 1);
      if (frame.kind === KIND.TELL) return;
      const error = new ActorError({
        action: "reach",
        actor: `actor ${frame.to} of endpoint ${this.#endpoint.id}`,
        code: "ENOACTOR",
        description: "no such actor lives there",
      });
      return void this.#endpoint.answers.failed(frame, error, frame.to);
    }
    // Who is not of the system has no credit, and waits for nobody.
    const isAdmitted = frame.from === 0
      ? mailbox.depth < mailbox.capacity
      : this.#credit.admit(frame.from - 1, frame.epoch, frame.to);
    if (!isAdmitted) {
      const detail = frame.from === 0 ? "its mailbox is full" : "its sender had no credit";
      this.#endpoint.dead("dropped", undefined, bytes, { frame, detail });
      if (frame.kind === KIND.TELL) return;
      const full = new MailboxFull(`actor ${frame.to}`, mailbox.depth, mailbox.capacity);
      return void this.#endpoint.answers.failed(frame, full, frame.to);
    }
    mailbox.accept(this.#endpoint.whole(frame, bytes), priority);
  }

  /** An answer came. */
  answered(frame: Frame): void {
    if (frame.kind === KIND.TAKEN) {
      if (this.#endpoint.calls.taken(frame)) this.#endpoint.requests.cancelTaken(frame);
      return;
    }
    const call = this.#endpoint.calls.get(frame.sequence);
    // Nobody waits any more: its deadline passed, or it was given up.
    if (call === undefined) return void this.#endpoint.free(frame);
    call.answered(frame);
  }

  /** An actor took a message: its sender may send another. */
  took(frame: Frame, { address, actor }: CellParts): void {
    if (address.mailbox !== undefined || this.#isFromHere(frame)) return;
    const count = this.#credit.took(frame.from - 1, frame.epoch, actor);
    if (count > 0) this.#grant(frame.from - 1, actor, count, (frame.flags & FLAG.RING) !== 0);
  }

  /**
   * Lets an endpoint that sent messages send more.
   *
   * @param byRing Whether it looks into its ring: one that gets all it waits for by that is slow to
   * look into its queue.
   */
  #grant(endpoint: number, actor: number, count: number, byRing = false): void {
    const grant = { ...this.#endpoint.blank(KIND.GRANT), fromActor: actor, argument: count };
    this.#endpoint.controlQuietly({ endpoint, queue: undefined, byRing }, grant);
  }

  /** Whether a message that came through an inbox can be of whom it says: of none of this thread. */
  #isCredible({ from, epoch }: Frame): boolean {
    if (from === 0) return true;
    return from !== this.#endpoint.id + 1 && from <= MAX_ENDPOINTS &&
      epoch <= this.#endpoint.directory.incarnationOf(from - 1);
  }

  /** Messages of this endpoint, and those from outside the system, take no credit. */
  #isFromHere({ from }: Frame): boolean {
    return from === 0 || from === this.#endpoint.id + 1;
  }
}
