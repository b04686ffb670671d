/**
 * Payloads as bytes: what each codec takes and gives back, what it refuses, what hostile bytes do.
 *
 * Method: values against themselves after the way there and back; bytes that docs/wire.md names,
 * written by hand; random damage with a seed.
 */

import { Buffer } from "node:buffer";
import { assert, assertEquals, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import { array, f64, i64, struct, text, u8 } from "../../src/layout/mod.ts";
import type { CodecChoice } from "../../src/actor/protocol/codec_choice.ts";
import { ADDRESS, type Address } from "../../src/actor/protocol/ref.ts";
import {
  codecNumber,
  type Crossing,
  decodePayload,
  encodePayload,
  loadCodecs,
} from "../../src/actor/wire/codec.ts";
import type { CodecNumber } from "../../src/actor/wire/frame_layout.ts";
import { fromHex, hex } from "../support/peer.ts";
import { type Random, withSeed } from "../support/random.ts";
import { scaled } from "../support/scale.ts";

await loadCodecs();

const address: Address = {
  system: "shop",
  protocol: "counter",
  endpoint: 2,
  actor: 5,
  mailbox: undefined,
  pool: false,
  carrier: "queue",
  onFull: "wait",
  label: "counter#5",
};

/** A region, as far as a crossing knows. */
class FakeRegion {
  constructor(readonly name: string) {}
}

/** Refs become their addresses, regions texts. */
const crossing: Crossing = {
  encodeRef: (ref) => (ref as { [ADDRESS]: Address })[ADDRESS],
  decodeRef: (address) => Object.freeze({ ref: address }),
  encodeRegion: (value) =>
    value instanceof FakeRegion ? { name: value.name, schema: "struct s: …" } : undefined,
  openRegion: ({ name, schema }) => `region ${name}, ${schema}`,
};

function encode(choice: CodecChoice, value: unknown): Uint8Array {
  return encodePayload(choice, value, crossing);
}

function decode(choice: CodecChoice, bytes: Uint8Array, codec = codecNumber(choice)): unknown {
  return decodePayload(codec, choice, bytes, crossing);
}

function thereAndBack(choice: CodecChoice, value: unknown): unknown {
  return decode(choice, encode(choice, value));
}

function assertRefused(choice: CodecChoice, value: unknown, message: string): void {
  assertThrows(() => encode(choice, value), TypeError, message);
}

/** What both text-like codecs take. */
const plainValues: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  127,
  128,
  -32,
  -33,
  2 ** 32,
  -(2 ** 31) - 1,
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
  0.1,
  1e300,
  "",
  "h€llo 🎈",
  "x".repeat(70_000),
  [],
  [[], [1, [2]]],
  {},
  { a: { b: [{ c: null }] }, "": 1, constructor: 2, toString: "x", "with blank": 3 },
  Array.from({ length: 70_000 }, (_, at) => at),
  Array.from({ length: 100 }, () => ({ a: [] })),
];

