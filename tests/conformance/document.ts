/**
 * What a run comes to: counts per function, and docs/CONFORMANCE.md.
 *
 * Rule: the same table and the same outcomes give the same bytes; nothing of the machine or of the
 * moment is in them.
 */

import { type AssertedRow, type Group, isAsserted, type Outcome, type Row } from "./engine.ts";

/** What came out, per row. */
export type Outcomes = ReadonlyMap<Row, Outcome>;

/** How many rows of each kind there are. */
export interface Counts {
  rows: number;
  asserted: number;
  passed: number;
  failed: number;
  notHere: number;
  notExercisable: number;
}

/** Counts what came out of some rows. */
export function countsOf(rows: readonly Row[], outcomes: Outcomes): Counts {
  const having = (result: Outcome["result"]) =>
    rows.filter((row) => outcomes.get(row)?.result === result).length;
  return {
    rows: rows.length,
    asserted: rows.filter(isAsserted).length,
    passed: having("passed"),
    failed: having("failed"),
    notHere: having("not here"),
    notExercisable: having("not exercisable"),
  };
}

/** The outcomes of a run in which everything that is asserted has passed. */
export function allPassed(groups: readonly Group[]): Outcomes {
  const rows = groups.flatMap((group) => group.rows);
  return new Map(rows.map((row) => [
    row,
    isAsserted(row)
      ? { result: "passed" as const }
      : { result: "not exercisable" as const, reason: row.why },
  ]));
}

const COMMIT = "695827725f4f";

const INTRO = `# POSIX conformance

What POSIX says of message queues, shared memory and memory mapping, one assertion a row, and what
Postbox and the system under it answer. \`deno task conformance\` runs every asserted row and writes
this page; a test compares the page with the table that it comes from. Do not edit it.

The numbers of the rows are those of the Open POSIX Test Suite in the Linux Test Project
(linux-test-project/ltp at ${COMMIT}, \`testcases/open_posix_testsuite/conformance/interfaces\`; for
msync, which has none there, those of \`testcases/kernel/syscalls/msync\`). The words and the tests
are our own: \`tests/conformance/\`, one file for each group of functions.

A row is asserted through the library where its API can say it. What the API keeps out of reach (bad
descriptors, deadlines that are none, addresses) is asked of the C library itself, through a table
of C functions that only the tests have.

| kind | what it takes to exercise the row |
|---|---|
| Y | plain calls in one process |
| 2P | a second process |
| W | a call that blocks |
| SIG | a signal for the blocked thread |
| raw | what the API cannot express, asked of C |
| LIM | a limit that is lowered first, in a child |
| UID | a second, unprivileged user: a child that gives root up |
| partial | cannot be seen whole from JavaScript |
| N | POSIX leaves the answer open, or no program can bring the case about |

A row of kind N that is asserted all the same is one where the library promises, or lives on, more
than POSIX does.`;

/** The whole page. */
export function renderDocument(groups: readonly Group[], outcomes: Outcomes): string {
  const sections = groups.map(({ name, rows }) =>
    [
      `## ${name}`,
      "",
      "| # | what is asserted | kind | result | what Linux answers, or why it is not asserted |",
      "|---|---|---|---|---|",
      ...rows.map((row) => renderRow(row, outcomes.get(row)!)),
    ].join("\n")
  );
  return `${[INTRO, renderSummary(groups, outcomes), ...sections].join("\n\n")}\n`;
}

function renderSummary(groups: readonly Group[], outcomes: Outcomes): string {
  const line = (name: string, rows: readonly Row[]) => {
    const { asserted, passed, failed, notExercisable } = countsOf(rows, outcomes);
    return `| ${name} | ${rows.length} | ${asserted} | ${passed} | ${failed} | ${notExercisable} |`;
  };
  return [
    "## Summary",
    "",
    "| function | rows | asserted | passed | failed | not exercisable |",
    "|---|---|---|---|---|---|",
    ...groups.map(({ name, rows }) => line(name, rows)),
    line("all", groups.flatMap(({ rows }) => rows)),
  ].join("\n");
}

function renderRow(row: Row, outcome: Outcome): string {
  const result = { passed: "passed", failed: "FAILED", "not here": "not run" };
  const cells = [
    row.number,
    row.says,
    row.kind,
    outcome.result === "not exercisable" ? "–" : result[outcome.result],
    isAsserted(row) ? answerOf(row) : row.why,
  ];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function answerOf({ linux, needs }: AssertedRow): string {
  return needs === undefined ? linux : `${linux} (needs ${needs.what})`;
}
