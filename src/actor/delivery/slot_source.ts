/**
 * A named mailbox as a cell takes from it whose messages must not be lost: straight from its kernel
 * queue, or its ring, into slots in shared memory, where each stays until it is acknowledged.
 *
 * Rule: what was taken and not acknowledged comes first, the highest priority and the oldest of it
 * before the others, whichever incarnation had taken it; then comes what waits.
 */

import { onAbort } from "../../wait/mod.ts";
import type { LocalFrame } from "../carriers/local.ts";
import { MailboxBuffer } from "../flow/mailbox_buffer.ts";
import type { Owner } from "../memory/owner.ts";
import type { Receipts, Source } from "../runtime/source.ts";
import { decodeFrame, type SlabDescriptor } from "../wire/frame.ts";
import { FLAG, FLAGS_OFFSET } from "../wire/frame_layout.ts";
import type { Feed } from "./feed.ts";
import { foundIn } from "./recovery.ts";
import type { SlotMemory } from "./slots.ts";
import { step } from "./steps.ts";

/** What makes it. */
export interface SlotSourceParts {
  /** Closed with the source. */
  readonly memory: SlotMemory;
  /** Its row. */
  readonly row: number;
  /** Closed with the source. */
  readonly feed: Feed;
  /** The incarnation of the endpoint that it is in. */
  readonly self: Owner;
  /** How many messages are taken before the first of them is handled. */
  readonly prefetch: number;
  /** How often a message is given to a handler, at most. */
  readonly maxAttempts: number;
  /** Whether an incarnation of an endpoint lives: the kernel's word. */
  isRunning(owner: Owner): boolean;
  /** Frees a block of the slab whose message was handled. */
  free(block: SlabDescriptor): void;
  /** Tells of a message that was taken and is damaged. @returns When that is told. */
  torn(bytes: Uint8Array, detail: string): Promise<void> | undefined;
}

/** Takes from one queue, for one receiver. */
export class SlotSource implements Source, Receipts {
  readonly maxAttempts: number;
  readonly #parts: SlotSourceParts;
  readonly #memory: SlotMemory;
  readonly #own: { readonly first: number; readonly end: number };
  /** The slots of its own that nothing is in; the first is used next, so each says long what it had. */
  readonly #free: number[] = [];
  /** What was taken, and is in nobody's hand. */
  readonly #held: number[] = [];
  /** What a handler of this incarnation was given, and is not acknowledged. */
  readonly #begun = new Set<number>();
  /** The rows that it serves: its own, and those of receivers that were left for good. */
  readonly #rows = new Set<number>();
  /** Messages that are not kept here and came back from a cell that ended. */
  readonly #returned = new MailboxBuffer<LocalFrame>(Number.MAX_SAFE_INTEGER);
  readonly #frame: Uint8Array;
  #armed: number | undefined;
  /** That of the next message; a slot that had none has 0. */
  #order = 1;
  #handling = 0;
  #last = 0;
  #priority = 0;
  /** Ends a wait for the queue: something else is there. */
  #wake: (() => void) | undefined;

  /** @throws {PosixError} `EBUSY` if another one that serves its row lives. */
  constructor(parts: SlotSourceParts) {
    const { memory, row, self, maxAttempts } = parts;
    this.#parts = parts;
    this.#memory = memory;
    this.maxAttempts = maxAttempts;
    this.#frame = new Uint8Array(memory.sizes.frameBytes);
    this.#own = memory.slotsOf(row);
    memory.claim(row, self, parts.isRunning);
    this.adopt();
    this.#free.sort((one, other) => (memory.orderOf(one) - memory.orderOf(other)) | 0);
    step("recovered");
  }

  get receipts(): Receipts {
    return this;
  }

  get last(): number {
    return this.#last;
  }

  get priority(): number {
    return this.#priority;
  }

