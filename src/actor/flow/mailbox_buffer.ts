/**
 * The messages that an actor has not taken yet: the highest priority first, and first come, first
 * served within one, as a kernel queue gives them out.
 *
 * Rule: no message leaves but by being taken, removed, or given back to who pushed it. Messages of
 * priority 0, which most are, cost what a ring of slots costs.
 */

import { Fifo } from "./fifo.ts";

/** The messages of one priority. */
interface Level<T extends NonNullable<unknown>> {
  readonly priority: number;
  readonly items: Fifo<T>;
}

/**
 * A bounded buffer of messages by priority.
 *
 * ```text
 *            taken here
 *                v
 * urgent   9:  [ a b ]          a level comes with its first message and goes with its last;
 *          3:  [ c ]            priority 0, the lowest there is, has a line of its own
 *          0:  [ d e f ]        drop-old drops d
 * ```
 */
export class MailboxBuffer<T extends NonNullable<unknown>> {
  /** So many messages fit; may change, and then whoever is in stays. */
  capacity: number;
  readonly #ordinary = new Fifo<T>();
  /** The levels above 0 that have messages; the most urgent is the last. */
  readonly #urgent: Level<T>[] = [];
  #length = 0;

  /**
   * @param capacity 1 or more messages.
   * @throws {RangeError} If it is no whole number, or less.
   */
  constructor(capacity: number) {
    if (!Number.isSafeInteger(capacity) || capacity < 1) {
      throw new RangeError(
        `Cannot buffer ${capacity} messages: expected a whole number of 1 or more`,
      );
    }
    this.capacity = capacity;
  }

  /** How many messages wait; above the capacity when some were admitted or put back. */
  get length(): number {
    return this.#length;
  }

  /** How many more fit. */
  room(): number {
    return Math.max(0, this.capacity - this.#length);
  }

  /**
   * Adds a message behind those of its priority.
   *
   * @param priority A whole number from 0, the higher the more urgent.
   * @returns False when the buffer is full; the message was not added then.
   * @throws {RangeError} If the priority is none.
   */
  push(item: T, priority: number): boolean {
    if (this.#length >= this.capacity) return false;
    this.admit(item, priority);
    return true;
  }

  /**
   * Adds a message even when the buffer is full: one that its sender had credit for.
   *
   * @throws {RangeError} If the priority is none.
   */
  admit(item: T, priority: number): void {
    this.#line(priority).push(item);
    this.#length++;
  }

  /**
   * Adds a message, and drops one when the buffer was full: the oldest of the lowest priority,
   * counting the new one.
   *
   * @returns What was dropped: the given message itself when all that wait are more urgent.
   * @throws {RangeError} If the priority is none.
   */
  pushDroppingOld(item: T, priority: number): T | undefined {
    if (this.push(item, priority)) return undefined;
    const lowest = this.#lowest();
    if (priority < lowest.priority) return item;
    // First the new one: where its priority is refused, nothing is dropped.
    this.#line(priority).push(item);
    const dropped = lowest.items.shift();
    if (lowest.items.length === 0) this.#forget(lowest);
    return dropped;
  }

  /**
   * Puts a message back in front of those of its priority: one that was taken, and set aside. It
   * may go over the capacity: it was in before, and what may be set aside is bounded by who does so.
   *
   * @throws {RangeError} If the priority is none.
   */
  unshift(item: T, priority: number): void {
    this.#line(priority).unshift(item);
    this.#length++;
  }

  /** Takes the oldest message of the highest priority; undefined when there is none. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    this.#length--;
    const level = this.#urgent.at(-1);
    if (level === undefined) return this.#ordinary.shift();
    const item = level.items.shift();
    if (level.items.length === 0) this.#urgent.pop();
    return item;
  }

  /**
   * Takes out all messages that a predicate holds for; it must not throw.
   *
   * @returns Them, in the order in which they would have been taken.
   */
  remove(predicate: (item: T) => boolean): T[] {
    const removed: T[][] = [];
    for (const level of [...this.#urgent].reverse()) {
      removed.push(level.items.remove(predicate));
      if (level.items.length === 0) this.#forget(level);
    }
    removed.push(this.#ordinary.remove(predicate));
    const all = ([] as T[]).concat(...removed);
    this.#length -= all.length;
    return all;
  }

  /** The line of a priority; one that has none yet gets it. */
  #line(priority: number): Fifo<T> {
    if (priority === 0) return this.#ordinary;
    const index = this.#indexOf(priority), found = this.#urgent[index];
    if (found?.priority === priority) return found.items;
    if (!Number.isSafeInteger(priority) || priority < 0) {
      throw new RangeError(
        `Cannot buffer a message of priority ${priority}: expected a whole number of 0 or more`,
      );
    }
    const items = new Fifo<T>();
    this.#urgent.splice(index, 0, { priority, items });
    return items;
  }

  /** Where the level of a priority is, or would be. */
  #indexOf(priority: number): number {
    let low = 0, high = this.#urgent.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#urgent[middle]!.priority < priority) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The lowest level that has messages; there are some. */
  #lowest(): Level<T> {
    if (this.#ordinary.length > 0) return { priority: 0, items: this.#ordinary };
    return this.#urgent[0]!;
  }

  /** Lets a level go that is empty. */
  #forget(level: Level<T>): void {
    const index = this.#urgent.indexOf(level);
    if (index !== -1) this.#urgent.splice(index, 1);
  }
}
