/** MappedFile on files that every Linux has; what needs files of its own is in tests/process. */

import "../support/loaded.ts";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import { ClosedError, MappedFile, type MappingKind } from "../../mod.ts";
import { refusal } from "../support/refusal.ts";

test("MappedFile.open() shows a file's bytes and keeps writes to itself", () => {
  for (const mapping of ["private", "read"] as const) {
    using file = MappedFile.open("/etc/passwd", { mapping });
    using other = MappedFile.open("/etc/passwd");
    assertEquals([file.path, file.mapping, other.mapping], ["/etc/passwd", mapping, "read"]);
    assert(file.byteLength > 0 && file.bytes.byteLength === file.byteLength);
    const first = other.bytes[0];
    file.bytes[0] = 0;
    assertEquals([file.bytes[0], other.bytes[0]], [0, first]);
    assertThrows(() => file.flush(), TypeError, 'expected "shared"');
  }
});

test("MappedFile.open() throws for what cannot be mapped", () => {
  const missing = refusal(() => MappedFile.open("/no/such/file"));
  assertEquals([missing.code, missing.syscall, missing.target], [
    "ENOENT",
    "open",
    "/no/such/file",
  ]);
  for (const path of ["/", "/dev/null", "/proc/self/status"]) {
    const error = refusal(() => MappedFile.open(path));
    assertEquals([error.code, error.target], ["ENODEV", path]);
    assertStringIncludes(error.hint ?? "", path === "/proc/self/status" ? "/proc" : "regular");
  }
  assertEquals(refusal(() => MappedFile.open("/", { mapping: "shared" })).code, "EISDIR");
  assertThrows(() => MappedFile.open("/etc/passwd", { mapping: "x" as MappingKind }), TypeError);
  assertThrows(() => MappedFile.open("/etc\0/passwd"), TypeError, "NUL");
});

test("MappedFile.close() is final, and stale views read zeros", () => {
  const file = MappedFile.open("/etc/passwd");
  const { bytes } = file;
  file.close();
  file.close();
  assert(file.closed);
  assertEquals(bytes[0], 0);
  assertThrows(() => file.bytes, ClosedError);
  assertThrows(() => file.byteLength, ClosedError);
});
