/**
 * Measures several things in turns and compares them with the first.
 *
 * Rule: round by round, baseline, contender, contender, baseline, … What else the machine does then
 * meets all of them, and the ratio of the medians holds where absolute times do not.
 */

import type { ComparedTiming, Goal, Row, Timing } from "./subject.ts";

/** Something that runs its loop when it is told to. */
export interface Timed {
  /** Nanoseconds for so many iterations. */
  time(iterations: number): Promise<number>;
}

/** What is measured, and how the table calls it. */
export interface Measured {
  label: string;
  timed: Timed;
}

/** What is compared with the baseline, and how it may compare. */
export interface Contender extends Measured {
  goal?: Goal | undefined;
}

/** What {@linkcode compare} compares. */
export interface Comparison {
  subject: string;
  case: string;
  baseline: Measured;
  contenders: readonly Contender[];
  rounds: number;
  /** In a round, of each. */
  iterations: number;
  /** Rounds before the first that counts: the optimiser works then. */
  warmUpRounds: number;
}

/** Measures in turns. */
export async function compare(comparison: Comparison): Promise<Row> {
  const { baseline, contenders, rounds, iterations, warmUpRounds } = comparison;
  const baselineNs: number[] = [], contendersNs: number[][] = contenders.map(() => []);
  const measure = async ({ timed }: Measured, into: number[], round: number) => {
    const ns = await timed.time(iterations) / iterations;
    if (round >= 0) into.push(ns);
  };
  for (let round = -warmUpRounds; round < rounds; round++) {
    await measure(baseline, baselineNs, round);
    for (const [i, contender] of contenders.entries()) {
      await measure(contender, contendersNs[i]!, round);
    }
  }
  return {
    subject: comparison.subject,
    case: comparison.case,
    baseline: timing(baseline.label, baselineNs),
    contenders: contenders.map((contender, i) => compared(contender, contendersNs[i]!, baselineNs)),
    rounds,
    iterations,
  };
}

function compared({ label, goal }: Contender, ns: number[], baselineNs: number[]): ComparedTiming {
  const own = timing(label, ns), baselineMedianNs = quantile(baselineNs, 0.5);
  const ratios = ns.map((value, round) => value / baselineNs[round]!);
  const ratio = own.medianNs / baselineMedianNs;
  const extraMs = (own.medianNs - baselineMedianNs) / 1e6;
  const result: ComparedTiming = {
    ...own,
    ratio,
    ratioQuartiles: [quantile(ratios, 0.25), quantile(ratios, 0.75)],
    extraMs,
  };
  if (goal !== undefined) {
    result.goal = { ...goal, met: (goal.of === "ratio" ? ratio : extraMs) <= goal.atMost };
  }
  return result;
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
