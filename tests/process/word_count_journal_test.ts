/**
 * The table and the steps of examples/word_count, in plain memory and without processes.
 *
 * Goal: a count is exact whichever step was the last of a process. Method: a worker is stopped
 * after every single step of a piece (one word, one entry, one store), settled, and another one
 * goes on; then random schedules of several workers with random deaths and messages that come
 * twice. The verdict is a naive count of the same bytes.
 */

import { assert, assertEquals, assertLess, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import { Counter, settle, TableFullError, totals } from "../../examples/word_count/counter.ts";
import { decodeOrder, encodeOrder } from "../../examples/word_count/message.ts";
import { cut, mostWords } from "../../examples/word_count/pieces.ts";
import { FREE, isDone, Table } from "../../examples/word_count/table.ts";
import { type Random, withSeed } from "../support/random.ts";
import { generateText, naiveCount, sorted } from "./word_count_support.ts";

interface Shape {
  pieceBytes: number;
  slots: number;
  columns: number;
}

/** A table over memory of this process, as the parent makes it. */
function tableFor(files: Uint8Array[], { pieceBytes, slots, columns }: Shape) {
  const pieces = files.flatMap((bytes, file) => [...cut(file, bytes, pieceBytes)]);
  const size = {
    files: files.length,
    pathBytes: files.length, // a path of one byte each
    pieces: pieces.length,
    slots,
    columns,
    journalEntries: Math.min(slots, mostWords(pieceBytes)),
    parentPid: 1,
  };
  const buffer = new SharedArrayBuffer(Table.bytesFor(size));
  Table.format(buffer, size, "/none");
  const table = Table.attach(buffer);
  table.setFiles(files.map(({ byteLength }) => ({ path: "x", byteLength })));
  pieces.forEach((piece, index) => table.setPiece(index, piece));
  return { table, bytesOf: (file: number) => files[file]!, pieces };
}

function finish(counter: Counter, piece: number): void {
  counter.begin(piece);
  while (counter.step());
}

function finishAll(counter: Counter, table: Table): void {
  for (let piece = 0; piece < table.size.pieces; piece++) finish(counter, piece);
}

const bytesOf = (text: string) => new TextEncoder().encode(text);

const TEXT = bytesOf(
  "one Two one, three two.one\r\nfour FIVE six one seven two one; ten six (nine)",
);
const PIECE_BYTES = 20; // the first piece goes to the end of its second "two"
const STEPS = ["claim", "count", "write", "commit", "apply", "done", "clear"];

/** Counts piece 0, and so many steps of piece 1; then its process is dead. */
function dieAfter(steps: number) {
  const made = tableFor([TEXT], { pieceBytes: PIECE_BYTES, slots: 16, columns: 3 });
  const counter = new Counter(made.table, 1, made.bytesOf, 1);
  finish(counter, 0);
  counter.begin(1);
  const taken: string[] = [];
  for (let step = 0; step < steps; step++) {
    taken.push(counter.next);
    if (!counter.step()) break;
  }
  return { ...made, taken, next: counter.next };
}

test("settle() makes the count exact when the worker died after any of its steps", () => {
  const all = dieAfter(Infinity).taken;
  assertEquals([...new Set(all)], STEPS);
  assertLess(15, all.length); // single words, entries and stores, not phases
  for (let steps = 0; steps <= all.length; steps++) {
    const { table, bytesOf, taken, next } = dieAfter(steps);
    const where = `died after ${steps} steps, before ${next}`;
    assertEquals(taken, all.slice(0, steps));
    const committed = taken.includes("commit");
    assertEquals(settle(table, 1), steps > 0 && !committed ? [1] : [], where);
    assertEquals(isDone(table.states[1]!), committed, where);
    finishAll(new Counter(table, 2, bytesOf, 1), table);
    assertEquals(sorted(totals(table, bytesOf)), sorted(naiveCount(TEXT)), where);
  }
});

test("settle() twice does what settle() once does", () => {
  const steps = dieAfter(Infinity).taken.length;
  for (let step = 0; step <= steps; step++) {
    const { table, bytesOf } = dieAfter(step);
    settle(table, 1);
    assertEquals(settle(table, 1), []);
    finishAll(new Counter(table, 2, bytesOf), table);
    assertEquals(sorted(totals(table, bytesOf)), sorted(naiveCount(TEXT)), `step ${step}`);
  }
});

test("settle() leaves the claims, the journals and the counts of other workers alone", () => {
  const steps = dieAfter(Infinity).taken.length;
  for (let step = 1; step < steps; step++) {
    const { table, bytesOf } = dieAfter(0);
    const living = new Counter(table, 2, bytesOf, 1);
    living.begin(1);
    for (let taken = 0; taken < step; taken++) living.step();
    assertEquals(settle(table, 1), []);
    while (living.step());
    finishAll(living, table);
    assertEquals(sorted(totals(table, bytesOf)), sorted(naiveCount(TEXT)), `step ${step}`);
  }
});

test("Counter.step() gives a piece to one of two that were sent it", () => {
  const { table, bytesOf } = tableFor([TEXT], { pieceBytes: PIECE_BYTES, slots: 16, columns: 3 });
  const first = new Counter(table, 1, bytesOf, 1), second = new Counter(table, 2, bytesOf, 1);
  first.begin(0);
  second.begin(0);
  assert(first.step());
  assert(!second.step());
  assertEquals(second.next, "end");
  while (first.step());
  finish(second, 0); // a message that comes when all is done
  finishAll(second, table);
  assertEquals(sorted(totals(table, bytesOf)), sorted(naiveCount(TEXT)));
});

test("Counter counts exactly under random schedules, deaths and repeated messages", () => {
  for (let seed = 1; seed <= 1000; seed++) {
    withSeed(seed, 1, (random) => {
      const files = Array.from(
        { length: 1 + random.below(4) },
        (_, file) => generateText(random.below(400), { seed: seed * 10 + file, vocabulary: 40 }),
      );
      const expected = naiveCount(...files);
      // As full as it may be, so that probing goes around the end.
      const slots = 2 ** Math.ceil(Math.log2(expected.size + 1));
      const columns = 8;
      const pieceBytes = 1 + random.below(100);
      const { table, bytesOf, pieces } = tableFor(files, { pieceBytes, slots, columns });
      runSchedule(random, table, bytesOf, pieces.length);
      assertEquals(sorted(totals(table, bytesOf)), sorted(expected));
    });
  }
});

/** Columns 1 and up die and are replaced by the next; column 0 does the rest. */
function runSchedule(
  random: Random,
  table: Table,
  bytesOf: (file: number) => Uint8Array,
  pieces: number,
): void {
  const { columns } = table.size;
  let nextColumn = 1;
  const hire = () => {
    const column = nextColumn++;
    return { column, counter: new Counter(table, column, bytesOf, 1 + random.below(3)) };
  };
  const crew = [hire(), hire(), hire()];
  let sent = 0;
  const free = () => {
    const found: number[] = [];
    for (let piece = 0; piece < sent; piece++) if (table.states[piece] === FREE) found.push(piece);
    return found;
  };
  while (crew.length > 0 && table.states.some((state) => !isDone(state))) {
    const at = random.below(crew.length), { column, counter } = crew[at]!;
    if (random.oneIn(40)) {
      settle(table, column);
      crew.splice(at, 1, ...(nextColumn < columns ? [hire()] : []));
    } else if (counter.next !== "end") {
      counter.step();
    } else {
      // A new piece, one whose message died with its worker, or any at all: a repeated message.
      const waiting = free();
      if (sent < pieces && !random.oneIn(4)) counter.begin(sent++);
      else if (waiting.length > 0) counter.begin(random.pick(waiting));
      else counter.begin(random.below(pieces));
    }
  }
  finishAll(new Counter(table, 0, bytesOf), table);
}

test("Counter.step() throws TableFullError for a word that finds no slot", () => {
  const files = [bytesOf("one two three four five")];
  const { table, bytesOf: bytes } = tableFor(files, { pieceBytes: 100, slots: 4, columns: 2 });
  const error = assertThrows(() => finish(new Counter(table, 1, bytes), 0), TableFullError);
  assertEquals(
    error.message,
    "Cannot count: no slot is free for one more word in a table of 4, expected fewer different " +
      "words or a larger table: --slots 8",
  );
});

test("Counter counts words of 65535 bytes and none of 65536", () => {
  const files = [bytesOf(`${"A".repeat(65535)} ${"b".repeat(65536)} c ${"a".repeat(65535)}`)];
  const { table, bytesOf: bytes } = tableFor(files, { pieceBytes: 1000, slots: 16, columns: 2 });
  finishAll(new Counter(table, 1, bytes), table);
  assertEquals(sorted(totals(table, bytes)), [["a".repeat(65535), 2], ["c", 1]]);
});

test("Counter tells words apart that have the same hash and the same length", () => {
  const files = [bytesOf("declinate macallums declinate")]; // FNV-1a, 32 bits
  const { table, bytesOf: bytes } = tableFor(files, { pieceBytes: 100, slots: 16, columns: 2 });
  finishAll(new Counter(table, 1, bytes), table);
  assertEquals(sorted(totals(table, bytes)), [["declinate", 2], ["macallums", 1]]);
});

test("totals() joins no word across files, and finds words behind empty files", () => {
  const files = ["", "one tw", "o two", "", "", "two", ""].map(bytesOf);
  const { table, bytesOf: bytes } = tableFor(files, { pieceBytes: 100, slots: 16, columns: 2 });
  finishAll(new Counter(table, 1, bytes), table);
  assertEquals(sorted(totals(table, bytes)), [["o", 1], ["one", 1], ["tw", 1], ["two", 2]]);
});

test("totals() leaves out words that only a dead worker has seen", () => {
  const { table, bytesOf, taken, pieces } = dieAfter(4);
  assertEquals(taken, ["claim", "count", "count", "count"]);
  settle(table, 1);
  const words = totals(table, bytesOf);
  assertEquals(sorted(words), sorted(naiveCount(TEXT.subarray(0, pieces[0]!.byteLength))));
  assertLess(words.size, table.keys.filter((key) => key !== 0n).length);
});

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
    const parts = pieces.map(({ offset, byteLength }) =>
      naiveCount(bytes.subarray(offset, offset + byteLength))
    );
    parts.forEach((part) => assert(part.size <= mostWords(pieceBytes)));
    const joined = new Map<string, number>();
    for (const part of parts) {
      for (const [word, count] of part) joined.set(word, (joined.get(word) ?? 0) + count);
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

test("Table.attach() refuses memory that is no table, or too short for its sizes", () => {
  assertThrows(() => Table.attach(new SharedArrayBuffer(10)), RangeError, "not even a header");
  assertThrows(() => Table.attach(new SharedArrayBuffer(4096)), RangeError, "no word table");
  const size = {
    files: 1,
    pathBytes: 1,
    pieces: 1,
    slots: 1024,
    columns: 2,
    journalEntries: 8,
    parentPid: 1,
  };
  const whole = new SharedArrayBuffer(Table.bytesFor(size));
  Table.format(whole, size, "/name");
  assertEquals(Table.attach(whole).queueName, "/name");
  const part = new SharedArrayBuffer(4096);
  new Uint8Array(part).set(new Uint8Array(whole, 0, 4096));
  assertThrows(() => Table.attach(part), RangeError, "4096 bytes, expected");
});

test("decodeOrder() takes what encodeOrder() makes and nothing else", () => {
  for (const order of [{ kind: "stop" }, { kind: "piece", piece: 41 }] as const) {
    assertEquals(decodeOrder(encodeOrder(order), 42), order);
  }
  assertEquals(decodeOrder(encodeOrder({ kind: "piece", piece: 42 }), 42), undefined);
  assertEquals(decodeOrder(new Uint8Array(0), 42), undefined);
  assertEquals(decodeOrder(new Uint8Array(8), 42), undefined);
  assertEquals(decodeOrder(encodeOrder({ kind: "stop" }).subarray(1), 42), undefined);
});