for (const choice of ["messagepack", "json"] as const) {
  test(`${choice} gives plain values back as they were`, () => {
    for (const value of plainValues) assertEquals(thereAndBack(choice, value), value);
    assertEquals(encode(choice, undefined).byteLength, 0);
    assertEquals(thereAndBack(choice, undefined), undefined);
    assertEquals(thereAndBack(choice, { a: undefined, b: 1 }), { b: 1 });
    assertEquals(thereAndBack(choice, Object.assign(Object.create(null), { a: 1 })), { a: 1 });
  });

  test(`${choice} names the path of what may not cross`, () => {
    const items = [0, 1, 2, { fn() {} }];
    assertRefused(
      choice,
      { items },
      "Cannot send payload.items[3].fn: it is a function, expected plain data",
    );
    assertRefused(choice, Symbol("s"), "Cannot send payload: it is Symbol(s), expected plain data");
    assertRefused(choice, { "a b": /x/ }, 'payload["a b"]: it is an instance of RegExp');
    assertRefused(choice, { at: new Date(NaN) }, "payload.at: it is an in");
    assertRefused(choice, [new URL("file:///")], "payload[0]: it is an instance of URL");
    assertRefused(choice, { list: [1, undefined] }, "payload.list: it is an array with undefined");
    assertRefused(choice, [, 1], "payload: it is an array with undefined in it, expected null");
    assertRefused(choice, new (class Point {})(), "payload: it is an instance of Point");
    assertRefused(
      choice,
      new DataView(new ArrayBuffer(1)),
      "payload: it is an instance of DataView",
    );
    assertRefused(
      choice,
      { a: JSON.parse('{"__proto__": 1}') },
      "payload.a: it is an object with a key __proto__",
    );
  });

  test(`${choice} refuses what is too deep, or in itself, and takes what is as deep as it may be`, () => {
    const circle: Record<string, unknown> = {};
    circle.self = [circle];
    assertRefused(choice, circle, "it is deeper than 64 levels, or in itself");
    assertEquals(depthOf(thereAndBack(choice, nested(64))), 64);
    assertRefused(choice, nested(65), "it is deeper than 64 levels");
  });

  test(`${choice} lets the error of a getter through`, () => {
    const value = {
      get broken(): never {
        throw new RangeError("not today");
      },
    };
    assertThrows(() => encode(choice, value), RangeError, "not today");
  });
}

function nested(depth: number): unknown {
  return depth === 0 ? "deep" : [nested(depth - 1)];
}

function depthOf(value: unknown): number {
  return Array.isArray(value) ? 1 + depthOf(value[0]) : 0;
}

test("messagepack gives back what only JavaScript has", () => {
  const error = new TypeError("odd", { cause: "why" });
  const value = {
    dates: [new Date(0), new Date(-1), new Date(1_795_500_000_123), new Date(8.64e15)],
    map: new Map<unknown, unknown>([[{ key: 1 }, [1n]], ["k", new Map([[1, "x"]])]]),
    bytes: [new Uint8Array(0), Uint8Array.of(1, 2)],
    elements: [
      Int8Array.of(-1),
      Uint8ClampedArray.of(255),
      Int16Array.of(-300),
      Uint16Array.of(60_000),
      Int32Array.of(-70_000),
      Uint32Array.of(4e9),
      Float32Array.of(0.5),
      Float64Array.of(0.1, NaN),
      BigInt64Array.of(-1n),
      BigUint64Array.of(2n ** 64n - 1n),
      new Float64Array(0),
      Uint8Array.of(7, 8).buffer,
    ],
  };
  assertEquals(thereAndBack("messagepack", value), value);
  const again = thereAndBack("messagepack", [error, new Set([1, "1", null])]) as [
    Error,
    Set<unknown>,
  ];
  assert(again[0] instanceof TypeError);
  assertEquals([again[0].message, again[0].cause], ["odd", "why"]);
  assert(again[1] instanceof Set); // whose comparison wants a newer Node
  assertEquals([...again[1]], [1, "1", null]);
});

test("messagepack refuses a Map and a Set with undefined in it", () => {
  assertRefused("messagepack", { m: new Map([[1, undefined]]) }, "payload.m: it is a Map with");
  assertRefused("messagepack", [new Set([undefined])], "payload[0]: it is a Set with undefined");
  const keys = new Map<unknown, unknown>([[{ fn() {} }, new Map([["k", () => {}]])]]);
  assertRefused("messagepack", keys, "Cannot send a key of payload.fn: it is a function");
  keys.delete([...keys.keys()][0]);
  keys.set("a", new Map([["k", () => {}]]));
  assertRefused("messagepack", keys, 'payload.get("a").get("k"): it is a function');
});

