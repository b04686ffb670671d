/**
 * examples/word_count as a whole: real files, real workers and processes, a C program, some killed.
 *
 * Goal: the count is exact whoever dies, and nothing is left. Method: the verdict is a naive count
 * in this process; kills wait for progress that the demo reports, not for time.
 */

import { Buffer } from "node:buffer";
import { chmodSync, readFileSync, symlinkSync } from "node:fs";
import process from "node:process";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
  assertThrows,
} from "../assert.ts";
import { test } from "../harness.ts";
import { type CountEvent, countWords } from "../../examples/word_count/count.ts";
import { closeFiles, expand, openFiles } from "../../examples/word_count/files.ts";
import { MessageQueue, PosixError, removeSystem, SharedMemory } from "../../mod.ts";
import "../support/loaded.ts";
import { type Finished, run, temporaryFolder } from "../support/process.ts";
import { until, within } from "../support/until.ts";
import {
  Demo,
  demoCommand,
  folderWith,
  generateText,
  isRunning,
  naiveCount,
  sorted,
} from "./word_count_support.ts";

/** Enough pieces that one who is killed halfway leaves much to do. */
const PIECE = "4096";
const BIG = generateText(1_000_000, { seed: 1 });
const BIG_COUNT = naiveCount(BIG);

/** What takes so long that a demo does not come to its end by itself. */
const LONG = Buffer.concat(Array.from({ length: 40 }, () => BIG));

interface Report {
  files: number;
  words: number;
  differentWords: number;
  top: { word: string; count: number }[];
  pieces: number;
  asks: number;
  counters: { name: string; pid: number; pieces: number; lost: string[] }[];
  whyNoC?: string;
  equalsSerial: boolean;
}

function demo(...args: string[]): Promise<Finished> {
  const { command, args: all } = demoCommand(...args);
  return within("the end of the demo", run(command, { args: all }));
}

function total(words: Map<string, number>): number {
  return [...words.values()].reduce((sum, count) => sum + count, 0);
}

/** What must hold of a count of {@linkcode BIG}, however it came about. */
function assertExact({ code, stdout, stderr }: Finished): Report {
  assertEquals(code, 0, stderr);
  const report: Report = JSON.parse(stdout);
  assertEquals(report.equalsSerial, true);
  assertEquals([report.words, report.differentWords], [total(BIG_COUNT), BIG_COUNT.size]);
  const counted = report.counters.reduce((sum, { pieces }) => sum + pieces, 0);
  assertEquals(counted, report.pieces);
  return report;
}

test("word_count kills a process, says so, has it started anew, and counts exactly", async () => {
  using folder = folderWith({ "big.txt": BIG });
  const finished = await demo("--json", "--top", "0", "--piece", PIECE, folder.path);
  const { pieces, asks, counters, whyNoC } = assertExact(finished);
  const said = finished.stderr.match(
    new RegExp(
      "^word_count: killing process 1 \\((\\d+)\\) by SIGKILL, with (\\d) pieces? in hand\\n" +
        "word_count: process 1 was killed by SIGKILL; what it had in hand is asked for again, and " +
        "it is started anew\\n$",
    ),
  );
  assert(said !== null, finished.stderr);
  const pid = Number(said[1]);
  assertEquals(counters.map(({ name }) => name), [
    "process 1",
    "process 2",
    "2 threads",
    "C program",
  ]);
  assertEquals(whyNoC, undefined);
  assertEquals(counters.map(({ lost }) => lost), [["was killed by SIGKILL"], [], [], []]);
  assert(counters[0]!.pid !== pid);
  assert(asks >= pieces && asks <= pieces + 2, `${asks} asks for ${pieces} pieces`); // 2 at once
});

test("word_count prints a table, who counted, and that the serial count is the same", async () => {
  using folder = folderWith({ "a.txt": "the Cat, the dog; THE end\n", "b.txt": "cat" });
  using empty = temporaryFolder();
  const { command, args } = demoCommand("--top", "2", "--no-kill", folder.path);
  const { code, stdout, stderr } = await run(command, { args, env: { PATH: empty.path } });
  assertEquals([code, stderr], [0, ""]);
  const [head, first, second, gap, ...rest] = stdout.split("\n");
  assertEquals([head, first, second, gap], ["  word  count", "  the       3", "  cat       2", ""]);
  const text = rest.join("\n");
  assertMatch(text, /words {6}7, 4 different, in 2 files of 29 B/);
  assertMatch(text, /asked {6}2 times for 2 pieces in .* words\/s, .*B\/s/);
  assertMatch(text, /process 1 {2}pid \d+, \d pieces?\n {2}process 2 {2}pid \d+, \d pieces?\n/);
  assertMatch(text, /2 threads {2}pid \d+, \d pieces?\n {2}C program {2}none: .*cc/);
  assertMatch(text, /serial .*; the result equals it\n$/);
});

test("word_count starts no process when there is nothing to count", async () => {
  using folder = folderWith({ "a": "", "b": "" });
  const { code, stdout, stderr } = await demo("--json", "-v", folder.path);
  const { files, words, counters, equalsSerial }: Report = JSON.parse(stdout);
  assertEquals([code, stderr, files, words, counters, equalsSerial], [0, "", 2, 0, [], true]);
});

