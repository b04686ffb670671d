/**
 * How each kind of number lies in shared memory: as a word that Atomics works on.
 *
 * Rule: a value is judged before it becomes a word. What does not fit is refused and never cut,
 * but for what is added and combined, where wrapping around is the point.
 */

import type { FieldType, ScalarKind, ScalarType } from "../layout/mod.ts";
import { shown, wholeNumber } from "../sys/mod.ts";

/** Words side by side: a typed array of integers. Up to 32 bits they are Numbers, then BigInts. */
export interface Words<W> extends ArrayBufferView<SharedArrayBuffer> {
  readonly length: number;
  [index: number]: W;
}

/** A kind of number, and the words that it is kept in. */
export interface Scalar<V, W> {
  /** How the errors call it: `u8`. */
  readonly name: string;
  /** Some of its words. The array is of explicit length. */
  words(buffer: SharedArrayBuffer, byteOffset: number, length: number): Words<W>;
  /**
   * The word that stands for a value.
   *
   * @throws {TypeError} If it is of another type.
   * @throws {RangeError} If it is none of this kind.
   */
  toWord(value: V): W;
  toValue(word: W): V;
}

/** A kind of integer: the word is the value. */
export interface Integer<V> extends Scalar<V, V> {
  /**
   * What is added to values, or combined with them: any integer, cut to the word by Atomics.
   *
   * @throws {TypeError} If it is of another type.
   * @throws {RangeError} If it is no integer that a Number has exactly.
   */
  toOperand(value: V): V;
}

/** A class of typed arrays. */
interface WordsClass<W> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: SharedArrayBuffer, byteOffset: number, length: number): Words<W>;
}

function integer(name: ScalarKind, array: WordsClass<number>): Integer<number> {
  const bits = array.BYTES_PER_ELEMENT * 8;
  const min = name.startsWith("i") ? -(2 ** (bits - 1)) : 0;
  const max = min + 2 ** bits - 1;
  return {
    name,
    words: (buffer, byteOffset, length) => new array(buffer, byteOffset, length),
    toWord(value) {
      if (Number.isInteger(value) && value >= min && value <= max) return value;
      return wholeNumber(value, { name, min, max });
    },
    toOperand(value) {
      if (Number.isSafeInteger(value)) return value;
      return wholeNumber(value, { name: `operand of ${name}` });
    },
    toValue: (word) => word,
  };
}

function bigInteger(name: ScalarKind, array: WordsClass<bigint>): Integer<bigint> {
  const min = name.startsWith("i") ? -(2n ** 63n) : 0n;
  const max = min + 2n ** 64n - 1n;
  const checkType = (value: bigint) => {
    if (typeof value === "bigint") return;
    throw new TypeError(`Cannot use ${name} ${shown(value)}: expected a BigInt, such as 1n`);
  };
  return {
    name,
    words: (buffer, byteOffset, length) => new array(buffer, byteOffset, length),
    toWord(value) {
      checkType(value);
      if (value >= min && value <= max) return value;
      throw new RangeError(`Cannot use ${name} ${value}n: expected ${min}n to ${max}n`);
    },
    toOperand(value) {
      checkType(value);
      return value;
    },
    toValue: (word) => word,
  };
}

function checkNumber(name: ScalarKind, value: number): void {
  if (typeof value === "number") return;
  throw new TypeError(`Cannot use ${name} ${shown(value)}: expected a number`);
}

const scratch = new DataView(new ArrayBuffer(8));

/** Floating point numbers are kept as their bit patterns, which is what Atomics can work on. */
const f32: Scalar<number, number> = {
  name: "f32",
  words: (buffer, byteOffset, length) => new Uint32Array(buffer, byteOffset, length),
  toWord(value) {
    checkNumber("f32", value);
    scratch.setFloat32(0, value);
    return scratch.getUint32(0);
  },
  toValue(word) {
    scratch.setUint32(0, word);
    return scratch.getFloat32(0);
  },
};

const f64: Scalar<number, bigint> = {
  name: "f64",
  words: (buffer, byteOffset, length) => new BigUint64Array(buffer, byteOffset, length),
  toWord(value) {
    checkNumber("f64", value);
    scratch.setFloat64(0, value);
    return scratch.getBigUint64(0);
  },
  toValue(word) {
    scratch.setBigUint64(0, word);
    return scratch.getFloat64(0);
  },
};

/** C may store any number that is not 0 for true. */
const bool: Scalar<boolean, number> = {
  name: "bool",
  words: (buffer, byteOffset, length) => new Uint8Array(buffer, byteOffset, length),
  toWord(value) {
    if (typeof value === "boolean") return value ? 1 : 0;
    throw new TypeError(`Cannot use bool ${shown(value)}: expected true or false`);
  },
  toValue: (word) => word !== 0,
};

/** The kinds of integers. */
export const INTEGERS = {
  u8: integer("u8", Uint8Array),
  u16: integer("u16", Uint16Array),
  u32: integer("u32", Uint32Array),
  u64: bigInteger("u64", BigUint64Array),
  i8: integer("i8", Int8Array),
  i16: integer("i16", Int16Array),
  i32: integer("i32", Int32Array),
  i64: bigInteger("i64", BigInt64Array),
} as const;

/** The kinds of floating point numbers. */
export const FLOATS = { f32, f64 } as const;

/** Truth values. */
export const BOOL: Scalar<boolean, number> = bool;

/** Whether a type is that of a number or of a truth value. */
export function isScalar(type: FieldType): type is ScalarType {
  return type.kind === "bool" || type.kind in INTEGERS || type.kind in FLOATS;
}
