/**
 * Runs every test, in the groups whose permissions or runtimes differ, and looks at what is left
 * behind.
 *
 * Prints `N passed, N failed` as its last line; exit code 1 when anything failed or was left.
 */

import { fileURLToPath } from "node:url";
import { build } from "../npm/build.ts";
import { kernelObjects, processesOf, RUN_VARIABLE } from "./leftovers.ts";
import { mirror } from "./mirror.ts";
import { install, type Runtime, type RuntimeName, RUNTIMES } from "./runtimes.ts";

/** What came out of a group. */
interface Counts {
  passed: number;
  failed: number;
  /** Registered, but not run here; the names say why. */
  notRun: number;
}

interface DenoGroup {
  name: string;
  what: string;
  args: string[];
}

const FFI_ONLY = ["--allow-ffi", "--no-prompt"];

const DENO_GROUPS: DenoGroup[] = [
  {
    name: "api",
    what: "the library, with --allow-ffi and nothing else",
    args: [
      ...FFI_ONLY,
      "tests/errors_test.ts",
      "tests/sys",
      "tests/wait",
      "tests/life",
      "tests/mq",
      "tests/shm",
    ],
  },
  {
    name: "doc",
    what: "the examples in the documentation, with --allow-ffi and nothing else",
    args: ["--doc", "--preload=tests/support/loaded.ts", ...FFI_ONLY, "mod.ts", "src", "cli"],
  },
  {
    name: "process",
    what: "other processes: C, Python, the command line, the tools",
    args: ["-A", "tests/process", "tests/cli", "tests/tools"],
  },
  {
    name: "conformance",
    what: "the POSIX assertions",
    args: ["-A", "tests/conformance"],
  },
  {
    name: "npm",
    what: "the npm package: what is in it, and who can use it",
    args: ["-A", "tests/npm"],
  },
];

/** What runs when no group is named: everything under Deno, on the machine's own Node, the newest. */
const DEFAULT: readonly string[] = [...DENO_GROUPS.map(({ name }) => name), "node", "node26"];

const HELP = `Runs the tests.

Usage: deno task test [GROUP…] [-- FLAGS for deno test]
       deno task test [RUNTIME…] [-- FILE…]

Groups under Deno
${DENO_GROUPS.map(({ name, what }) => `  ${name.padEnd(12)} ${what}`).join("\n")}

Runtimes: the same files as JavaScript against the npm package, in a folder of its own
  ${RUNTIMES.join("  ")}   (node is the machine's own)

Without names: ${DEFAULT.join(" ")}

Examples
  deno task test
  deno task test api -- --filter tryReceive
  deno task test node24 -- tests/mq tests/shm/model_test.ts
  deno task test:node     Node 20, 22, 24 and 26
  deno task test:bun`;

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** Where a tarball of this checkout is already; tests/npm/support.ts makes one otherwise. */
const TARBALL_VARIABLE = "POSTBOX_TEST_TARBALL";

