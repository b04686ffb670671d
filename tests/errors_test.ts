/** The shapes of the errors: fields, messages, and the hint in both. */

import { assert, assertEquals } from "./assert.ts";
import { test } from "./harness.ts";
import { ClosedError, LayoutError, PosixError } from "../mod.ts";
import { describe, ERRNO } from "../src/sys/errno.ts";

const init = {
  action: "open queue",
  target: "/q",
  syscall: "mq_open",
  code: "ENOENT",
  errno: 2,
  description: "it does not exist",
};

test("PosixError has code, errno, syscall and target", () => {
  const error = new PosixError(init);
  assert(error instanceof Error);
  assertEquals(error.name, "PosixError");
  assertEquals([error.code, error.errno, error.syscall, error.target], [
    "ENOENT",
    2,
    "mq_open",
    "/q",
  ]);
  assertEquals(error.message, 'Cannot open queue "/q": it does not exist (ENOENT)');
  assertEquals(error.hint, undefined);
});

test("PosixError has the hint as a field and in the message", () => {
  const error = new PosixError({ ...init, hint: "create it first" });
  assertEquals(error.hint, "create it first");
  assertEquals(error.message.split("\n")[1], "Hint: create it first");
});

test("ClosedError and LayoutError say what they are about", () => {
  const closed = new ClosedError("queue", "/q");
  assertEquals(closed.message, 'Cannot use queue "/q": the handle is closed');
  assertEquals([closed.name, closed.target], ["ClosedError", "/q"]);

  const layout = new LayoutError({
    action: "adopt memory",
    target: "descriptor 3",
    found: "8 bytes",
    expected: "at least 16 bytes",
  });
  assertEquals(
    layout.message,
    'Cannot adopt memory "descriptor 3": found 8 bytes, expected at least 16 bytes',
  );
  assertEquals([layout.name, layout.found, layout.expected], [
    "LayoutError",
    "8 bytes",
    "at least 16 bytes",
  ]);
});

test("describe() names every number of the table, and keeps one that is not there", () => {
  for (const [code, errno] of Object.entries(ERRNO)) assertEquals(describe(errno).code, code);
  assertEquals(describe(9999), { code: "E9999", description: "error number 9999" });
});
