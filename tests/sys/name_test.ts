/** Names on their way to C. */

import { assertEquals, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import { PosixError } from "../../mod.ts";
import { cString, nameHint, objectName } from "../../src/sys/name.ts";

test("cString() ends UTF-8 with a NUL", () => {
  assertEquals([...cString("/ä")], [47, 0xc3, 0xa4, 0]);
  assertEquals([...cString("")], [0]);
});

test("cString() throws TypeError for a NUL inside and for what is no string", () => {
  assertThrows(() => cString("a\0b"), TypeError, "NUL");
  for (const value of [1, null, undefined, {}]) {
    assertThrows(() => cString(value as unknown as string), TypeError, "expected a string");
  }
});

test("objectName() throws EINVAL without the slash, and says how to write it", () => {
  const error = assertThrows(() => objectName("x", "mq_open", "open queue"), PosixError);
  assertEquals([error.code, error.errno, error.syscall], ["EINVAL", 22, "mq_open"]);
  assertEquals(error.hint, 'a name starts with a slash: "/x"');
});

test("nameHint() says nothing where the name is not the cause", () => {
  for (const code of ["ENOENT", "EACCES", "EINVAL", "EMFILE"]) {
    assertEquals(nameHint("/fine", code), undefined);
  }
});

test("nameHint() says what is wrong with a name that no object can have", () => {
  for (const code of ["EACCES", "EEXIST", "EINVAL", "ENOENT"]) {
    assertEquals(nameHint("/a/b", code), "a name has one slash, at its start");
    assertEquals(nameHint("/..", code), "this name stands for a directory; choose another");
    assertEquals(nameHint("/", code), "a name has at least one character after its slash");
  }
});
