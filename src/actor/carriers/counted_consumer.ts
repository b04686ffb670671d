/**
 * The consumer of a ring whose producers count what they publish: so an empty ring costs one load,
 * and not one for each lane.
 *
 * Rule: the count is a hint. Now and then the lanes are looked at whatever it says: a producer may
 * have been killed before it counted, and a peer may write there what it likes.
 */

import type { RingConsumer } from "../../ring/mod.ts";
import { type MarkedReader, markOf, tryReadMarked } from "../../ring/inside.ts";
import { MAX_PRIORITY } from "./carrier.ts";

/** One look in so many is thorough. */
const THOROUGH_EVERY = 64;

/** Takes frames out of one ring. */
export class CountedConsumer {
  readonly #consumer: RingConsumer;
  readonly #counts: Int32Array<SharedArrayBuffer>;
  readonly #index: number;
  /** The count before the lanes were last found empty; `undefined` before that. */
  #emptyAt: number | undefined;
  #untilThorough = THOROUGH_EVERY;

  /** @param index Where in the counts that of this ring is. */
  constructor(consumer: RingConsumer, counts: Int32Array<SharedArrayBuffer>, index: number) {
    this.#consumer = consumer;
    this.#counts = counts;
    this.#index = index;
  }

  /** The priority of the frame that was taken last; what is none counts as the highest. */
  get priority(): number {
    return Math.min(markOf(this.#consumer) >>> 0, MAX_PRIORITY);
  }

  /**
   * Takes the next frame.
   *
   * @param isThorough Whether to look into the lanes, also where nothing was counted.
   * @returns Its length; `undefined` when there is none.
   */
  tryPopInto(into: Uint8Array, isThorough: boolean): number | undefined {
    // SYNC: pairs with the add in RingWay. Before the look: what is published later counts later.
    const count = Atomics.load(this.#counts, this.#index);
    if (this.#isEmptyStill(count, isThorough)) return undefined;
    const byteLength = this.#consumer.tryPopInto(into);
    if (byteLength === undefined) this.#foundEmpty(count);
    return byteLength;
  }

  /** Reads the next frame in place, and takes it when the function returns; false without one. */
  tryRead(read: MarkedReader, isThorough: boolean): boolean {
    // SYNC: as above.
    const count = Atomics.load(this.#counts, this.#index);
    if (this.#isEmptyStill(count, isThorough)) return false;
    const isThere = tryReadMarked(this.#consumer, read);
    if (!isThere) this.#foundEmpty(count);
    return isThere;
  }

  #isEmptyStill(count: number, isThorough: boolean): boolean {
    return count === this.#emptyAt && !isThorough && --this.#untilThorough > 0;
  }

  #foundEmpty(count: number): void {
    this.#emptyAt = count;
    this.#untilThorough = THOROUGH_EVERY;
  }

  close(): void {
    this.#consumer.close();
  }
}
