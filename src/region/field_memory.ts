/**
 * The memory that fields lie in: whether it may be read and written now, and who is told of
 * changes.
 */

import { ClosedError } from "../errors.ts";
import { type Guard, guardOf, isWhole } from "../sys/mod.ts";
import { EVENT_COUNT_BYTES, EventCount } from "../wait/mod.ts";
import type { WaitForOptions } from "./field.ts";
import { type Load, loadFor } from "./loading.ts";

/** How often who waits looks by itself, in milliseconds: for stores that nobody announced. */
export const LOOK_EVERY_MS = 50;

/** What a region closes with itself. */
export interface Closable {
  close(): void;
}

/** Where fields are, and what may be done to them. */
export interface FieldMemoryInit {
  buffer: SharedArrayBuffer;
  /** `r`: a private mapping, in which nothing of ours may be written. */
  access: "r" | "rw";
  /** What errors call it. */
  target: string;
  /** Who waits for changes says so there. Without one they are found by the clock. */
  changes: EventCount | undefined;
}

/** Memory that fields lie in. */
export class FieldMemory {
  readonly buffer: SharedArrayBuffer;
  readonly access: "r" | "rw";
  readonly target: string;
  /** How its words are loaded. */
  readonly load: Load;
  readonly #changes: EventCount;
  readonly #open = new Set<Closable>();
  readonly #guard: Guard | undefined;
  #isClosed = false;

  constructor({ buffer, access, target, changes }: FieldMemoryInit) {
    this.buffer = buffer;
    this.access = access;
    this.target = target;
    this.load = loadFor(access);
    this.#changes = changes ?? clock(target);
    this.#guard = guardOf(buffer);
  }

  /** Whether {@linkcode FieldMemory.close} was called. */
  get closed(): boolean {
    return this.#isClosed;
  }

  /** Refuses what is closed, or was cut off by a peer. */
  checkOpen(): void {
    if (this.#isClosed) throw new ClosedError("region", this.target);
    if (!isWhole(this.#guard)) throw this.#guard!.refusal("region", this.target);
  }

  /** Refuses what is closed or read-only. */
  checkWritable(path: string): void {
    this.checkOpen();
    if (this.access === "rw") return;
    // A write to such a page would reach nobody, and the page would follow its writers no more.
    throw new TypeError(
      `Cannot change "${path}" of region "${this.target}": it is read-only, expected access "rw"`,
    );
  }

  /** Wakes who waits for a change, after an atomic store. */
  changed(): void {
    this.#changes.notify();
  }

  /** Waits in the event loop until an attempt gives something. */
  wait<T>(attempt: () => T | undefined, options: WaitForOptions): Promise<T> {
    return this.#changes.wait(attempt, options);
  }

  /** Blocks this thread until an attempt gives something; `undefined` at the deadline. */
  waitSync<T>(attempt: () => T | undefined, timeoutMs: number | undefined): T | undefined {
    return this.#changes.waitSync(attempt, timeoutMs);
  }

  /** Has something closed with this memory. */
  add(part: Closable): void {
    this.#open.add(part);
  }

  /** Rejects who waits, and closes what was added. Before the pages go. */
  close(): void {
    this.#isClosed = true;
    this.#changes.end(new ClosedError("region", this.target));
    for (const part of this.#open) part.close();
    this.#open.clear();
  }
}

/**
 * An event count of this thread's own, which nobody notifies: who waits there looks by the clock.
 * For memory that must not be written, or has no room for one.
 */
export function clock(target: string, lookEveryMs: number = LOOK_EVERY_MS): EventCount {
  const own = new SharedArrayBuffer(EVENT_COUNT_BYTES);
  return EventCount.format(own, 0, { lookEveryMs, spin: false, target });
}
