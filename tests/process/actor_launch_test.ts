/**
 * Processes and workers that are launched: how they end, what they print, whom they outlive.
 *
 * Method: a program launches launch_child.ts in every way that a test of a kind asks about, all at
 * once, and prints how each ended; the tests read their line of it.
 */

import { readFileSync } from "node:fs";
import process from "node:process";
import { assertEquals, assertLess, assertMatch } from "../assert.ts";
import { test } from "../harness.ts";
import { namedQueue } from "../support/names.ts";
import { Child, type Finished, run, runProgram } from "../support/process.ts";
import { evalArgs, execPath, fileArgs, RUNTIME, siblingUrl } from "../support/runtime.ts";
import { until, within } from "../support/until.ts";

const PERMISSIONS = ["-A", "--no-prompt", "--quiet"];

/** What the programs begin with. */
const PARENT = `
  import process from "node:process";
  import { MessageQueue } from "@postbox/postbox";
  import { launchProcess, launchWorker } from "@postbox/postbox/src/actor/launch/launch.ts";
  import { readDirectory } from "@postbox/postbox/src/sys/file.ts";

  const entryUrl = ${JSON.stringify(siblingUrl("./launch_child.ts", import.meta.url))};
  const launchers = { process: launchProcess, worker: launchWorker };

  function launch(kind, system, options = {}) {
    const [label] = system.split(" ");
    return launchers[kind]({
      system, run: "1", endpoint: 3, incarnation: 1, actor: 1, label, moduleUrl: entryUrl, entryUrl, stdio: "ignore",
      ...options,
    });
  }

  /** An exit in what JSON can say. */
  async function endOf({ exited }) {
    const { error, ...exit } = await exited;
    if (error === undefined) return exit;
    return { ...exit, error: { name: error.name, message: error.message } };
  }

  const tell = (what) => process.stdout.write(JSON.stringify(what) + "\\n");
`;

function runParent(code: string, ...args: string[]): Promise<Finished> {
  return runProgram(PARENT + code, { args, permissions: PERMISSIONS, timeoutMs: 60_000 });
}

/** What the program told last. */
function told<T>({ stdout, stderr }: Finished): T {
  const line = stdout.trimEnd().split("\n").at(-1)!;
  try {
    return JSON.parse(line) as T;
  } catch {
    throw new Error(`the program told nothing: ${stdout}\n${stderr}`);
  }
}

/** Runs something for the first that asks. */
function once<T>(run: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => running ??= run();
}

// --- how they end ------------------------------------------------------------------------------

type Ends = Record<string, unknown>;

/** Others have no limit for a heap: it would take all of the machine's memory. */
const HAS_V8 = RUNTIME !== "bun";
const NO_V8 = { bun: "its engine has no limit for a heap" };

const processEnds = once(async () => {
  using up = namedQueue();
  const finished = await runParent(
    `
    const queue = MessageQueue.open(process.argv[2], { access: "r" });
    const waits = launch("process", "wait " + process.argv[2]);
    const killed = endOf(waits);
    queue.receive().then(() => waits.kill());
    const v8Flags = ["--max-old-space-size=30"];
    tell({
      killed: await killed,
      left: await endOf(launch("process", "leave")),
      ...Object.fromEntries(await Promise.all([
        ["exit"], ["throw"], ["fault"], ["forget"],
        ...(${HAS_V8} ? [["fill", { v8Flags, stdio: "label" }]] : []),
      ].map(async ([order, options]) => [order, await endOf(launch("process", order, options))]))),
    });
    waits.kill(); // of one that has ended
  `,
    up.name,
  );
  assertEquals(finished.code, 0, finished.stderr);
  return told<Ends>(finished);
});

const workerEnds = once(async () => {
  using up = namedQueue();
  const finished = await runParent(
    `
    const queue = MessageQueue.open(process.argv[2], { access: "r" });
    const waits = launch("worker", "wait " + process.argv[2]);
    const terminated = endOf(waits);
    queue.receive().then(() => waits.kill());
    const resourceLimits = { maxOldGenerationSizeMb: 30 };
    tell({
      terminated: await terminated,
      ...Object.fromEntries(await Promise.all([
        ["leave"], ["exit"], ["throw"], ["forget"], ...(${HAS_V8} ? [["fill", { resourceLimits }]] : []),
      ].map(async ([order, options]) => [order, await endOf(launch("worker", order, options))]))),
    });
    waits.kill();
  `,
    up.name,
  );
  assertEquals(finished.code, 0, finished.stderr);
  return told<Ends>(finished);
});

function endTest(
  what: string,
  ends: () => Promise<Ends>,
  order: string,
  expected: unknown,
  not = {},
): void {
  test(`Launched.exited of a ${what}`, { not }, async () => {
    assertEquals((await ends())[order], expected);
  });
}

const ON_PURPOSE = { name: "RangeError", message: "thrown on purpose" };

