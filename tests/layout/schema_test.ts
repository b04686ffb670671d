/** Schemas as text, their hash, back again from the text, and what differs between two. */

import { assertEquals, assertNotEquals, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import {
  array,
  bool,
  bytes,
  f64,
  i64,
  layoutDiff,
  mutex,
  parseSchema,
  record,
  rwLock,
  schemaHash,
  schemaText,
  type Struct,
  struct,
  text,
  u32,
  u64,
  u8,
} from "../../src/layout/mod.ts";
import { fnv1a64 } from "../../src/layout/schema_hash.ts";
import { LayoutError } from "../../mod.ts";
import { type Random, withSeed } from "../support/random.ts";
import { scaled } from "../support/scale.ts";
import { randomSchema } from "../support/schemas.ts";

const Point = struct("point", { x: f64, y: f64 });
const Cell = struct("cell", { a: u8, b: u8 }, { align: "cacheline" });
const Stats = struct("stats", {
  hits: u64,
  ok: bool,
  tags: array(array(text(5), 3), 2),
  raw: bytes(9),
  lock: mutex,
  corners: array(Point, 4),
  last: record({ ratio: f64, at: i64, tag: text(16), origin: Point }),
  homes: array(record(Point), 2),
  cells: record(Cell),
  gate: rwLock,
});

const STATS = `\
struct stats: 3008 bytes, aligned 64
  u64 hits @0
  bool ok @8
  text(5)[2][3] tags @12
  bytes(9) raw @84
  mutex lock @128
  struct point[4] corners @256: 16 bytes, aligned 8
    f64 x @0
    f64 y @8
  record last @320: 56 bytes, aligned 8
    f64 ratio @0
    i64 at @8
    text(16) tag @16
    struct point origin @40: 16 bytes, aligned 8
      f64 x @0
      f64 y @8
  record struct point[2] homes @640: 16 bytes, aligned 8
    f64 x @0
    f64 y @8
  record struct(cacheline) cell cells @1280: 128 bytes, aligned 64
    u8 a @0
    u8 b @64
  rwLock gate @1728`;

test("schemaText() has a line for each field, with its place", () => {
  assertEquals(schemaText(Stats), STATS);
});

test("schemaText() is the same for the same layout, and no other", () => {
  const make = (fields = { a: u8, b: u32 }, options = {}) =>
    schemaText(struct("s", fields, options));
  assertEquals(make(), make());
  const others = [
    make({ b: u32, a: u8 } as never),
    make({ a: u8, c: u32 } as never),
    make({ a: u8, b: f64 } as never),
    make({ a: u8, b: u32, c: u8 } as never),
    make(undefined, { align: "cacheline" }),
    schemaText(struct("t", { a: u8, b: u32 })),
  ];
  assertEquals(new Set([make(), ...others]).size, others.length + 1);
});

test("schemaHash() hashes the text and what the text leaves open", () => {
  const S = struct("s", { a: u8 }), T = struct("s", { a: u32 });
  assertEquals(schemaHash(S, "x"), schemaHash(struct("s", { a: u8 }), "x"));
  assertNotEquals(schemaHash(S, "x"), schemaHash(T, "x"));
  assertNotEquals(schemaHash(S, "x"), schemaHash(S, "y"));
  // What C computes in three lines from "struct s: 1 bytes, aligned 1\n  u8 a @0\nx86-64".
  assertEquals(schemaHash(S, "x86-64"), bigFnv("struct s: 1 bytes, aligned 1\n  u8 a @0\nx86-64"));
});

function bigFnv(textToHash: string): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(textToHash)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash;
}

test("fnv1a64() gives the hashes that its authors published", () => {
  const hash = (of: string) => fnv1a64(new TextEncoder().encode(of)).toString(16);
  assertEquals(hash(""), "cbf29ce484222325");
  assertEquals(hash("a"), "af63dc4c8601ec8c");
  assertEquals(hash("foobar"), "85944171f73967e8");
});

test("fnv1a64() computes what BigInts would", () => {
  withSeed(4, 200, (random) => {
    const bytesToHash = random.bytes(random.below(300)).map((byte) => byte & 0x7f);
    assertEquals(fnv1a64(bytesToHash), bigFnv(String.fromCharCode(...bytesToHash)));
  });
});

// --- Back from the text --------------------------------------------------------------------------

