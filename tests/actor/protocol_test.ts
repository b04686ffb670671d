/** Protocols as data: what msg() and protocol() make and refuse, tags, validation, definitions. */

import { type } from "arktype";
import * as v from "valibot";
import * as z from "zod";
import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import { ValidationError } from "../../src/actor/errors.ts";
import { actor, isActorDefinition } from "../../src/actor/protocol/definition.ts";
import { handlersByKind } from "../../src/actor/protocol/handlers.ts";
import { msg } from "../../src/actor/protocol/msg.ts";
import { RESERVED_KINDS, tagOf } from "../../src/actor/protocol/names.ts";
import { type KindSpec, protocol, protocolNamed } from "../../src/actor/protocol/protocol.ts";
import { ADDRESS, addressOf } from "../../src/actor/protocol/ref.ts";
import { type StandardSchema, validate } from "../../src/actor/protocol/standard_schema.ts";
import { array, mutex, record, struct, u32 } from "../../src/layout/mod.ts";

/** Three libraries in one protocol. */
const Counter = protocol("counter", {
  add: msg(z.object({ by: z.string().transform(Number) }), { priority: 3, ttlMs: 500 }),
  total: msg().reply(v.pipe(v.number(), v.transform(String)), { codec: "json" }),
  ticks: msg(type({ upTo: "number" })).stream(z.number()),
});

const ADD = Counter.kinds.add;

test("protocol() gives each kind its name, tag and quality of service", () => {
  const { payload, reply, ...add } = ADD;
  assertEquals([typeof payload, reply], ["object", undefined]);
  assertEquals(add, {
    protocol: "counter",
    kind: "add",
    tag: 0xd34b71e2,
    shape: "tell",
    codec: "messagepack",
    replyCodec: "messagepack",
    priority: 3,
    ttlMs: 500,
    delivery: "at-most-once",
  });
  const { total, ticks } = Counter.kinds;
  assertEquals([total.shape, total.payload, total.replyCodec], ["ask", undefined, "json"]);
  assertEquals([ticks.shape, typeof ticks.payload, typeof ticks.reply], [
    "stream",
    "function", // a schema of arktype is one
    "object",
  ]);
  assertEquals(Object.keys(Counter.kinds), ["add", "total", "ticks"]);
  assertStrictEquals(Counter.byTag.get(ADD.tag), ADD);
  assertEquals(Counter.byTag.size, 3);
});

test("protocol() keeps the protocol of a name that was made last", () => {
  assertEquals(protocolNamed("nobody"), undefined);
  const first = protocol("again", { one: msg() });
  assertStrictEquals(protocolNamed("again"), first);
  const second = protocol("again", { two: msg() });
  assertStrictEquals(protocolNamed("again"), second);
});

test("what msg() and protocol() make cannot be changed", () => {
  const kind = msg();
  for (const value of [kind, kind.spec, kind.reply(), Counter, Counter.kinds, ADD]) {
    assertEquals(Object.isFrozen(value), true);
  }
});

test("a kind that is answered keeps what its message said", () => {
  const kind = msg(z.number(), { priority: 7, ttlMs: 9, tag: 5, codec: "json" }).reply();
  const { priority, ttlMs, codec, reply } = kind.spec;
  assertEquals([kind.tag, priority, ttlMs, codec, reply], [5, 7, 9, "json", undefined]);
});

test("tagOf() is FNV-1a of both names in UTF-8", () => {
  // By a program in Python, which gives the published 0xbf9cf968 for "foobar".
  assertEquals(tagOf("counter", "add"), 0xd34b71e2);
  assertEquals(tagOf("org.example-2", "$total_1"), 0xfe0c5d5a);
});

test("protocol() uses a tag that is given, and refuses two kinds of one tag", () => {
  const { kinds, byTag } = protocol("tagged", { a: msg(undefined, { tag: 0 }), b: msg() });
  assertEquals([kinds.a.tag, byTag.get(0)?.kind], [0, "a"]);
  const error = assertThrows(
    () => protocol("tagged", { a: msg(undefined, { tag: tagOf("tagged", "b") }), b: msg() }),
    TypeError,
  );
  assertEquals(
    error.message,
    `Cannot make protocol "tagged": "a" and "b" have the same tag ${tagOf("tagged", "b")}, ` +
      "expected another for one of them: msg(…, { tag: … })",
  );
});

test("protocol() refuses kinds that JavaScript itself asks objects for", () => {
  for (const kind of RESERVED_KINDS) {
    const kinds = Object.defineProperty({ add: msg() }, kind, { value: msg(), enumerable: true });
    assertThrows(
      () => protocol("p", kinds),
      TypeError,
      `Cannot use kind "${kind}" in protocol "p": JavaScript itself asks objects for it`,
    );
  }
  // Written like this it is the prototype.
  // @ts-expect-error A reserved kind
  assertThrows(() => protocol("p", { __proto__: msg() }), TypeError, "without __proto__");
});

