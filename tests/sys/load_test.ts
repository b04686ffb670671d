/** The driver: what it says when it cannot load, and what the port promises. */

import "../support/loaded.ts";
import { assertEquals, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import { bind, checkPlatform, sys } from "../../src/sys/load.ts";
import { SYMBOLS } from "../../src/sys/symbols.ts";

test("bind() throws an error with a way out for a function that is nowhere", () => {
  const table = { no_such_function: { parameters: [], result: "i32" } } as const;
  assertThrows(() => bind(table), Error, "lacks a function");
});

test("sys() loads every function of the table, once", () => {
  assertEquals(Object.keys(SYMBOLS).every((key) => key in sys().c), true);
  assertEquals(sys() === sys(), true);
});

test("Library.addressOf() and viewOf() are each other's inverse", () => {
  const buffer = new SharedArrayBuffer(16, { maxByteLength: 4096 });
  const bytes = new Uint8Array(buffer);
  bytes.set([1, 2, 3]);
  const { addressOf, viewOf } = sys();
  assertEquals([...new Uint8Array(viewOf(addressOf(bytes), 3))], [1, 2, 3]);
  assertEquals(addressOf(bytes.subarray(2)), addressOf(bytes) + 2n);
});

test("checkPlatform() refuses other systems and processors, with a way out", () => {
  checkPlatform({ os: "linux", arch: "x86_64" });
  checkPlatform({ os: "linux", arch: "aarch64" });
  // Said, not had: there is no other system to run this on.
  assertThrows(() => checkPlatform({ os: "darwin", arch: "aarch64" }), Error, "container");
  assertThrows(() => checkPlatform({ os: "linux", arch: "riscv64" }), Error, "riscv64");
});
