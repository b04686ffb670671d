/** The results as a table for people. */

import type { Machine } from "./machine.ts";
import type { Row, Timing } from "./subject.ts";

const HEAD = ["", "", "best", "median", "ratio", "quartiles", "goal"] as const;
const WIDTHS = [36, 14, 9, 9, 7, 12, 0] as const;

/** What stands above the table. */
export function machineLines(machine: Machine): string {
  const { processor, cores, architecture, memoryGiB, kernel, libc, compiler, runtime } = machine;
  return [
    `${processor}, ${cores} cores, ${architecture}, ${memoryGiB} GiB; load ${machine.load}`,
    `Linux ${kernel}; ${libc}; ${compiler}; ${runtime}`,
  ].join("\n");
}

/** The head of one subject's table. */
export function headLines(title: string): string {
  return `\n${title}\n${line(HEAD)}`;
}

/** One case: the baseline's line and that of Postbox. */
export function rowLines(row: Row): string {
  const { baseline, postbox, ratio, ratioQuartiles: [low, high] } = row;
  const quartiles = `${low.toFixed(2)}–${high.toFixed(2)}`;
  return [
    line([row.case, ...timingCells(baseline), "", "", ""]),
    line(["", ...timingCells(postbox), ratio.toFixed(2), quartiles, goalCell(row)]),
  ].join("\n");
}

function timingCells({ label, bestNs, medianNs }: Timing): string[] {
  return [label, duration(bestNs), duration(medianNs)];
}

/** Three digits and a unit. */
export function duration(ns: number): string {
  if (ns < 1e3) return `${ns.toPrecision(3)} ns`;
  if (ns < 1e6) return `${(ns / 1e3).toPrecision(3)} µs`;
  return `${(ns / 1e6).toPrecision(3)} ms`;
}

function goalCell({ goal, extraMs, ratio }: Row): string {
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
