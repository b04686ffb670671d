/** The structs that other processes share with the tests of regions, and C's header for them. */

import { writeFileSync } from "node:fs";
import {
  array,
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
    array, i16, i32, i64, i8, mutex, record, Region, struct, text, u16, u32, u64, u8,
  } from "@postbox/postbox";
  const Shared = struct("shared", {
    u8, u16, u32, u64, i8, i16, i32, i64,
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