/** No word and no connection of the runtimes' own in between: Deno looks for updates. */
function environment(runId: string): Record<string, string> {
  return { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", [RUN_VARIABLE]: runId };
}

/** Runs a command, passes on what it prints, and gives that too. */
async function shown(
  [command, ...args]: [string, ...string[]],
  cwd: string,
  runId: string,
): Promise<{ success: boolean; output: string }> {
  const child = new Deno.Command(command, {
    args,
    cwd,
    env: environment(runId),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let output = "";
  const pass = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      Deno.stdout.writeSync(chunk);
      output += decoder.decode(chunk, { stream: true });
    }
  };
  await Promise.all([pass(child.stdout), pass(child.stderr)]);
  return { success: (await child.status).success, output };
}

/** What ended badly without a failed test failed as a whole: a crash, a type error. */
function judged(counts: Counts, success: boolean): Counts {
  return success ? counts : { ...counts, failed: Math.max(counts.failed, 1) };
}

async function runDenoGroup(
  { name, what, args }: DenoGroup,
  flags: string[],
  runId: string,
): Promise<Counts> {
  console.log(`\n== ${name}: ${what}`);
  if (name === "npm") Deno.env.set(TARBALL_VARIABLE, await build());
  const command: [string, ...string[]] = [Deno.execPath(), "test", ...args, ...flags];
  const { success, output } = await shown(command, ROOT, runId);
  const summary = output.slice(-4000).match(
    /(?:ok|FAILED) \| (\d+) passed .*?\| (\d+) failed(?:.*?\| (\d+) ignored)?/,
  );
  const [, passed = 0, failed = 0, notRun = 0] = (summary ?? []).map(Number);
  return judged({ passed, failed, notRun }, success);
}

/** A folder in which the package is installed, made when the first runtime needs it. */
class Mirror implements AsyncDisposable {
  #folder: string | undefined;

  async folder(): Promise<string> {
    if (this.#folder !== undefined) return this.#folder;
    this.#folder = await Deno.makeTempDir({ prefix: "postbox-mirror-" });
    console.log("\nBuilding the npm package and installing it into an empty folder");
    await mirror(this.#folder, await build());
    return this.#folder;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#folder !== undefined) await Deno.remove(this.#folder, { recursive: true });
  }
}

/** The test files, or those of them that are named or lie in a folder that is. */
function testFiles(folder: string, wanted: string[]): string[] {
  const found: string[] = [];
  const walk = (path: string) => {
    for (const { name, isDirectory } of Deno.readDirSync(`${folder}/${path}`)) {
      if (isDirectory) walk(`${path}/${name}`);
      else if (name.endsWith("_test.js")) found.push(`./${path}/${name}`);
    }
  };
  walk("tests");
  const names = wanted.map((name) => `./${name.replace(/^\.\//, "").replace(/\.ts$/, ".js")}`);
  return found.sort().filter((file) =>
    names.length === 0 || names.some((name) => file === name || file.startsWith(`${name}/`))
  );
}

async function runRuntime(
  runtime: Runtime,
  folder: string,
  wanted: string[],
  runId: string,
): Promise<Counts> {
  console.log(`\n== ${runtime.name}: ${runtime.version}, the npm package and the same tests`);
  const total: Counts = { passed: 0, failed: 0, notRun: 0 };
  const reasons = new Map<string, number>();
  for (const file of testFiles(folder, wanted)) {
    console.log(`\n${file}`);
    const { success, output } = await shown(runtime.testCommand(file), folder, runId);
    const counts = judged(runtime.counts(output), success);
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.notRun += counts.notRun;
    for (const name of new Set(output.match(/^.*\[not run: .*\]/gm))) {
      const reason = name.slice(name.indexOf("[not run: ") + 10, -1);
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    }
  }
  const { passed, failed, notRun } = total;
  console.log(`\n${runtime.version}: ${passed} passed, ${failed} failed, ${notRun} not run`);
  for (const [reason, count] of reasons) console.log(`  ${count} not run: ${reason}`);
  return total;
}

async function runRuntimes(names: RuntimeName[], wanted: string[], runId: string) {
  const total: Counts[] = [];
  await using folder = new Mirror();
  for (const name of names) {
    const home = await Deno.makeTempDir({ prefix: `postbox-${name}-` });
    try {
      await Deno.chmod(home, 0o755);
      const runtime = await install(name, home);
      total.push(await runRuntime(runtime, await folder.folder(), wanted, runId));
    } finally {
      await Deno.remove(home, { recursive: true });
    }
  }
  return total;
}

async function main(args: string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(HELP);
    return 0;
  }
  const dashes = args.indexOf("--");
  const named = dashes === -1 ? args : args.slice(0, dashes);
  const flags = dashes === -1 ? [] : args.slice(dashes + 1);
  const names = named.length === 0 ? DEFAULT : named;
  const known: readonly string[] = [...DENO_GROUPS.map(({ name }) => name), ...RUNTIMES];
  if (!names.every((name) => known.includes(name))) {
    console.error(`Cannot run ${names.join(" ")}: expected some of ${known.join(" ")}`);
    return 2;
  }

  const runId = crypto.randomUUID();
  const before = kernelObjects();
  const counts: Counts[] = [];
  for (const group of DENO_GROUPS.filter(({ name }) => names.includes(name))) {
    counts.push(await runDenoGroup(group, flags, runId));
  }
  const runtimes = RUNTIMES.filter((name) => names.includes(name));
  counts.push(...await runRuntimes(runtimes, flags, runId));
  const sum = (key: keyof Counts) => counts.reduce((total, count) => total + count[key], 0);
  let passed = sum("passed"), failed = sum("failed");

  const after = kernelObjects();
  const left = [
    ...[...after.lines].filter((line) => !before.lines.has(line)),
    ...processesOf(runId),
  ];
  if (after.blindSpot !== undefined && Deno.env.get("CI") === "true") {
    console.log(`\nCannot see ${after.blindSpot}`);
    failed++;
  } else if (after.blindSpot !== undefined) {
    console.log(`\nNot looked at: ${after.blindSpot}`);
  }
  if (left.length > 0) {
    console.log(`\nLeft behind:\n  ${left.join("\n  ")}`);
    console.log("(what is new since the start; another run on this machine may have made it)");
    failed++;
  } else {
    passed++;
    console.log("\nNothing is left in /dev/mqueue, in /dev/shm or among the processes");
  }
  const notRun = sum("notRun");
  if (notRun > 0) console.log(`${notRun} not run here; their names say why`);
  console.log(`\n${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

Deno.exit(await main(Deno.args));
