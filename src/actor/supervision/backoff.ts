/**
 * How long to wait before a restart: twice as long each time, until one holds.
 *
 * Rule: the waits depend on nothing but how long each incarnation ran.
 */

/** The shortest wait that doubles to something. */
const LEAST_MS = 1;

/** Gives the waits of one actor. */
export class Backoff {
  readonly #firstMs: number;
  readonly #mostMs: number;
  readonly #quietMs: number;
  #nextMs: number;

  /** @param quietMs Who ran that long begins anew with the shortest wait. */
  constructor([firstMs, mostMs]: readonly [firstMs: number, mostMs: number], quietMs: number) {
    this.#firstMs = this.#nextMs = firstMs;
    this.#mostMs = mostMs;
    this.#quietMs = quietMs;
  }

  /**
   * The milliseconds to wait now.
   *
   * @param ranMs How long the incarnation ran that ended; 0 for one that did not start.
   */
  next(ranMs: number): number {
    if (ranMs >= this.#quietMs) this.#nextMs = this.#firstMs;
    const waitMs = this.#nextMs;
    this.#nextMs = Math.min(Math.max(waitMs * 2, LEAST_MS), this.#mostMs);
    return waitMs;
  }
}
