/**
 * Values side by side, one operation of Atomics for each call.
 *
 * Rule: after each change, and only then, who waits is told; that costs one load while nobody
 * waits.
 */

import { shown } from "../sys/mod.ts";
import type {
  AtomicArray,
  Expected,
  FloatArray,
  IntegerArray,
  WaitForOptions,
  WaitForSyncOptions,
} from "./field.ts";
import type { FieldMemory } from "./field_memory.ts";
import type { Integer, Scalar, Words } from "./scalars.ts";

/** Atomics, for words of either type. */
interface WordAtomics {
  store<W>(words: Words<W>, index: number, word: W): W;
  exchange<W>(words: Words<W>, index: number, word: W): W;
  compareExchange<W>(words: Words<W>, index: number, expected: W, replacement: W): W;
  add<W>(words: Words<W>, index: number, word: W): W;
  sub<W>(words: Words<W>, index: number, word: W): W;
  and<W>(words: Words<W>, index: number, word: W): W;
  or<W>(words: Words<W>, index: number, word: W): W;
  xor<W>(words: Words<W>, index: number, word: W): W;
}

// SYNC: all of them are sequentially consistent, with C11's too. So who stores here and then asks
// whether anybody waits, and who says that it waits and then loads, cannot both miss the other.
const atomics = Atomics as unknown as WordAtomics;

/** Where values are: their memory, their place in it, and what errors call them. */
export interface Place {
  readonly memory: FieldMemory;
  readonly byteOffset: number;
  readonly length: number;
  readonly path: string;
}

/** Truth values, and what numbers can do beside their own. */
export class AtomicWords<V, W> implements AtomicArray<V> {
  readonly length: number;
  protected readonly words: Words<W>;
  protected readonly scalar: Scalar<V, W>;
  readonly #memory: FieldMemory;
  readonly #path: string;

  constructor(scalar: Scalar<V, W>, { memory, byteOffset, length, path }: Place) {
    this.length = length;
    this.scalar = scalar;
    this.words = scalar.words(memory.buffer, byteOffset, length);
    this.#memory = memory;
    this.#path = path;
  }

  load(index: number): V {
    this.checkIndex(index);
    this.#memory.checkOpen();
    return this.scalar.toValue(this.loadWord(index));
  }

  store(index: number, value: V): void {
    const word = this.scalar.toWord(value);
    this.checkChange(index);
    atomics.store(this.words, index, word);
    this.changed();
  }

  exchange(index: number, value: V): V {
    const word = this.scalar.toWord(value);
    this.checkChange(index);
    const found = atomics.exchange(this.words, index, word);
    this.changed();
    return this.scalar.toValue(found);
  }

  compareExchange(index: number, expected: V, replacement: V): V {
    const from = this.scalar.toWord(expected), to = this.scalar.toWord(replacement);
    this.checkChange(index);
    const found = this.exchangeIf(index, from, to);
    if (found === from) this.changed();
    return this.scalar.toValue(found);
  }

  async waitFor(
    index: number,
    expected: Expected<V>,
    options: WaitForOptions = {},
  ): Promise<V> {
    const look = this.#looking(index, expected);
    return await this.#memory.wait(look, options);
  }

  waitForSync(
    index: number,
    expected: Expected<V>,
    { timeoutMs }: WaitForSyncOptions = {},
  ): V | undefined {
    return this.#memory.waitSync(this.#looking(index, expected), timeoutMs);
  }

  /** Gives the value when it is as expected. */
  #looking(index: number, expected: Expected<V>): () => V | undefined {
    this.checkIndex(index);
    this.#memory.checkOpen();
    const { words, scalar } = this, { load } = this.#memory;
    const holds = typeof expected === "function"
      ? expected as (value: V) => boolean
      : (value: V) => value === expected;
    if (typeof expected !== "function") scalar.toWord(expected); // or it would wait for ever
    return () => {
      const value = scalar.toValue(load(words, index));
      return holds(value) ? value : undefined;
    };
  }

  protected loadWord(index: number): W {
    return this.#memory.load(this.words, index);
  }

  /** Puts one word in another's place; gives what was there. */
  protected exchangeIf(index: number, from: W, to: W): W {
    return atomics.compareExchange(this.words, index, from, to);
  }

  protected checkIndex(index: number): void {
    if (Number.isInteger(index) && index >= 0 && index < this.length) return;
    const what = `Cannot use index ${shown(index)} of "${this.#path}"`;
    if (typeof index !== "number") throw new TypeError(`${what}: expected a number`);
    throw new RangeError(`${what}: expected a whole number, 0 to ${this.length - 1}`);
  }

  protected checkChange(index: number): void {
    this.checkIndex(index);
    this.#memory.checkWritable(this.#path);
  }

  /** Wakes who waits. */
  protected changed(): void {
    this.#memory.changed();
  }
}

/** Truth values. */
export class AtomicBools extends AtomicWords<boolean, number> {
  /** C may have stored any number for true: all of them are as expected then. */
  protected override exchangeIf(index: number, from: number, to: number): number {
    let expected = from;
    for (;;) {
      const found = super.exchangeIf(index, expected, to);
      if (found === expected) return from;
      // Each round means that somebody else has stored one more number for the same.
      if ((found !== 0) !== (from !== 0)) return found;
      expected = found;
    }
  }
}

/** Floating point numbers. */
export class AtomicFloats<W> extends AtomicWords<number, W> implements FloatArray {
  add(index: number, value: number): number {
    const { scalar } = this;
    scalar.toWord(value);
    this.checkChange(index);
    let found = this.loadWord(index);
    for (;;) {
      // Each round that fails is one in which somebody else's change went through. Words are
      // compared, so a NaN is as good as any.
      const from = found;
      const sum = scalar.toWord(scalar.toValue(from) + value);
      found = this.exchangeIf(index, from, sum);
      if (found === from) break;
    }
    this.changed();
    return scalar.toValue(found);
  }
}

/** Integers. */
export class AtomicIntegers<V extends number | bigint> extends AtomicWords<V, V>
  implements IntegerArray<V> {
  readonly #integer: Integer<V>;

  constructor(integer: Integer<V>, place: Place) {
    super(integer, place);
    this.#integer = integer;
  }

  add(index: number, value: V): V {
    return this.#combine(atomics.add, index, value);
  }

  sub(index: number, value: V): V {
    return this.#combine(atomics.sub, index, value);
  }

  and(index: number, value: V): V {
    return this.#combine(atomics.and, index, value);
  }

  or(index: number, value: V): V {
    return this.#combine(atomics.or, index, value);
  }

  xor(index: number, value: V): V {
    return this.#combine(atomics.xor, index, value);
  }

  #combine(operation: WordAtomics["add"], index: number, value: V): V {
    const operand = this.#integer.toOperand(value);
    this.checkChange(index);
    const found = operation(this.words, index, operand);
    this.changed();
    return found;
  }
}
