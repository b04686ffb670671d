/**
 * A line of items in a ring that grows: first in, first out, and back in at the front.
 *
 * Rule: a slot that holds no item holds `undefined`, so nothing that was taken out is kept alive.
 */

/** As many slots as the smallest ring has; a power of two, as all are. */
const MIN_SLOTS = 8;

/** A line of items, none of which is undefined. */
export class Fifo<T extends NonNullable<unknown>> {
  #slots: (T | undefined)[] = new Array(MIN_SLOTS).fill(undefined);
  #head = 0;
  #length = 0;

  /** How many wait. */
  get length(): number {
    return this.#length;
  }

  /** Adds one at the end. */
  push(item: T): void {
    if (this.#length === this.#slots.length) this.#grow();
    this.#slots[(this.#head + this.#length) & (this.#slots.length - 1)] = item;
    this.#length++;
  }

  /** Puts one in front of all. */
  unshift(item: T): void {
    if (this.#length === this.#slots.length) this.#grow();
    this.#head = (this.#head - 1) & (this.#slots.length - 1);
    this.#slots[this.#head] = item;
    this.#length++;
  }

  /** Takes the first, or gives undefined. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#slots.length - 1);
    this.#length--;
    return item;
  }

  /** Takes out all that a predicate holds for, and gives them in their order. */
  remove(predicate: (item: T) => boolean): T[] {
    const kept: T[] = [], removed: T[] = [];
    for (let index = 0; index < this.#length; index++) {
      const item = this.#slots[(this.#head + index) & (this.#slots.length - 1)]!;
      (predicate(item) ? removed : kept).push(item);
    }
    // Only now: a predicate that throws changes nothing.
    if (removed.length > 0) {
      this.#slots.fill(undefined);
      this.#length = 0;
      for (const item of kept) this.push(item);
    }
    return removed;
  }

  #grow(): void {
    const { length } = this.#slots;
    const slots: (T | undefined)[] = new Array(length * 2).fill(undefined);
    for (let index = 0; index < this.#length; index++) {
      slots[index] = this.#slots[(this.#head + index) & (length - 1)];
    }
    this.#slots = slots;
    this.#head = 0;
  }
}
