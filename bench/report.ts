/** The results as a table for people. */

import type { Machine } from "./machine.ts";
import type { ComparedTiming, NotInstallable, Row, Timing } from "./subject.ts";

const HEAD = ["", "", "best", "median", "ratio", "quartiles", "goal"] as const;
const WIDTHS = [36, 22, 9, 9, 7, 13, 0] as const;

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
export function headLines(title: string): string {
  return `\n${title}\n${line(HEAD)}`;
}

/** One case: the baseline's line and those of the contenders. */
export function rowLines({ case: label, baseline, contenders }: Row): string {
  return [
    line([label, ...timingCells(baseline), "", "", ""]),
    ...contenders.map((contender) =>
      line(["", ...timingCells(contender), ...comparedCells(contender)])
    ),
  ].join("\n");
}

function timingCells({ label, bestNs, medianNs }: Timing): string[] {
  return [label, duration(bestNs), duration(medianNs)];
}

function comparedCells(contender: ComparedTiming): string[] {
  const { ratio, ratioQuartiles: [low, high] } = contender;
  return [ratio.toFixed(2), `${low.toFixed(2)}–${high.toFixed(2)}`, goalCell(contender)];
}

/** Three digits and a unit. */
export function duration(ns: number): string {
  if (ns < 1e3) return `${ns.toPrecision(3)} ns`;
  if (ns < 1e6) return `${(ns / 1e3).toPrecision(3)} µs`;
  return `${(ns / 1e6).toPrecision(3)} ms`;
}

function goalCell({ goal, extraMs, ratio }: ComparedTiming): string {
  if (goal === undefined) return "";
  const verdict = goal.met ? "met" : "missed";
  if (goal.of === "ratio") return `≤ ${goal.atMost.toFixed(2)} ${verdict} (${ratio.toFixed(2)})`;
  return `≤ ${goal.atMost} ms more ${verdict} (${extraMs.toFixed(1)} ms)`;
}

function line(cells: readonly string[]): string {
  const [name = "", label = "", ...rest] = cells;
  const padded = rest.map((cell, i) => {
    const width = WIDTHS[i + 2]!;
    return width === 0 ? `  ${cell}` : cell.padStart(width);
  });
  return (name.padEnd(WIDTHS[0]) + label.padEnd(WIDTHS[1]) + padded.join("")).trimEnd();
}
