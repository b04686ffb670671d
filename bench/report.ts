/** The results as tables: on a terminal, and as Markdown. */

import type { Machine } from "./machine.ts";
import type { ComparedTiming, NotInstallable, Row, Subject, Timing } from "./subject.ts";

/** One line of a table: the baseline, or what is compared with it. */
type Line = Timing & Partial<ComparedTiming>;

interface Column {
  head: string;
  /** On a terminal; 0 for the last. */
  width: number;
  cell(line: Line): string;
}

const BEST: Column = { head: "best", width: 9, cell: ({ bestNs }) => duration(bestNs) };
const MEDIAN: Column = { head: "median", width: 9, cell: ({ medianNs }) => duration(medianNs) };
const P50: Column = { ...MEDIAN, head: "p50" };
const P99: Column = {
  head: "p99",
  width: 9,
  cell: ({ p99Ns }) => p99Ns === undefined ? "" : duration(p99Ns),
};
const CPU: Column = {
  head: "CPU",
  width: 6,
  cell: ({ cpu }) => cpu === undefined ? "" : percent(cpu),
};
const MEMORY: Column = {
  head: "memory",
  width: 10,
  cell: ({ bytes }) => bytes === undefined ? "" : size(bytes),
};
const COMPARED: readonly Column[] = [
  { head: "ratio", width: 7, cell: ({ ratio }) => ratio === undefined ? "" : times(ratio) },
  {
    head: "quartiles",
    width: 13,
    cell: ({ ratioQuartiles: of }) => of ? `${times(of[0])}–${times(of[1])}` : "",
  },
  { head: "goal", width: 0, cell: goalCell },
];

const COLUMNS: Record<NonNullable<Subject["columns"]>, readonly Column[]> = {
  rounds: [BEST, MEDIAN, ...COMPARED],
  "rounds and memory": [BEST, MEDIAN, MEMORY, ...COMPARED],
  percentiles: [BEST, P50, P99, ...COMPARED],
  "percentiles and CPU": [BEST, P50, P99, CPU, ...COMPARED],
};

function columnsOf({ columns = "rounds" }: Subject): readonly Column[] {
  return COLUMNS[columns];
}

/** The widths of the case and of the labels. */
const CASE_WIDTH = 36, LABEL_WIDTH = 22;

/** What stands above the table. */
export function machineLines(machine: Machine): string {
  const { processor, cores, architecture, memoryGiB, kernel, libc, compiler, runtimes } = machine;
  return [
    `${processor}, ${cores} cores, ${architecture}, ${memoryGiB} GiB; load ${machine.load}`,
    `Linux ${kernel}; ${libc}; ${compiler}`,
    ...runtimes,
  ].join("\n");
}

/** What stands below the table for something that is not in it. */
export function notInstallableLine({ name, reason }: NotInstallable): string {
  return `\n${name}: not installable here: ${reason}`;
}

/** The head of one subject's table. */
export function headLines(subject: Subject): string {
  return `\n${subject.title}\n${padded(subject, ["", "", ...heads(subject)])}`;
}

/** One case: the baseline's line and those of the contenders. */
export function rowLines(subject: Subject, row: Row): string {
  return linesOf(subject, row).map((cells) => padded(subject, cells)).join("\n");
}

/** A subject and its rows as Markdown. */
export function markdown(subject: Subject, rows: readonly Row[]): string {
  const bars = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const head = ["", "", ...heads(subject)];
  return [
    `## ${subject.name}: ${subject.title}`,
    "",
    bars(head),
    bars(head.map((_, i) => i < 2 || i === head.length - 1 ? "---" : "---:")),
    ...rows.flatMap((row) => linesOf(subject, row)).map(bars),
    "",
  ].join("\n");
}

function heads(subject: Subject): string[] {
  return columnsOf(subject).map(({ head }) => head);
}

function linesOf(subject: Subject, { case: label, baseline, contenders }: Row): string[][] {
  const columns = columnsOf(subject);
  return [baseline, ...contenders].map((line: Line, i) => [
    i === 0 ? label : "",
    line.label,
    ...columns.map(({ cell }) => cell(line)),
  ]);
}

function padded(subject: Subject, [name = "", label = "", ...cells]: readonly string[]): string {
  const columns = columnsOf(subject);
  const rest = cells.map((cell, i) => {
    const { width } = columns[i]!;
    return width === 0 ? `  ${cell}` : cell.padStart(width);
  });
  return (name.padEnd(CASE_WIDTH) + label.padEnd(LABEL_WIDTH) + rest.join("")).trimEnd();
}

/** Two decimals, and none where they would say nothing. */
function times(ratio: number): string {
  return ratio.toFixed(ratio < 100 ? 2 : 0);
}

/** Three digits and a unit. */
export function duration(ns: number): string {
  if (ns < 1e3) return `${ns.toPrecision(3)} ns`;
  if (ns < 1e6) return `${(ns / 1e3).toPrecision(3)} µs`;
  if (ns < 1e9) return `${(ns / 1e6).toPrecision(3)} ms`;
  return `${(ns / 1e9).toPrecision(3)} s`;
}

/** Three digits and a unit. */
export function size(bytes: number): string {
  if (bytes < 1024) return `${bytes.toPrecision(3)} B`;
  return `${(bytes / 1024).toPrecision(3)} KiB`;
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

function goalCell({ goal, extraMs = 0, ratio = 0 }: Line): string {
  if (goal === undefined) return "";
  const verdict = goal.met ? "met" : "missed";
  if (goal.of === "ratio") return `≤ ${goal.atMost.toFixed(2)} ${verdict} (${ratio.toFixed(2)})`;
  return `≤ ${goal.atMost} ms more ${verdict} (${extraMs.toFixed(1)} ms)`;
}
