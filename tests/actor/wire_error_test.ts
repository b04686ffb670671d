/**
 * Errors as they cross: what arrives is an instance of the class that was thrown, as far as both
 * sides know it, and no value of anybody's breaks either side.
 */

import { assert, assertEquals, assertStrictEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { ActorError, type Exit, MailboxFull, ValidationError } from "../../src/actor/errors.ts";
import {
  decodeError,
  decodeExit,
  encodeError,
  encodeExit,
} from "../../src/actor/wire/error_codec.ts";
import { ClosedError, LayoutError, PosixError } from "../../src/errors.ts";

/** On the way it is JSON, so that nothing but plain data can come along. */
function crossed(thrown: unknown): Error {
  return decodeError(JSON.parse(JSON.stringify(encodeError(thrown))));
}

function exitCrossed(exit: Exit): Exit {
  return decodeExit(JSON.parse(JSON.stringify(encodeExit(exit))));
}

test("decodeError() gives the built-in classes back", () => {
  const classes = [
    ...[Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError],
  ];
  for (const Class of classes) {
    const thrown = new Class("what is the case");
    const error = crossed(thrown);
    assert(error instanceof Class);
    assertStrictEquals(Object.getPrototypeOf(error), Class.prototype);
    assertEquals([error.name, error.message], [Class.name, "what is the case"]);
    assertEquals(error.stack, thrown.stack);
    assertEquals(Object.keys(error), []);
  }
});

test("decodeError() gives a DOMException back by its name", () => {
  const error = crossed(new DOMException("too late", "TimeoutError"));
  assert(error instanceof DOMException);
  assertEquals([error.name, error.message, error.code], ["TimeoutError", "too late", 23]);
});

test("decodeError() gives the errors of Postbox back with their fields", () => {
  const posix = crossed(
    new PosixError({
      action: "open queue",
      target: "/q",
      syscall: "mq_open",
      code: "EMFILE",
      errno: 24,
      description: "too many",
      hint: "raise it",
    }),
  );
  assert(posix instanceof PosixError);
  const { code, errno, syscall, target, hint, name } = posix;
  assertEquals({ code, errno, syscall, target, hint, name }, {
    code: "EMFILE",
    errno: 24,
    syscall: "mq_open",
    target: "/q",
    hint: "raise it",
    name: "PosixError",
  });
  assert(posix.message.startsWith('Cannot open queue "/q": too many'));

  const closed = crossed(new ClosedError("queue", "/q"));
  assert(closed instanceof ClosedError);
  assertEquals([closed.target, closed.name], ["/q", "ClosedError"]);

  const layout = crossed(
    new LayoutError({ action: "open", target: "/r", found: "a", expected: "b" }),
  );
  assert(layout instanceof LayoutError);
  assertEquals([layout.found, layout.expected], ["a", "b"]);

  const full = crossed(new MailboxFull("counter", 8, 10));
  assert(full instanceof MailboxFull);
  assertEquals([full.mailbox, full.depth, full.capacity], ["counter", 8, 10]);
});

test("decodeError() gives issues and exits back", () => {
  const issues = [{ path: "items[0].by", message: "expected a number" }];
  const invalid = crossed(new ValidationError({ kind: "counter.add", part: "reply", issues }));
  assert(invalid instanceof ValidationError);
  assertEquals([invalid.kind, invalid.part, invalid.issues], ["counter.add", "reply", issues]);

  const died = crossed(ActorError.died("counter", { kind: "signal", signal: "SIGKILL" }));
  assert(died instanceof ActorError);
  assertEquals(died.exit, { kind: "signal", signal: "SIGKILL" });
  assertEquals([died.code, died.actor], ["EDIED", "counter"]);

  const threw = ActorError.died("counter", { kind: "threw", error: new RangeError("inside") });
  const { exit, cause } = crossed(threw) as ActorError;
  assert(exit?.kind === "threw" && exit.error instanceof RangeError);
  assertEquals((exit.error as Error).message, "inside");
  assert(cause instanceof RangeError);
});

test("decodeError() gives another class back as the nearest one it knows, with its name", () => {
  class NoSensor extends RangeError {
    override readonly name = "NoSensor";
    readonly code = "ENOSENSOR";
    readonly secret = "stays here";
  }
  const error = crossed(new NoSensor("number 9")) as NoSensor;
  assert(error instanceof RangeError);
  assertEquals([error.name, error.code, error.secret], ["NoSensor", "ENOSENSOR", undefined]);
  assertEquals(String(error), "NoSensor: number 9");

  const system = Object.assign(new Error("ENOENT: no such file"), {
    code: "ENOENT",
    errno: -2,
    syscall: "open",
    path: "/nowhere",
  });
  assertEquals({ ...crossed(system) }, { ...system });
});

test("decodeError() gives causes and the errors of an aggregate back", () => {
  const thrown = new AggregateError([new TypeError("one"), "two", null], "all of them", {
    cause: new Error("outer", { cause: new SyntaxError("inner") }),
  });
  const error = crossed(thrown);
  assert(error instanceof AggregateError);
  assert(error.errors[0] instanceof TypeError);
  assertEquals(error.errors.slice(1), ["two", null]);
  const { cause } = error.cause as Error;
  assert(cause instanceof SyntaxError);
  assertEquals(cause.message, "inner");
  assertEquals(Object.keys(error), []);
});

test("decodeError() makes an Error of whatever else was thrown, which is its cause", () => {
  for (const thrown of ["a text", 5, true, null]) {
    const error = crossed(thrown);
    assertStrictEquals(Object.getPrototypeOf(error), Error.prototype);
    assertEquals(error.cause, thrown);
  }
  assertEquals(crossed("a text").message, '"a text" was thrown, expected an Error');
  for (const thrown of [undefined, 5n, Symbol("s"), { a: 1 }, () => {}, NaN]) {
    assertEquals(typeof crossed(thrown).cause, "string");
  }
});

test("encodeError() survives circles, traps and getters that throw", () => {
  const circle: Error & { errors?: unknown } = new Error("round");
  circle.cause = new Error("and", { cause: circle });
  circle.errors = [circle, circle.cause];
  const error = crossed(circle);
  assertEquals((error.cause as Error).message, "and");
  assertEquals((error.cause as Error).cause, undefined);

  const trapped = new Proxy(new TypeError("trapped"), {
    get() {
      throw new Error("no");
    },
    getPrototypeOf: () => TypeError.prototype,
  });
  assert(crossed(trapped) instanceof TypeError);

  let gets = 0;
  const forever: unknown = new Proxy(new Error("deep"), {
    get: (target, key) => {
      gets++;
      return key === "cause" ? Object.create(forever as object) : Reflect.get(target, key);
    },
  });
  crossed(forever);
  assert(gets < 1000, `${gets}`);

  const shut = Proxy.revocable(new Error("shut"), {});
  shut.revoke();
  assertEquals(crossed(shut.proxy).cause, "a value that cannot be looked at");

  // Only an ActorError's is one of ours.
  const departed = Object.assign(new Error("departed"), { exit: { kind: "threw", big: 5n } });
  assertEquals("exit" in crossed(departed), false);

  const strange = Object.assign(new Error("strange"), { name: 5, code: {}, stack: null });
  assertEquals(crossed(strange).message, "strange");
});

test("encodeError() bounds how much crosses", () => {
  let chain = new Error("0");
  for (let depth = 1; depth < 100; depth++) chain = new Error(`${depth}`, { cause: chain });
  assertEquals([lengthOf(encodeError(chain)), lengthOf(crossed(chain))], [8, 8]);

  const wide = new AggregateError(
    Array.from(
      { length: 1000 },
      () => new AggregateError([new Error("a"), new Error("b")], "wide"),
    ),
    "x".repeat(100_000),
  );
  const plain = JSON.stringify(encodeError(wide));
  assert(plain.length < 32 * 5000 + 10_000, `${plain.length}`);
  assertEquals(crossed(wide).message.length, 8193);

  const text = "x".repeat(100_000);
  const issues = Array.from({ length: 1000 }, () => ({ path: text, message: text }));
  const long = Object.assign(new Error("long"), { stack: text, code: text, issues });
  for (const plain of [encodeError(long), decodeError({ ...long, stack: text }) as typeof long]) {
    const { stack, code, issues } = plain as typeof long;
    assertEquals([stack.length, code.length, issues.length], [4097, 8193, 64]);
    assertEquals([issues[0]!.path.length, issues[0]!.message.length], [8193, 8193]);
  }
});

/** How many errors are in a chain of causes, or in one that is encoded. */
function lengthOf(error: unknown): number {
  return error === undefined ? 0 : 1 + lengthOf((error as { cause?: unknown }).cause);
}

test("decodeError() takes whatever anybody sends", () => {
  const values: unknown[] = [
    undefined,
    null,
    5,
    "text",
    [],
    {},
    { message: 5, name: {}, class: {}, stack: 1, cause: 7, errors: [[]], code: [], issues: [1] },
    { class: "DOMException", name: 5 },
    { class: "constructor", message: "m" },
    { class: "ActorError", exit: { kind: "gave-up", last: { kind: "gave-up" } } },
    { message: "m", errors: Array.from({ length: 1000 }, () => ({ message: "e" })) },
  ];
  for (const value of values) assert(decodeError(value) instanceof Error);
  assertEquals(decodeError({ message: "only that" }).message, "only that");
  const { errors } = decodeError(values.at(-1)) as AggregateError;
  assert(errors.length <= 32);
  let deep: unknown = {};
  for (let depth = 0; depth < 10_000; depth++) {
    deep = { cause: deep, exit: { kind: "threw", error: deep } };
  }
  assert(lengthOf(decodeError(deep)) <= 8);
  const chain = Array.from({ length: 100 }).reduce((cause) => ({ cause }), {});
  assertEquals(lengthOf(decodeError(chain)), 8);
});

test("decodeExit() gives every exit back", () => {
  const exits: Exit[] = [
    { kind: "stopped" },
    { kind: "exit", code: 3 },
    { kind: "signal", signal: "SIGSEGV" },
    { kind: "terminated" },
    { kind: "out-of-memory" },
    { kind: "lost", reason: "its parent ended" },
    { kind: "gave-up", restarts: 5, withinMs: 1000, last: { kind: "exit", code: 1 } },
  ];
  for (const exit of exits) assertEquals(exitCrossed(exit), exit);
  const threw = exitCrossed({ kind: "threw", error: new TypeError("x") });
  assert(threw.kind === "threw" && threw.error instanceof TypeError);

  let deep: Exit = { kind: "stopped" };
  for (let depth = 0; depth < 1000; depth++) {
    deep = { kind: "gave-up", restarts: depth, withinMs: 1, last: deep };
  }
  assertEquals(exitCrossed(deep).kind, "gave-up");
  for (const value of [undefined, null, 5, {}, { kind: "flew away" }, { kind: "toString" }]) {
    assertEquals(decodeExit(value).kind, "lost");
  }
});

test("encodeError() leaves numbers out that no codec has", () => {
  const error = Object.assign(new Error("x"), { errno: NaN, code: Infinity });
  assertEquals(JSON.parse(JSON.stringify(encodeError(error))), { ...encodeError(error) });
  const { errno, code } = crossed(error) as Error & { errno?: number; code?: number };
  assertEquals([errno, code], [undefined, undefined]);
});
