/** What must not compile, and what types fields have: `deno check` runs this file's assertions. */

import { assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import {
  array,
  type AtomicField,
  bool,
  bytes,
  f64,
  type FieldArray,
  type FloatField,
  i64,
  type IntegerArray,
  type IntegerField,
  mutex,
  type PlainField,
  record,
  struct,
  text,
  u32,
  u64,
} from "../../src/region/mod.ts";
import type { Mutex } from "../../src/sync/mod.ts";
import { privateRegion } from "./support.ts";

const Inner = struct("inner", { count: u32 });
const Schema = struct("typed", {
  hits: u64,
  ready: u32,
  ratio: f64,
  on: bool,
  hist: array(u32, 4),
  grid: array(array(i64, 2), 3),
  inner: Inner,
  inners: array(Inner, 2),
  lock: mutex,
  note: text(8),
  raw: bytes(8),
  last: record({ at: i64, tag: text(8), list: array(u32, 2) }),
});

/** Two types that are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;

/** Compiles only for `true`. */
function holds<T extends true>(_?: T): void {}

test("fields have the types that their schema says, and wrong uses do not compile", () => {
  using region = privateRegion(Schema);
  const { fields } = region;
  holds<Same<typeof fields.hits, IntegerField<bigint>>>();
  holds<Same<typeof fields.ready, IntegerField<number>>>();
  holds<Same<typeof fields.ratio, FloatField>>();
  holds<Same<typeof fields.on, AtomicField<boolean>>>();
  holds<Same<typeof fields.hist, IntegerArray<number>>>();
  holds<Same<typeof fields.grid, FieldArray<IntegerArray<bigint>>>>();
  holds<Same<typeof fields.inner.count, IntegerField<number>>>();
  holds<Same<typeof fields.lock, Mutex>>();
  holds<Same<typeof fields.note, PlainField<string>>>();
  holds<Same<typeof fields.raw, PlainField<Uint8Array>>>();

  const value = fields.last.read();
  holds<Same<typeof value.at, bigint>>();
  holds<Same<typeof value.list, readonly number[]>>();

  // @ts-expect-error a Number where a BigInt is due
  assertThrows(() => fields.hits.add(1), TypeError);
  // @ts-expect-error a BigInt where a Number is due
  assertThrows(() => fields.ready.store(1n), TypeError);
  // @ts-expect-error a Number where a truth value is due
  assertThrows(() => fields.on.store(1), TypeError);
  // @ts-expect-error truth values are not added
  assertThrows(() => fields.on.add(1), TypeError);
  // @ts-expect-error floating point numbers have no bits to set
  assertThrows(() => fields.ratio.or(1), TypeError);
  // @ts-expect-error no such field
  assertThrows(() => fields.hit.load(), TypeError);
  // @ts-expect-error an array wants an index
  assertThrows(() => fields.hist.store(1), TypeError);
  // @ts-expect-error a record is no number
  assertThrows(() => fields.last.load(), TypeError);
  // @ts-expect-error a member of a record is not shared by itself
  assertThrows(() => fields.last.at.store(1n), TypeError);
  // @ts-expect-error a Number where a BigInt is due, in a draft
  assertThrows(() => fields.last.update((draft) => void (draft.at = 1)), TypeError);
  // @ts-expect-error a member is missing
  assertThrows(() => fields.last.write({ at: 1n, tag: "" }), TypeError);
  // @ts-expect-error fields are not replaced
  assertThrows(() => fields.ready = fields.inner.count, TypeError);

  fields.last.update((draft) => {
    draft.list[1] = 5; // a draft can be changed, also inside
  });
});