test("parseSchema() gives the schema of a text", () => {
  const parsed = parseSchema(schemaText(Stats), "/s");
  assertEquals(parsed, Stats);
  assertEquals(schemaHash(parsed, ""), schemaHash(Stats, ""));
});

test("parseSchema() gives random schemas back", () => {
  withSeed(20_261_124, scaled(2000), (random) => {
    const schema = randomSchema(random);
    assertEquals(parseSchema(schemaText(schema), "/s"), schema);
  });
});

test("parseSchema() gives the largest schemas back", () => {
  const many = Object.fromEntries(
    Array.from({ length: 4096 }, (_, index) => [`${"n".repeat(58)}${index}`, u8]),
  );
  const Many = struct("many", many);
  assertEquals(parseSchema(schemaText(Many), "/s"), Many);
  const name = (depth: number) => `${"n".repeat(61)}${String.fromCharCode(97 + depth)}`;
  let deep: Struct = struct(name(0), { [name(0)]: u8 });
  for (let depth = 1; depth < 16; depth++) deep = struct(name(depth), { [name(depth)]: deep });
  assertEquals(parseSchema(schemaText(deep), "/s"), deep);
});

/** Texts that are none, and what the error says of each. */
const WRONG: [text: string, message: string][] = [
  ["", 'line 1, ""'],
  ["u8 a @0", 'line 1, "u8 a @0"'],
  ["struct s: 1 bytes, aligned 1", "it has no fields"],
  ["struct int: 1 bytes, aligned 1\n  u8 a @0", "meaning in C"],
  ["struct s: 1 bytes, aligned 1\n  u8 __proto__ @0", "__proto__"],
  ["struct s: 1 bytes, aligned 1\n  u8 a @1", "offsets or sizes"],
  ["struct s: 2 bytes, aligned 1\n  u8 a @0", "offsets or sizes"],
  ["struct s: 1 bytes, aligned 2\n  u8 a @0", "offsets or sizes"],
  ["struct s: 1 bytes, aligned 1\n  u8 a @0\n", 'line 3, ""'],
  ["struct s: 1 bytes, aligned 1\n  u8 a @0 ", "offsets or sizes"],
  ["struct s: 1 bytes, aligned 1\nu8 a @0", 'line 2, "u8 a @0"'],
  ["struct s: 1 bytes, aligned 1\n    u8 a @0", "line 2"],
  ["struct s: 1 bytes, aligned 1\n  u8 a @0\n    u8 b @0", "line 3"],
  ["struct s: 2 bytes, aligned 1\n  u8 a @0\n  u8 a @1", "line 3"],
  ["struct s: 1 bytes, aligned 1\n  u9 a @0", 'line 2, "  u9 a @0"'],
  ["struct s: 1 bytes, aligned 1\n  constructor a @0", "line 2"],
  ["struct s: 1 bytes, aligned 1\n  u8(1) a @0", "line 2"],
  ["struct s: 1 bytes, aligned 1\n  u8[0] a @0", "1 to 2147483648"],
  ["struct s: 8 bytes, aligned 4\n  text(0) a @0", "maxBytes of text() 0"],
  ["struct s: 8 bytes, aligned 4\n  text(99999999999) a @0", "maxBytes of text()"],
  ["struct s: 8 bytes, aligned 4\n  text(04) a @0", "offsets or sizes"],
  ["struct s: 1 bytes, aligned 1\n  u8[99999] a @0", "offsets or sizes"],
  [`struct s: 1 bytes, aligned 1\n  u8${"[1]".repeat(17)} a @0`, "more than 16 arrays"],
  [`struct s: 1 bytes, aligned 1\n  u8${"[1]".repeat(200)} a @0`, "at most 400 characters"],
  [
    "struct s: 320 bytes, aligned 64\n  record a @0: 1 bytes, aligned 1\n    mutex l @0",
    "no locks",
  ],
  ["struct s: 1 bytes, aligned 1\n  structp a @0: 1 bytes, aligned 1\n    u8 x @0", "line 2"],
  ["struct s: 1 bytes, aligned 1\n  struct a @0: 1 bytes, aligned 1\n    u8 x @0", "line 2"],
  [`struct s: 1 bytes, aligned 1${"\n  u8 a @0".repeat(5000)}`, "more than 4096 fields"],
  ["struct s: 1 bytes, aligned 1" + "\n\u001b[31m  u8 a @0", '"\\u001b[31m  u8 a @0"'],
];

