/**
 * Runs every test, in the groups whose permissions differ, and looks at what is left behind.
 *
 * Prints `N passed, N failed` as its last line; exit code 1 when anything failed or was left.
 * Usage: deno task test [GROUP…] [-- FLAGS for deno test]
 */

import { kernelObjects, processesOf, RUN_VARIABLE } from "./leftovers.ts";

interface Group {
  name: string;
  what: string;
  args: string[];
}

const FFI_ONLY = ["--allow-ffi", "--no-prompt"];

const GROUPS: Group[] = [
  {
    name: "api",
    what: "the library, with --allow-ffi and nothing else",
    args: [...FFI_ONLY, "tests/errors_test.ts", "tests/sys", "tests/wait", "tests/mq", "tests/shm"],
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
];

const ROOT = new URL("../", import.meta.url).pathname;

async function runGroup({ name, what, args }: Group, flags: string[], runId: string) {
  console.log(`\n== ${name}: ${what}`);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", ...args, ...flags],
    cwd: ROOT,
    // No word and no connection of the runtime's own in between: with empty caches it looks for
    // updates, in the tests' processes too.
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", [RUN_VARIABLE]: runId },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let tail = "";
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    const text = decoder.decode(chunk, { stream: true });
    Deno.stdout.writeSync(chunk);
    tail = (tail + text).slice(-4000);
  }
  const { success } = await child.status;
  const summary = tail.match(/(?:ok|FAILED) \| (\d+) passed .*?\| (\d+) failed/);
  const passed = Number(summary?.[1] ?? 0);
  const failed = Number(summary?.[2] ?? 0);
  // A group that ended badly without a failed test failed as a whole: a crash, a type error.
  return { passed, failed: success ? failed : Math.max(failed, 1) };
}

async function main(args: string[]): Promise<number> {
  const dashes = args.indexOf("--");
  const names = dashes === -1 ? args : args.slice(0, dashes);
  const flags = dashes === -1 ? [] : args.slice(dashes + 1);
  const groups = GROUPS.filter(({ name }) => names.length === 0 || names.includes(name));
  if (groups.length === 0 || names.some((name) => !GROUPS.some((group) => group.name === name))) {
    console.error(`Cannot run ${names}: expected some of ${GROUPS.map(({ name }) => name)}`);
    return 2;
  }

  const runId = crypto.randomUUID();
  const before = kernelObjects();
  let passed = 0, failed = 0;
  for (const group of groups) {
    const result = await runGroup(group, flags, runId);
    passed += result.passed;
    failed += result.failed;
  }

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
  console.log(`\n${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

Deno.exit(await main(Deno.args));