test("protocol() refuses names that are none", () => {
  for (const kind of ["", "two words", "1st", "a.b", "größe", "x".repeat(101)]) {
    assertThrows(() => protocol("p", { [kind]: msg() }), TypeError, "Cannot use kind ");
  }
  for (const name of ["", "two words", "1st", ".a", "größe", "x".repeat(101)]) {
    assertThrows(() => protocol(name, { a: msg() }), TypeError, "Cannot use protocol name ");
  }
  assertEquals(protocol("org.example-2", { $total_1: msg() }).kinds.$total_1.kind, "$total_1");
});

test("protocol() refuses what msg() does not make", () => {
  for (const value of [undefined, null, {}, z.number(), () => {}]) {
    // deno-lint-ignore no-explicit-any -- nonsense
    assertThrows(() => protocol("p", { add: value as any }), TypeError, '"add" is');
  }
  assertThrows(() => protocol("p", {}), TypeError, "it has no kinds, expected some");
  // @ts-expect-error No kinds at all
  assertThrows(() => protocol("p"), TypeError, "its kinds are undefined");
});

test("msg() refuses nonsense at once", () => {
  const content = struct("content", { a: u32 });
  // deno-lint-ignore no-explicit-any -- nonsense is not typed
  const any = msg as any;
  const refused: [unknown[], typeof TypeError | typeof RangeError, string][] = [
    [[{ priority: 9 }], TypeError, "the first argument is an object, expected a Standard Schema"],
    [[null], TypeError, "the first argument is null"],
    [[{ "~standard": { version: 2, validate() {} } }], TypeError, "the first argument"],
    [[undefined, "raw"], TypeError, 'the options are "raw", expected an object'],
    [[undefined, null], TypeError, "the options are null"],
    [[undefined, { priority: 32_001 }], RangeError, "expected a whole number, 0 to 32000"],
    [[undefined, { priority: -1 }], RangeError, "priority of msg() -1"],
    [[undefined, { priority: 1.5 }], RangeError, "priority of msg() 1.5"],
    [[undefined, { priority: "9" }], TypeError, 'priority of msg() "9": expected a number'],
    [[undefined, { ttlMs: 0 }], RangeError, "ttlMs of msg() 0"],
    [[undefined, { ttlMs: NaN }], RangeError, "ttlMs of msg() NaN"],
    [[undefined, { tag: 2 ** 32 }], RangeError, "tag of msg() 4294967296"],
    [[undefined, { delivery: "maybe" }], TypeError, 'Cannot use delivery "maybe"'],
    [[z.number(), { codec: "yaml" }], TypeError, '"raw" or a struct'],
    [[undefined, { codec: "json" }], TypeError, "it has a codec and no schema"],
    [[content, { codec: "json" }], TypeError, 'the codec of struct "content" is "json"'],
    [[struct("s", { lock: mutex })], TypeError, '"lock" is a mutex, expected no locks'],
    [[struct("s", { r: record({ a: u32 }) })], TypeError, '"r" is a record'],
    [
      [struct("s", { inner: struct("inner", { locks: array(mutex, 2) }) })],
      TypeError,
      '"inner.locks" is a mutex',
    ],
  ];
  for (const [args, kind, message] of refused) assertThrows(() => any(...args), kind, message);
  assertThrows(() => any().reply({}), TypeError, "Cannot make reply(): the first argument");
  assertThrows(() => any().stream(content, { codec: "raw" }), TypeError, "Cannot make stream()");
  const kept = msg(undefined, { delivery: "at-least-once" });
  assertEquals(kept.reply().spec.delivery, "at-least-once");
  assertThrows(() => kept.stream(), TypeError, 'expected "at-most-once" for a stream');
  assertEquals(msg(undefined, { priority: 32_000 }).spec.priority, 32_000);
});

test("a struct is its own codec, and bytes are judged", () => {
  const Reading = struct("reading", { a: u32 });
  const { spec } = msg(Reading).reply(undefined, { codec: "raw" });
  assertStrictEquals(spec.codec, Reading);
  assertEquals([spec.replyCodec, typeof spec.payload], ["raw", "object"]);
  const of = { protocol: "p", kind: "k" };
  const bytes = new Uint8Array(3), reading = { a: 1 };
  assertStrictEquals(validate(spec.payload!, reading, of), reading);
  assertStrictEquals(validate(spec.reply!, bytes, of), bytes);
  assertThrows(() => validate(spec.reply!, "abc", of, "reply"), ValidationError, "Uint8Array");
});

function judged({ payload }: KindSpec, value: unknown): unknown {
  return validate(payload!, value, ADD);
}

test("validate() gives what the schema makes of a value", () => {
  assertEquals(judged(ADD, { by: "40" }), { by: 40 });
  assertEquals(judged(Counter.kinds.ticks, { upTo: 3 }), { upTo: 3 });
  const { reply } = Counter.kinds.total;
  assertEquals(validate(reply!, 42, Counter.kinds.total, "reply"), "42");
});

