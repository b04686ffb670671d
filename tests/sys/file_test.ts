/** Files and directories through the port, on what every Linux has. */

import "../support/loaded.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import { PosixError } from "../../mod.ts";
import { readDirectory, readLink, readText, statfs, statPath } from "../../src/sys/file.ts";
import { geteuid, getrlimit, pageBytes } from "../../src/sys/process.ts";
import { C } from "../../src/sys/abi.ts";

test("readText() reads a file of /proc to its end, also a long one", () => {
  assert(readText("/proc/self/status").startsWith("Name:"));
  const maps = readText("/proc/self/maps"); // longer than the first buffer
  assert(maps.length > 4096 && maps.endsWith("\n"));
});

test("readText() throws ENOENT for a file that is not there", () => {
  const error = assertThrows(() => readText("/proc/self/nothing"), PosixError);
  assertEquals([error.code, error.syscall, error.target], ["ENOENT", "open", "/proc/self/nothing"]);
});

test("readDirectory() gives every entry once, and not itself", () => {
  const names = readDirectory("/proc/self").map(({ name }) => name);
  for (const name of ["status", "fd", "maps"]) assert(names.includes(name));
  assertEquals([new Set(names).size, names.includes(".")], [names.length, false]);
  assertThrows(() => readDirectory("/proc/self/status"), PosixError, "ENOTDIR");
});

test("statPath() looks at a link itself unless told to follow it", () => {
  assertEquals(statPath("/proc/self/exe").isFile, false);
  assertEquals(statPath("/proc/self/exe", { follow: true }).isFile, true);
  assert(readLink("/proc/self/exe").startsWith("/"));
  assertEquals(statfs("/proc/self/status").type, 0x9fa0); // PROC_SUPER_MAGIC, statfs(2)
});

test("getrlimit(), geteuid() and pageBytes() agree with /proc", () => {
  const status = readText("/proc/self/status");
  assertEquals(String(geteuid()), status.match(/^Uid:\t\d+\t(\d+)/m)?.[1]);
  const row = readText("/proc/self/limits").match(/^Max msgqueue size +(\S+) +(\S+)/m);
  const number = (text = "") => text === "unlimited" ? Infinity : Number(text);
  assertEquals(getrlimit(C.RLIMIT_MSGQUEUE), { soft: number(row?.[1]), hard: number(row?.[2]) });
  assert(pageBytes() >= 4096 && Number.isInteger(Math.log2(pageBytes())));
});
