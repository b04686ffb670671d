/**
 * A short while of trying before a wait parks, with the processor given away in between.
 *
 * Rule: it never costs more than it can save. Three things are learned:
 *
 * - Where nothing comes while it tries, it tries less, and at last only now and then: sparse
 *   traffic costs no processor time.
 * - Where a peer answers as soon as it has the processor, to look before it was given away is in
 *   vain: then it is given away first.
 * - Where a busy stranger shares the processor, giving it away costs a whole time slice,
 *   milliseconds, while a parked thread is woken in microseconds. After such a spin the next waits
 *   park at once, and more of them each time it happens again.
 */

import { schedYield } from "../sys/mod.ts";

/**
 * Enough for a peer that has to be woken first: 50 to 100 µs on a processor of its own, which is
 * what parking costs both sides. With less, two that have parked once never find back to spinning.
 */
const MAX_TRIES = 100;

/** How many waits in a row park at once where spins have found nothing, before one tries again. */
const PROBE_EVERY = 32;

/** A try that took longer had the processor taken away by somebody else, or a peer that was slow. */
const SHORT_MS = 0.2;

/** A spin that takes longer ends: the peer waits for what this thread has yet to do, perhaps. */
const SPIN_MS = 0.1;

/** So many spins in a row that find something at their first try: the peer is in step. */
const IN_STEP = 2;

/** One in so many waits looks first all the same: the peer may have gone ahead. */
const LOOK_EVERY = 16;

/**
 * How many waits park at once after a long spin, at most. The first makes it one, each further one
 * twice as many, each short one half: a stranger makes most spins long, a peer that collects
 * garbage one in hundreds.
 */
const MAX_PAUSE = 1024;

/** One in so many spins that find something at once is timed: the clock costs a tenth of a spin. */
const TIMED_EVERY = 16;

/** Spins where that pays, which it learns from what the last spins found and how long they took. */
export class Spinner {
  readonly #nowMs: () => number;
  /** How often the next spin tries: all after a hit, half after each miss. */
  #tries = MAX_TRIES;
  /** How many waits park at once between two spins; 0 when spins are short. */
  #pause = 0;
  #parked = 0;
  #spins = 0;
  /** How many spins in a row found something at their first try; 0 as soon as one is long. */
  #inStep = 0;

  /** @param nowMs The clock. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /**
   * What there is before the processor is given away, where looking is not in vain; to be followed
   * by {@linkcode Spinner.spin}.
   */
  look<T>(attempt: () => T | undefined): T | undefined {
    if (this.#inStep >= IN_STEP && this.#spins % LOOK_EVERY !== 0) return undefined;
    const result = attempt();
    if (result !== undefined) this.#inStep = 0;
    return result;
  }

  /**
   * Tries a few times, or not at all.
   *
   * @param attempt Does the work, or returns `undefined` when it would have to wait.
   * @returns What `attempt` gave, or `undefined` when it is time to park.
   */
  spin<T>(attempt: () => T | undefined): T | undefined {
    const tries = this.#tries === 0 ? MAX_TRIES : this.#tries;
    const pause = this.#tries === 0 ? Math.max(this.#pause, PROBE_EVERY) : this.#pause;
    if (this.#parked < pause) {
      this.#parked++;
      return undefined;
    }
    this.#parked = 0;
    this.#spins++;
    const timed = this.#pause > 0 || this.#spins % TIMED_EVERY === 0;
    let lastMs = timed ? this.#nowMs() : undefined, endMs = Infinity;
    for (let tried = 0; tried < tries; tried++) {
      schedYield();
      const result = attempt();
      if (lastMs !== undefined || result === undefined) {
        const nowMs = this.#nowMs();
        if (nowMs - (lastMs ?? nowMs) > SHORT_MS) {
          this.#pause = Math.min(MAX_PAUSE, Math.max(1, this.#pause * 2));
          this.#inStep = 0;
          return result;
        }
        lastMs = nowMs;
        if (tried === 0) endMs = nowMs + SPIN_MS;
      }
      if (result !== undefined) {
        this.#tries = MAX_TRIES;
        this.#inStep = tried === 0 ? this.#inStep + 1 : 0;
        if (timed) this.#pause >>= 1;
        return result;
      }
      if (lastMs! > endMs) break;
    }
    this.#tries >>= 1; // what a probe finds in vain leaves it at nothing
    this.#inStep = 0;
    if (timed) this.#pause >>= 1;
    return undefined;
  }
}

/** This thread's: whether spinning pays is a matter of its processor, not of what it waits for. */
export const spinner: Spinner = new Spinner(() => performance.now());
