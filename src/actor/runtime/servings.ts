/**
 * The asks and streams that this endpoint serves now, so that a cancel, a stream's credit, or the
 * end of the actor reaches the right one and none of its neighbours.
 *
 * Rule: who asked is told once how it ended, whatever ended it.
 */

import type { Frame } from "../wire/frame.ts";

/** One that is served. */
export interface Serving {
  /** The asker wants it no more. */
  cancelled(): void;
  /** The asker has room for so many more items. */
  credited(count: number): void;
}

/** Cancels that came before what they cancel; the oldest is forgotten first. */
const MAX_EARLY = 1024;

/** What identifies an ask among all endpoints: who asked, in which incarnation, and its number. */
export function askKey({ from, epoch, sequence }: Pick<Frame, "from" | "epoch" | "sequence">) {
  return `${from}.${epoch}.${sequence}`;
}

/** All that are served. */
export class Servings {
  readonly #serving = new Map<string, Serving>();
  readonly #early = new Set<string>();

  /** How many are served now. */
  get size(): number {
    return this.#serving.size;
  }

  /** Begins to serve. @returns To be called at the end. */
  begin(frame: Frame, serving: Serving): () => void {
    const key = askKey(frame);
    this.#serving.set(key, serving);
    return () => {
      if (this.#serving.get(key) === serving) this.#serving.delete(key);
    };
  }

  /** A CANCEL arrived. It has a higher priority than what it cancels, and may come before it. */
  cancel(frame: Frame): void {
    const key = askKey(frame);
    const serving = this.#serving.get(key);
    if (serving !== undefined) return serving.cancelled();
    this.#early.add(key);
    if (this.#early.size > MAX_EARLY) this.#early.delete(this.#early.values().next().value!);
  }

  /** Whether an ask was cancelled before it was begun. */
  isCancelled(frame: Frame): boolean {
    return this.#early.size > 0 && this.#early.delete(askKey(frame));
  }

  /** An endpoint died: nobody waits for what an incarnation of it up to that one asked for. */
  askerDied(endpoint: { readonly id: number; readonly incarnation: number }): void {
    for (const [key, serving] of [...this.#serving]) {
      const [from, epoch] = key.split(".").map(Number);
      if (from === endpoint.id + 1 && epoch! <= endpoint.incarnation) serving.cancelled();
    }
  }

  /** A CREDIT arrived. */
  credit(frame: Frame): void {
    this.#serving.get(askKey(frame))?.credited(frame.argument);
  }
}
