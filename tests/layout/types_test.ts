/**
 * Schemas as TypeScript sees them: what must compile does, and what is marked must not.
 *
 * Goal: a wrong use of a schema is found by the compiler. Method: `deno check` refuses this file
 * when a marked line has no error. What is wrong for the compiler alone is in functions that are
 * not called.
 */

import { assertEquals, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import {
  array,
  bool,
  bytes,
  f64,
  type Fields,
  type FieldType,
  i64,
  type LockKind,
  mutex,
  readValue,
  record,
  type Struct,
  struct,
  text,
  u32,
  u64,
  type Value,
  writeValue,
} from "../../src/layout/mod.ts";

const Point = struct("point", { x: f64, y: f64 });
const Reading = struct("reading", {
  at: i64,
  count: u32,
  ok: bool,
  tag: text(8),
  raw: bytes(8),
  path: array(Point, 2),
});
const Stats = struct("stats", {
  hits: u64,
  hist: array(u32, 256),
  lock: mutex,
  last: record({ ratio: f64, at: i64 }),
  reading: record(Reading),
});

/** Compiles only where both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;
const same = <A, B>(is: Same<A, B>): boolean => is;

test("Value<T> is what JavaScript has for a type", () => {
  assertEquals(same<Value<typeof u32>, number>(true), true);
  assertEquals(same<Value<typeof u64>, bigint>(true), true);
  assertEquals(same<Value<typeof bool>, boolean>(true), true);
  assertEquals(same<Value<typeof Stats.fields.hist.type>, readonly number[]>(true), true);
  assertEquals(same<Value<typeof mutex>, never>(true), true);
  type Expected = {
    at: bigint;
    count: number;
    ok: boolean;
    tag: string;
    raw: Uint8Array;
    path: readonly { x: number; y: number }[];
  };
  assertEquals(same<Value<typeof Reading>, Expected>(true), true);
  assertEquals(same<Value<typeof Stats.fields.reading.type.content>, Expected>(true), true);
});

test("a field keeps its own type, and any struct is a Struct", () => {
  const kind: "u64" = Stats.fields.hits.type.kind;
  const any: Struct = Stats, type: FieldType = Stats, fields: Fields = { a: Stats, b: mutex };
  assertEquals([kind, any.name, type.kind, Object.keys(fields).length], [
    "u64",
    "stats",
    "struct",
    2,
  ]);
  assertEquals(lockOf(mutex), "mutex");
});

/** `kind` tells the types apart. */
function lockOf(type: FieldType): LockKind | undefined {
  switch (type.kind) {
    case "text":
      return type.maxBytes > 0 ? undefined : undefined;
    case "array":
      return lockOf(type.element);
    case "record":
      return lockOf(type.content);
    case "mutex":
    case "event":
      return type.kind;
  }
}

const view = new DataView(new ArrayBuffer(4096));
const reading: Value<typeof Reading> = {
  ...{ at: 1n, count: 1, ok: true, tag: "", raw: new Uint8Array(1) },
  path: [{ x: 1, y: 2 }, { x: 3, y: 4 }],
};

test("readValue() and writeValue() are typed by the schema", () => {
  writeValue(Reading, view, 0, reading);
  const { at, path } = readValue(Reading, view, 0);
  assertEquals([at + 1n, path[1]!.x + 1], [2n, 4]);
});

test("what must not compile throws, too", () => {
  // @ts-expect-error An array of nothing
  assertThrows(() => array(u32, 0), RangeError);
  // @ts-expect-error A lock in a record
  assertThrows(() => record({ lock: mutex }), TypeError);
  // @ts-expect-error A record in a record
  assertThrows(() => record({ last: record({ x: f64 }) }), TypeError);
  // @ts-expect-error A lock in an array in a record
  assertThrows(() => record({ locks: array(mutex, 2) }), TypeError);
  // @ts-expect-error A lock in a struct in a record
  assertThrows(() => record({ stats: Stats }), TypeError);
  // @ts-expect-error A struct with a lock as a record
  assertThrows(() => record(Stats), TypeError);
  // @ts-expect-error text without its length
  assertThrows(() => struct("s", { tag: text }), TypeError);
  // @ts-expect-error No such placing
  assertThrows(() => struct("s", { a: u32 }, { align: "packed" }), TypeError);
  // @ts-expect-error A Number for a 64-bit integer
  assertThrows(() => writeValue(Reading, view, 0, { ...reading, at: 1 }), TypeError);
  // @ts-expect-error A BigInt for a smaller one
  assertThrows(() => writeValue(Reading, view, 0, { ...reading, count: 1n }), TypeError);
  // @ts-expect-error A Number for a truth value
  assertThrows(() => writeValue(Reading, view, 0, { ...reading, ok: 1 }), TypeError);
  // @ts-expect-error A text for bytes
  assertThrows(() => writeValue(Reading, view, 0, { ...reading, raw: "abc" }), TypeError);
  // @ts-expect-error A member that is missing
  assertThrows(() => writeValue(Point, view, 0, { x: 1 }), TypeError);
  // @ts-expect-error A member that is unknown
  assertThrows(() => writeValue(Point, view, 0, { x: 1, y: 2, z: 3 }), TypeError);
});

/** Wrong, but nothing that would throw. */
export function notToCompile(): void {
  // @ts-expect-error A field that there is not
  Stats.fields.misses;
  // @ts-expect-error A member that there is not
  Stats.fields.last.type.content.fields.misses;
  // @ts-expect-error A value of a struct with locks
  readValue(Stats, view, 0);
  // @ts-expect-error A schema that is changed
  Stats.fields.hits = Stats.fields.lock;
  // @ts-expect-error A value that is changed in place
  readValue(Reading, view, 0).path[0] = { x: 1, y: 2 };
}