for (const [wrong, message] of WRONG) {
  test(`parseSchema() refuses ${JSON.stringify(wrong.slice(0, 100))}`, () => {
    const error = assertThrows(() => parseSchema(wrong, "/s"), LayoutError, message);
    assertEquals(error.target, "/s");
  });
}

test("parseSchema() refuses structs in each other without end", () => {
  const lines = ["struct s: 1 bytes, aligned 1"];
  for (let depth = 1; depth < 4000; depth++) lines.push(`${"  ".repeat(depth)}struct s s @0: 1`);
  assertThrows(() => parseSchema(lines.join("\n"), "/s"), LayoutError, "at most 400 characters");
  assertThrows(() => parseSchema(lines.slice(0, 100).join("\n"), "/s"), LayoutError, "line 18");
});

test("parseSchema() takes a damaged text for what it says, or refuses it", () => {
  let taken = 0;
  withSeed(99, scaled(4000), (random) => {
    const damaged = damage(random, schemaText(randomSchema(random, { depth: 2 })));
    try {
      assertEquals(schemaText(parseSchema(damaged, "/s")), damaged);
      taken++;
    } catch (error) {
      if (!(error instanceof LayoutError)) throw error;
    }
  });
  assertNotEquals(taken, 0);
});

/** A text with one character, or some lines, other than they were. */
function damage(random: Random, whole: string): string {
  const at = random.below(whole.length), character = random.pick([..."0a1 @:()[]_\n\0é"]);
  const lines = whole.split("\n"), line = random.below(lines.length);
  switch (random.below(5)) {
    case 0:
      return whole.slice(0, at) + character + whole.slice(at + 1);
    case 1:
      return whole.slice(0, at) + character + whole.slice(at);
    case 2:
      return whole.slice(0, at) + whole.slice(at + 1);
    case 3:
      return lines.toSpliced(line, 1).join("\n");
    default:
      return lines.toSpliced(line, 0, random.pick(lines)).join("\n");
  }
}

// --- What differs --------------------------------------------------------------------------------

test("layoutDiff() marks the lines that only one of both has", () => {
  const before = schemaText(struct("s", { a: u8, b: u32, tag: text(4) }));
  const after = schemaText(struct("s", { a: u8, c: u32, tag: text(4) }));
  assertEquals(
    layoutDiff(before, after),
    `\
  struct s: 16 bytes, aligned 4
    u8 a @0
-   u32 b @4
+   u32 c @4
    text(4) tag @8`,
  );
  assertEquals(layoutDiff("a", "a"), "  a");
  assertEquals(layoutDiff("a\nb", "b\nc"), "- a\n  b\n+ c");
  assertEquals(layoutDiff("", "x"), "- \n+ x");
});

test("layoutDiff() of random texts gives both of them back, with as few marks as can be", () => {
  withSeed(31, scaled(500), (random) => {
    const lines = () => Array.from({ length: 1 + random.below(8) }, () => random.pick([..."abc"]));
    const found = lines(), expected = lines();
    const marked = layoutDiff(found.join("\n"), expected.join("\n")).split("\n");
    const without = (mark: string) =>
      marked.filter((line) => line[0] !== mark).map((line) => line.slice(2));
    assertEquals([without("+"), without("-")], [found, expected]);
    const kept = marked.filter((line) => line[0] === " ").length;
    assertEquals(kept, longestInCommon(found, expected));
  });
});

/** By trying everything. */
function longestInCommon(one: readonly string[], other: readonly string[]): number {
  if (one.length === 0 || other.length === 0) return 0;
  const [first, ...rest] = one;
  const at = other.indexOf(first!);
  const without = longestInCommon(rest, other);
  return at < 0 ? without : Math.max(without, 1 + longestInCommon(rest, other.slice(at + 1)));
}

test("layoutDiff() bounds what it shows, and shows nothing that a terminal obeys", () => {
  const diff = layoutDiff(`${"x".repeat(10_000)}\n\u001b[31m\u009b1m\u202e`, "y\n".repeat(10_000));
  assertEquals(diff.split("\n").length, 2 + 400 + 1);
  assertEquals(diff.split("\n").at(-1), "+ … 9601 more lines");
  assertEquals(/[^\n\x20-\x7e…\ufffd]/u.test(diff), false);
  assertEquals(Math.max(...diff.split("\n").map((line) => line.length)), 404);
});
