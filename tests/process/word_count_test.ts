/**
 * examples/word_count as a whole: real files, a real queue, real processes, some of them killed.
 *
 * Goal: the count is exact whoever dies and when, and nothing is left. Method: the verdict is a
 * naive count in this process; kills wait for progress that the parent reports, not for time.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, symlinkSync } from "node:fs";
import process from "node:process";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { test } from "../harness.ts";
import { workerCommand } from "../../examples/word_count/child.ts";
import { closeFiles, openFiles } from "../../examples/word_count/files.ts";
import {
  type CountEvent,
  type CountOptions,
  countWords,
  type WorkerEnd,
} from "../../examples/word_count/parent.ts";
import { MessageQueue, PosixError, SharedMemory, uniqueName } from "../../mod.ts";
import "../support/loaded.ts";
import { Random } from "../support/random.ts";
import { type Finished, run, runProgram } from "../support/process.ts";
import { evalArgs, execPath, FFI_ONLY, siblingUrl } from "../support/runtime.ts";
import { scaled } from "../support/scale.ts";
import { until, within } from "../support/until.ts";
import {
  Demo,
  demoCommand,
  folderWith,
  generateText,
  isRunning,
  naiveCount,
  queueNames,
  sorted,
} from "./word_count_support.ts";

/** Enough pieces that a worker which is killed halfway has much left to do. */
const PIECE = "2048";
const BIG = generateText(6_000_000, { seed: 1 });
const BIG_COUNT = naiveCount(BIG);
const BIG_PIECES = Math.floor(BIG.length / 2100);

interface Report {
  files: number;
  bytes: number;
  words: number;
  differentWords: number;
  top: { word: string; count: number }[];
  pieces: number;
  messages: number;
  messagesPerSecond: number;
  bytesPerSecond: number;
  workers: { worker: number; pid: number; pieces: number; end: Record<string, unknown> }[];
  parentPieces: number;
  equalsSerial: boolean;
}

function demo(...args: string[]): Promise<Finished> {
  const { command, args: all } = demoCommand(...args);
  return within("the end of the demo", run(command, { args: all }));
}

/** Runs it with --json and every word in `top`. */
async function report(...args: string[]): Promise<Report> {
  const { code, stdout, stderr } = await demo("--json", "--top", "1000000", ...args);
  assertEquals([code, stderr], [0, ""]);
  return JSON.parse(stdout);
}

/** The words of a report in the form of the naive count; for input that is valid UTF-8. */
function wordsOf({ top }: Report): [string, number][] {
  const latin1 = (text: string) =>
    [...new TextEncoder().encode(text)].map((byte) => String.fromCharCode(byte)).join("");
  return top.map(({ word, count }): [string, number] => [latin1(word), count])
    .sort(([a], [b]) => a < b ? -1 : 1);
}

function total(words: Map<string, number>): number {
  return [...words.values()].reduce((sum, count) => sum + count, 0);
}