test("messagepack keeps BigInts and Numbers apart", () => {
  const numbers = [0n, 5n, -1n, 255n, -256n, 2n ** 64n, -(2n ** 63n), 2n ** 64n - 1n, 3n ** 500n];
  for (const value of [...numbers, ...numbers.map((value) => -value)]) {
    assertEquals(thereAndBack("messagepack", value), value);
  }
  assertEquals(thereAndBack("messagepack", [5, 5n, 2 ** 40]), [5, 5n, 2 ** 40]);
  assert(Object.is(thereAndBack("messagepack", NaN), NaN));
  assertRefused(
    "messagepack",
    { big: 1n << (8n * 65_536n) },
    "payload.big: it is a BigInt of 65537",
  );
});

test("messagepack takes the 64-bit integers of others, as BigInts where no Number holds them", () => {
  // { a: uint64 2^53 - 1, b: uint64 2^53, c: int64 -2^63, d: bin 01 }
  const bytes = fromHex(
    "84" + "a161cf001fffffffffffff" + "a162cf0020000000000000" + "a163d38000000000000000" +
      "a164c40101",
  );
  const value = decode("messagepack", bytes);
  assertEquals(value, { a: 2 ** 53 - 1, b: 2n ** 53n, c: -(2n ** 63n), d: Uint8Array.of(1) });
  assertEquals(decode("messagepack", fromHex("cf0000000000000005")), 5);
  assertEquals(decode("messagepack", fromHex("d3ffffffffffffffff")), -1);
  // Beside one of them, a BigInt of ours stays one.
  const mixed = fromHex("92" + "cfffffffffffffffff" + hex(encode("messagepack", 5n)));
  assertEquals(decode("messagepack", mixed), [2n ** 64n - 1n, 5n]);
});

test("messagepack writes what docs/wire.md says", () => {
  const written: [unknown, string][] = [
    [{ by: 2 }, "81 a2 6279 02"],
    [2 ** 32, "cf 0000000100000000"],
    [0.5, "cb 3fe0000000000000"],
    [5n, "d5 03 00 05"],
    [-256n, "c7 03 03 01 0001"],
    [new Date(1000), "d6 ff 00000001"],
    [new Map([["a", 1]]), "d6 04 92 a161 01"],
    [new Set([1]), "d5 05 91 01"],
    [Float32Array.of(1), "c7 05 07 07 0000803f"],
    [Uint8Array.of(1, 2), "c4 02 0102"],
    [new FakeRegion("/r"), "c7 12 02 92 a2 2f72 ad 73747275637420733a20e280a6"],
  ];
  for (const [value, bytes] of written) {
    assertEquals(hex(encode("messagepack", value)), bytes.replaceAll(" ", ""));
  }
});

test("messagepack gives values of their own: nothing of them views the bytes", () => {
  const value: [Uint8Array, ...unknown[]] = [
    Uint8Array.of(1, 2),
    Float64Array.of(1),
    new Map([[1, Uint8Array.of(3)]]),
  ];
  const bytes = Buffer.from(encode("messagepack", value)); // whose slices are views
  const again = decode("messagepack", bytes) as typeof value;
  bytes.fill(0xc1);
  assertEquals(again, value);
  assertEquals(again[0].buffer.byteLength, 2);
});

test("messagepack carries refs as addresses and named regions by name and schema", () => {
  const ref = { add() {}, [ADDRESS]: address };
  const named = { total() {}, [ADDRESS]: { ...address, mailbox: "/shop.c", pool: true, actor: 0 } };
  const region = new FakeRegion("/stats");
  assertEquals(thereAndBack("messagepack", { ref, to: [named, region] }), {
    ref: { ref: address },
    to: [{ ref: named[ADDRESS] }, "region /stats, struct s: …"],
  });
  // Beside bytes, which have to be copied out of the payload.
  assertEquals(thereAndBack("messagepack", [ref, Uint8Array.of(1)]), [
    { ref: address },
    Uint8Array.of(1),
  ]);
  assertRefused("messagepack", [ref, { fn() {} }], "payload[1].fn: it is a function");
  const local = { ...crossing, encodeRef: () => undefined };
  assertThrows(
    () => encodePayload("messagepack", { ref }, local),
    TypeError,
    "Cannot send payload.ref: it is a ref that may not leave its system",
  );
});

