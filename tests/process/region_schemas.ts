/** The structs that other processes share with the tests of regions, and C's header for them. */

import { writeFileSync } from "node:fs";
import {
  array,
  f64,
  i16,
  i32,
  i64,
  i8,
  mutex,
  record,
  struct,
  text,
  toCHeader,
  u16,
  u32,
  u64,
  u8,
} from "../../src/region/mod.ts";
import { assertEquals } from "../assert.ts";
import { namedRegion } from "../region/support.ts";
import { compileC, temporaryFolder } from "../support/process.ts";

/** What all processes add to, wait for and write. */
export const Shared = struct("shared", {
  u8,
  u16,
  u32,
  u64,
  i8,
  i16,
  i32,
  i64,
  sum: f64,
  started: u32,
  ready: u32,
  stop: u32,
  lock: mutex,
  last: record({ number: u64, tag: text(12), words: array(u32, 13) }),
});

/** The same as text, for programs given as text. */
export const SHARED = `
  import process from "node:process";
  import {
    array, f64, i16, i32, i64, i8, mutex, record, Region, struct, text, u16, u32, u64, u8,
  } from "@postbox/postbox";
  const Shared = struct("shared", {
    u8, u16, u32, u64, i8, i16, i32, i64, sum: f64,
    started: u32, ready: u32, stop: u32,
    lock: mutex,
    last: record({ number: u64, tag: text(12), words: array(u32, 13) }),
  });
  const [name, ...args] = process.argv.slice(2);
`;

/** Compiles the peer, with the header that is made of the schema. */
export async function compilePeer(): Promise<Disposable & { path: string }> {
  using folder = temporaryFolder();
  writeFileSync(`${folder.path}/shared.h`, toCHeader(Shared));
  return await compileC(new URL("region_peer.c", import.meta.url), ["-I", folder.path]);
}

/** Such a region, that other processes open by its name until the end of the scope. */
export function sharedRegion() {
  return namedRegion(Shared);
}

/** Adds 1 to each number, so often, when the others are there, too. C adds to the integers only. */
export const ADDER = `
  ${SHARED}
  const { fields } = Region.open(name, Shared);
  const numbers = [fields.u8, fields.u16, fields.u32, fields.i8, fields.i16, fields.i32];
  const bigInts = [fields.u64, fields.i64];
  fields.started.add(1);
  await fields.ready.waitFor(1);
  for (let round = Number(args[0]); round > 0; round--) {
    for (const number of numbers) number.add(1);
    for (const bigInt of bigInts) bigInt.add(1n);
    fields.sum.add(1);
  }
`;

/** Asserts that each integer is the total, as far as it has bits for it. */
export function assertTotals(fields: ReturnType<typeof sharedRegion>["fields"], total: number) {
  const exact = BigInt(total);
  for (const kind of ["u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64"] as const) {
    const bits = Number(kind.slice(1));
    const expected = kind[0] === "u" ? BigInt.asUintN(bits, exact) : BigInt.asIntN(bits, exact);
    assertEquals(BigInt(fields[kind].load()), expected, kind);
  }
}
