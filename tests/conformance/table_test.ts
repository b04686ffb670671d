/** The table itself: every assertion of the reference list is there, and the page tells no other. */

import { readFileSync } from "node:fs";
import { assert, assertEquals, assertNotEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { ROOT } from "../support/runtime.ts";
import { allPassed, countsOf, renderDocument } from "./document.ts";
import { isAsserted, type Kind } from "./engine.ts";
import { GROUPS } from "./table.ts";

const ROWS = GROUPS.flatMap(({ rows }) => rows);

/** 1 to `last`, with a prefix. */
function numbered(last: number, prefix = ""): string[] {
  return Array.from({ length: last }, (_, index) => `${prefix}${index + 1}`);
}

test("GROUPS has each of the 231 assertions once and in order", () => {
  const expected = {
    mq_open: numbered(30),
    mq_send: numbered(14),
    mq_receive: numbered(14),
    mq_timedsend: numbered(20),
    mq_timedreceive: numbered(19),
    mq_getattr: numbered(7),
    mq_setattr: numbered(5),
    mq_notify: numbered(9),
    mq_close: numbered(5, "c"),
    mq_unlink: numbered(7, "u"),
    shm_open: numbered(42),
    shm_unlink: numbered(11),
    mmap: numbered(32),
    munmap: numbered(10),
    msync: ["msync01", "msync02", "msync03a", "msync03b", "msync03c", "msync04"],
  };
  const found = Object.fromEntries(
    GROUPS.map(({ name, rows }) => [name, rows.map(({ number }) => number)]),
  );
  assertEquals(found, expected);
  assertEquals(ROWS.length, 231);
});

test("GROUPS has as many rows of each kind as the reference list", () => {
  const count = (...kinds: Kind[]) => ROWS.filter(({ kind }) => kinds.includes(kind)).length;
  assertEquals({
    exercisable: count("Y", "Y+2P", "2P", "W", "W+SIG", "W+2P", "raw"),
    limits: count("LIM"),
    users: count("UID"),
    signals: count("SIG"),
    partial: count("partial"),
    none: count("N"),
  }, { exercisable: 171, limits: 10, users: 9, signals: 4, partial: 2, none: 35 });
});

test("GROUPS asserts every row that is not of kind N, and each other one says why not", () => {
  for (const row of ROWS) {
    if (isAsserted(row)) {
      assertNotEquals(row.linux, "");
    } else {
      assertEquals(row.kind, "N", `${row.number}: ${row.says}`);
      assert(row.why.length > 20, `${row.number}: "${row.why}" is no reason`);
    }
    assert(row.says.length > 10);
  }
});

test("renderDocument() gives the committed page", () => {
  const committed = readFileSync(`${ROOT}docs/CONFORMANCE.md`, "utf8");
  // Line by line: the first difference is easier to see than two long texts.
  const lines = renderDocument(GROUPS, allPassed(GROUPS)).split("\n");
  for (const [index, line] of committed.split("\n").entries()) {
    assertEquals(line, lines[index], `line ${index + 1}; deno task conformance writes it anew`);
  }
  assertEquals(committed.split("\n").length, lines.length);
});

test("renderDocument() shows what failed and what was not run", () => {
  const outcomes = new Map(allPassed(GROUPS));
  const [first, second] = GROUPS[0]!.rows;
  outcomes.set(first!, { result: "failed", reason: "broken" });
  outcomes.set(second!, { result: "not here", reason: "needs more" });
  const page = renderDocument(GROUPS, outcomes);
  assert(page.includes(`| 1 | ${first!.says} | Y | FAILED |`));
  assert(page.includes(`| 2 | ${second!.says} | Y+2P | not run |`));
  const { passed, failed, notHere } = countsOf(GROUPS[0]!.rows, outcomes);
  const asserted = GROUPS[0]!.rows.filter(isAsserted).length;
  assertEquals([passed, failed, notHere], [asserted - 2, 1, 1]);
});
