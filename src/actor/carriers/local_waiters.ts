/**
 * Those in this thread who wait for what another one in this thread does.
 *
 * Rule: first come, first served; who is served has left the line before its promise is settled.
 */

import { deadlineOf, foundAtOnce, type Waiter, waiting } from "../../wait/mod.ts";
import type { CarrierWait } from "./carrier.ts";

/** A line of them. */
export class LocalWaiters {
  readonly #line = new Set<Waiter>();
  readonly #awaited: string;

  /** @param awaited In errors: `a frame in "counter"`. */
  constructor(awaited: string) {
    this.#awaited = awaited;
  }

  /**
   * Tries, then tries again at each {@linkcode LocalWaiters.serve}, until it works.
   *
   * @param attempt Gives `undefined` when it has to wait on.
   * @returns What `attempt` gave. Rejects with the signal's reason, or a `TimeoutError`.
   */
  wait<T>(attempt: () => T | undefined, { timeoutMs, signal }: CarrierWait): Promise<T> {
    const deadline = deadlineOf(timeoutMs);
    const value = attempt(); // who came before has been served with all there was
    if (value !== undefined) return Promise.resolve(foundAtOnce(value));
    return waiting(attempt, { deadline, timeoutMs, signal, awaited: this.#awaited }, {
      enter: (waiter) => this.#line.add(waiter),
      leave: (waiter) => this.#leave(waiter),
      isNext: (waiter) => this.#line.values().next().value === waiter,
    });
  }

  /** Serves who waits, as far as their attempts work. */
  serve(): void {
    for (const waiter of this.#line) {
      const value = waiter.attempt();
      if (value === undefined) return;
      this.#leave(waiter);
      waiter.resolve(value);
    }
  }

  /** Rejects all who wait. */
  end(error: Error): void {
    for (const waiter of this.#line) {
      this.#leave(waiter);
      waiter.reject(error);
    }
  }

  #leave(waiter: Waiter): void {
    this.#line.delete(waiter);
    waiter.release();
  }
}
