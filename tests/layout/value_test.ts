/** readValue() and writeValue(): bytes and values, and what is refused before anything is written. */

import { assert, assertEquals, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import {
  array,
  bool,
  bytes,
  type ContentFields,
  type ContentType,
  f32,
  f64,
  i16,
  i32,
  i64,
  i8,
  readValue,
  type Struct,
  struct,
  text,
  u16,
  u32,
  u64,
  u8,
  type Value,
  writeValue,
} from "../../src/layout/mod.ts";
import { Random, withSeed } from "../support/random.ts";
import { scaled } from "../support/scale.ts";
import { randomContent, randomValue } from "../support/schemas.ts";

/** A view of `byteLength` bytes that begins within its buffer, all of them 0xee. */
function memory(byteLength: number, shared = true): DataView {
  const room = byteLength + 16;
  const buffer = shared ? new SharedArrayBuffer(room) : new ArrayBuffer(room);
  new Uint8Array(buffer).fill(0xee);
  return new DataView(buffer, 8, byteLength);
}

function bytesOf({ buffer }: DataView): number[] {
  return [...new Uint8Array(buffer)];
}

const Reading = struct("reading", {
  small: u8,
  at: i64,
  ratio: f32,
  ok: bool,
  tag: text(6),
  raw: bytes(3),
  path: array(struct("point", { x: i16, y: i16 }), 2),
});

const reading: Value<typeof Reading> = {
  small: 255,
  at: -2n,
  ratio: 1.5,
  ok: true,
  tag: "h€y",
  raw: Uint8Array.of(7, 8),
  path: [{ x: 1, y: -1 }, { x: 0x102, y: -32768 }],
};

test("writeValue() writes what C would, and zeros between", () => {
  const view = memory(Reading.byteLength);
  writeValue(Reading, view, 0, reading);
  assertEquals(bytesOf(view).slice(8, -8), [
    ...[255, 0, 0, 0, 0, 0, 0, 0],
    ...[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    ...[0, 0, 0xc0, 0x3f],
    ...[1, 0, 0, 0],
    ...[5, 0, 0, 0, 0x68, 0xe2, 0x82, 0xac, 0x79, 0, 0, 0],
    ...[2, 0, 0, 0, 7, 8, 0, 0],
    ...[1, 0, 0xff, 0xff, 2, 1, 0, 0x80],
    ...[0, 0, 0, 0],
  ]);
  assertEquals(bytesOf(view).filter((byte) => byte === 0xee).length, 16);
  assertEquals(readValue(Reading, view, 0), reading);
});

test("readValue() and writeValue() use the bytes at the offset and no others", () => {
  for (const shared of [true, false]) {
    const view = memory(40, shared);
    writeValue(u32, view, 36, 0x01020304);
    assertEquals(readValue(u32, view, 36), 0x01020304);
    assertEquals(bytesOf(view).indexOf(4), 44);
    assertEquals(bytesOf(view).filter((byte) => byte === 0xee).length, 52);
  }
});

test("readValue() and writeValue() refuse a place that is not in the view", () => {
  const view = memory(8), before = bytesOf(view);
  for (
    const [type, byteOffset] of [[u64, 1], [u8, 8], [u8, -1], [u8, NaN], [text(5), 0]] as const
  ) {
    assertThrows(() => readValue(type, view, byteOffset), RangeError, "the view has 8");
    const value = type.kind === "u64" ? 1n : type.kind === "text" ? "" : 1;
    assertThrows(
      () => writeValue(type, view, byteOffset, value as never),
      RangeError,
      "view has 8",
    );
  }
  assertEquals(bytesOf(view), before);
});

test("what is written is read again, for random schemas and values", () => {
  withSeed(20_261_123, scaled(3000), (random) => {
    const schema = randomContent(random);
    const view = memory(schema.byteLength, random.oneIn(2));
    const value = randomValue(random, schema) as Value<Struct<ContentFields>>;
    writeValue(schema, view, 0, value);
    // f32 has fewer numbers than these, all of which it has.
    assertEquals(readValue(schema, view, 0), value);
    assertEquals(bytesOf(view).slice(0, 8), Array(8).fill(0xee));
    assertEquals(bytesOf(view).slice(-8), Array(8).fill(0xee));
  });
});

// --- Any bytes are read --------------------------------------------------------------------------

test("readValue() gives a value for any bytes", () => {
  withSeed(77, scaled(3000), (random) => {
    const schema = randomContent(random);
    const view = memory(schema.byteLength);
    const all = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    all.set(random.bytes(all.length));
    if (random.oneIn(4)) all.fill(0xff);
    const value = readValue(schema, view, 0);
    // Whatever it was, it is one that can be written.
    writeValue(schema, view, 0, limited(schema, value) as Value<Struct<ContentFields>>);
  });
});

/** A value whose texts still fit: U+FFFD takes three bytes, and may have been one. */
function limited(type: ContentType, value: unknown): unknown {
  if (type.kind === "text") return "";
  if (type.kind === "array") return (value as unknown[]).map((each) => limited(type.element, each));
  if (type.kind !== "struct") return value;
  const members = value as Record<string, unknown>;
  return Object.fromEntries(
    Object.values(type.fields).map((each) => [each.name, limited(each.type, members[each.name])]),
  );
}

test("readValue() bounds a length that is too large", () => {
  const view = memory(12);
  new Uint8Array(view.buffer, 8).fill(0x61);
  for (const length of [6, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
    view.setUint32(0, length, true);
    assertEquals(readValue(text(5), view, 0), "aaaaa");
    assertEquals(readValue(bytes(5), view, 0).length, 5);
  }
});

test("readValue() takes what is no UTF-8 as U+FFFD, and any byte but 0 as true", () => {
  const view = memory(12);
  view.setUint32(0, 3, true);
  [0xff, 0x41, 0xe2].forEach((byte, index) => view.setUint8(4 + index, byte));
  assertEquals(readValue(text(8), view, 0), "\ufffdA\ufffd");
  assertEquals([4, 5, 6].map((at) => readValue(bool, view, at)), [true, true, true]);
  view.setUint8(4, 0);
  assertEquals(readValue(bool, view, 4), false);
});

test("readValue() keeps a byte order mark", () => {
  const view = memory(12);
  writeValue(text(8), view, 0, "\ufeffa");
  assertEquals(readValue(text(8), view, 0), "\ufeffa");
});

test("readValue() gives bytes of its own", () => {
  const view = memory(8);
  writeValue(bytes(4), view, 0, Uint8Array.of(1, 2));
  const read = readValue(bytes(4), view, 0);
  view.setUint8(4, 9);
  assertEquals([...read], [1, 2]);
  assert(read.buffer instanceof ArrayBuffer);
});

// --- What is refused -----------------------------------------------------------------------------

type Wrong = [type: ContentType, value: unknown, kind: typeof TypeError, message: string];
const S = struct("s", { a: u8, b: struct("t", { c: array(u16, 2), d: text(2) }) });
const good = { a: 1, b: { c: [1, 2], d: "" } };
const b = good.b;

const WRONG: Wrong[] = [
  [u8, 256, RangeError, "Cannot write v: it is 256, expected a whole number, 0 to 255"],
  [u8, -1, RangeError, "it is -1, expected a whole number, 0 to 255"],
  [u8, 1.5, RangeError, "it is 1.5"],
  [u8, NaN, RangeError, "it is NaN"],
  [u8, Infinity, RangeError, "it is Infinity"],
  [u8, 1n, TypeError, "it is 1n, expected a whole number, 0 to 255"],
  [u8, "1", TypeError, 'it is "1"'],
  [u8, true, TypeError, "it is true"],
  [u8, undefined, TypeError, "it is undefined"],
  [u16, 65536, RangeError, "0 to 65535"],
  [u32, 2 ** 32, RangeError, "0 to 4294967295"],
  [i8, 128, RangeError, "-128 to 127"],
  [i8, -129, RangeError, "-128 to 127"],
  [i16, 32768, RangeError, "-32768 to 32767"],
  [i32, -(2 ** 31) - 1, RangeError, "-2147483648 to 2147483647"],
  [u64, 2n ** 64n, RangeError, "a bigint, 0n to 18446744073709551615n"],
  [u64, -1n, RangeError, "it is -1n, expected a bigint"],
  [u64, 1, TypeError, "it is 1, expected a bigint"],
  [i64, 2n ** 63n, RangeError, "a bigint, -9223372036854775808n to 9223372036854775807n"],
  [f64, 1n, TypeError, "it is 1n, expected a number"],
  [f32, "1", TypeError, 'it is "1", expected a number'],
  [bool, 1, TypeError, "it is 1, expected true or false"],
  [text(3), 3, TypeError, "it is 3, expected a text"],
  [text(3), "abcd", RangeError, 'it is "abcd", expected at most 3 bytes of UTF-8'],
  [text(3), "€a", RangeError, 'it is "€a", expected at most 3 bytes of UTF-8'],
  [text(3), "x".repeat(1000), RangeError, "(1000 characters), expected at most 3 bytes"],
  [bytes(3), "abc", TypeError, 'it is "abc", expected a Uint8Array'],
  [bytes(3), [1, 2], TypeError, "it is an array of 2, expected a Uint8Array"],
  [bytes(3), new Uint8Array(4), RangeError, "it is 4 bytes, expected at most 3"],
  [array(u8, 2), [1], RangeError, "it is an array of 1, expected an array of 2"],
  [array(u8, 2), [1, 2, 3], RangeError, "it is an array of 3, expected an array of 2"],
  [array(u8, 2), Uint8Array.of(1, 2), TypeError, "it is an object, expected an array of 2"],
  [array(u8, 2), [1, 256], RangeError, "Cannot write v[1]: it is 256"],
  [array(u8, 2), [, 1], TypeError, "Cannot write v[0]: it is undefined"],
  [S, null, TypeError, "Cannot write v: it is null, expected an object with a, b"],
  [S, [1, 2], TypeError, "it is an array of 2, expected an object"],
  [S, { a: 1 }, TypeError, 'Cannot write v: its member "b" is missing'],
  [S, { ...good, c: 1 }, TypeError, 'Cannot write v: its member "c" is unknown'],
  [S, Object.create(good), TypeError, 'its member "a" is missing'],
  [S, { ...good, b: { ...b, c: [0, -1] } }, RangeError, "Cannot write v.b.c[1]: it is -1"],
  [S, { ...good, b: { ...b, d: "abc" } }, RangeError, 'Cannot write v.b.d: it is "abc"'],
  [S, { ...good, b: { ...b, x: 1 } }, TypeError, 'Cannot write v.b: its member "x" is unknown'],
  [array(S, 1), [{ ...good, a: 256 }], RangeError, "Cannot write v[0].a: it is 256"],
];

for (const [index, [type, value, kind, message]] of WRONG.entries()) {
  test(`writeValue() refuses, and writes nothing: ${type.kind}, ${message} (${index})`, () => {
    const view = memory(type.byteLength), before = bytesOf(view);
    assertThrows(() => writeValue(type, view, 0, value as never, "v"), kind, message);
    assertEquals(bytesOf(view), before);
    // And the next value is written as if nothing had been.
    const fresh = memory(Reading.byteLength);
    writeValue(Reading, fresh, 0, reading);
    assertEquals(readValue(Reading, fresh, 0), reading);
  });
}

test("writeValue() calls a value without a name the value", () => {
  assertThrows(() => writeValue(u8, memory(1), 0, -1), RangeError, "Cannot write the value: it is");
  assertThrows(
    () => writeValue(S, memory(S.byteLength), 0, { ...good, a: -1 }),
    RangeError,
    "Cannot write a: it is -1",
  );
});

test("writeValue() looks at each member once, also when that writes another value", () => {
  const view = memory(S.byteLength), other = memory(S.byteLength);
  let looks = 0;
  const value = {
    a: 1,
    get b() {
      looks++;
      writeValue(S, other, 0, { ...good, a: 200, b: { c: [9, 9], d: "zz" } });
      return looks === 1 ? b : "other";
    },
  };
  writeValue(S, view, 0, value as typeof good);
  assertEquals([readValue(S, view, 0), looks], [good, 1]);
  assertEquals(readValue(S, other, 0).a, 200);
});

test("writeValue() leaves nothing of the value before", () => {
  const T = struct("t", { tag: text(6), raw: bytes(6), a: u8, b: u32 });
  const view = memory(T.byteLength);
  writeValue(T, view, 0, { tag: "secret", raw: new Uint8Array(6).fill(0xff), a: 255, b: 1 }, "v");
  writeValue(T, view, 0, { tag: "", raw: new Uint8Array(0), a: 0, b: 0 }, "v");
  assert(bytesOf(view).slice(8, -8).every((byte) => byte === 0));
  assertThrows(() => writeValue(u8, view, 0, -1, "v"), RangeError, "Cannot write v: it is");
});

test("writeValue() writes nothing when a getter throws", () => {
  const view = memory(S.byteLength), before = bytesOf(view);
  const value = {
    a: 1,
    get b(): typeof b {
      throw new Error("not now");
    },
  };
  assertThrows(() => writeValue(S, view, 0, value), Error, "not now");
  assertEquals(bytesOf(view), before);
});

test("writeValue() believes no view about its length", () => {
  class Liar extends Uint8Array {
    override get byteLength() {
      return 1;
    }
    override get length() {
      return 1;
    }
  }
  const T = struct("t", { raw: bytes(2), next: u32 });
  const view = memory(T.byteLength);
  assertThrows(
    () => writeValue(T, view, 0, { raw: new Liar(8), next: 1 }),
    RangeError,
    "it is 8 bytes, expected at most 2",
  );
});

test("writeValue() takes half a surrogate pair as U+FFFD, as TextEncoder does", () => {
  const view = memory(12);
  writeValue(text(8), view, 0, "a\ud800");
  assertEquals(readValue(text(8), view, 0), "a\ufffd");
});

test("writeValue() and readValue() take structs larger than what is kept for drafts", () => {
  const Big = struct("big", { a: array(u64, 1000), b: bytes(10_000) });
  const view = memory(Big.byteLength), random = new Random(5);
  const value = {
    a: Array.from({ length: 1000 }, (_, index) => BigInt(index)),
    b: random.bytes(10_000),
  };
  writeValue(Big, view, 0, value);
  assertEquals(readValue(Big, view, 0), value);
  writeValue(Reading, view, 0, reading);
  assertEquals(readValue(Reading, view, 0), reading);
});
