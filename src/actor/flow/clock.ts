/**
 * Time, as actors see it: the machine's, or one that a test advances by hand.
 *
 * Rule: what a timer does runs when the clock says that its time has come, never before. Instants
 * that others see are of the wall clock; how much time has passed is measured on one that is never
 * set.
 */

import { at, nextTurn } from "../../wait/mod.ts";

/** How a timer is set. */
export interface TimerOptions {
  /**
   * Whether the process may end before, when nothing else keeps it.
   * @default {false}
   */
  readonly background?: boolean | undefined;
}

/** Where everything of actors that depends on time gets it from. */
export interface Clock {
  /** Milliseconds since 1970, as other processes have them too. May be set, even backwards. */
  now(): number;
  /** Milliseconds since some instant; never goes back. */
  monotonic(): number;
  /**
   * Calls a function once, not before so many milliseconds have passed.
   *
   * @param ms Below 0 is 0; Infinity is never; more than a timer of the runtime takes is fine.
   * @returns Takes it back; too late does nothing.
   * @throws {RangeError} If `ms` is no number.
   */
  after(ms: number, run: () => void, options?: TimerOptions): () => void;
}

/** The machine's clock. */
export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, run, { background = false } = {}) =>
    at(performance.now() + delayOf(ms), run, background),
};

/** One instant of a {@linkcode VirtualClock} has no more timers than that, or they set each other. */
const MAX_TIMERS_AT_ONCE = 10_000;

interface Timer {
  /** On the virtual clock. */
  readonly time: number;
  readonly run: () => void;
}

/**
 * A clock that stands still until it is advanced.
 *
 * Timers run in the order of their times, those of one time in the order in which they were set.
 * After each, and before the first, a turn of the event loop passes: by then every promise that
 * needs nothing but promises is settled, and what follows from it has happened, new timers
 * included. What needs the kernel (another process, a worker, a queue) takes real time, which this
 * clock knows nothing of: wait for that itself.
 *
 * @example A timer that sets another
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { VirtualClock } from "@postbox/postbox/actor";
 *
 * const clock = new VirtualClock();
 * const seen: number[] = [];
 * clock.after(10, () => {
 *   seen.push(clock.now());
 *   clock.after(10, () => seen.push(clock.now()));
 * });
 * await clock.advance(20);
 * assertEquals(seen, [10, 20]);
 * ```
 */
export class VirtualClock implements Clock {
  #time: number;
  /** By time, and by order of setting within one. */
  readonly #timers: Timer[] = [];
  /** The advance that is under way, and those that wait for it. */
  #advancing: Promise<void> = Promise.resolve();

  /**
   * Begins to stand still.
   *
   * @param startMs What it shows at first, in milliseconds since 1970.
   */
  constructor(startMs = 0) {
    this.#time = startMs;
  }

  /** What it shows. */
  now(): number {
    return this.#time;
  }

  /** The same: it is never set. */
  monotonic(): number {
    return this.#time;
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Sets a timer; it keeps no process. */
  after(ms: number, run: () => void): () => void {
    const time = this.#time + delayOf(ms);
    if (time === Infinity) return () => {};
    const timer = { time, run };
    this.#timers.splice(this.#firstAfter(time), 0, timer);
    return () => {
      const index = this.#timers.indexOf(timer);
      if (index !== -1) this.#timers.splice(index, 1);
    };
  }

  /**
   * Lets time pass, and what is due happen. Two at once happen one after the other.
   *
   * @param ms 0 or more, and finite; 0 runs what is due now.
   * @returns Settles when all that is due has run. Rejects with what a timer threw: the clock stands
   * where it did so, and the other timers are still set.
   * @throws {RangeError} If `ms` is out of range.
   */
  advance(ms: number): Promise<void> {
    if (!(ms >= 0 && ms < Infinity)) {
      throw new RangeError(`Cannot advance the clock by ${ms} ms: expected a finite 0 or more`);
    }
    const run = () => this.#advance(ms);
    const advanced = this.#advancing.then(run, run);
    this.#advancing = advanced.catch(() => {}); // whoever called it is told
    return advanced;
  }

  async #advance(ms: number): Promise<void> {
    const end = this.#time + ms;
    await turnPasses();
    for (let atOnce = 0; (this.#timers[0]?.time ?? Infinity) <= end; atOnce++) {
      const { time, run } = this.#timers.shift()!;
      if (time > this.#time) atOnce = 0;
      if (atOnce === MAX_TIMERS_AT_ONCE) {
        throw new RangeError(
          `Cannot advance the clock past ${time}: ${atOnce} timers ran at that instant and there ` +
            "are more, expected one to set the next later",
        );
      }
      this.#time = time;
      run();
      await turnPasses();
    }
    this.#time = end;
  }

  /** The index of the first timer that is due later. */
  #firstAfter(time: number): number {
    let low = 0, high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#timers[middle]!.time <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** A turn of the event loop, before which all microtasks run, and those that they queue. */
function turnPasses(): Promise<void> {
  return new Promise((resolve) => nextTurn(resolve));
}

function delayOf(ms: number): number {
  if (typeof ms !== "number" || Number.isNaN(ms)) {
    throw new RangeError(`Cannot set a timer in ${ms} ms: expected a number`);
  }
  return Math.max(0, ms);
}