test("messagepack refuses an address that is none", () => {
  const list: unknown[] = ["shop", "counter", 2, 5, null, false, "queue", "wait", "counter#5"];
  const refOf = (fields: unknown) => {
    const data = encode("messagepack", fields);
    return decode(
      "messagepack",
      Uint8Array.of(0xc8, data.byteLength >> 8, data.byteLength & 0xff, 1, ...data),
    );
  };
  assertEquals(refOf(list), { ref: address });
  const wrong: unknown[] = [7, null, -1, 2 ** 32, 7, 0, "pigeon", "never", null];
  for (const [index, value] of wrong.entries()) {
    assertThrows(() => refOf(list.with(index, value)), TypeError, "a ref without an address");
  }
  assertThrows(() => refOf(list.with(0, "x".repeat(256))), TypeError, "a ref without an address");
  assertThrows(() => refOf([...list, null]), TypeError, "a ref without an address");
  assertThrows(() => refOf(list.slice(1)), TypeError, "a ref without an address");
  assertThrows(() => refOf({}), TypeError, "a ref without an address");
});

test("messagepack refuses hostile bytes before it makes anything of them", () => {
  const hostile: [bytes: string, why: string][] = [
    ["dd ffffffff", "its bytes end too soon"], // an array of 2^32 - 1
    ["df 80000000", "its bytes end too soon"], // a map
    ["82 01 02 03", "its bytes end too soon"], // a map of one value and a half
    ["db 00000005 6161", "its bytes end too soon"], // a text
    ["c6 ffffffff 00", "its bytes end too soon"], // bytes
    ["c9 ffffffff 04", "its bytes end too soon"], // an extension
    ["cf 00000000", "its bytes end too soon"],
    ["da 00", "its bytes end too soon"],
    ["c1", "0xc1 at byte 0 begins no value"],
    ["01 01", "1 bytes behind the value"],
    ["d4 63 00", "an extension of type 99"],
    ["d4 03 00", "a BigInt of 0 bytes"],
    ["d5 03 02 01", "a BigInt of 1 bytes and sign 2"],
    ["c9 00010002 03 00" + "01".repeat(65_537), "a BigInt of 65537 bytes"],
    ["d4 04 01", "a Map that is no list"],
    ["d5 04 91 01", "a Map that is no list of keys and values"],
    ["d4 05 01", "a Set that is no list"],
    ["d4 02 01", "a region without a name"],
    ["d4 07 0b", "a typed array of no known elements"],
    ["c7 00 07", "a typed array of no known elements"],
    ["d5 07 03 00", "a multiple of"], // half an element
    ["d4 ff 00", "timestamp"],
    ["81 90 01", "key"], // an array for a key
    ["81 a9" + hex("__proto__") + "80", "__proto__"],
  ];
  for (const [bytes, why] of hostile) {
    const call = () => decode("messagepack", fromHex(bytes.replaceAll(" ", "")));
    assertThrows(call, TypeError, why, bytes);
  }
});

