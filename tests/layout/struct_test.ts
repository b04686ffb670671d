/** struct(): where its fields lie, and what it refuses. */

import { assertEquals, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import {
  array,
  bool,
  bytes,
  f32,
  f64,
  type FieldType,
  i16,
  i64,
  LOCK_BYTES,
  mutex,
  record,
  type Struct,
  struct,
  text,
  u16,
  u32,
  u64,
  u8,
} from "../../src/layout/mod.ts";
import { LOCKS } from "../support/schemas.ts";

/** Names and offsets of the fields, in order. */
function offsets(schema: Struct): [string, number][] {
  return Object.values(schema.fields).map(({ name, byteOffset }) => [name, byteOffset]);
}

test("struct() places fields in order, each at a multiple of its alignment", () => {
  const S = struct("s", { a: u8, b: u64, c: u16, d: u32, e: bool, f: f64, g: i16 });
  assertEquals(offsets(S), [
    ...[["a", 0], ["b", 8], ["c", 16], ["d", 20], ["e", 24], ["f", 32], ["g", 40]] as const,
  ] as [string, number][]);
  assertEquals([S.byteLength, S.alignBytes], [48, 8]);
});

test("struct() puts texts and bytes behind a length of four bytes", () => {
  const S = struct("s", { a: u8, b: text(5), c: bytes(4), d: u8, e: text(1) });
  assertEquals(offsets(S).map(([, at]) => at), [0, 4, 16, 24, 28]);
  assertEquals([S.byteLength, S.alignBytes], [36, 4]);
  assertEquals([text(16).byteLength, bytes(17).byteLength], [20, 24]);
});

test("struct() aligns arrays and structs as what they hold", () => {
  const P = struct("p", { x: u8, y: u16 });
  const S = struct("s", { a: u8, b: array(P, 3), c: u8, d: P, e: array(array(i64, 2), 3) });
  assertEquals(offsets(S).map(([, at]) => at), [0, 2, 14, 16, 24]);
  assertEquals([S.byteLength, S.alignBytes], [72, 8]);
});

test("struct() puts locks and records at multiples of 64 bytes", () => {
  const S = struct("s", {
    a: u8,
    lock: mutex,
    b: u8,
    last: record({ x: f64, y: u8 }),
    c: u8,
    big: record({ x: array(u8, 65) }),
  });
  assertEquals(offsets(S).map(([, at]) => at), [0, 64, 192, 256, 576, 640]);
  // A record is 192 bytes and two copies, each rounded up to 64.
  assertEquals(S.fields.last.type.byteLength, 192 + 2 * 64);
  assertEquals(S.fields.big.type.byteLength, 192 + 2 * 128);
  assertEquals([S.byteLength, S.alignBytes], [1088, 64]);
});

test("locks take whole cache lines", () => {
  for (const { kind, byteLength, alignBytes } of LOCKS) {
    assertEquals([kind, byteLength, alignBytes], [kind, LOCK_BYTES[kind], 64]);
    assertEquals(byteLength % 64, 0);
  }
});

test('struct() with align "cacheline" begins each field at a cache line', () => {
  const S = struct("s", { a: u8, b: array(u8, 65), c: u64, lock: mutex }, { align: "cacheline" });
  assertEquals(offsets(S).map(([, at]) => at), [0, 64, 192, 256]);
  assertEquals([S.byteLength, S.alignBytes], [384, 64]);
  const outer = struct("outer", {
    x: u8,
    s: struct("t", { a: u8, b: u8 }, { align: "cacheline" }),
  });
  assertEquals(offsets(outer).map(([, at]) => at), [0, 64]);
  assertEquals(outer.byteLength, 192);
});

test("struct() keeps the structs in it as they are", () => {
  const P = struct("p", { x: f32, y: f32 });
  const S = struct("s", { from: P, to: P });
  assertEquals(S.fields.to.type, P);
  assertEquals([S.fields.to.byteOffset, S.fields.to.type.fields.y.byteOffset], [8, 4]);
});

test("struct() gives plain data that nobody can change", () => {
  const S = struct("s", { a: array(u8, 2), b: record({ x: u8 }) });
  const all = [S, S.fields, S.fields.a, S.fields.a.type, S.fields.b.type, u8, text(3), mutex];
  for (const each of all) assertEquals(Object.isFrozen(each), true);
});

// --- What is refused -----------------------------------------------------------------------------

const WRONG_NAMES: [name: unknown, message: string][] = [
  ["", 'struct name ""'],
  ["1a", 'struct name "1a"'],
  ["a-b", "single underscores"],
  ["_a", "expected a letter"],
  ["a_", "single underscores"],
  ["a__b", "single underscores"],
  ["ä", "expected a letter"],
  ["a b", "single underscores"],
  ["a\n", "single underscores"],
  ["__proto__", "expected a letter"],
  ["int", "meaning in C"],
  ["class", "meaning in C"],
  ["xor", "meaning in C"],
  ["errno", "meaning in C"],
  ["timespec", "meaning in C"],
  ["EINVAL", "capitals"],
  ["PTHREAD_MUTEX_ROBUST", "capitals"],
  ["NULL", "capitals"],
  ["INT8_MAX", "capitals"],
  [3, "struct name 3: expected a text"],
  [undefined, "struct name undefined"],
];

for (const [name, message] of WRONG_NAMES) {
  test(`struct() refuses the name ${JSON.stringify(name)}`, () => {
    assertThrows(() => struct(name as string, { a: u8 }), TypeError, message);
    if (typeof name === "string") {
      const asField = message.replace("struct name", 'field name of struct "s"');
      assertThrows(() => struct("s", { [name]: u8 }), TypeError, asField);
    }
  });
}

test("struct() takes names that only look odd", () => {
  const names = [
    "A",
    "a1_b2",
    "constructor",
    "toString",
    "then",
    "kind",
    "length",
    "X",
    "Y1",
    "Point",
  ];
  for (const name of names) struct(name, Object.fromEntries(names.map((each) => [each, u8])));
  assertEquals(struct("s", { constructor: u32, toString: u8 }).byteLength, 8);
});

test("struct() refuses a name that is too long", () => {
  struct("a".repeat(63), { a: u8 });
  assertThrows(() => struct("a".repeat(64), { a: u8 }), RangeError, "at most 63 characters");
});

test("struct() refuses names that are Postbox's own in C", () => {
  assertThrows(() => struct("postbox", { a: u8 }), TypeError, "begin with postbox");
  assertThrows(() => struct("postbox_mutex", { a: u8 }), TypeError, "begin with postbox");
  struct("postboxes", { postbox: u8 });
});

test("struct() refuses two different things with one name in C", () => {
  const one = struct("p", { x: u8 }), other = struct("p", { x: u16 });
  assertThrows(() => struct("s", { a: one, b: other }), TypeError, '"s_p" in C');
  assertThrows(() => struct("s", { a: one, b: array(other, 2) }), TypeError, '"s_p" in C');
  assertThrows(() => struct("s", { a: one, b: record(other) }), TypeError, '"s_p" in C');
  assertThrows(
    () => struct("s", { p: record({ x: u8 }), b: one }),
    TypeError,
    'struct "s": two different things in it would be "s_p" in C',
  );
  // s_p as a record has s_p_read, as the struct beside it is called.
  const read = struct("p_read", { x: u8 });
  assertThrows(() => struct("s", { a: record(one), b: read }), TypeError, '"s_p_read" in C');
});

test("struct() takes one struct several times, also when it was made twice", () => {
  const one = struct("p", { x: u8 }), same = struct("p", { x: u8 });
  struct("s", { a: one, b: same, c: record(one), d: array(record(same), 2) });
});

const WRONG_TYPES: [type: unknown, shown: string][] = [
  [undefined, "undefined"],
  [null, "null"],
  ["u8", '"u8"'],
  [text, "a function"],
  [{}, "an object"],
  [{ kind: "u128" }, "an object"],
  [[u8], "an array of 1"],
];

for (const [type, shown] of WRONG_TYPES) {
  test(`struct() and array() refuse ${shown} as a type`, () => {
    const message = `Cannot use ${shown} as type of "a" in struct "s": expected a type`;
    assertThrows(() => struct("s", { a: type as FieldType }), TypeError, message);
    assertThrows(() => array(type as FieldType, 2), TypeError, `Cannot use ${shown}`);
  });
}

test("struct() refuses what is no fields and no options", () => {
  assertThrows(() => struct("s", {}), TypeError, "it has no fields");
  assertThrows(() => struct("s", null as never), TypeError, "its fields are null");
  assertThrows(() => struct("s", { a: u8 }, "cacheline" as never), TypeError, 'are "cacheline"');
  assertThrows(
    () => struct("s", { a: u8 }, { align: 64 as never }),
    TypeError,
    'align is 64, expected "natural" or "cacheline"',
  );
});

test("array(), text() and bytes() refuse what is no length", () => {
  const n = (value: unknown) => value as number;
  for (const make of [(length: number) => array<FieldType, number>(u8, length), text, bytes]) {
    for (const wrong of [0, -1, 1.5, NaN, Infinity, 2 ** 40]) {
      assertThrows(() => make(wrong), RangeError, `${wrong}: expected a whole number, 1 to`);
    }
    for (const wrong of [n("4"), n(4n), n(undefined)]) {
      assertThrows(() => make(wrong), TypeError, "expected a number");
    }
  }
});

test("a type takes at most 2^31 bytes", () => {
  const half = array(u8, 2 ** 30);
  assertEquals(struct("s", { a: half, b: half }).byteLength, 2 ** 31);
  const tooLarge = "bytes, expected at most 2147483648";
  assertThrows(() => struct("s", { a: half, b: half, c: u8 }), RangeError, tooLarge);
  assertThrows(() => array(half, 3), RangeError, tooLarge);
  assertThrows(() => array(u64, 2 ** 31), RangeError, tooLarge);
  assertThrows(() => record({ a: half }), RangeError, tooLarge);
  assertEquals(text(2 ** 31 - 8).byteLength, 2 ** 31 - 4);
  assertThrows(() => text(2 ** 31 - 7), RangeError, "1 to 2147483640");
});

test("a struct has at most 4096 fields, with those of its structs", () => {
  const many = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, u8]));
  struct("s", many(4096));
  assertThrows(() => struct("s", many(4097)), RangeError, "more than 4096 fields");
  const half = struct("half", many(2047));
  struct("s", { a: half, b: array(record(half), 9) });
  assertThrows(() => struct("s", { a: half, b: half, c: u8 }), RangeError, "more than 4096 fields");
});

