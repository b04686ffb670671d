/**
 * Counts words with child processes over one queue and one shared table, and checks the result.
 *
 *     deno task demo                        this repository's own sources
 *     deno task demo /usr/share/doc         a folder, walked
 *     deno task demo --json FILE…           for programs
 *
 * ```text
 *   files.ts     which files; mapped          parent.ts    shares out, survives dead children
 *   pieces.ts    what a word is; the cuts     worker.ts    a child
 *   table.ts     the layout of the memory     counter.ts   one piece, safe against kill -9
 *   message.ts   the layout of a message      serial.ts    the plain count to compare with
 *   child.ts     how a child is started       report.ts    what is printed
 * ```
 *
 * Here: the arguments, the signals and the exit code. 0: counted and equal; 1: refused, or not
 * equal; 2: wrong usage; 130 and the like: ended by a signal, everything cleaned up.
 */

import { constants } from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";
import { closeFiles, expand, openFiles, ownSources } from "./files.ts";
import { type CountEvent, countWords } from "./parent.ts";
import { asJson, asText, compare, lostLine, verboseLine } from "./report.ts";
import { countSerially } from "./serial.ts";

const HELP =
  `Counts words: child processes share the work over one POSIX message queue and count into one
table in shared memory. The result is compared with a plain serial count.

Usage: deno task demo [OPTION…] [FILE…]

Folders are walked, but for .git and node_modules; symbolic links in them are not followed. Without
FILE the sources of this repository are counted. A word is a run of letters, digits, _ and bytes from
0x80 up, at most 65535 bytes; A-Z count as a-z.

  --workers N     child processes, 1 to 64 (default 2)
  --top N         how many words are shown (default 10)
  --piece BYTES   about how long a piece is (default 65536)
  --slots N       room for different words, rounded up to a power of two (default: enough for any
                  input up to 1 MiB, 1048576 for larger ones)
  --json          prints an object instead of a table
  -v, --verbose   says on stderr which process is which, and how far they are
  -h, --help      shows this

Examples:
  deno task demo
  deno task demo --top 20 --workers 4 /usr/share/doc
  deno task demo --json README.md | jq .top
  deno task demo -v FILE        and then: kill -9 one of the workers
`;

/** The command line makes no sense: exit code 2. */
class UsageError extends Error {}

interface Arguments {
  paths: string[];
  workers: number;
  top: number;
  pieceBytes: number;
  slots: number | undefined;
  json: boolean;
  verbose: boolean;
}

function parse(args: string[]): Arguments | undefined {
  const options = {
    workers: { type: "string", default: "2" },
    top: { type: "string", default: "10" },
    piece: { type: "string", default: "65536" },
    slots: { type: "string" },
    json: { type: "boolean", default: false },
    verbose: { type: "boolean", short: "v", default: false },
    help: { type: "boolean", short: "h", default: false },
  } as const;
  const { values, positionals } = parsed(() =>
    parseArgs({ args, options, allowPositionals: true, strict: true })
  );
  if (values.help) return undefined;
  const slots = values.slots === undefined ? undefined : whole("slots", values.slots, 1, 2 ** 28);
  return {
    paths: positionals,
    workers: whole("workers", values.workers, 1, 64),
    top: whole("top", values.top, 0, 2 ** 32),
    pieceBytes: whole("piece", values.piece, 1, 2 ** 30),
    slots: slots === undefined ? undefined : 2 ** Math.ceil(Math.log2(slots)),
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

/** Shows on a terminal how far a count is that takes longer than a second. */
class Progress {
  readonly #start = performance.now();
  #shown = false;
  #shownAt = 0;

  show(what: string, part: number): void {
    const now = performance.now();
    if (!process.stderr.isTTY || now - this.#start < 1000 || now - this.#shownAt < 100) return;
    this.#shownAt = now;
    this.#shown = true;
    process.stderr.write(`\r\x1b[K${what}: ${Math.floor(100 * part)} %`);
  }

  /** Takes the line away, so that another can be printed. */
  clear(): void {
    if (this.#shown) process.stderr.write("\r\x1b[K");
    this.#shown = false;
  }
}

async function run(args: Arguments, signal: AbortSignal): Promise<number> {
  const { paths, workers, pieceBytes, slots, top, json, verbose } = args;
  const progress = new Progress();
  const say = (line: string) => {
    progress.clear();
    process.stderr.write(`word_count: ${line}\n`);
  };
  const onEvent = (event: CountEvent) => {
    if (event.kind === "lost") say(lostLine(event));
    if (event.kind === "progress") progress.show("counting", event.done / event.pieces);
    const line = verbose ? verboseLine(event) : undefined;
    if (line !== undefined) say(line);
  };

  const files = openFiles(paths.length === 0 ? ownSources() : expand(paths));
  try {
    const result = await countWords(files, { workers, pieceBytes, slots, signal, onEvent });
    const bytes = files.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const start = performance.now();
    const onProgress = (done: number) => progress.show("counting serially", done / bytes);
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
    const name = SIGNALS.find((signal) => signal === error);
    if (name !== undefined) return 128 + constants.signals[name];
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
