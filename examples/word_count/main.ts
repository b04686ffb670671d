/**
 * Counts words with actors, kills one of them on the way, and checks the result.
 *
 *     deno task demo                        this repository's own sources
 *     deno task demo /usr/share/doc         a folder, walked
 *     deno task demo --json FILE…           for programs
 *
 * ```text
 *   protocol.ts  what is said                       files.ts    which files; mapped
 *   counter.ts   the actor that counts              pieces.ts   what a word is; the cuts
 *   count.c      the same in C; c_counter.ts        serial.ts   the plain count to compare with
 *   crew.ts      who is hired: workers, processes   report.ts   what is printed
 *   share.ts     who gets which piece               progress.ts, figures.ts
 *   count.ts     all of a count
 * ```
 *
 * Start reading at protocol.ts. Here: the arguments, the signals and the exit code. 0: counted and
 * equal; 1: refused, or not equal; 2: wrong usage; 130 and the like: ended by a signal, everything
 * cleaned up.
 */

import { constants } from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";
import { closeFiles, expand, openFiles, ownSources } from "./files.ts";
import { type CountEvent, countWords } from "./count.ts";
import { Progress } from "./progress.ts";
import { asJson, asText, compare, eventLine, verboseLine } from "./report.ts";
import { countSerially } from "./serial.ts";

const HELP =
  `Counts words by actors: a pool of workers, processes of their own, and a program in C where there
is a compiler (cc). Each piece of a file is asked of whoever is free. One of the processes is killed
in the middle; the result is compared with a plain serial count all the same.

Usage: deno task demo [OPTION…] [FILE…]

Folders are walked, but for .git and node_modules; symbolic links in them are not followed. Without
FILE the sources of this repository are counted. A word is a run of letters, digits, _ and bytes from
0x80 up, at most 65535 bytes; A-Z count as a-z.

  --threads N     workers, 0 to 16 (default 2)
  --processes N   processes, 0 to 16 (default 2)
  --no-c          goes without the program in C
  --no-kill       kills nobody
  --top N         how many words are shown (default 10)
  --piece BYTES   about how long a piece is, to 16777216 (default 65536)
  --json          prints an object instead of a table
  -v, --verbose   says on stderr which process is which, and how far they are
  -h, --help      shows this

Examples:
  deno task demo
  deno task demo --top 20 --processes 4 /usr/share/doc
  deno task demo --json README.md | jq .top
  deno task demo -v --no-kill FILE        and then: kill -9 one of the processes
`;

/** The command line makes no sense: exit code 2. */
class UsageError extends Error {}

interface Arguments {
  paths: string[];
  threads: number;
  processes: number;
  c: boolean;
  kill: boolean;
  top: number;
  pieceBytes: number;
  json: boolean;
  verbose: boolean;
}

function parse(args: string[]): Arguments | undefined {
  const options = {
    "threads": { type: "string", default: "2" },
    "processes": { type: "string", default: "2" },
    "no-c": { type: "boolean", default: false },
    "no-kill": { type: "boolean", default: false },
    "top": { type: "string", default: "10" },
    "piece": { type: "string", default: "65536" },
    "json": { type: "boolean", default: false },
    "verbose": { type: "boolean", short: "v", default: false },
    "help": { type: "boolean", short: "h", default: false },
  } as const;
  const { values, positionals } = parsed(() =>
    parseArgs({ args, options, allowPositionals: true, strict: true })
  );
  if (values.help) return undefined;
  const threads = whole("threads", values.threads, 0, 16);
  const processes = whole("processes", values.processes, 0, 16);
  if (threads + processes === 0) {
    throw new UsageError("Cannot use --threads 0 --processes 0: expected somebody who counts");
  }
  return {
    paths: positionals,
    threads,
    processes,
    c: !values["no-c"],
    kill: !values["no-kill"],
    top: whole("top", values.top, 0, 2 ** 32),
    pieceBytes: whole("piece", values.piece, 1, 2 ** 24),
    json: values.json,
    verbose: values.verbose,
  };
}

/** Everything that parseArgs throws is about the command line. */
function parsed<T>(parseThem: () => T): T {
  try {
    return parseThem();
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

function whole(option: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new UsageError(
    `Cannot use --${option} ${text}: expected a whole number from ${min} to ${max}`,
  );
}

async function run(args: Arguments, signal: AbortSignal): Promise<number> {
  const { paths, top, json, verbose, ...options } = args;
  const progress = new Progress();
  const say = (line: string) => {
    progress.clear();
    process.stderr.write(`word_count: ${line}\n`);
  };
  let restarts = 0;
  const onEvent = (event: CountEvent) => {
    const line = eventLine(event) ?? (verbose ? verboseLine(event) : undefined);
    if (line !== undefined) say(line);
    if (event.kind === "lost" && event.restarting) restarts++;
    if (event.kind !== "progress" || verbose) return;
    progress.counting(event.tally, event.pieces, event.seconds, restarts);
  };

  const files = openFiles(paths.length === 0 ? ownSources() : expand(paths));
  try {
    const result = await countWords(files, { ...options, signal, onEvent });
    const bytes = files.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const start = performance.now();
    const onProgress = (done: number) => progress.countingSerially(done, bytes);
    const serial = await countSerially(files.map(({ path }) => path), { signal, onProgress });
    const serialSeconds = (performance.now() - start) / 1000;
    const differences = compare(result.words, serial);
    const summary = { files: files.length, bytes, result, differences, serialSeconds, top };
    progress.clear();
    process.stdout.write(json ? asJson(summary) : asText(summary));
    if (differences.length === 0) return 0;
    say("the result does not equal the serial count; did a file change meanwhile?");
    return 1;
  } finally {
    progress.clear();
    closeFiles(files);
  }
}

/** The first of these ends the count; it is then cleaned up and told in the exit code. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
type Signal = typeof SIGNALS[number];

async function main(): Promise<number> {
  const ending = new AbortController();
  const listeners = SIGNALS.map((name) => ({ name, end: () => ending.abort(name) }));
  for (const { name, end } of listeners) process.on(name, end);
  try {
    const args = parse(process.argv.slice(2));
    if (args !== undefined) return await run(args, ending.signal);
    process.stdout.write(HELP);
    return 0;
  } catch (error) {
    // Whatever it rejects with: Ctrl-C on a terminal reaches its processes, too.
    if (ending.signal.aborted) return 128 + constants.signals[ending.signal.reason as Signal];
    if (!(error instanceof Error)) throw error;
    process.stderr.write(`word_count: ${error.message}\n`);
    if (!(error instanceof UsageError)) return 1;
    process.stderr.write("Try: deno task demo --help\n");
    return 2;
  } finally {
    for (const { name, end } of listeners) process.off(name, end);
  }
}

process.exitCode = await main();