test("expand() walks folders without node_modules, .git and symbolic links", () => {
  using folder = folderWith({
    "a/b/c/deep.txt": "deep",
    "a/node_modules/other.js": "other",
    ".git/config": "config",
    "a/.hidden": "hidden",
    "top.txt": "top",
  });
  symlinkSync("..", folder.pathOf("a/loop"));
  symlinkSync("../top.txt", folder.pathOf("a/link"));
  const found = ["a/.hidden", "a/b/c/deep.txt", "top.txt"].map(folder.pathOf);
  assertEquals(expand([folder.path]), found);
  // What is named is counted, as often as it is named.
  const named = [folder.pathOf("a/link"), folder.pathOf("top.txt")];
  assertEquals(expand(named), named);
});

test("word_count refuses what it cannot read before anything is started", async () => {
  using folder = folderWith({ "good.txt": "good" });
  const { code, stdout, stderr } = await demo(
    "-v",
    folder.pathOf("good.txt"),
    folder.pathOf("missing.txt"),
  );
  assertEquals([code, stdout], [1, ""]);
  assertMatch(
    stderr,
    /^word_count: Cannot open file ".*missing\.txt": it does not exist \(ENOENT\)\n$/,
  );
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

test("word_count ends with 2 when the command line is wrong, and shows how it is right", async () => {
  const wrong = [["--processes", "17"], ["--piece", "0"], ["--top=many"], ["--unknown"]];
  wrong.push(["--threads", "0", "--processes", "0"]);
  const ends = await Promise.all(wrong.map((args) => demo(...args)));
  for (const [index, { code, stdout, stderr }] of ends.entries()) {
    assertEquals([code, stdout], [2, ""], wrong[index]!.join(" "));
    assertMatch(stderr, /^word_count: [^]*\nTry: deno task demo --help\n$/);
  }
  const help = await demo("--help");
  assertEquals([help.code, help.stderr], [0, ""]);
  assertStringIncludes(help.stdout, "Examples:\n  deno task demo\n");
});

// Whom others kill. The count runs in this process, and is told so before it goes on.

/** Counts BIG, with a process and a C program; as soon as so many pieces are counted, kills one. */
async function killing(name: string, signal: NodeJS.Signals, at: number) {
  using folder = folderWith({ "big.txt": BIG });
  const files = openFiles([folder.pathOf("big.txt")]);
  const pids = new Map<string, number>();
  const lost: (CountEvent & { kind: "lost" })[] = [];
  try {
    const count = countWords(files, {
      threads: 1,
      processes: 1,
      c: true,
      pieceBytes: Number(PIECE),
      kill: false,
      signal: new AbortController().signal,
      onEvent(event) {
        if (event.kind === "started") pids.set(event.name, event.pid);
        if (event.kind === "lost") lost.push(event);
        if (event.kind === "progress" && event.tally.pieces === at) {
          process.kill(pids.get(name)!, signal);
        }
      },
    });
    const { words, counters } = await within("the end of the count", count);
    assertEquals(sorted(words), sorted(BIG_COUNT));
    assertEquals(
      [...pids.values(), ...counters.map(({ pid }) => pid)]
        .filter((pid) => pid !== process.pid && isRunning(pid)),
      [],
    );
    return lost.map(({ counter, how, restarting }) => [counter.name, how, restarting]);
  } finally {
    closeFiles(files);
  }
}

test("countWords() is exact when somebody kills the C program", async () => {
  assertEquals(await killing("C program", "SIGSEGV", 100), [
    ["C program", "was killed by SIGSEGV", false],
  ]);
});

test("countWords() is exact when somebody kills a process", async () => {
  assertEquals(await killing("process 1", "SIGTERM", 1), [
    ["process 1", "was killed by SIGTERM", true],
  ]);
});

test("word_count leaves no process when it is killed, and no more than gc finds", async () => {
  using folder = folderWith({ "big.txt": LONG });
  await using running = new Demo("--no-kill", "--piece", PIECE, folder.path);
  const names = ["process 1", "process 2", "C program"];
  const pids = await Promise.all(names.map((name) => running.pidOf(name)));
  const [, queue, memory] = readFileSync(`/proc/${pids[2]}/cmdline`, "utf8").split("\0");
  await running.counted(50);
  running.kill("SIGKILL");
  assertEquals((await running.finished()).signal, "SIGKILL");
  for (const pid of pids) await until(`process ${pid} has ended`, () => !isRunning(pid));
  // The C program has no system to clean up after it.
  assertThrows(() => MessageQueue.open(queue!), PosixError, "ENOENT");
  assertThrows(() => SharedMemory.open(memory!), PosixError, "ENOENT");
  removeSystem(`word-count-${running.pid}`);
});

test("word_count ends with 130 on SIGINT, and nobody of it runs", async () => {
  using folder = folderWith({ "big.txt": LONG });
  await using running = new Demo("--no-kill", "--piece", PIECE, folder.path);
  const names = ["process 1", "process 2", "C program"];
  const pids = await Promise.all(names.map((name) => running.pidOf(name)));
  await running.counted(50);
  running.kill("SIGINT");
  const finished = await running.finished();
  assertEquals([finished.code, finished.stdout], [130, ""]);
  assertEquals(pids.filter(isRunning), []);
});
