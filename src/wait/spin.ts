/**
 * A short while of trying before a wait parks, with the processor given away in between.
 *
 * Rule: it never costs more than it can save. Where a busy stranger shares the processor, giving
 * it away costs a whole time slice, milliseconds, while a parked thread is woken in microseconds.
 * After such a spin the next waits park at once, and more of them each time it happens again.
 */

import { schedYield } from "../sys/mod.ts";

/** Enough for a peer that is awake to answer: 10 to 20 µs in all. */
const TRIES = 20;

/** A spin that took longer had the processor taken away by somebody else. */
const SHORT_MS = 0.1;

/** How many waits park at once after the first long spin, and at most. */
const PAUSE = 16, MAX_PAUSE = 1024;

/** One in so many spins that find something at once is timed: the clock costs a tenth of a spin. */
const TIMED_EVERY = 16;

/** Spins where that pays, which it learns from how long the last spins took. */
export class Spinner {
  readonly #nowMs: () => number;
  /** How many waits park at once between two spins; 0 when spins are short. */
  #pause = 0;
  #parked = 0;
  #spins = 0;

  /** @param nowMs The clock. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /**
   * Tries a few times, or not at all.
   *
   * @param attempt Does the work, or returns `undefined` when it would have to wait.
   * @returns What `attempt` gave, or `undefined` when it is time to park.
   */
  spin<T>(attempt: () => T | undefined): T | undefined {
    if (this.#parked < this.#pause) {
      this.#parked++;
      return undefined;
    }
    this.#parked = 0;
    const timed = this.#pause > 0 || ++this.#spins % TIMED_EVERY === 0;
    let endMs = timed ? this.#nowMs() + SHORT_MS : undefined;
    let result: T | undefined;
    for (let tries = 0; tries < TRIES; tries++) {
      schedYield();
      result = attempt();
      if (endMs !== undefined && this.#nowMs() > endMs) {
        this.#pause = Math.min(MAX_PAUSE, Math.max(PAUSE, this.#pause * 2));
        return result;
      }
      if (result !== undefined) break;
      endMs ??= this.#nowMs() + SHORT_MS;
    }
    if (timed) this.#pause >>= 1;
    return result;
  }
}

/** This thread's: whether spinning pays is a matter of its processor, not of what it waits for. */
export const spinner: Spinner = new Spinner(() => performance.now());
