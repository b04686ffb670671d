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

/** Something that takes the time of each iteration itself. */
export interface Sampled {
  sample(iterations: number): Promise<Sample>;
}

/** What a round gave. */
export interface Sample {
  /** Nanoseconds an iteration: the median where each was timed. */
  ns: number;
  /** Of 100 iterations 99 took no longer. */
  p99Ns?: number;
  /** Processor time of the process through the time that passed. */
  cpu?: number;
  /** Memory of what one iteration made, where it stays. */
  bytes?: number;
}

/** What is measured, and how the table calls it. */
export interface Measured {
  label: string;
  timed: Timed | Sampled;
}

/** What is compared with the baseline, and how it may compare. */
export interface Contender extends Measured {
  goal?: Goal | undefined;
}

/** A baseline and what is compared with it. */
export interface Case {
  subject: string;
  case: string;
  /** As in the row. */
  group?: string;
  baseline: Measured;
  contenders: readonly Contender[];
}

/** How much is measured. */
export interface Turns {
  rounds: number;
  /** In a round, of each. */
  iterations: number;
  /** Rounds before the first that counts: the optimiser works then. */
  warmUpRounds: number;
}

/** Measures in turns. */
export async function compare(comparison: Case & Turns): Promise<Row> {
  return (await compareTogether([comparison], comparison))[0]!;
}

/** Measures several cases in the same rounds. */
export async function compareTogether(cases: readonly Case[], turns: Turns): Promise<Row[]> {
  const { rounds, iterations, warmUpRounds } = turns;
  const samples = new Map<Measured, Sample[]>();
  for (const { baseline, contenders } of cases) {
    for (const measured of [baseline, ...contenders]) samples.set(measured, []);
  }
  for (let round = -warmUpRounds; round < rounds; round++) {
    for (const [{ timed }, into] of samples) {
      const sample = await sampleOf(timed, iterations);
      if (round >= 0) into.push(sample);
    }
  }
  return cases.map(({ subject, case: label, group, baseline, contenders }) => ({
    subject,
    case: label,
    ...group !== undefined && { group },
    baseline: timing(baseline.label, samples.get(baseline)!),
    contenders: contenders.map((contender) =>
      compared(contender, samples.get(contender)!, samples.get(baseline)!)
    ),
    rounds,
    iterations,
  }));
}

async function sampleOf(timed: Timed | Sampled, iterations: number): Promise<Sample> {
  if ("sample" in timed) return await timed.sample(iterations);
  return { ns: await timed.time(iterations) / iterations };
}

function compared(
  { label, goal }: Contender,
  samples: readonly Sample[],
  baseline: readonly Sample[],
): ComparedTiming {
  const own = timing(label, samples), { medianNs: baselineMedianNs } = timing("", baseline);
  const ratios = samples.map(({ ns }, round) => ns / baseline[round]!.ns);
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

function timing(label: string, samples: readonly Sample[]): Timing {
  const ns = samples.map(({ ns }) => ns);
  const result: Timing = { label, bestNs: Math.min(...ns), medianNs: quantile(ns, 0.5) };
  const p99Ns = samples.flatMap(({ p99Ns }) => p99Ns ?? []);
  if (p99Ns.length > 0) result.p99Ns = quantile(p99Ns, 0.5);
  const cpu = samples.flatMap(({ cpu }) => cpu ?? []);
  if (cpu.length > 0) result.cpu = quantile(cpu, 0.5);
  const bytes = samples.flatMap(({ bytes }) => bytes ?? []);
  if (bytes.length > 0) result.bytes = quantile(bytes, 0.5);
  return result;
}

/** Linear between the two nearest values. */
export function quantile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * fraction;
  const below = sorted[Math.floor(at)]!, above = sorted[Math.ceil(at)]!;
  return below + (above - below) * (at - Math.floor(at));
}
