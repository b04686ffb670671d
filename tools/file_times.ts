/** How long the test files took, and which the longest. */

/** A test file and its time. */
export interface FileTime {
  /** Where it ran, and its name. */
  file: string;
  ms: number;
}

/** What one of Deno's reports says of its files: the sums of their tests. */
export function fileTimes(report: string): FileTime[] {
  const times: FileTime[] = [];
  for (const line of report.split("\n")) {
    const [, file] = /^running \d+ tests? from (?:\.\/)?(\S+)$/.exec(line) ?? [];
    if (file !== undefined) times.push({ file, ms: 0 });
    const last = times.at(-1);
    const [, took] = /^\S.* \.\.\. (?:ok|FAILED) \((.+)\)$/.exec(line) ?? [];
    if (last !== undefined && took !== undefined) last.ms += milliseconds(took);
  }
  return times;
}

const UNITS_MS: Record<string, number> = { m: 60_000, s: 1000, ms: 1, "µs": 1e-3 };

/** A time as Deno prints it: `1m2s`, `15s`, `23ms`, `417µs`. */
function milliseconds(took: string): number {
  let sum = 0;
  for (const [, count, unit] of took.matchAll(/([\d.]+)(ms|µs|m|s)/g)) {
    sum += Number(count) * UNITS_MS[unit!]!;
  }
  return sum;
}

/** The longest, as lines to print. */
export function slowestLines(times: readonly FileTime[], count: number): string[] {
  return times.toSorted((a, b) => b.ms - a.ms).slice(0, count)
    .map(({ file, ms }) => `${(ms / 1000).toFixed(1).padStart(6)} s  ${file}`);
}
