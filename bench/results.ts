/**
 * What a run leaves in a folder: tables.md, and waiting.svg where it measured that.
 *
 * Rule: the numbers of a picture and of its table come from one run.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { type Section, svg } from "./chart.ts";
import type { Machine } from "./machine.ts";
import { duration, machineLines, markdown, percent } from "./report.ts";
import type { Row, Subject, Timing } from "./subject.ts";

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
  const drawn = results.filter(({ rows }) => rows.some(({ group }) => group !== undefined));
  if (drawn.length === 0) return;
  const { processor, cores, architecture, kernel, runtimes } = machine;
  const picture = svg({
    title: "Messages of 64 B between two event loops",
    notes: [
      `${processor}, ${cores} cores, ${architecture}; Linux ${kernel.split("-")[0]}; ` +
      runtimes.map((runtime) => runtime.replace(/, V8 [^,]+/, "")).join("; "),
    ],
    sections: drawn.map(sectionOf),
  });
  writeFileSync(`${folder}/waiting.svg`, picture);
}

function sectionOf({ subject, rows }: Measured): Section {
  const groups = [...new Set(rows.map(({ group = "" }) => group))];
  const values = VALUES[subject.columns ?? "rounds"];
  return {
    title: subject.title,
    valueHeads: values.map(({ head }) => head),
    panels: groups.map((title) => ({
      title,
      bars: timingsOf(rows.filter(({ group = "" }) => group === title)).map((timing) => ({
        label: timing.label,
        isOurs: /Postbox| and C/.test(timing.label),
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

const VALUES: Record<NonNullable<Subject["columns"]>, readonly Value[]> = {
  rounds: [MEDIAN],
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
