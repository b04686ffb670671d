/**
 * How many restarts are too many: the intensity and period of OTP.
 *
 * Rule: more than `max` restarts are never within any `withinMs` milliseconds. A restart counts for
 * less than `withinMs`: one exactly that long ago is over.
 */

/** Counts restarts. */
export class Intensity {
  readonly max: number;
  readonly withinMs: number;
  /** When those were that count; at most `max`. */
  #times: number[] = [];

  constructor({ max, withinMs }: { readonly max: number; readonly withinMs: number }) {
    this.max = max;
    this.withinMs = withinMs;
  }

  /**
   * Counts a restart; false when it would be one too many, and is not counted.
   *
   * @param nowMs On a clock that never goes back.
   */
  allow(nowMs: number): boolean {
    if (this.max === Infinity) return true;
    this.#times = this.#times.filter((time) => nowMs - time < this.withinMs);
    if (this.#times.length >= this.max) return false;
    this.#times.push(nowMs);
    return true;
  }
}