test("messagepack refuses what is too deep, in extensions too, and too many containers", () => {
  const deep = (levels: number) => new Uint8Array(levels + 1).fill(0x91, 0, levels);
  assertEquals(depthOf(decode("messagepack", deep(64))), 64);
  for (const levels of [65, 100_000]) {
    assertThrows(() => decode("messagepack", deep(levels)), TypeError, "deeper than 64 levels");
  }
  let maps: unknown = new Map();
  for (let level = 0; level < 40; level++) maps = new Map([["in", maps]]);
  assertEquals(thereAndBack("messagepack", maps), maps);
  for (let level = 0; level < 40; level++) maps = new Map([["in", maps]]);
  assertRefused("messagepack", maps, "deeper than 64 levels");

  let sets = encode("messagepack", 1);
  for (let level = 0; level < 65; level++) {
    const length = sets.byteLength + 1;
    sets = Uint8Array.of(0xc8, length >> 8, length & 0xff, 5, 0x91, ...sets);
  }
  assertThrows(() => decode("messagepack", sets), TypeError, "deeper than 64 levels");

  const count = 2 ** 22;
  const many = new Uint8Array(count + 5).fill(0x90);
  many.set([0xdd, count >>> 24, (count >> 16) & 0xff, (count >> 8) & 0xff, count & 0xff]);
  assertThrows(() => decode("messagepack", many), TypeError, "more than 4194304 arrays");
  const extensions = new Uint8Array(3 * (count + 1) + 5);
  for (let at = 5; at < extensions.byteLength; at += 3) extensions.set([0xd4, 3, 0], at);
  extensions.set(many.subarray(0, 5));
  extensions[4]!++;
  assertThrows(() => decode("messagepack", extensions), TypeError, "more than 4194304 arrays");
});

test("json refuses what it has no type for", () => {
  assertRefused("json", { big: 5n }, "payload.big: it is 5n, expected plain data");
  assertRefused("json", [NaN], "payload[0]: it is NaN, which JSON does not have");
  assertRefused("json", { at: new Date(0) }, "payload.at: it is an instance of Date");
  assertRefused("json", { map: new Map() }, "payload.map: it is an instance of Map");
  assertRefused("json", { bytes: new Uint8Array(1) }, "payload.bytes: it is an instance of Uint8");
  assertRefused("json", { ref: { [ADDRESS]: address } }, "payload.ref: it is a ref");
});

test("json refuses hostile bytes", () => {
  const bytesOf = (text: string) => new TextEncoder().encode(text);
  const refused = (text: string, why: string) =>
    assertThrows(() => decode("json", bytesOf(text)), TypeError, why);
  refused("[1", "JSON");
  refused("[".repeat(65) + "]".repeat(65), "deeper than 64 levels");
  refused('{"a":'.repeat(100_000), "deeper than 64 levels");
  refused('{"__proto__": {"polluted": 1}}', "an object with a key __proto__");
  refused('[{"\\u005f_proto_\\u005F": 1}]', "an object with a key __proto__");
  refused('{"__\\u0070roto__": 1}', "an object with a key __proto__");
  assertThrows(() => decode("json", Uint8Array.of(0x22, 0xff, 0x22)), TypeError, "Cannot decode");
  refused(`[${"[],".repeat(2 ** 22)}[]]`, "more than 4194304 arrays and objects");
  // Brackets in a text are none, and behind an escaped quote it goes on.
  const text = '\\"' + "[".repeat(100);
  assertEquals(decode("json", bytesOf(JSON.stringify({ text }))), { text });
  assertEquals(decode("json", bytesOf('{"a": "__proto__ \\u0041"}')), { a: "__proto__ A" });
});

test("clone takes what the structured clone takes, and refuses what is none", () => {
  const value: Record<string, unknown> = {
    map: new Map([[1, new Date(5)]]),
    big: 5n,
    expression: /x/g,
    list: [undefined],
  };
  value.self = value;
  const again = thereAndBack("clone", value) as typeof value;
  assertEquals(again.self, again);
  assertEquals({ ...again, self: 0 }, { ...value, self: 0 });
  const bytes = encode("clone", Uint8Array.of(1, 2, 3));
  const copy = decode("clone", bytes);
  bytes.fill(0);
  assertEquals(copy, Uint8Array.of(1, 2, 3));
  assertRefused("clone", { fn() {} }, "Cannot send payload: ");
  assertThrows(() => decode("clone", Uint8Array.of(1, 2, 3)), TypeError, "Cannot decode");
});