/** A word as reports show it: bytes that are no UTF-8 as `\xff`. */
function shown(word: string): string {
  try {
    const bytes = Uint8Array.from(word, (character) => character.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return word.replace(/[\x80-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`);
  }
}

/** The most frequent of a naive count, as reports show them. */
function expectedTop(words: Map<string, number>, count: number): [string, number][] {
  return sorted(words).sort(([, a], [, b]) => b - a).slice(0, count)
    .map(([word, count]) => [shown(word), count]);
}

/** What must hold of a count of {@linkcode BIG}, however it came about. */
function assertExact({ code, stdout, stderr }: Finished): Report {
  assertEquals(code, 0, stderr);
  const result: Report = JSON.parse(stdout);
  assertEquals(result.equalsSerial, true);
  assertEquals([result.words, result.differentWords], [total(BIG_COUNT), BIG_COUNT.size]);
  assertEquals(result.top.map(({ word, count }) => [word, count]), expectedTop(BIG_COUNT, 50));
  return result;
}

const BIG_ARGS = ["--json", "--top", "50", "--piece", PIECE];

test("word_count counts files of many megabytes exactly, with two processes and one queue", async () => {
  const second = generateText(1_500_000, { seed: 2 }), third = generateText(10_000, { seed: 3 });
  using folder = folderWith({ "a.txt": third, "b/big.txt": BIG, "b/c.txt": second });
  const { code, stdout, stderr } = await demo("--json", "--top", "30", folder.path);
  assertEquals([code, stderr], [0, ""]);
  const result: Report = JSON.parse(stdout);
  const expected = naiveCount(BIG, second, third);
  assertEquals(result.top.map(({ word, count }) => [word, count]), expectedTop(expected, 30));
  assertEquals([result.words, result.differentWords], [total(expected), expected.size]);
  assertEquals([result.files, result.bytes], [3, BIG.length + second.length + third.length]);
  assertEquals(result.equalsSerial, true);
  assertEquals(result.messages, result.pieces);
  assertEquals(result.parentPieces, 0);
  assertEquals(result.workers.map(({ end }) => end), [{ code: 0 }, { code: 0 }]);
  assertEquals(result.workers.reduce((sum, { pieces }) => sum + pieces, 0), result.pieces);
  assert(result.messagesPerSecond > 0 && result.bytesPerSecond > 0);
});

test("word_count prints a table, the rates and that the serial count is the same", async () => {
  using folder = folderWith({ "a.txt": "the Cat, the dog; THE end\n", "b.txt": "cat" });
  const { code, stdout, stderr } = await demo("--top", "2", folder.path);
  assertEquals([code, stderr], [0, ""]);
  const [head, first, second, gap, ...rest] = stdout.split("\n");
  assertEquals([head, first, second, gap], ["  word  count", "  the       3", "  cat       2", ""]);
  assertMatch(rest.join("\n"), /words {4}7, 4 different, in 2 files of 29 B/);
  assertMatch(rest.join("\n"), /queue {4}2 messages for 2 pieces in .* messages\/s, .*B\/s/);
  assertMatch(rest.join("\n"), /worker 1 process \d+, \d pieces?\n {2}worker 2 process \d+, \d/);
  assertMatch(rest.join("\n"), /serial .*; the result equals it\n$/);
});

test("word_count counts this repository's sources when it is given no file", async () => {
  // Others may be writing to the checkout while this runs; the comparison is for generated files.
  const { stdout } = await demo("--json", "--top", "0");
  const result: Report = JSON.parse(stdout);
  assert(result.files > 50 && result.words > 10_000, stdout);
});

test("word_count counts every kind of file like the naive count", async () => {
  const everyByte = Uint8Array.from({ length: 70_000 }, (_, index) => (index * 7919) >> 3);
  const files: Record<string, Uint8Array | string> = {
    "empty": "",
    "one_run": "x".repeat(300_000),
    "longest_word": "y".repeat(65_535),
    "too_long": "z".repeat(65_536),
    "too_long_between": `a ${"q".repeat(1_200_000)} b`,
    "separators": " \r\n\t.,;".repeat(30_000),
    "crlf": "One\r\nTWO\r\n\r\nthree\r\n",
    "utf8": "Ärger ärger straße STRASSE 日本語 \u{feff}bom a\u0301",
    "one_byte": "w",
  };
  using folder = folderWith(files);
  const bytes = Object.values(files).map((content) =>
    typeof content === "string" ? new TextEncoder().encode(content) : content
  );
  for (const extra of [[], ["--piece", "1000"], ["--workers", "4", "--piece", "100000"]]) {
    const result = await report(...extra, folder.path);
    assertEquals(wordsOf(result), sorted(naiveCount(...bytes)));
    assertEquals(result.equalsSerial, true);
  }
  using binary = folderWith({ "binary": everyByte });
  const { code, stdout } = await demo("--json", "--top", "1000000", binary.path);
  const result: Report = JSON.parse(stdout);
  const expected = naiveCount(everyByte);
  assertEquals([code, result.words, result.equalsSerial], [0, total(expected), true]);
  assertEquals(
    result.top.map(({ word, count }) => [word, count]),
    expectedTop(expected, expected.size),
  );
});

test("word_count starts no process when there is nothing to count", async () => {
  using folder = folderWith({ "a": "", "b": "" });
  const { code, stdout, stderr } = await demo("--json", "-v", folder.path);
  const { files, words, workers, equalsSerial }: Report = JSON.parse(stdout);
  assertEquals([code, stderr, files, words, workers, equalsSerial], [0, "", 2, 0, [], true]);
});

test("word_count walks folders without node_modules, .git and symbolic links", async () => {
  using folder = folderWith({
    "a/b/c/deep.txt": "deep",
    "a/node_modules/other.js": "other",
    ".git/config": "config",
    "a/.hidden": "hidden",
    "top.txt": "top",
  });
  symlinkSync("..", folder.pathOf("a/loop"));
  symlinkSync("../top.txt", folder.pathOf("a/link"));
  assertEquals(wordsOf(await report(folder.path)), [["deep", 1], ["hidden", 1], ["top", 1]]);
  // What is named is counted, as often as it is named.
  const named = await report(folder.pathOf("a/link"), folder.pathOf("top.txt"));
  assertEquals(wordsOf(named), [["top", 2]]);
});

test("word_count refuses what it cannot read before anything is started", async () => {
  using folder = folderWith({ "good.txt": "good" });
  const good = folder.pathOf("good.txt"), missing = folder.pathOf("missing.txt");
  for (
    const [path, message] of [
      [missing, /Cannot open file ".*missing\.txt": it does not exist \(ENOENT\)\n$/],
      ["/dev/null", /"\/dev\/null"/],
      ["/proc/self/status", /"\/proc\/self\/status"/],
    ] as const
  ) {
    const { code, stdout, stderr } = await demo("-v", good, path);
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, message);
    assert(!stderr.includes("is process"), stderr);
  }
});

test("word_count refuses a file that may not be read", async () => {
  using folder = folderWith({ "secret.txt": "secret", "good.txt": "good" });
  chmodSync(folder.pathOf("secret.txt"), 0o200);
  const { command, args } = demoCommand("-v", folder.path);
  // Root may read everything until it gives that up.
  const unprivileged = process.getuid!() === 0
    ? ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", command, ...args]
    : [command, ...args];
  const { code, stdout, stderr } = await run(unprivileged[0]!, { args: unprivileged.slice(1) });
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, /^word_count: Cannot open file ".*secret\.txt": .*\(EACCES\)/);
});

test("word_count names the option when the table or the number of pieces is too small", async () => {
  const words = Array.from({ length: 5000 }, (_, index) => `w${index}`).join(" ");
  using folder = folderWith({ "words": words, "large": " ".repeat((1 << 20) + 1) });
  const full = await demo("-v", "--slots", "1000", folder.pathOf("words"));
  assertEquals([full.code, full.stdout], [1, ""]);
  assertStringIncludes(full.stderr, "in a table of 1024");
  assertStringIncludes(full.stderr, "--slots 2048\n");
  const pids = [...full.stderr.matchAll(/is process (\d+)/g)].map(([, pid]) => Number(pid));
  assertEquals([pids.length, pids.filter(isRunning)], [2, []]);

  const larger = await report("--slots", "8192", folder.pathOf("words"));
  assertEquals(larger.differentWords, 5000);

  const many = await demo("-v", "--piece", "1", folder.pathOf("large"));
  assertEquals([many.code, many.stdout], [1, ""]);
  assertMatch(many.stderr, /^word_count: Cannot count .* at most 1048576 pieces; .* --piece 4\n$/);
  assertEquals((await report("--piece", "64", folder.pathOf("large"))).words, 0);
});

test("word_count ends with 2 when the command line is wrong, and shows how it is right", async () => {
  for (
    const args of [
      ["--workers", "0"],
      ["--workers", "65"],
      ["--piece", "1.5"],
      ["--piece", "0"],
      ["--top", "-1"],
      ["--top=many"],
      ["--slots", ""],
      ["--unknown"],
    ]
  ) {
    const { code, stdout, stderr } = await demo(...args);
    assertEquals([code, stdout], [2, ""], args.join(" "));
    assertMatch(stderr, /^word_count: [^]*\nTry: deno task demo --help\n$/);
  }
  const help = await demo("--help");
  assertEquals([help.code, help.stderr], [0, ""]);
  assertStringIncludes(help.stdout, "Examples:\n  deno task demo\n");
});

// Killed workers. The parent runs in this process, so a kill inside its event handler is certain
// to come before the end: everything that is not sent yet waits for the handler to return.

async function countHere(path: string, options: Partial<CountOptions>) {
  const files = openFiles([path]);
  try {
    const all = { workers: 2, pieceBytes: Number(PIECE), ...options };
    return await within("the end of the count", countWords(files, all));
  } finally {
    closeFiles(files);
  }
}

/** Kills workers, each as soon as so many pieces are counted (0: as soon as it is started). */
function killer(plan: Map<number, number>) {
  const pids = new Map<number, number>();
  const lost: (CountEvent & { kind: "lost" })[] = [];
  const onEvent = (event: CountEvent) => {
    if (event.kind === "started") pids.set(event.worker, event.pid);
    if (event.kind === "lost") lost.push(event);
    const done = event.kind === "progress" ? event.done : 0;
    for (const [worker, at] of plan) {
      if (done < at || !pids.has(worker)) continue;
      plan.delete(worker);
      process.kill(pids.get(worker)!, "SIGKILL");
    }
  };
  return { onEvent, lost, pids };
}

const PLACES = scaled(24);

test(`countWords() is exact when a worker is killed, at ${PLACES} places of the count`, async () => {
  using folder = folderWith({ "big.txt": BIG });
  const random = new Random(20);
  for (let round = 0; round < PLACES; round++) {
    const worker = 1 + random.below(2);
    const at = round === 0 ? 0 : 1 + random.below(BIG_PIECES / 2);
    const { onEvent, lost, pids } = killer(new Map([[worker, at]]));
    const { words, workers, parentPieces, messages, pieces } = await countHere(
      folder.pathOf("big.txt"),
      { onEvent },
    );
    const where = `worker ${worker} killed at ${at} of ${pieces} pieces`;
    assertEquals(sorted(words), sorted(BIG_COUNT), where);
    assertEquals(
      lost.map(({ worker, pid, end, left }) => ({ worker, pid, end, left })),
      [{ worker, pid: pids.get(worker), end: { signal: "SIGKILL" }, left: 1 }],
    );
    assertEquals(workers.map(({ end }) => "signal" in end), [worker === 1, worker === 2]);
    assertEquals(workers[0]!.pieces + workers[1]!.pieces, pieces, where);
    assertEquals(parentPieces, 0);
    assert(messages >= pieces);
    assertEquals([...pids.values()].filter(isRunning), []);
  }
});

test("countWords() finishes alone when all workers are killed", async () => {
  using folder = folderWith({ "big.txt": BIG });
  const half = Math.floor(BIG_PIECES / 2);
  for (const plan of [[0, 0], [0, 100], [half, half], [100, half], [half, 1]]) {
    const { onEvent, lost, pids } = killer(new Map([[1, plan[0]!], [2, plan[1]!]]));
    const result = await countHere(folder.pathOf("big.txt"), { onEvent });
    assertEquals(sorted(result.words), sorted(BIG_COUNT), `killed at ${plan}`);
    assertEquals(lost.map(({ left }) => left).at(-1), 0);
    assertEquals(lost.length, 2);
    assert(result.parentPieces > 0);
    assertEquals([...pids.values()].filter(isRunning), []);
  }
});

test("countWords() is exact when three of four workers are killed one after the other", async () => {
  using folder = folderWith({ "big.txt": BIG });
  const { onEvent, lost } = killer(new Map([[4, 100], [2, 400], [1, 800]]));
  const result = await countHere(folder.pathOf("big.txt"), { onEvent, workers: 4 });
  assertEquals(sorted(result.words), sorted(BIG_COUNT));
  assertEquals(lost.map(({ worker }) => worker).sort(), [1, 2, 4]);
  assertEquals(lost.at(-1)!.left, 1);
});

test("countWords() says so and goes on alone when workers cannot be started or fail", async () => {
  using folder = folderWith({ "a.txt": "one two one" });
  for (
    const [command, args, end] of [
      ["/nonexistent/runtime", [], { error: "/nonexistent/runtime ENOENT" }],
      ["sh", ["-c", "exit 7"], { code: 7 }],
      ["true", [], { code: 0 }],
    ] as const
  ) {
    const { onEvent, lost } = killer(new Map());
    const result = await countHere(folder.pathOf("a.txt"), {
      onEvent,
      workerCommand: () => ({ command, args: [...args] }),
    });
    assertEquals(sorted(result.words), [["one", 2], ["two", 1]]);
    const ends = lost.map(({ worker, end }) => [worker, withoutWords(end)]);
    assertEquals(ends, [[1, end], [2, end]]);
    assertEquals(result.parentPieces, 1);
  }
});

/** An end whose error is what it says and not how: the words are the runtime's. */
function withoutWords(end: WorkerEnd): WorkerEnd {
  if (!("error" in end)) return end;
  return {
    error: [...end.error.match(/\/nonexistent\/runtime|\bENOENT\b/g) ?? []].sort().join(" "),
  };
}

/** A file of the example, for programs given as text. */
const example = (file: string) => siblingUrl(`../../examples/word_count/${file}`, import.meta.url);

/** A worker that is up and has the queue, but then does something else. */
const rudeWorker = (deed: string) => (column: number) => {
  const program = `
    import process from "node:process";
    import { MessageQueue, SharedMemory } from "@postbox/postbox";
    import { LISTENING, STAGE, Table, UP } from "${example("table.ts")}";
    import { encodeOrder } from "${example("message.ts")}";
    const memory = SharedMemory.fromInherited(3);
    const table = Table.attach(memory.buffer), control = table.control(${column});
    Atomics.store(control, STAGE, UP);
    let queue;
    while (queue === undefined) {
      try { queue = MessageQueue.open(table.queueName); } catch (error) {
        if (error.code !== "ENOENT") throw error;
      }
    }
    Atomics.store(control, STAGE, LISTENING);
    ${deed}
    process.kill(process.pid, "SIGKILL");
  `;
  const permissions = [...FFI_ONLY, "--allow-run"]; // to kill itself
  return { command: execPath(), args: evalArgs(program, { permissions }) };
};

test("countWords() sends again what a worker took off the queue and never claimed", async () => {
  using folder = folderWith({ "big.txt": BIG });
  const { onEvent, lost } = killer(new Map());
  const rude = rudeWorker("for (let taken = 0; taken < 7; taken++) queue.receiveSync();");
  const result = await countHere(folder.pathOf("big.txt"), {
    onEvent,
    workerCommand: (column) => column === 1 ? rude(column) : workerCommand(column),
  });
  assertEquals(sorted(result.words), sorted(BIG_COUNT));
  assertEquals(lost.map(({ worker, pieces }) => [worker, pieces]), [[1, 0]]);
  assertEquals([result.workers[1]!.pieces, result.parentPieces], [result.pieces, 0]);
  assert(result.messages >= result.pieces + 7);
});

test("countWords() is exact when pieces come twice and messages are garbage", async () => {
  using folder = folderWith({ "big.txt": BIG });
  const { onEvent } = killer(new Map());
  const rude = rudeWorker(`
    for (let piece = 0; piece < 300; piece++) {
      queue.sendSync(encodeOrder({ kind: "piece", piece: piece % 100 }), { priority: 9 });
      queue.sendSync(new Uint8Array(piece % 9).fill(255), { priority: 9 });
    }
  `);
  const result = await countHere(folder.pathOf("big.txt"), {
    onEvent,
    workerCommand: (column) => column === 1 ? rude(column) : workerCommand(column),
  });
  assertEquals(sorted(result.words), sorted(BIG_COUNT));
});

test("countWords() rejects with the signal's reason and ends its workers", async () => {
  using folder = folderWith({ "big.txt": BIG });
  const ending = new AbortController();
  const { onEvent, pids } = killer(new Map());
  const reason = new Error("enough");
  const count = countHere(folder.pathOf("big.txt"), {
    signal: ending.signal,
    onEvent: (event) => {
      onEvent(event);
      if (event.kind === "progress" && event.done > 100) ending.abort(reason);
    },
  });
  assertEquals(await count.catch((error) => error), reason);
  assertEquals([...pids.values()].filter(isRunning), []);
  assertEquals(pids.size, 2);
});

// The same through the command.

test("word_count says which worker was killed, and its count is exact", async () => {
  using folder = folderWith({ "big.txt": BIG });
  let hits = 0;
  for (let round = 0; hits < 4; round++) {
    assert(round < 20, "the demo was always finished before the kill came");
    const worker = 1 + round % 2;
    await using running = new Demo(...BIG_ARGS, folder.path);
    const pid = await running.workerPid(worker);
    await running.counted(1 + 100 * round);
    if (!isRunning(pid)) continue; // a slow look at a quick demo
    process.kill(pid, "SIGKILL");
    const finished = await running.finished();
    const { workers } = assertExact(finished);
    if (!("signal" in workers[worker - 1]!.end)) continue;
    hits++;
    assertMatch(
      finished.stderr,
      new RegExp(
        `word_count: worker ${worker} \\(process ${pid}\\) was killed by SIGKILL after [0-9,]+ ` +
          "pieces?; what it left open is counted again, 1 goes on\n",
      ),
    );
  }
});

test("word_count says that it goes on alone when both workers are killed", async () => {
  using folder = folderWith({ "big.txt": BIG });
  await using running = new Demo(...BIG_ARGS, folder.path);
  // At their start, when there is everything still to do.
  for (const worker of [1, 2]) process.kill(await running.workerPid(worker), "SIGKILL");
  const finished = await running.finished();
  const { parentPieces, pieces, messages } = assertExact(finished);
  assertEquals([parentPieces, messages], [pieces, 0]);
  assertStringIncludes(finished.stderr, "none is left, the parent goes on alone\n");
});

// A parent that is killed, and signals.

for (const at of ["its start", "the middle"] as const) {
  test(`word_count leaves no process and no queue when it is killed at ${at}`, async () => {
    using folder = folderWith({ "big.txt": generateText(20_000_000, { seed: 4 }) });
    await using running = new Demo(...BIG_ARGS, folder.path);
    const pids = [await running.workerPid(1), await running.workerPid(2)];
    if (at === "the middle") {
      await running.counted(50);
      const names = pids.flatMap(queueNames);
      assert(names.length > 0, "no worker has the queue open");
      assertEquals(names.filter(({ linked }) => linked), []); // for a long time already
    }
    running.kill("SIGKILL");
    for (const pid of pids) await until(`process ${pid} has ended`, () => !isRunning(pid));
    assertEquals((await running.finished()).signal, "SIGKILL");
  });
}

/**
 * A parent as it is in the millisecond in which the queue has its name: it waits for a worker to
 * be up, makes the queue or not, and is killed.
 */
const dyingParent = (name: string, makesQueue: boolean) => `
  import { spawn } from "node:child_process";
  import process from "node:process";
  import { MessageQueue, SharedMemory } from "@postbox/postbox";
  import { STAGE, Table, UP } from "${example("table.ts")}";
  import { workerCommand } from "${example("child.ts")}";
  const size = { files: 1, pathBytes: 1, pieces: 1, slots: 1024, columns: 2, journalEntries: 8,
    parentPid: process.pid };
  const memory = SharedMemory.anonymous({ byteLength: Table.bytesFor(size),
    seal: ["shrink", "grow", "seal"] });
  const table = Table.format(memory.buffer, size, "${name}");
  const { command, args } = workerCommand(1);
  const child = spawn(command, args, { stdio: memory.inheritAs(3, ["ignore", "ignore", "inherit"]) });
  console.log(child.pid);
  while (Atomics.load(table.control(1), STAGE) < UP) await new Promise((r) => setTimeout(r, 1));
  if (${makesQueue}) MessageQueue.create("${name}", { maxMessages: 1, maxMessageBytes: 8 });
  process.kill(process.pid, "SIGKILL");
`;

for (const makesQueue of [true, false]) {
  const what = makesQueue ? "a queue that has its name still" : "no queue yet";
  test(`word_count's worker cleans up after a parent that was killed with ${what}`, async () => {
    const name = uniqueName("test");
    try {
      const { stdout, stderr, signal } = await runProgram(dyingParent(name, makesQueue), {
        permissions: ["--allow-all", "--quiet"],
      });
      assertEquals([signal, stderr], ["SIGKILL", ""]);
      const pid = Number(stdout);
      assert(pid > 0);
      await until(`process ${pid} has ended`, () => !isRunning(pid));
      assertEquals(codeOf(() => MessageQueue.open(name).close()), "ENOENT");
    } finally {
      if (codeOf(() => MessageQueue.unlink(name)) === undefined) {
        // deno-lint-ignore no-unsafe-finally
        throw new Error("the queue was left behind");
      }
    }
  });
}

/** The code that a call is refused with; undefined if it is not. */
function codeOf(call: () => void): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (error instanceof PosixError) return error.code;
    throw error;
  }
}

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const) {
  test(`word_count ends with ${code} on ${signal}, without its workers`, async () => {
    using folder = folderWith({ "big.txt": generateText(20_000_000, { seed: 4 }) });
    await using running = new Demo(...BIG_ARGS, folder.path);
    const pids = [await running.workerPid(1), await running.workerPid(2)];
    await running.counted(50);
    running.kill(signal);
    const finished = await running.finished();
    assertEquals([finished.code, finished.stdout], [code, ""]);
    assertEquals(pids.filter(isRunning), []);
  });
}

