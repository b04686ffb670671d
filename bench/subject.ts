/** What a benchmark is: its interface, the rows it gives, the goals it is held to. */

import type { Peer, PeerName } from "./peers.ts";
import type { Runtime } from "./runtimes.ts";

/** One subject: a file `<name>_bench.ts`, which says what one iteration contains. */
export interface Subject {
  /** What the command line calls it. */
  name: string;
  /** What it measures, in one line. */
  title: string;
  /**
   * What its table shows.
   * @default {"rounds"}
   */
  columns?: "rounds" | "rounds and memory" | "percentiles" | "percentiles and CPU";
  /**
   * The picture that shows it, too.
   * @default {none}
   */
  chart?: ChartName;
  /** Measures and gives its rows one by one. */
  run(run: Run): AsyncIterable<Row>;
}

/** The pictures; each is a file of that name with `.svg`. */
export type ChartName = "waiting" | "memory" | "actors";

/** What a run gives its subjects. */
export interface Run extends Scale {
  /** What Postbox is measured on: Deno, and Node where it could be prepared. */
  runtimes: readonly Runtime[];
  /** A package of npm that does the same; `undefined` where it does not install. */
  peer(name: PeerName): Promise<Peer | undefined>;
}

/** How much is measured: everything, or just enough to see that it works. */
export interface Scale {
  /** It is enough to see that it works: of what takes long, a part will do. */
  isQuick: boolean;
  /** How many rounds, of the number that the subject asks for. */
  rounds(full: number): number;
  /** How many iterations in a round, of the number that the subject asks for. */
  iterations(full: number): number;
}

/** How a contender may compare with the baseline. */
export interface Goal {
  /** `ratio`: times the baseline's median; `extraMs`: milliseconds above the baseline's median. */
  of: "ratio" | "extraMs";
  /** The most it may be. */
  atMost: number;
}

/** Nanoseconds an iteration, over all rounds. */
export interface Timing {
  /** What was measured. */
  label: string;
  bestNs: number;
  /** Where a round gives the median of its iterations: the median of these. */
  medianNs: number;
  /** Where each iteration is timed: the median of what the rounds gave. */
  p99Ns?: number;
  /** Processor time of the measured process through the time that passed: 1 is a whole core. */
  cpu?: number;
  /** Memory of what one iteration made, where it stays. */
  bytes?: number;
}

/** A timing beside the baseline's. */
export interface ComparedTiming extends Timing {
  /** Its median through the baseline's median. */
  ratio: number;
  /** First and third quartile of the ratios of the single rounds. */
  ratioQuartiles: [number, number];
  /** Its median minus the baseline's median. */
  extraMs: number;
  goal?: Goal & { met: boolean };
}

/** One case of a subject: a baseline and its contenders, all measured in turns. */
export interface Row {
  subject: string;
  case: string;
  /** Rows of one group are drawn in one panel of a picture; by default each has its own. */
  group?: string;
  baseline: Timing;
  contenders: ComparedTiming[];
  rounds: number;
  /** In a round, of each. */
  iterations: number;
}

/** What is not in the rows of a run, for it could not be prepared on this machine. */
export interface NotInstallable {
  name: string;
  /** The first line that told so. */
  reason: string;
}