test("raw gives a copy of the bytes and takes nothing else", () => {
  const bytes = Buffer.of(1, 2, 3); // whose slices are views
  const again = decode("raw", bytes) as Uint8Array;
  bytes.fill(0);
  assertEquals(again, Uint8Array.of(1, 2, 3));
  assertEquals(thereAndBack("raw", new Uint8Array(0)), new Uint8Array(0));
  assertRefused("raw", "text", "Cannot send payload: it is");
});

const Reading = struct("reading", { at: i64, celsius: f64, tag: text(6), raw: array(u8, 2) });
const reading = { at: -5n, celsius: 21.5, tag: "h€", raw: [1, 2] };

test("a struct lies as in C, and other lengths are refused", () => {
  const bytes = encode(Reading, reading);
  assertEquals(bytes.byteLength, Reading.byteLength);
  assertEquals(new DataView(bytes.buffer).getFloat64(8, true), 21.5);
  assertEquals(decode(Reading, bytes), reading);
  for (const byteLength of [0, Reading.byteLength - 1, Reading.byteLength + 1]) {
    const call = () => decode(Reading, new Uint8Array(byteLength));
    assertThrows(call, TypeError, `struct reading has ${Reading.byteLength} bytes`);
  }
  assertRefused(Reading, { ...reading, at: 5 }, "Cannot write payload.at");
});

test("decodePayload() takes another codec than the kind's only between MessagePack and JSON", () => {
  const choices: CodecChoice[] = ["messagepack", "json", "clone", "raw", Reading];
  for (const choice of choices) {
    for (let codec = 1 as CodecNumber; codec <= 5; codec++) {
      const either = codec <= 2 && codecNumber(choice) <= 2;
      if (either || codec === codecNumber(choice)) continue;
      const call = () => decode(choice, Uint8Array.of(1), codec);
      assertThrows(call, TypeError, `its codec is ${codec}, expected ${codecNumber(choice)}`);
    }
    assertEquals(decode(choice, new Uint8Array(0), 0), undefined);
  }
  assertEquals(decode("messagepack", encode("json", { a: 1 }), 2), { a: 1 });
  assertEquals(decode("json", encode("messagepack", { a: 1n }), 1), { a: 1n });
});

const damaged: unknown = {
  list: [1, -5, 2 ** 40, 0.5, "text", null, true],
  map: new Map([[1, { deep: [new Set([2n])] }]]),
  bytes: Uint8Array.of(1, 2, 3),
  at: new Date(1_795_500_000_123),
  error: new RangeError("x"),
  elements: Float64Array.of(1, 2),
  ref: { [ADDRESS]: address },
};

test("decodePayload() throws a TypeError or gives a value, whatever the bytes are", () => {
  const seeds: [CodecChoice, Uint8Array][] = [
    ["messagepack", encode("messagepack", damaged)],
    ["json", encode("json", { list: [1, { a: "x\n" }], deep: { est: [null, true, 1.5e5] } })],
    [Reading, encode(Reading, reading)],
  ];
  let refused = 0, taken = 0;
  withSeed(4, scaled(6000), (random: Random) => {
    const [choice, whole] = random.pick(seeds);
    const bytes = random.oneIn(8)
      ? random.bytes(random.below(60))
      : whole.slice(0, random.oneIn(3) ? random.below(whole.byteLength) : whole.byteLength);
    for (let left = random.below(4); left > 0 && bytes.byteLength > 0; left--) {
      bytes[random.below(bytes.byteLength)] = random.below(256);
    }
    try {
      decode(choice, bytes);
      taken++;
    } catch (error) {
      assert(error instanceof TypeError, String(error));
      refused++;
    }
  });
  assert(refused > 100 && taken > 100, `${refused} refused, ${taken} taken`);
  assertEquals(Object.keys(Object.prototype), []);
});