test("validate() tells what is wrong and where, whatever the library", () => {
  const items = { zod: z.array(z.object({ name: z.string() })) };
  const zod = z.object(items), valibot = v.object({ by: v.number() });
  const arktype = type({ "a b": { c: "string" } });
  const paths = (schema: StandardSchema, value: unknown) => {
    const error = assertThrows(() => validate(schema, value, ADD), ValidationError);
    assertEquals([error.name, error.kind, error.part], [
      "ValidationError",
      "counter.add",
      "payload",
    ]);
    return error.issues.map(({ path }) => path);
  };
  assertEquals(paths(zod, { zod: [{ name: "x" }, {}] }), ["zod[1].name"]);
  assertEquals(paths(valibot, { by: "x" }), ["by"]);
  assertEquals(paths(arktype, { "a b": { c: 1 } }), ['["a b"].c']);
  assertEquals(paths(valibot, undefined), [""]);
});

/** A schema that has so many issues with everything. */
function refusing(count: number, message = "no", path = "at"): StandardSchema {
  const issues = Array.from({ length: count }, (_, index) => ({ message, path: [path, index] }));
  return { "~standard": { version: 1, vendor: "test", validate: () => ({ issues }) } };
}

test("a ValidationError tells the first issues, and is bounded", () => {
  const error = (schema: StandardSchema) =>
    assertThrows(() => validate(schema, 1, ADD, "item"), ValidationError);
  assertEquals(
    error(refusing(5)).message,
    'Cannot accept item of "counter.add": at[0]: no; at[1]: no; at[2]: no; 2 more',
  );
  assertEquals(
    error(refusing(0)).message,
    'Cannot accept item of "counter.add": the schema refuses it without a reason',
  );
  const large = error(refusing(10_000, "x".repeat(1000), "y".repeat(1000)));
  assertEquals(large.issues.length, 64);
  assertEquals(large.issues[63]!.path.startsWith("yyy"), true);
  assertEquals(JSON.stringify(large.issues).length < 64 * 1000, true);
  assertEquals(large.message.length < 2000, true);
});

test("validate() gives a promise only where the schema needs one", async () => {
  const schema = z.string().transform((text) => Promise.resolve(Number(text)));
  const result = validate(schema, "7", ADD);
  assertEquals(result instanceof Promise, true);
  assertEquals(await result, 7);
  await assertRejects(async () => await validate(schema, 7, ADD), ValidationError);
});

test("actor() makes a definition that says where it is", () => {
  const setup = () => ({ add() {}, total: () => 0, *ticks() {} });
  const definition = actor({ url: "file:///a.ts", main: true }, Counter, setup);
  assertEquals([definition.url, definition.exportName, definition.isMain], [
    "file:///a.ts",
    "default",
    true,
  ]);
  assertStrictEquals(definition.protocol, Counter);
  assertStrictEquals(definition.setup, setup);
  assertEquals([definition, {}, null, setup].map(isActorDefinition), [true, false, false, false]);
  assertEquals(actor(import.meta, Counter, setup, { export: "second" }).exportName, "second");
});

test("actor() refuses nonsense at once", () => {
  // deno-lint-ignore no-explicit-any -- nonsense is not typed
  const any = actor as any, setup = () => ({});
  assertThrows(() => any(Counter, setup), TypeError, "expected import.meta");
  assertThrows(() => any(undefined), TypeError, "the first argument is undefined");
  assertThrows(() => any(import.meta, "counter", setup), TypeError, "what protocol() makes");
  assertThrows(() => any(import.meta, Counter, {}), TypeError, "its setup is an object");
  assertThrows(() => any(import.meta, Counter, setup, "second"), TypeError, 'are "second"');
  assertThrows(() => any(import.meta, Counter, setup, { export: "" }), TypeError, 'export is ""');
});

test("handlersByKind() wants one handler for each kind and no other", () => {
  const given = { add() {}, total: () => 0, *ticks() {} };
  const byKind = handlersByKind(Counter, given, "counter");
  assertEquals([...byKind.keys()], ["add", "total", "ticks"]);
  const { ticks: _, ...two } = given;
  const refused = (handlers: unknown, message: string) =>
    assertThrows(() => handlersByKind(Counter, handlers, "c"), TypeError, message);
  refused(two, 'Cannot use the handlers of "c": that of "ticks" is undefined, expected a function');
  refused({ ...given, more() {} }, 'one is for "more", expected kinds of protocol "counter"');
  refused({ ...given, add: 1 }, 'that of "add" is 1');
  refused(undefined, "they are undefined");
});

test("handlersByKind() takes an object of a class, and calls its methods on it", () => {
  class Handlers {
    count = 1;
    add(): void {
      this.count += 1;
    }
    total(): number {
      return this.count;
    }
    *ticks() {}
    helper() {}
  }
  const byKind = handlersByKind(Counter, new Handlers(), "counter");
  byKind.get("add")!(undefined, undefined as never);
  assertEquals(byKind.get("total")!(undefined, undefined as never), 2);
});

test("addressOf() reads a ref's address and refuses what is no ref", () => {
  const address = { label: "counter" } as never;
  assertStrictEquals(addressOf({ [ADDRESS]: address }), address);
  assertStrictEquals(ADDRESS, Symbol.for("postbox.address"));
  for (const value of [undefined, null, {}, "ref", { [ADDRESS]: 1 }]) {
    assertThrows(() => addressOf(value as never), TypeError, "expected what spawn() gives");
  }
});
