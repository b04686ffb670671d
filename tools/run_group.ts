/** The commands that a group of tests is made of, under Deno or on a runtime, and what they count. */

import { fileURLToPath } from "node:url";
import { counted, type Counts, none, type Runner } from "./counts.ts";
import { type FileTime, fileTimes } from "./file_times.ts";
import { ALONE, type DenoGroup } from "./groups.ts";
import { runShown, type Shown } from "./run_shown.ts";
import { missingRuntime, type RuntimeName } from "./runtimes.ts";
import type { Scratch } from "./scratch.ts";
import type { Job } from "./side_by_side.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** The bound of a test file, beyond that of a test; a group's, whose files are one command. */
const FILE_TIMEOUT_MS = 15 * 60_000;
const GROUP_TIMEOUT_MS = 30 * 60_000;

/** What a command of the run ended with. */
export interface Part {
  /** Whose it is. */
  group: string;
  counts: Counts;
  tookMs: number;
  files: readonly FileTime[];
}

/** What the commands of a run have in common. */
export interface Setting {
  scratch: Scratch;
  /** The mark of the run. */
  runId: string;
}

let marks = 0;

/** A mark for what one command starts. */
const nextMark = (runId: string): string => `${runId}/${++marks}`;

/** A group under Deno: one command, and one more where some of its files must be alone. */
export function denoJobs(
  { name, what, flags, paths }: DenoGroup,
  userFlags: readonly string[],
  { scratch, runId }: Setting,
): Job<Part>[] {
  const alone = ALONE.filter((file) => paths.some((path) => isIn(path, file)));
  const job = (isAlone: boolean, args: readonly string[]): Job<Part> => ({
    alone: isAlone,
    async run(held) {
      const env = name === "npm"
        ? { POSTBOX_TEST_TARBALL: await scratch.tarball() }
        : name === "native"
        ? { POSTBOX_TEST_NATIVE: await scratch.native() }
        : {};
      const shown = await runShown(
        `== ${name}: ${what}${isAlone ? "; alone" : ""}`,
        [Deno.execPath(), "test", ...flags, ...args, ...userFlags],
        { cwd: ROOT, mark: nextMark(runId), timeoutMs: GROUP_TIMEOUT_MS, env, held },
      );
      const files = fileTimes(shown.stdout).map(({ file, ms }) => ({ file: `deno ${file}`, ms }));
      return { ...part(name, name, "deno", shown), files };
    },
  });
  if (alone.length === 0) return [job(false, paths)];
  return [job(false, [...paths, `--ignore=${alone}`]), job(true, alone)];
}

/** The test files, or those of them that are wanted, on a runtime: a command each. */
export async function runtimeJobs(
  name: RuntimeName,
  wanted: readonly string[],
  setting: Setting,
): Promise<Job<Part>[]> {
  const missing = await missingRuntime(name);
  if (missing !== undefined) {
    console.log(`\n== ${name}\n\n1 not run: ${missing}`);
    const counts = { ...none(), notRun: 1, reasons: new Map([[missing, 1]]) };
    return [ended({ group: name, counts, tookMs: 0, files: [] })];
  }
  const files = testFiles(wanted);
  if (files.length > 0) return files.map((file) => runtimeJob(name, file, setting));
  const problem = `${name}: no test file is ${wanted.join(" or ")}`;
  console.log(`\nFAILED ${problem}`);
  const counts = { ...none(), failed: 1, problems: [problem] };
  return [ended({ group: name, counts, tookMs: 0, files: [] })];
}

function ended(part: Part): Job<Part> {
  return { alone: false, run: () => Promise.resolve(part) };
}

function runtimeJob(name: RuntimeName, file: string, { scratch, runId }: Setting): Job<Part> {
  return {
    alone: ALONE.includes(file),
    async run(held) {
      const runtime = await scratch.runtime(name);
      const cwd = await scratch.mirror();
      const isNative = file.startsWith("tests/native/");
      const shown = await runShown(
        `== ${runtime.version}: ${file}`,
        runtime.testCommand(`./${file.replace(/\.ts$/, ".js")}`),
        {
          cwd,
          mark: nextMark(runId),
          timeoutMs: FILE_TIMEOUT_MS,
          env: isNative ? { POSTBOX_TEST_NATIVE: await scratch.native() } : {},
          held,
        },
      );
      const where = `${name} ${file}`;
      return {
        ...part(name, where, runtime.runner, shown),
        files: [{ file: where, ms: shown.tookMs }],
      };
    },
  };
}

/** What a command ended with; a problem is printed, and says where it is. */
function part(group: string, where: string, runner: Runner, shown: Shown): Omit<Part, "files"> {
  const counts = counted(runner, shown);
  const problems = counts.problems.map((problem) => `${where}: ${problem}`);
  for (const problem of problems) console.log(`\nFAILED ${problem}`);
  return { group, counts: { ...counts, problems }, tookMs: shown.tookMs };
}

/** The test files, or those of them that are named or lie in a folder that is. */
function testFiles(wanted: readonly string[]): string[] {
  const found: string[] = [];
  const walk = (path: string) => {
    for (const { name, isDirectory } of Deno.readDirSync(ROOT + path)) {
      if (isDirectory) walk(`${path}/${name}`);
      else if (name.endsWith("_test.ts")) found.push(`${path}/${name}`);
    }
  };
  walk("tests");
  const paths = wanted.map((name) =>
    name.replace(/^\.\//, "").replace(/\/$/, "").replace(/\.js$/, ".ts")
  );
  return found.sort().filter((file) =>
    paths.length === 0 || paths.some((path) => isIn(path, file))
  );
}

/** Whether a file is that, or lies in the folder that it is. */
function isIn(path: string, file: string): boolean {
  return file === path || file.startsWith(`${path}/`);
}