endTest("process that leaves is an exit with code 0", processEnds, "left", {
  kind: "exit",
  code: 0,
});
endTest("process that calls exit() has its code", processEnds, "exit", { kind: "exit", code: 3 });
endTest("process that throws is an exit with code 1", processEnds, "throw", {
  kind: "exit",
  code: 1,
});
endTest("process that is killed names the signal", processEnds, "killed", {
  kind: "signal",
  signal: "SIGKILL",
});
endTest("process that touches memory it has not is SIGSEGV", processEnds, "fault", {
  kind: "signal",
  signal: "SIGSEGV",
});
endTest(
  "process whose heap is full is out-of-memory",
  processEnds,
  "fill",
  { kind: "out-of-memory" },
  NO_V8,
);
endTest("process that left in spite of a timer comes", processEnds, "forget", {
  kind: "exit",
  code: 0,
});
endTest("worker that leaves is an exit with code 0", workerEnds, "leave", {
  kind: "exit",
  code: 0,
});
endTest("worker that calls exit() has its code", workerEnds, "exit", { kind: "exit", code: 3 });
endTest("worker that throws has the error", workerEnds, "throw", {
  kind: "threw",
  error: ON_PURPOSE,
});
endTest("worker that is terminated says so", workerEnds, "terminated", { kind: "terminated" });
endTest(
  "worker whose heap is full is out-of-memory",
  workerEnds,
  "fill",
  { kind: "out-of-memory" },
  NO_V8,
);
endTest("worker that left in spite of a timer comes", workerEnds, "forget", {
  kind: "exit",
  code: 0,
});

test("Launched.exited comes though somebody holds the output of the process open", async () => {
  const finished = await runParent(`
    tell(await endOf(launch("process", "leaveOpen", { stdio: "label" })));
  `);
  const [, holder] = /leaveOpen \| (\d+)/.exec(finished.stdout)!;
  process.kill(Number(holder), "SIGKILL"); // throws if it is not there any more
  assertEquals(told<unknown>(finished), { kind: "exit", code: 0 });
});

test("Launched leaves no descriptor of a process and of a worker open", async () => {
  using up = namedQueue();
  const finished = await runParent(
    `
    const queue = MessageQueue.open(process.argv[2], { access: "r" });
    const count = () => readDirectory("/proc/self/fd").length;
    async function launchAndEnd(kinds) {
      const launched = kinds.map((kind) =>
        launch(kind, "wait " + process.argv[2], { stdio: "label" }));
      for (const _ of launched) await queue.receive();
      for (const one of launched) one.kill();
      await Promise.all(launched.map(endOf));
    }
    await launchAndEnd(["process", "worker"]); // what the runtime opens once
    const before = count();
    await launchAndEnd(["process", "process", "process", "worker", "worker", "worker"]);
    tell(count() - before);
  `,
    up.name,
  );
  // A leak is one of each at least; the runtime opens a cache or two for itself, later than at once.
  assertLess(told<number>(finished), 3);
});

// --- what they print ---------------------------------------------------------------------------

const OUTPUT = ["process", "worker"].map((kind) => ({
  kind,
  /** What a program prints that launches for several orders at once. */
  labelled: once(() =>
    launchAll(kind, [["print", "label"], ["flood", "label"], ["long", "label"]])
  ),
  plain: once(() => launchAll(kind, [["print", "ignore"], ["print", "inherit"]])),
  not: kind === "worker" ? { bun: "the streams of its workers cannot be read" } : {},
}));

function launchAll(
  kind: string,
  orders: readonly (readonly [string, string])[],
): Promise<Finished> {
  return runParent(`
    await Promise.all(${JSON.stringify(orders)}.map(([order, stdio]) =>
      launch("${kind}", order, { stdio }).exited));
  `);
}

/** The lines with one label, without it. */
function linesOf(label: string, text: string): string[] {
  const prefix = `${label} | `;
  const lines = text.split("\n").filter((line) => line.startsWith(prefix));
  return lines.map((line) => line.slice(prefix.length));
}

for (const { kind, labelled, plain, not } of OUTPUT) {
  test(`a ${kind} prints with its label before each line`, { not }, async () => {
    const { stdout, stderr } = await labelled();
    assertEquals(linesOf("print", stdout), ["one", "two in pieces", "", "three", "no newline"]);
    assertEquals(linesOf("print", stderr), ["a complaint"]);
  });

  test(`a ${kind} that prints much and ends loses no line`, { not }, async () => {
    const { stdout } = await labelled();
    assertEquals(
      linesOf("flood", stdout),
      Array.from({ length: 20_000 }, (_, line) => `line ${line}`),
    );
  });

  test(`a ${kind} that prints a line that is too long has it in pieces`, { not }, async () => {
    const { stdout } = await labelled();
    assertEquals(linesOf("long", stdout).map(({ length }) => length), [16_384, 16_384, 7232, 3]);
  });

  test(`a ${kind} prints nothing when ignored, and as it is when inherited`, { not }, async () => {
    const { code, stdout, stderr } = await plain();
    assertEquals(
      [code, stdout, stderr],
      [0, "one\ntwo in pieces\n\nthree\nno newline", "a complaint\n"],
    );
  });
}

