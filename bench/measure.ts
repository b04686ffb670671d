/**
 * Measures two things in turns and compares them.
 *
 * Rule: round by round, baseline, Postbox, baseline, Postbox. What else the machine does then
 * meets both, and the ratio of the medians holds where absolute times do not.
 */

import type { Goal, Row, Timing } from "./subject.ts";

/** Something that runs its loop when it is told to. */
export interface Timed {
  /** Nanoseconds for so many iterations. */
  time(iterations: number): Promise<number>;
}

/** What {@linkcode compare} compares. */
export interface Comparison {
  subject: string;
  case: string;
  baseline: { label: string; timed: Timed };
  postbox: { label: string; timed: Timed };
  rounds: number;
  /** In a round, of each. */
  iterations: number;
  /** Rounds before the first that counts: the optimiser works then. */
  warmUpRounds: number;
  goal?: Goal;
}

/** Measures in turns. */
export async function compare(comparison: Comparison): Promise<Row> {
  const { baseline, postbox, rounds, iterations, warmUpRounds, goal } = comparison;
  const baselineNs: number[] = [], postboxNs: number[] = [];
  for (let round = -warmUpRounds; round < rounds; round++) {
    const first = await baseline.timed.time(iterations) / iterations;
    const second = await postbox.timed.time(iterations) / iterations;
    if (round < 0) continue;
    baselineNs.push(first);
    postboxNs.push(second);
  }
  const of = timing(baseline.label, baselineNs), ours = timing(postbox.label, postboxNs);
  const ratios = postboxNs.map((ns, round) => ns / baselineNs[round]!);
  const ratio = ours.medianNs / of.medianNs, extraMs = (ours.medianNs - of.medianNs) / 1e6;
  const row: Row = {
    subject: comparison.subject,
    case: comparison.case,
    baseline: of,
    postbox: ours,
    ratio,
    ratioQuartiles: [quantile(ratios, 0.25), quantile(ratios, 0.75)],
    extraMs,
    rounds,
    iterations,
  };
  if (goal !== undefined) {
    row.goal = { ...goal, met: (goal.of === "ratio" ? ratio : extraMs) <= goal.atMost };
  }
  return row;
}

function timing(label: string, ns: number[]): Timing {
  return { label, bestNs: Math.min(...ns), medianNs: quantile(ns, 0.5) };
}

/** Linear between the two nearest values. */
export function quantile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * fraction;
  const below = sorted[Math.floor(at)]!, above = sorted[Math.ceil(at)]!;
  return below + (above - below) * (at - Math.floor(at));
}