test("word_count ends with 130 on Ctrl-C, which reaches its workers too", async () => {
  using folder = folderWith({ "big.txt": generateText(20_000_000, { seed: 4 }) });
  const { command, args } = demoCommand("-v", ...BIG_ARGS, folder.path);
  // A session of its own: a terminal sends SIGINT to all processes of the group at once.
  const child = spawn("setsid", [command, ...args], { stdio: ["ignore", "ignore", "pipe"] });
  const ended = once(child, "close");
  const pids: number[] = [];
  let text = "";
  for await (const part of child.stderr.setEncoding("utf8")) {
    text += part;
    if (pids.length > 0 || !/\d+ pieces are counted\n/.test(text)) continue;
    pids.push(...[...text.matchAll(/is process (\d+)/g)].map(([, pid]) => Number(pid)));
    process.kill(-child.pid!, "SIGINT");
  }
  const [code] = await ended;
  assertEquals([code, pids.length, pids.filter(isRunning)], [130, 2, []]);
});

test("word_count's memory has no name", async () => {
  const before = new Set(SharedMemory.list().map(({ name }) => name));
  using folder = folderWith({ "big.txt": BIG });
  await using running = new Demo(...BIG_ARGS, folder.path);
  await running.counted(1);
  const named = SharedMemory.list().filter(({ name }) => !before.has(name));
  assertEquals(named.filter(({ name }) => name.includes("word-count")), []);
  assertExact(await running.finished());
});
