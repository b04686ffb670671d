/**
 * What a run leaves in a folder: tables.md, and the pictures of what it measured.
 *
 * Rule: the numbers of a picture and of its table come from one run.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { type Section, svg } from "./chart.ts";
import type { Machine } from "./machine.ts";
import { duration, machineLines, markdown, percent, size } from "./report.ts";
import type { ChartName, Row, Subject, Timing } from "./subject.ts";

/** A subject that was measured. */
export interface Measured {
  subject: Subject;
  rows: readonly Row[];
}

/** Writes the files. */
export function writeResults(folder: string, machine: Machine, results: readonly Measured[]): void {
  mkdirSync(folder, { recursive: true });
  const tables = results.map(({ subject, rows }) => markdown(subject, rows));
  const code = "```";
  writeFileSync(
    `${folder}/tables.md`,
    [`# Results of deno task bench\n\n${code}text\n${machineLines(machine)}\n${code}`, ...tables]
      .join("\n\n").trimEnd() + "\n",
  );
  for (const [chart, title] of Object.entries(CHARTS)) {
    const drawn = results.filter(({ subject }) => subject.chart === chart);
    if (drawn.length === 0) continue;
    const picture = svg({ title, notes: [noteOf(machine)], sections: drawn.map(sectionOf) });
    writeFileSync(`${folder}/${chart}.svg`, picture);
  }
}

/** The pictures, and what is above them. */
const CHARTS: Record<ChartName, string> = {
  waiting: "Messages of 64 B between two event loops",
  memory: "Rings, locks and records in shared memory",
  actors: "Actors in one thread, in workers and in processes",
};

function noteOf({ processor, cores, architecture, kernel, runtimes }: Machine): string {
  return `${processor}, ${cores} cores, ${architecture}; Linux ${kernel.split("-")[0]}; ` +
    runtimes.map((runtime) => runtime.replace(/, V8 [^,]+/, "")).join("; ");
}

function sectionOf({ subject, rows }: Measured): Section {
  const panelOf = (row: Row) => row.group ?? row.case;
  const values = VALUES[subject.columns ?? "rounds"];
  return {
    title: subject.title,
    valueHeads: values.map(({ head }) => head),
    panels: [...new Set(rows.map(panelOf))].map((title) => ({
      title,
      bars: timingsOf(rows.filter((row) => panelOf(row) === title)).map((timing) => ({
        label: timing.label,
        isOurs: /Postbox|(Deno|Node) (and|beside) C/.test(timing.label),
        ns: timing.medianNs,
        ...timing.p99Ns !== undefined && { p99Ns: timing.p99Ns },
        values: values.map(({ of }) => of(timing)),
      })),
    })),
  };
}

interface Value {
  head: string;
  of(timing: Timing): string;
}

const MEDIAN: Value = { head: "median", of: ({ medianNs }) => duration(medianNs) };
const P50: Value = { ...MEDIAN, head: "p50" };
const P99: Value = { head: "p99", of: ({ p99Ns = 0 }) => duration(p99Ns) };
const CPU: Value = { head: "CPU", of: ({ cpu = 0 }) => percent(cpu) };

const MEMORY: Value = { head: "memory", of: ({ bytes = 0 }) => size(bytes) };

const VALUES: Record<NonNullable<Subject["columns"]>, readonly Value[]> = {
  rounds: [MEDIAN],
  "rounds and memory": [MEDIAN, MEMORY],
  percentiles: [P50, P99],
  "percentiles and CPU": [P50, P99, CPU],
};

/** Each that was measured once, C first. */
function timingsOf(rows: readonly Row[]): Timing[] {
  const timings = new Map<string, Timing>();
  for (const { baseline, contenders } of rows) {
    for (const timing of [baseline, ...contenders]) timings.set(timing.label, timing);
  }
  const all = [...timings.values()], isC = ({ label }: Timing) => label === "C";
  return [...all.filter(isC), ...all.filter((timing) => !isC(timing))];
}
