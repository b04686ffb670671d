/** Runs a group of tests, under Deno or on a runtime, and counts. */

import { fileURLToPath } from "node:url";
import { counted, type Counts, type Finished, none, type Runner, total } from "./counts.ts";
import type { DenoGroup } from "./groups.ts";
import { runShown } from "./run_shown.ts";
import { missingRuntime, type Runtime, type RuntimeName } from "./runtimes.ts";
import type { Scratch } from "./scratch.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** The bound of a test file; a group under Deno, all of whose files are one command, has four. */
const FILE_TIMEOUT_MS = 15 * 60_000;
const GROUP_TIMEOUT_MS = 4 * FILE_TIMEOUT_MS;

/** A group under Deno. */
export async function runDenoGroup(
  { name, what, args }: DenoGroup,
  flags: readonly string[],
  runId: string,
): Promise<Counts> {
  console.log(`\n== ${name}: ${what}`);
  return judged(
    name,
    "deno",
    await runShown([Deno.execPath(), "test", ...args, ...flags], {
      cwd: ROOT,
      runId,
      timeoutMs: GROUP_TIMEOUT_MS,
    }),
  );
}

/** The test files, or those of them that are wanted, on a runtime. */
export async function runOnRuntime(
  name: RuntimeName,
  wanted: readonly string[],
  scratch: Scratch,
  runId: string,
): Promise<Counts> {
  const missing = await missingRuntime(name);
  if (missing !== undefined) {
    console.log(`\n== ${name}\n\n1 not run: ${missing}`);
    return { ...none(), notRun: 1, reasons: new Map([[missing, 1]]) };
  }
  const runtime = await scratch.runtime(name);
  const folder = await scratch.mirror();
  console.log(`\n== ${name}: ${runtime.version}, the npm package and the same tests`);
  const files = testFiles(folder, wanted);
  const counts = total([
    ...files.length === 0 ? [failure(name, `no test file is ${wanted.join(" or ")}`)] : [],
    ...await runFiles(runtime, files, folder, runId),
  ]);
  const { passed, failed, notRun } = counts;
  console.log(`\n${runtime.version}: ${passed} passed, ${failed} failed, ${notRun} not run`);
  for (const [reason, count] of counts.reasons) console.log(`  ${count} not run: ${reason}`);
  return counts;
}

async function runFiles(
  runtime: Runtime,
  files: string[],
  folder: string,
  runId: string,
): Promise<Counts[]> {
  const counts: Counts[] = [];
  for (const file of files) {
    console.log(`\n${file}`);
    const finished = await runShown(runtime.testCommand(file), {
      cwd: folder,
      runId,
      timeoutMs: FILE_TIMEOUT_MS,
    });
    counts.push(judged(`${runtime.name} ${file}`, runtime.runner, finished));
  }
  return counts;
}

/** The counts; a problem is printed, and says where it is. */
function judged(where: string, runner: Runner, finished: Finished): Counts {
  const counts = counted(runner, finished);
  const problems = counts.problems.map((problem) => `${where}: ${problem}`);
  for (const problem of problems) console.log(`\nFAILED ${problem}`);
  return { ...counts, problems };
}

function failure(where: string, problem: string): Counts {
  console.log(`\nFAILED ${where}: ${problem}`);
  return { ...none(), failed: 1, problems: [`${where}: ${problem}`] };
}

/** The test files, or those of them that are named or lie in a folder that is. */
function testFiles(folder: string, wanted: readonly string[]): string[] {
  const found: string[] = [];
  const walk = (path: string) => {
    for (const { name, isDirectory } of Deno.readDirSync(`${folder}/${path}`)) {
      if (isDirectory) walk(`${path}/${name}`);
      else if (name.endsWith("_test.js")) found.push(`./${path}/${name}`);
    }
  };
  walk("tests");
  const names = wanted.map((name) =>
    `./${name.replace(/^\.\//, "").replace(/\/$/, "").replace(/\.ts$/, ".js")}`
  );
  return found.sort().filter((file) =>
    names.length === 0 || names.some((name) => file === name || file.startsWith(`${name}/`))
  );
}
