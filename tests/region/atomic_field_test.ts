/**
 * Numbers and truth values as fields: what each call does, what is refused, how they wrap around.
 *
 * Goal: every kind does what Atomics does on a typed array of its size, for values from everywhere
 * in its range. Method: random calls on a field and on a plain array of the same kind, from a seed.
 */

import { assert, assertEquals, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import {
  array,
  bool,
  f32,
  f64,
  i16,
  i32,
  i64,
  i8,
  type IntegerArray,
  struct,
  u16,
  u32,
  u64,
  u8,
} from "../../src/region/mod.ts";
import { type Random, withSeed } from "../support/random.ts";
import { privateRegion } from "./support.ts";

const Numbers = struct("numbers", {
  u8,
  u16,
  u32,
  u64,
  i8,
  i16,
  i32,
  i64,
  f32,
  f64,
  flag: bool,
});

const Arrays = struct("arrays", {
  u8: array(u8, 5),
  u16: array(u16, 5),
  u32: array(u32, 5),
  u64: array(u64, 5),
  i8: array(i8, 5),
  i16: array(i16, 5),
  i32: array(i32, 5),
  i64: array(i64, 5),
});

const MODELS = {
  u8: new Uint8Array(5),
  u16: new Uint16Array(5),
  u32: new Uint32Array(5),
  u64: new BigUint64Array(5),
  i8: new Int8Array(5),
  i16: new Int16Array(5),
  i32: new Int32Array(5),
  i64: new BigInt64Array(5),
};

/** What of Atomics both sides are asked for; of the generic kind, which both implement. */
interface AnyAtomics {
  load(array: unknown, index: number): unknown;
  store(array: unknown, index: number, value: unknown): unknown;
  exchange(array: unknown, index: number, value: unknown): unknown;
  compareExchange(array: unknown, index: number, expected: unknown, value: unknown): unknown;
  add(array: unknown, index: number, value: unknown): unknown;
  sub(array: unknown, index: number, value: unknown): unknown;
  and(array: unknown, index: number, value: unknown): unknown;
  or(array: unknown, index: number, value: unknown): unknown;
  xor(array: unknown, index: number, value: unknown): unknown;
}
const model = Atomics as unknown as AnyAtomics;

type Kind = keyof typeof MODELS;

for (const kind of Object.keys(MODELS) as Kind[]) {
  test(`an array of ${kind} does what Atomics does, 20 000 random calls`, () => {
    using region = privateRegion(Arrays);
    // Number or BigInt, as the kind says: the values are made so.
    const field = region.fields[kind] as unknown as IntegerArray<number>;
    const plain = MODELS[kind];
    const bits = plain.BYTES_PER_ELEMENT * 8, isBig = bits === 64;
    const isSigned = kind.startsWith("i");

    /** Anything that a word of the kind can hold, the ends more often. */
    const value = (random: Random): number => {
      const ends = [0n, 1n, 2n ** BigInt(bits - 1), 2n ** BigInt(bits) - 1n];
      const any = (BigInt(random.below(2 ** 32)) << 32n) | BigInt(random.below(2 ** 32));
      const word = random.oneIn(3) ? random.pick(ends) : any;
      const within = isSigned ? BigInt.asIntN(bits, word) : BigInt.asUintN(bits, word);
      return (isBig ? within : Number(within)) as number;
    };

    withSeed(Date.now() >>> 0, 20_000, (random) => {
      const index = random.below(5), one = value(random), other = value(random);
      const name = random.pick(["load", "store", "exchange", "compareExchange", ...COMBINED]);
      switch (name) {
        case "load":
          assertEquals(field.load(index), model.load(plain, index));
          break;
        case "store":
          field.store(index, one);
          model.store(plain, index, one);
          break;
        case "compareExchange": {
          const expected = random.oneIn(2) ? one : field.load(index);
          assertEquals(
            field.compareExchange(index, expected, other),
            model.compareExchange(plain, index, expected, other),
          );
          break;
        }
        default: {
          const call = name as typeof COMBINED[number];
          assertEquals(field[call](index, one), model[call](plain, index, one));
        }
      }
      assertEquals(field.load(index), model.load(plain, index));
    });
  });
}

const COMBINED = ["exchange", "add", "sub", "and", "or", "xor"] as const;

test("IntegerField does what the array does, without an index", () => {
  using region = privateRegion(Numbers);
  const { u16, u64 } = region.fields;
  u16.store(5);
  assertEquals([u16.add(3), u16.sub(1), u16.and(6), u16.or(9), u16.xor(1)], [5, 8, 7, 6, 15]);
  assertEquals([u16.exchange(2), u16.compareExchange(2, 4), u16.compareExchange(2, 9)], [14, 2, 4]);
  assertEquals(u16.load(), 4);
  assertEquals([u64.add(2n ** 64n - 1n), u64.add(3n), u64.load()], [0n, 2n ** 64n - 1n, 2n]);
});

test("IntegerField.add() and sub() wrap around, whatever is added", () => {
  using region = privateRegion(Numbers);
  const { u8, i8, i64 } = region.fields;
  u8.store(250);
  u8.add(300);
  assertEquals(u8.load(), (250 + 300) % 256);
  u8.sub(-1);
  assertEquals(u8.load(), 39);
  i8.store(127);
  i8.add(1);
  assertEquals(i8.load(), -128);
  i64.sub(1n << 63n);
  assertEquals(i64.load(), -(2n ** 63n));
  u8.store(255);
  u8.and(~1);
  assertEquals(u8.load(), 254);
});

test("store(), exchange() and compareExchange() refuse what is out of range, and write nothing", () => {
  using region = privateRegion(Numbers);
  const { fields } = region;
  const wrong = [
    [fields.u8, 7, [256, -1, 1.5, NaN, Infinity]],
    [fields.i8, 7, [128, -129, 0.1]],
    [fields.u16, 7, [65536, -1]],
    [fields.i16, 7, [32768, -32769]],
    [fields.u32, 7, [2 ** 32, -1, 1e300]],
    [fields.i32, 7, [2 ** 31, -(2 ** 31) - 1]],
    [fields.u64, 7n, [2n ** 64n, -1n]],
    [fields.i64, 7n, [2n ** 63n, -(2n ** 63n) - 1n]],
  ] as const;
  for (const [any, kept, values] of wrong) {
    const field = any as typeof fields.u8, before = kept as number;
    field.store(before);
    for (const value of values as readonly number[]) {
      assertThrows(() => field.store(value), RangeError, String(value));
      assertThrows(() => field.exchange(value), RangeError);
      assertThrows(() => field.compareExchange(before, value), RangeError);
      assertThrows(() => field.compareExchange(value, before), RangeError);
    }
    assertEquals(field.load(), before);
  }
});

test("fields refuse values of another type, and write nothing", () => {
  using region = privateRegion(Numbers);
  const { fields } = region;
  for (const value of ["1", undefined, null, true, {}, 1n] as unknown as number[]) {
    for (const field of [fields.u8, fields.i32, fields.f32, fields.f64]) {
      assertThrows(() => field.store(value), TypeError);
      assertThrows(() => field.add(value), TypeError);
      assertThrows(() => field.compareExchange(0, value), TypeError);
    }
  }
  for (const value of [1, "1", undefined, true] as unknown as bigint[]) {
    for (const call of ["store", "add", "sub", "and", "or", "xor", "exchange"] as const) {
      assertThrows(() => fields.u64[call](value), TypeError, "expected a BigInt");
    }
  }
  for (const value of [1, 0, "true", undefined] as unknown as boolean[]) {
    assertThrows(() => fields.flag.store(value), TypeError, "true or false");
  }
  assertThrows(() => fields.u32.add(0.5), RangeError);
  assertThrows(() => fields.u32.add(2 ** 53), RangeError);
  for (const field of Object.values(fields)) assert(!field.load());
});

test("arrays refuse an index that they do not have", () => {
  using region = privateRegion(Arrays);
  const { u32, u64 } = region.fields;
  for (const index of [-1, 5, 1.5, NaN, 2 ** 32]) {
    assertThrows(() => u32.load(index), RangeError, "0 to 4");
    assertThrows(() => u32.store(index, 1), RangeError);
    assertThrows(() => u64.add(index, 1n), RangeError);
    assertThrows(() => u32.waitForSync(index, 1, { timeoutMs: 0 }), RangeError);
  }
  assertThrows(() => u32.load("0" as unknown as number), TypeError, 'index "0" of "u32"');
  assertEquals(u32.length, 5);
  for (let index = 0; index < 5; index++) assertEquals(u32.load(index), 0);
});

test("FloatField keeps every number bit by bit", () => {
  using region = privateRegion(Numbers);
  const { f32, f64 } = region.fields;
  for (const value of [0, -0, 1.5, -1e300, 5e-324, Infinity, -Infinity, NaN, Math.PI]) {
    f64.store(value);
    assertEquals(f64.load(), value);
    f32.store(value);
    assertEquals(f32.load(), Math.fround(value));
  }
});

test("FloatField.add() adds, also to what is no number", () => {
  using region = privateRegion(Numbers);
  const { f32, f64 } = region.fields;
  assertEquals([f64.add(0.5), f64.add(0.25), f64.load()], [0, 0.5, 0.75]);
  assertEquals([f32.add(0.1), f32.load()], [0, Math.fround(0.1)]);
  f64.store(NaN);
  assertEquals([f64.add(1), f64.load()], [NaN, NaN]);
  // A NaN that C made: others than JavaScript's own have other bits.
  new BigUint64Array(region.buffer, 128 + Numbers.fields.f64.byteOffset, 1)[0] =
    0xfff8_0000_dead_beefn;
  assertEquals([f64.add(1), f64.load()], [NaN, NaN]);
});

test("FloatField.compareExchange() compares bits", () => {
  using region = privateRegion(Numbers);
  const { f64 } = region.fields;
  f64.store(-0);
  assertEquals([f64.compareExchange(0, 1), f64.load()], [-0, -0]);
  assertEquals([f64.compareExchange(-0, NaN), f64.compareExchange(NaN, 2), f64.load()], [
    -0,
    NaN,
    2,
  ]);
});

test("a bool is true for whatever C stored that is not 0", () => {
  using region = privateRegion(Numbers);
  const { flag } = region.fields;
  const byte = new Uint8Array(region.buffer, 128 + Numbers.fields.flag.byteOffset, 1);
  assertEquals([flag.exchange(true), flag.load(), byte[0]], [false, true, 1]);
  byte[0] = 7;
  assertEquals([flag.load(), flag.compareExchange(false, true), byte[0]], [true, true, 7]);
  assertEquals([flag.compareExchange(true, false), byte[0]], [true, 0]);
  assertEquals([flag.compareExchange(false, true), byte[0]], [false, 1]);
});
