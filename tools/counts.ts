/**
 * What a test runner printed, as counts.
 *
 * Rule: what cannot be told to have passed has failed: an end without a summary, no test at all, a
 * test that was not run for no reason.
 */

/** What a run of tests ended with. */
export interface Finished {
  stdout: string;
  stderr: string;
  /** The exit code; of a signal, 128 and its number. */
  code: number;
  /** The bound that it was killed at; undefined when it ended by itself. */
  killedAfterMs?: number | undefined;
}

/** What came out of it. */
export interface Counts {
  passed: number;
  failed: number;
  /** Registered, but not run here. */
  notRun: number;
  /** How many were not run for which reason. */
  reasons: Map<string, number>;
  /** What went wrong beside failed tests; counts as one failed, at least. */
  problems: string[];
}

/** The runners that are read: those of Deno, Node (reporter `spec`) and Bun, without colours. */
export type Runner = "deno" | "node" | "bun";

/** The last summary that a runner printed. */
interface Summary {
  passed: number;
  failed: number;
  notRun: number;
  /** Left out by a flag. */
  filtered: number;
}

/** No test, no problem. */
export function none(): Counts {
  return { passed: 0, failed: 0, notRun: 0, reasons: new Map(), problems: [] };
}

/** Reads the counts. */
export function counted(runner: Runner, finished: Finished): Counts {
  // What was killed has printed no summary of its own.
  const summary = finished.killedAfterMs === undefined ? SUMMARIES[runner](finished) : undefined;
  const reasons = REASONS[runner](finished);
  const problems = [...problemsOf(runner, finished, summary, reasons)];
  const { passed, failed, notRun } = summary ?? none();
  return {
    passed,
    failed: problems.length > 0 ? Math.max(failed, 1) : failed,
    notRun,
    reasons: tally(reasons),
    problems,
  };
}

/** The sum of several. */
export function total(all: readonly Counts[]): Counts {
  const sum = none();
  for (const { passed, failed, notRun, reasons, problems } of all) {
    sum.passed += passed;
    sum.failed += failed;
    sum.notRun += notRun;
    sum.problems.push(...problems);
    for (const [reason, count] of reasons) {
      sum.reasons.set(reason, (sum.reasons.get(reason) ?? 0) + count);
    }
  }
  return sum;
}

function* problemsOf(
  runner: Runner,
  { stdout, stderr, code, killedAfterMs }: Finished,
  summary: Summary | undefined,
  reasons: string[],
): Generator<string> {
  if (killedAfterMs !== undefined) {
    yield `killed: it did not end within ${killedAfterMs / 60_000} minutes`;
  } else if (summary === undefined) {
    yield `ended early: exit code ${code}, and no summary`;
  } else if (summary.passed + summary.failed + summary.notRun + summary.filtered === 0) {
    yield "no test in it";
  } else if (code !== 0 && summary.failed === 0) {
    yield `exit code ${code}, and no failed test`;
  }
  if (runner === "deno") {
    // The summary is one of many files: what one of them lacks does not show in it.
    for (const [line] of `${stdout}\n${stderr}`.matchAll(/^.* called `Deno\.exit\(.*$/gm)) {
      yield line;
    }
    if (summary?.filtered === 0) {
      // A test file only: a module has its examples under names of their own.
      for (const [line] of stdout.matchAll(/^running 0 tests from .*_test\.\w+$/gm)) yield line;
    }
  } else if (summary !== undefined && reasons.length !== summary.notRun) {
    yield `${summary.notRun} not run, with reasons for ${reasons.length}`;
  }
}

/** How each runner's summary is found: the last one, since a test can print the like. */
const SUMMARIES: Record<Runner, (finished: Finished) => Summary | undefined> = {
  deno({ stdout }) {
    // ok | 3 passed (1 step) | 0 failed | 1 ignored | 2 filtered out (23ms)
    const match = last(stdout, /^(?:ok|FAILED) \| \d+ passed\b.* \| \d+ failed\b.* \([\w.]+\)$/gm);
    return match === undefined ? undefined : {
      passed: number(match, /\| (\d+) passed/),
      failed: number(match, /\| (\d+) failed/),
      notRun: number(match, /\| (\d+) ignored/),
      filtered: number(match, /\| (\d+) filtered out/),
    };
  },
  node({ stdout }) {
    const match = last(
      stdout,
      /^ℹ tests \d+\nℹ suites \d+\n(?:ℹ (?:pass|fail|cancelled|skipped|todo) \d+\n){5}ℹ duration_ms /gm,
    );
    return match === undefined ? undefined : {
      passed: number(match, /^ℹ pass (\d+)$/m),
      failed: number(match, /^ℹ fail (\d+)$/m) + number(match, /^ℹ cancelled (\d+)$/m),
      notRun: number(match, /^ℹ skipped (\d+)$/m) + number(match, /^ℹ todo (\d+)$/m),
      filtered: 0,
    };
  },
  bun({ stderr }) {
    const match = last(stderr, /^ *\d+ pass\n(?: *\d+ [^\n]+\n)*Ran \d+ tests? across /gm);
    return match === undefined ? undefined : {
      passed: number(match, /^ *(\d+) pass$/m),
      // An error is one that no test is known for.
      failed: number(match, /^ *(\d+) fail$/m) + number(match, /^ *(\d+) errors?$/m),
      notRun: number(match, /^ *(\d+) skip$/m) + number(match, /^ *(\d+) todo$/m),
      filtered: number(match, /^ *(\d+) filtered out$/m),
    };
  },
};

/** How the reasons of tests that were not run are found, one for each of them. */
const REASONS: Record<Runner, (finished: Finished) => string[]> = {
  deno: ({ stdout }) => found(stdout, /\[not run: (.*)\] \.\.\. ignored \(/g),
  node: ({ stdout }) => found(stdout, /﹣ .*?\[not run: (.*)\] \([\d.]+ms\) # SKIP$/gm),
  bun({ stderr }) {
    // After more than 20 tests it names those again that were not run.
    const again = last(stderr, /^\d+ tests? skipped:\n(?:\(skip\) .*\n)+/gm);
    const once = again === undefined ? stderr : stderr.slice(0, stderr.lastIndexOf(again));
    return found(once, /\(skip\) .*?\[not run: (.*)\]$/gm);
  },
};

function last(text: string, pattern: RegExp): string | undefined {
  return [...text.matchAll(pattern)].at(-1)?.[0];
}

function found(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, reason]) => reason!);
}

function number(summary: string, pattern: RegExp): number {
  return Number(summary.match(pattern)?.[1] ?? 0);
}

function tally(reasons: string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return counts;
}
