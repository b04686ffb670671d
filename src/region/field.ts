/**
 * What a field of a region offers, by its kind.
 *
 * Rule: each call is one atomic operation, unless its documentation says otherwise. What is
 * replaced is returned, as by Atomics. A call on a closed region throws {@linkcode ClosedError}, a
 * change through a read-only one a TypeError, and a value that does not fit is refused before
 * anything is written: TypeError for its type, RangeError for its amount.
 */

import type { RecordType } from "../layout/mod.ts";

/** How long a wait for a field takes, at most. */
export interface WaitForSyncOptions {
  /**
   * Milliseconds, at least 0; 0 looks once.
   * @default {for ever}
   */
  timeoutMs?: number | undefined;
}

/** When an awaited wait for a field is over before it finds what it waits for. */
export interface WaitForOptions extends WaitForSyncOptions {
  /** Ends the wait; it rejects with the signal's reason then. */
  signal?: AbortSignal | undefined;
}

/** What is waited for: a value, or that a function says yes to one. It is called often. */
export type Expected<V> = V | ((value: V) => boolean);

/** A value that threads and processes share: what all numbers and truth values can do. */
export interface AtomicField<V> {
  /** Reads it. */
  load(): V;
  /** Writes it. */
  store(value: V): void;
  /** Replaces it, and returns what was there. */
  exchange(value: V): V;
  /**
   * Replaces it if it is as expected, and returns what was there: `expected` when it was replaced.
   *
   * Floating point numbers are compared bit by bit: 0 is not -0 here, and NaN is the NaN that
   * JavaScript writes.
   */
  compareExchange(expected: V, replacement: V): V;
  /**
   * Waits in the event loop until it is as expected. Waking takes a moment: what it is only for
   * that long may be missed.
   *
   * Every change that is made by Postbox, in any process, wakes at once, and so does C that calls
   * `postbox_changed()`; a plain C store is found within 50 ms, and so is any change by a
   * read-only region.
   *
   * @returns The value that was found. Rejects with the signal's reason, a `TimeoutError`, or a
   * `ClosedError` when the region is closed meanwhile.
   */
  waitFor(expected: Expected<V>, options?: WaitForOptions): Promise<V>;
  /**
   * The same, blocking this thread.
   *
   * @returns The value that was found, or `undefined` at the deadline.
   * @throws {PosixError} `EINTR` on a signal that the program listens for.
   */
  waitForSync(expected: Expected<V>, options?: WaitForSyncOptions): V | undefined;
}

/** A floating point number that threads and processes share. */
export interface FloatField extends AtomicField<number> {
  /** Adds to it, and returns what was there. */
  add(value: number): number;
}

/**
 * An integer that threads and processes share: Numbers up to 32 bits, BigInts of 64.
 *
 * Adding and subtracting wrap around, as unsigned numbers of C do: 255 and 1 are 0 in a u8.
 */
export interface IntegerField<V extends number | bigint> extends AtomicField<V> {
  /** Adds to it, and returns what was there. */
  add(value: V): V;
  /** Subtracts from it, and returns what was there. */
  sub(value: V): V;
  /** Keeps the bits that are set in both, and returns what was there. */
  and(value: V): V;
  /** Sets bits, and returns what was there. */
  or(value: V): V;
  /** Flips bits, and returns what was there. */
  xor(value: V): V;
}

/**
 * Values that threads and processes share, each by itself: the calls of {@linkcode AtomicField}
 * with an index first. They throw a RangeError where the index is not from 0 to `length` - 1.
 */
export interface AtomicArray<V> {
  /** How many there are. */
  readonly length: number;
  /** Reads one. */
  load(index: number): V;
  /** Writes one. */
  store(index: number, value: V): void;
  /** Replaces one, and returns what was there. */
  exchange(index: number, value: V): V;
  /** Replaces one if it is as expected, and returns what was there. */
  compareExchange(index: number, expected: V, replacement: V): V;
  /** Waits in the event loop until one is as expected. */
  waitFor(index: number, expected: Expected<V>, options?: WaitForOptions): Promise<V>;
  /** The same, blocking this thread; `undefined` at the deadline. */
  waitForSync(index: number, expected: Expected<V>, options?: WaitForSyncOptions): V | undefined;
}