test("arrays, structs and records are at most 16 in each other", () => {
  let deep: FieldType = u8;
  for (let depth = 1; depth <= 15; depth++) deep = array(deep, 1);
  struct("s", { a: deep });
  const deepest = array(deep, 1);
  assertThrows(() => struct("s", { a: deepest }), RangeError, "more than 16 arrays");
  assertThrows(() => array(deepest, 1), RangeError, "more than 16 arrays");
});

test("record() refuses locks and records, wherever they are", () => {
  const content = (fields: unknown) => fields as { a: typeof u8 };
  const wrong: [fields: unknown, message: string][] = [
    [{ a: mutex }, '"a" is a mutex'],
    [{ a: record({ x: u8 }) }, '"a" is a record'],
    [{ x: u8, a: struct("p", { b: array(mutex, 2) }) }, '"a.b" is a mutex'],
    [struct("p", { b: struct("q", { c: record({ x: u8 }) }) }), '"b.c" is a record'],
  ];
  for (const [fields, message] of wrong) {
    assertThrows(() => record(content(fields)), TypeError, message);
  }
});

test("record() refuses what is no fields", () => {
  for (const wrong of [undefined, null, 3, u8, {}]) {
    assertThrows(() => record(wrong as never), TypeError);
  }
});

test("record() takes members of any name, and the members of a struct", () => {
  const R = record({ kind: u8, name: text(3), fields: u32 });
  assertEquals([...Object.keys(R.content.fields)], ["kind", "name", "fields"]);
  const P = struct("p", { x: u8 });
  assertEquals([record(P).content, R.content.name], [P, ""]);
});
