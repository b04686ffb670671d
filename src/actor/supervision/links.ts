/**
 * Links: who must not live on when another one ended.
 *
 * Rule: an end spreads once. Those that end because of it spread nothing, so a ring of links comes
 * to rest.
 */

import { describeExit, type Exit } from "../errors.ts";
import { isNormal } from "./restart_policy.ts";

/** That an incarnation ended. */
export interface LinkedEnd<K> {
  readonly key: K;
  readonly label: string;
  readonly exit: Exit;
  /** Whether another follows. */
  readonly restarting: boolean;
}

/** Somebody who is to be made to end. */
export interface Consequence<K> {
  readonly key: K;
  readonly exit: Exit;
}

/**
 * Who is linked to whom, by a key of the caller's.
 *
 * When one ends for good, or fails, all that are linked to it, and to those, are to be made to end:
 * as lost, which is a failure, so that who supervises them may start them anew. Links last until one
 * of the two has ended for good.
 */
export class Links<K> {
  readonly #linked = new Map<K, Set<K>>();
  /** Those who end because of another, until they have, or have begun anew. */
  readonly #drawnIn = new Set<K>();

  /** Links two; they stay linked when one is started anew. */
  link(one: K, other: K): void {
    if (one === other) return;
    this.#of(one).add(other);
    this.#of(other).add(one);
  }

  /** Takes a link back. */
  unlink(one: K, other: K): void {
    this.#cut(one, other);
    this.#cut(other, one);
  }

  /** A new incarnation of one runs: its end will spread again. */
  began(key: K): void {
    this.#drawnIn.delete(key);
  }

  /**
   * An incarnation of one ended.
   *
   * @returns Who is to be made to end now, those nearest to it first.
   */
  ended({ key, label, exit, restarting }: LinkedEnd<K>): Consequence<K>[] {
    const spreads = !this.#drawnIn.delete(key) && (!restarting || !isNormal(exit));
    const reached = spreads ? this.#reachedFrom(key) : [];
    for (const other of reached) this.#drawnIn.add(other);
    if (!restarting) {
      for (const other of this.#linked.get(key) ?? []) this.unlink(key, other);
    }
    const reason = `linked to ${JSON.stringify(label)}, which ${describeExit(exit)}`;
    return reached.map((other) => ({ key: other, exit: { kind: "lost", reason } }));
  }

  /** All that links lead to, without the one they lead from. */
  #reachedFrom(key: K): K[] {
    const seen = new Set([key]);
    for (const one of seen) {
      for (const other of this.#linked.get(one) ?? []) seen.add(other); // and is come to in its turn
    }
    seen.delete(key);
    return [...seen];
  }

  #of(key: K): Set<K> {
    let linked = this.#linked.get(key);
    if (linked === undefined) this.#linked.set(key, linked = new Set());
    return linked;
  }

  #cut(from: K, to: K): void {
    const linked = this.#linked.get(from);
    if (linked?.delete(to) && linked.size === 0) this.#linked.delete(from);
  }
}
