/** What a benchmark is: its interface, the rows it gives, the goals it is held to. */

/** One subject: a file `<name>_bench.ts`, which says what one iteration contains. */
export interface Subject {
  /** What the command line calls it. */
  name: string;
  /** What it measures, in one line. */
  title: string;
  /** Measures and gives its rows one by one. */
  run(scale: Scale): AsyncIterable<Row>;
}

/** How much is measured: everything, or just enough to see that it works. */
export interface Scale {
  /** How many rounds, of the number that the subject asks for. */
  rounds(full: number): number;
  /** How many iterations in a round, of the number that the subject asks for. */
  iterations(full: number): number;
}

/** What a row is compared with. */
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
  medianNs: number;
}

/** One case of a subject: a baseline and Postbox, measured in turns. */
export interface Row {
  subject: string;
  case: string;
  baseline: Timing;
  postbox: Timing;
  /** Median of Postbox through median of the baseline. */
  ratio: number;
  /** First and third quartile of the ratios of the single rounds. */
  ratioQuartiles: [number, number];
  /** Median of Postbox minus median of the baseline. */
  extraMs: number;
  rounds: number;
  /** In a round, of each. */
  iterations: number;
  goal?: Goal & { met: boolean };
}
