/**
 * The parts of examples/word_count, without the demo around them.
 *
 * Goal: a count is exact whoever dies and when. Method: pieces are shared out among counters that
 * die at random; the verdict is a naive count of the same bytes.
 */

import { assert, assertEquals, assertRejects } from "../assert.ts";
import { test } from "../harness.ts";
import { startCCounter } from "../../examples/word_count/c_counter.ts";
import { wordsIn } from "../../examples/word_count/counter.ts";
import type { Counter } from "../../examples/word_count/crew.ts";
import { cut, type Piece } from "../../examples/word_count/pieces.ts";
import { share } from "../../examples/word_count/share.ts";
import { ActorError, system, uniqueName } from "../../mod.ts";
import "../support/loaded.ts";
import { Random, withSeed } from "../support/random.ts";
import { folderWith, generateText, naiveCount, sorted } from "./word_count_support.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const { signal } = new AbortController();
const onCounted = () => {};

test("cut() puts every byte into one piece and cuts no word", () => {
  withSeed(7, 100, (random) => {
    const bytes = generateText(random.below(300), { seed: random.below(1000), vocabulary: 40 });
    const pieceBytes = 1 + random.below(80);
    const pieces = [...cut(3, bytes, pieceBytes)];
    let offset = 0;
    for (const piece of pieces) {
      assertEquals([piece.file, piece.offset], [3, offset]);
      assert(piece.byteLength >= Math.min(pieceBytes, bytes.length - offset));
      offset += piece.byteLength;
    }
    assertEquals(offset, bytes.length);
    const joined = new Map<string, number>();
    for (const { offset, byteLength } of pieces) {
      for (const [word, count] of naiveCount(bytes.subarray(offset, offset + byteLength))) {
        joined.set(word, (joined.get(word) ?? 0) + count);
      }
    }
    assertEquals(sorted(joined), sorted(naiveCount(bytes)));
  });
});

test("cut() gives one piece for a file without separators and none for an empty one", () => {
  assertEquals([...cut(0, bytesOf("x".repeat(1000)), 10)], [
    { file: 0, offset: 0, byteLength: 1000 },
  ]);
  assertEquals([...cut(0, new Uint8Array(), 10)], []);
});

/** All that is special about words. */
const SPECIAL: Record<string, Uint8Array> = {
  empty: new Uint8Array(),
  longest: bytesOf(`${"A".repeat(65535)} ${"b".repeat(65536)} c ${"a".repeat(65535)}`),
  separators: bytesOf(" \r\n\t.,;\0".repeat(1000)),
  utf8: bytesOf("Ärger ärger straße STRASSE 日本語 \u{feff}bom a\u0301 __proto__ constructor"),
  everyByte: Uint8Array.from({ length: 70_000 }, (_, index) => (index * 7919) >> 3),
  text: generateText(100_000, { seed: 1 }),
  ones: bytesOf(Array.from({ length: 5000 }, (_, at) => "abcdefghij"[at % 10]).join(" ")),
};

test("wordsIn() counts what the naive count does", () => {
  for (const [name, bytes] of Object.entries(SPECIAL)) {
    assertEquals(sorted(new Map(wordsIn(bytes))), sorted(naiveCount(bytes)), name);
  }
});

test("the C program counts what the naive count does", async () => {
  using folder = folderWith(SPECIAL);
  const paths = Object.keys(SPECIAL).map((name) => folder.pathOf(name));
  await using shop = await system(uniqueName("test").slice(1));
  const counter = await startCCounter(shop, paths, 140_000);
  try {
    for (const [file, [name, bytes]] of Object.entries(SPECIAL).entries()) {
      const piece = { file, offset: 0, byteLength: bytes.length };
      const words = await counter.count(piece, signal);
      assertEquals(sorted(new Map(words)), sorted(naiveCount(bytes)), name);
    }
    const short = { file: 0, offset: 0, byteLength: 1 };
    await assertRejects(() => counter.count(short, signal), Error, "cannot read the file");
    const absent = { file: paths.length, offset: 0, byteLength: 1 };
    await assertRejects(() => counter.count(absent, signal), Error, "there is no such file");
  } finally {
    await counter.close();
  }
});

interface Odds {
  /** One in so many pieces kills who has it. */
  deadly: number;
  /** One in so many deaths is for good. */
  final: number;
}

/** One that dies at random. */
function mortal(name: string, bytes: Uint8Array, random: Random, odds: Odds): Counter {
  let isGone = false;
  return {
    name,
    kind: "process",
    pid: 0,
    atOnce: 1 + random.below(3),
    async count({ offset, byteLength }) {
      for (let turns = random.below(4); turns > 0; turns--) await Promise.resolve();
      if (isGone || random.oneIn(odds.deadly)) {
        throw ActorError.died(name, { kind: "signal", signal: "SIGKILL" });
      }
      return wordsIn(bytes.subarray(offset, offset + byteLength));
    },
    async isBack() {
      for (let turns = random.below(4); turns > 0; turns--) await Promise.resolve();
      isGone ||= random.oneIn(odds.final);
      return !isGone;
    },
  };
}

test("share() is exact when counters die at random, as long as one lives", async () => {
  for (let seed = 1; seed <= 100; seed++) {
    const random = new Random(seed);
    const bytes = generateText(random.below(3000), { seed, vocabulary: 40 });
    const pieces = [...cut(0, bytes, 1 + random.below(200))];
    const counters = [
      mortal("immortal", bytes, random, { deadly: 5, final: Infinity }),
      mortal("mortal", bytes, random, { deadly: 3, final: 2 }),
      mortal("frail", bytes, random, { deadly: 2, final: 1 }),
    ];
    const { words, asks, piecesOf, ...tally } = await share(pieces, counters, {
      signal,
      onCounted,
    });
    assertEquals(sorted(words), sorted(naiveCount(bytes)), `seed ${seed}`);
    assertEquals([tally.pieces, tally.bytes], [pieces.length, bytes.length]);
    assertEquals([...piecesOf.values()].reduce((sum, count) => sum + count, 0), pieces.length);
    assert(asks >= pieces.length);
  }
});

const PIECES: Piece[] = [...cut(0, bytesOf("one two three"), 4)];

/** One that rejects with something. */
function failing(error: Error): Counter {
  const count = () => Promise.reject(error);
  return { name: "x", kind: "c", pid: 0, atOnce: 1, count, isBack: () => Promise.resolve(false) };
}

test("share() rejects when nobody is left", async () => {
  const died = ActorError.died("x", { kind: "exit", code: 1 });
  await assertRejects(
    () => share(PIECES, [failing(died), failing(died)], { signal, onCounted }),
    Error,
    "all who counted have died",
  );
});

test("share() rejects with what is wrong with a piece", async () => {
  await assertRejects(
    () => share(PIECES, [failing(new RangeError("it has got shorter"))], { signal, onCounted }),
    RangeError,
    "it has got shorter",
  );
});