  /** Takes over what there is in rows that were left to this one, and in its own at first. */
  adopt(): void {
    const { row, self, isRunning } = this.#parts;
    for (let other = 0; other < this.#memory.sizes.receivers; other++) {
      if (this.#memory.heirOf(other) !== row || this.#rows.has(other)) continue;
      this.#memory.claim(other, self, isRunning);
      step("claimed");
      this.#rows.add(other);
      const { first, end } = this.#memory.slotsOf(other);
      for (let slot = first; slot < end; slot++) this.#recover(slot);
    }
    if (this.#held.length > 0) this.#wake?.();
  }

  tryNext(): Uint8Array | undefined {
    const returned = this.#returned.shift();
    if (returned !== undefined) {
      this.#last = 0;
      this.#priority = returned.priority;
      return returned.bytes;
    }
    return this.#held.length > 0 || this.#fill() ? this.#give() : undefined;
  }

  async next(signal: AbortSignal): Promise<Uint8Array | undefined> {
    const attempt = () => this.#held.length > 0 || this.#fill() || undefined;
    // Only another receiver's end can bring something that the queue does not tell of.
    const woken = this.#memory.sizes.receivers > 1 ? new AbortController() : undefined;
    const stopListening = woken && onAbort(signal, () => woken.abort());
    this.#wake = woken && (() => woken.abort());
    try {
      await this.#parts.feed.wait(attempt, woken?.signal ?? signal);
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!woken?.signal.aborted) throw error;
    } finally {
      this.#wake = undefined;
      stopListening?.();
    }
    return this.tryNext();
  }

  giveBack(bytes: Uint8Array, priority: number): void {
    this.#returned.unshift({ bytes, priority }, priority);
  }

  begin(receipt: number): number {
    const slot = receipt - 1;
    let attempt = this.#memory.attemptOf(slot);
    if (!this.#begun.has(slot)) {
      this.#begun.add(slot);
      this.#memory.setAttempt(slot, ++attempt);
    }
    this.#handling = (this.#handling + 1) & MAX_HANDLING || 1; // 0 is none
    this.#memory.setHandling(this.#parts.row, this.#handling, slot);
    step("begun");
    return attempt;
  }

  lastError(receipt: number): string {
    return this.#memory.errorOf(receipt - 1);
  }

  done(receipt: number): void {
    const slot = receipt - 1;
    this.#letGo(slot);
    step("handled");
    this.#acknowledge(slot);
  }

  failed(receipt: number, error: string): void {
    this.#memory.setError(receipt - 1, error);
    this.back(receipt);
  }

  back(receipt: number): void {
    const slot = receipt - 1;
    this.#letGo(slot);
    this.#held.push(slot);
  }

  get canSetAside(): boolean {
    return this.#free.length > 0;
  }

  outOfHand(): void {
    this.#memory.setHandling(this.#parts.row, 0, 0);
  }

  /** Closes its end; what waits stays in the queue and in the slots. @returns What is in neither. */
  close(): LocalFrame[] {
    this.#parts.feed.close();
    this.#memory.close();
    return this.#returned.remove(() => true);
  }

  /** Takes as many messages as may be taken ahead; false when there was none. */
  #fill(): boolean {
    for (let count = 0; count < this.#parts.prefetch; count++) {
      const slot = this.#free[0];
      if (slot === undefined || !this.#receive(slot)) break;
      this.#free.shift();
      this.#held.push(slot);
    }
    return this.#held.length > 0;
  }

  #receive(slot: number): boolean {
    if (this.#armed !== slot) {
      this.#memory.arm(slot, this.#order);
      this.#armed = slot;
      step("armed");
    }
    const length = this.#parts.feed.receive(slot);
    if (length === -1) return false;
    step("received");
    this.#armed = undefined;
    this.#order = (this.#order + 1) | 0;
    this.#memory.setLength(slot, length);
    step("kept");
    return true;
  }

  /** Gives what comes first of what is held. */
  #give(): Uint8Array {
    let at = 0;
    for (let other = 1; other < this.#held.length; other++) {
      if (this.#isBefore(this.#held[other]!, this.#held[at]!)) at = other;
    }
    const slot = this.#held[at]!, last = this.#held.pop()!;
    if (last !== slot) this.#held[at] = last;
    const length = this.#memory.lengthOf(slot) ?? 0; // foundIn() has written it, or we
    this.#frame.set(this.#memory.frameBytesOf(slot).subarray(0, length));
    this.#last = slot + 1;
    this.#priority = this.#memory.priorityOf(slot);
    return this.#frame.subarray(0, length);
  }

  #isBefore(one: number, other: number): boolean {
    const byPriority = this.#memory.priorityOf(one) - this.#memory.priorityOf(other);
    if (byPriority !== 0) return byPriority > 0;
    return ((this.#memory.orderOf(one) - this.#memory.orderOf(other)) | 0) < 0;
  }

  #letGo(slot: number): void {
    this.#begun.delete(slot);
    this.#memory.setHandling(this.#parts.row, 0, 0);
  }

  #acknowledge(slot: number): void {
    const frame = this.#memory.frameBytesOf(slot);
    if ((frame[FLAGS_OFFSET]! & FLAG.BY_REFERENCE) !== 0) {
      this.#memory.done(slot);
      step("freeing");
      this.#freeBlock(slot);
      step("freed");
    }
    this.#memory.empty(slot);
    step("acknowledged");
    this.#isFree(slot);
  }

  #freeBlock(slot: number): void {
    const length = this.#memory.lengthOf(slot) ?? 0;
    const decoded = decodeFrame(this.#memory.frameBytesOf(slot).slice(), length);
    if ("block" in decoded && decoded.block !== undefined) this.#parts.free(decoded.block);
  }

  /** A slot that is empty may be used again, if it is one of its own. */
  #isFree(slot: number): void {
    if (slot >= this.#own.first && slot < this.#own.end) this.#free.push(slot);
  }

  /** Looks what an incarnation before has left in a slot. */
  #recover(slot: number): void {
    const found = foundIn(this.#memory, slot);
    const next = (this.#memory.orderOf(slot) + 1) | 0;
    if (((next - this.#order) | 0) > 0) this.#order = next;
    if (found.kind !== "free") step("found");
    switch (found.kind) {
      case "free":
        return this.#isFree(slot);
      case "done":
        this.#freeBlock(slot);
        this.#memory.empty(slot);
        return this.#isFree(slot);
      case "held":
        this.#memory.setLength(slot, found.length);
        this.#held.push(slot);
        return;
      case "torn":
        void this.#tellTorn(slot, found.detail);
    }
  }

  async #tellTorn(slot: number, detail: string): Promise<void> {
    await this.#parts.torn(this.#memory.frameBytesOf(slot).slice(), detail);
    step("told");
    if (this.#parts.feed.closed) return; // whoever comes next tells it again
    this.#memory.empty(slot);
    this.#isFree(slot);
  }
}

/** Handlers are counted up to it: a word that stays positive. */
const MAX_HANDLING = 0x3fff_ffff;
