/**
 * Runs every test, in the groups whose permissions or runtimes differ, two commands at a time, and
 * looks at what is left behind.
 *
 * Prints `N passed, N failed` as its last line; exit code 1 when anything failed or was left.
 */

import { availableParallelism } from "node:os";
import { total } from "./counts.ts";
import { slowestLines } from "./file_times.ts";
import { DEFAULT, DEFAULT_FILES, DENO_GROUPS, GROUP_NAMES } from "./groups.ts";
import {
  type KernelObjects,
  kernelObjects,
  killProcessesOf,
  processesOf,
  RUN_VARIABLE,
} from "./leftovers.ts";
import { denoJobs, type Part, runtimeJobs, type Setting } from "./run_group.ts";
import { type RuntimeName, RUNTIMES } from "./runtimes.ts";
import { Scratch } from "./scratch.ts";
import { sideBySide } from "./side_by_side.ts";

const HELP = `Runs the tests.

Usage: deno task test [GROUP…] [-- FLAGS for deno test]
       deno task test [RUNTIME…] [-- FILE…]

Groups under Deno
${DENO_GROUPS.map(({ name, what }) => `  ${name.padEnd(12)} ${what}`).join("\n")}

Runtimes: the same files as JavaScript against the npm package, in a folder of its own
  ${RUNTIMES.join("  ")}   (node is the machine's own)

Without names: ${DEFAULT.join(" ")}
${
  Object.entries(DEFAULT_FILES).map(([name, files]) => `  of ${name} then ${files.join(" ")}`).join(
    "\n",
  )
}

Examples
  deno task test
  deno task test api -- --filter tryReceive
  deno task test node24 -- tests/mq tests/shm/model_test.ts
  deno task test:node     Node 20, 22, 24 and 26
  deno task test:bun`;

/** How many commands run at a time: many of them wait more than they compute. */
const WIDTH = Math.min(2, availableParallelism());

/** How many of the test files are named at the end. */
const SLOWEST = 15;

/** What of the groups is wanted. */
interface Wanted {
  /** For `deno test`. */
  flags: readonly string[];
  /** The files or folders that a runtime runs; none: all. */
  filesOn(name: RuntimeName): readonly string[];
}

/** Runs groups, some of their commands side by side. */
async function runGroups(
  names: readonly string[],
  { flags, filesOn }: Wanted,
  setting: Setting,
): Promise<Part[]> {
  const jobs = DENO_GROUPS.filter(({ name }) => names.includes(name))
    .flatMap((group) => denoJobs(group, flags, setting));
  for (const name of RUNTIMES.filter((name) => names.includes(name))) {
    jobs.push(...await runtimeJobs(name, filesOn(name), setting));
  }
  return await sideBySide(jobs, WIDTH);
}

/** Says what each group ended with, and which files took longest. */
function report(parts: readonly Part[]): void {
  for (const [group, own] of Map.groupBy(parts, ({ group }) => group)) {
    const { passed, failed, notRun, reasons } = total(own.map(({ counts }) => counts));
    const seconds = own.reduce((sum, { tookMs }) => sum + tookMs, 0) / 1000;
    console.log(
      `\n${group}: ${passed} passed, ${failed} failed, ${notRun} not run; ${seconds.toFixed(0)} s`,
    );
    for (const [reason, count] of reasons) console.log(`  ${count} not run: ${reason}`);
  }
  const slowest = slowestLines(parts.flatMap(({ files }) => files), SLOWEST);
  console.log(`\nThe longest\n${slowest.join("\n")}`);
}

/** Says what a run has left behind; false when that is something, or cannot be seen in CI. */
function isNothingLeft(before: KernelObjects, runId: string): boolean {
  const after = kernelObjects();
  const left = [
    ...[...after.lines].filter((line) => !before.lines.has(line)),
    ...processesOf(runId),
  ];
  const blind = after.blindSpot !== undefined && Deno.env.get("CI") === "true";
  if (blind) console.log(`\nCannot see ${after.blindSpot}`);
  else if (after.blindSpot !== undefined) console.log(`\nNot looked at: ${after.blindSpot}`);
  if (left.length > 0) {
    console.log(`\nLeft behind:\n  ${left.join("\n  ")}`);
    console.log("(what is new since the start; another run on this machine may have made it)");
  } else {
    console.log("\nNothing is left in /dev/mqueue, in /dev/shm or among the processes");
  }
  return left.length === 0 && !blind;
}

/** Ends what a run has started, and takes its folder away, when it is told to stop. */
function cleanUpWhenInterrupted(scratch: Scratch, runId: string): void {
  // What the build and npm start carries the mark too.
  Deno.env.set(RUN_VARIABLE, runId);
  for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    Deno.addSignalListener(signal, () => {
      killProcessesOf(runId);
      scratch[Symbol.dispose]();
      Deno.exit(code);
    });
  }
}

async function main(args: string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(HELP);
    return 0;
  }
  const dashes = args.indexOf("--");
  const named = dashes === -1 ? args : args.slice(0, dashes);
  const flags = dashes === -1 ? [] : args.slice(dashes + 1);
  const isDefault = named.length === 0;
  const names = isDefault ? DEFAULT : named;
  if (!names.every((name) => GROUP_NAMES.includes(name))) {
    console.error(`Cannot run ${names.join(" ")}: expected some of ${GROUP_NAMES.join(" ")}`);
    return 2;
  }

  const runId = crypto.randomUUID();
  using scratch = new Scratch();
  cleanUpWhenInterrupted(scratch, runId);
  const before = kernelObjects();
  const filesOn = (name: RuntimeName) =>
    isDefault && flags.length === 0 ? DEFAULT_FILES[name] ?? [] : flags;
  const parts = await runGroups(names, { flags, filesOn }, { scratch, runId });
  report(parts);
  const counts = total(parts.map(({ counts }) => counts));
  const clean = isNothingLeft(before, runId);
  // That nothing is left is one more test.
  const passed = counts.passed + (clean ? 1 : 0);
  const failed = counts.failed + (clean ? 0 : 1);
  if (counts.problems.length > 0) console.log(`\nFAILED\n  ${counts.problems.join("\n  ")}`);
  console.log(`\n${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

Deno.exit(await main(Deno.args));