/** Floating point numbers that threads and processes share. */
export interface FloatArray extends AtomicArray<number> {
  /** Adds to one, and returns what was there. */
  add(index: number, value: number): number;
}

/** Integers that threads and processes share. They wrap around as an {@linkcode IntegerField}. */
export interface IntegerArray<V extends number | bigint> extends AtomicArray<V> {
  /** Adds to one, and returns what was there. */
  add(index: number, value: V): V;
  /** Subtracts from one, and returns what was there. */
  sub(index: number, value: V): V;
  /** Keeps the bits of one that are set in both, and returns what was there. */
  and(index: number, value: V): V;
  /** Sets bits of one, and returns what was there. */
  or(index: number, value: V): V;
  /** Flips bits of one, and returns what was there. */
  xor(index: number, value: V): V;
}

/**
 * A text or bytes outside of a record: not atomic.
 *
 * Who reads while somebody writes may get a piece of the one and a piece of the other. That is for
 * what is written once, or under a lock beside it; what shall never be torn belongs into a
 * `record`.
 */
export interface PlainField<V> {
  /** A copy of what is there now; never more than there is room for, whatever a peer wrote. */
  read(): V;
  /** Writes it. Who reads meanwhile gets parts of it. */
  write(value: V): void;
}

/** Structs, arrays, records, locks, texts or bytes, one behind the other. */
export interface FieldArray<F> extends Iterable<F> {
  /** How many there are. */
  readonly length: number;
  /**
   * One of them; the same object each time.
   *
   * @throws {RangeError} If the index is not from 0 to `length` - 1.
   */
  at(index: number): F;
}

/** How a record is written. */
export interface UpdateOptions {
  /**
   * How long to wait for another writer, in milliseconds, at least 0.
   * @default {for ever}
   */
  timeoutMs?: number | undefined;
}

/** How a record is written when its writers are awaited. */
export interface UpdateAsyncOptions extends UpdateOptions {
  /** Gives up waiting for another writer; it rejects with the signal's reason then. */
  signal?: AbortSignal | undefined;
}

/**
 * A struct that is shared as a whole: who reads it gets all of one update, never parts of two.
 *
 * There is one writer at a time, by a lock that survives its owner; readers wait for nobody. A
 * writer that is killed at any instruction leaves the last update that was completed.
 *
 * @typeParam V What {@linkcode RecordField.read} gives.
 * @typeParam D The same, with members that can be assigned to.
 */
export interface RecordField<V, D = V> {
  /** What is in it, and where. */
  readonly type: RecordType;
  /**
   * A copy of the last update. Before the first one all is 0, false or empty.
   *
   * It reads again when it was overtaken by two updates; after many times it takes the writers'
   * lock, or, where that is not for it (a read-only region), gives up.
   *
   * @throws {LayoutError} If the numbers of the updates cannot be: somebody wrote over them.
   * @throws {PosixError} `EAGAIN` from a read-only region whose writers overtake all the time.
   */
  read(): V;
  /**
   * Replaces it; waits for another writer, blocking this thread.
   *
   * @returns False when the other writer had not finished at the deadline. Nothing has changed
   * then.
   */
  write(value: V, options?: UpdateOptions): boolean;
  /**
   * Changes it; waits for another writer, blocking this thread.
   *
   * @param change Gets a copy to change, or returns one in its place. It must not be async: the
   * lock is held while it runs. If it throws, or leaves what does not fit, nothing has changed.
   * @returns False when the other writer had not finished at the deadline.
   */
  update(change: (draft: D) => V | void, options?: UpdateOptions): boolean;
  /**
   * The same, waiting for other writers in the event loop.
   *
   * @returns Rejects with the signal's reason, a `TimeoutError`, or what `change` throws.
   */
  updateAsync(change: (draft: D) => V | void, options?: UpdateAsyncOptions): Promise<void>;
}