test("Launched.exited does not wait for our own output, and what is left is passed on", async () => {
  const finished = await runParent(`
    const held = [];
    const { write } = process.stdout;
    process.stdout.write = (bytes, done) => held.push({ bytes, done }); // takes it, and takes no more
    tell(await endOf(launch("process", "twice", { stdio: "label" })));
    process.stdout.write = write;
    for (const { bytes, done } of held) process.stdout.write(bytes, done);
  `);
  assertEquals(linesOf("twice", finished.stdout), ["first", "second"]);
});

test("nobody reads the output of a program: the process that it launched ends all the same", async () => {
  using up = namedQueue();
  const program = evalArgs(
    `${PARENT}
    const queue = MessageQueue.open(process.argv[2], { access: "r" });
    await queue.receive(); // until nobody reads
    console.error(JSON.stringify(await endOf(launch("process", "flood", { stdio: "label" }))));
  `,
    { permissions: PERMISSIONS },
  );
  const { spawn } = await import("node:child_process");
  const child = spawn(execPath(), [...program, up.name], { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout!.destroy();
  up.queue.sendSync("go");
  let complaint = "";
  child.stderr!.on("data", (chunk) => complaint += chunk);
  await within("its end", new Promise((resolve) => child.on("close", resolve)));
  assertMatch(complaint, /^\{"kind":"exit","code":0\}\n$/);
});

// --- whom they outlive -------------------------------------------------------------------------

/** Whether a process runs; one that nobody waited for yet does not. */
function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !"ZX".includes(stat[stat.lastIndexOf(")") + 2]!);
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code!)) return false;
    throw error;
  }
}

async function pidsFrom(up: { queue: { receive(): Promise<{ text(): string }> } }, count: number) {
  const pids: number[] = [];
  while (pids.length < count) {
    pids.push(Number((await within("a child", up.queue.receive())).text()));
  }
  return pids;
}

test("the end of a program by SIGKILL ends what it launched, and what that launched", async () => {
  using up = namedQueue();
  const program = evalArgs(
    `${PARENT}
    for (const order of ["wait", "watch", "spin", "launch"]) {
      launch("process", order + " " + process.argv[2]);
    }
  `,
    { permissions: PERMISSIONS },
  );
  await using parent = new Child(execPath(), [...program, up.name]);
  const pids = await pidsFrom(up, 4);
  assertEquals(pids.map(isRunning), [true, true, true, true]);
  parent.kill("SIGKILL");
  await until("all of them are gone", () => !pids.some(isRunning));
});

test("a process that leaves ends by itself, and at once", async () => {
  const { stdout } = await runParent(
    `await launch("process", "leave", { stdio: "label" }).exited;`,
  );
  assertEquals(stdout, "leave | by itself\n");
});

test("a process whose parent has ended before it looks ends at once", async () => {
  using up = namedQueue();
  const parentPid = 1; // which is not ours
  const url = siblingUrl("./launch_child.ts", import.meta.url);
  const args = fileArgs(url, { permissions: PERMISSIONS });
  const started = [`wait ${up.name}`, "1", "3", "1", String(parentPid)];
  const { code } = await run(execPath(), { args: [...args, ...started], timeoutMs: 60_000 });
  assertEquals([code, up.queue.length], [1, 0]);
});

test("a program that ends by itself ends what it launched, and is not kept by it", async () => {
  using up = namedQueue();
  const finished = await runParent(
    `
    const queue = MessageQueue.open(process.argv[2], { access: "r" });
    const launched = launch("process", "wait " + process.argv[2], { stdio: "label" });
    await queue.receive();
    tell(launched.pid);
    launched.hold(false);
    queue.close();
  `,
    up.name,
  );
  const pid = told<number>(finished);
  assertEquals(finished.code, 0);
  await until("it is gone", () => !isRunning(pid));
});

test("the end of a worker ends the process that it launched", async () => {
  using up = namedQueue();
  const program = evalArgs(
    `${PARENT}
    const worker = launch("worker", "launch " + process.argv[2]);
    process.stdin.once("data", async () => {
      worker.kill();
      tell(await endOf(worker));
    });
  `,
    { permissions: PERMISSIONS },
  );
  await using parent = new Child(execPath(), [...program, up.name]);
  const [pid] = await pidsFrom(up, 1);
  await parent.write("end\n");
  assertEquals(JSON.parse(await parent.line()), { kind: "terminated" });
  await until("the process is gone", () => !isRunning(pid!));
});
