/**
 * Runs the POSIX assertions, prints what came out per function, and writes docs/CONFORMANCE.md.
 *
 * Exit code 1 when a row failed, 2 for wrong usage. The page is left alone when rows could not be
 * run here, for it would then tell of this machine. Usage: deno task conformance [--json]
 */

import { countsOf, type Outcomes, renderDocument } from "../tests/conformance/document.ts";
import { type Group, type Outcome, outcomeOf, type Row } from "../tests/conformance/engine.ts";
import { GROUPS } from "../tests/conformance/table.ts";

const PAGE = new URL("../docs/CONFORMANCE.md", import.meta.url);

async function runAll(): Promise<Outcomes> {
  const outcomes = new Map<Row, Outcome>();
  for (const { rows } of GROUPS) {
    for (const row of rows) outcomes.set(row, await outcomeOf(row));
  }
  return outcomes;
}

function print({ name, rows }: Group, outcomes: Outcomes): void {
  const { asserted, passed, failed, notHere, notExercisable } = countsOf(rows, outcomes);
  const columns = [
    `${name.padEnd(15)} ${String(rows.length).padStart(3)} rows`,
    `${String(asserted).padStart(3)} asserted`,
    `${String(passed).padStart(3)} passed`,
    `${String(failed).padStart(2)} failed`,
    `${String(notExercisable).padStart(2)} not exercisable`,
  ];
  if (notHere > 0) columns.push(`${notHere} not exercisable here`);
  console.log(columns.join("  "));
  for (const row of rows) {
    const outcome = outcomes.get(row)!;
    if (outcome.result === "passed") continue;
    const label = { failed: "FAILED", "not here": "not here", "not exercisable": "–" };
    console.log(`  ${row.number.padStart(3)}  ${label[outcome.result]}  ${row.says}`);
    console.log(`       ${outcome.reason.replaceAll("\n", "\n       ")}`);
  }
}

function printJson(outcomes: Outcomes): void {
  const functions = GROUPS.map(({ name, rows }) => ({
    name,
    ...countsOf(rows, outcomes),
    assertions: rows.map((row) => {
      const { number, says, kind } = row;
      return { number, says, kind, ...outcomes.get(row)! };
    }),
  }));
  console.log(JSON.stringify({ functions, total: total(outcomes) }, null, 2));
}

function total(outcomes: Outcomes) {
  return countsOf(GROUPS.flatMap(({ rows }) => rows), outcomes);
}

function writePage(outcomes: Outcomes): string {
  const { notHere } = total(outcomes);
  if (notHere > 0) {
    return `docs/CONFORMANCE.md is left as it is: ${notHere} rows could not be run here`;
  }
  Deno.writeTextFileSync(PAGE, renderDocument(GROUPS, outcomes));
  return "docs/CONFORMANCE.md is written";
}

async function main(args: string[]): Promise<number> {
  if (args.some((arg) => arg !== "--json")) {
    console.error(`Cannot run with ${args.join(" ")}: expected nothing or --json`);
    return 2;
  }
  const outcomes = await runAll();
  if (args.includes("--json")) {
    printJson(outcomes);
  } else {
    for (const group of GROUPS) print(group, outcomes);
    const { rows, asserted, passed, failed, notHere, notExercisable } = total(outcomes);
    console.log(
      `\n${rows} rows: ${asserted} asserted, ${passed} passed, ${failed} failed, ` +
        `${notHere} not exercisable here, ${notExercisable} not exercisable`,
    );
  }
  console.error(writePage(outcomes));
  return total(outcomes).failed === 0 ? 0 : 1;
}

Deno.exit(await main(Deno.args));
