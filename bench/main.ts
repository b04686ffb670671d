/**
 * Runs the benchmarks: the same loops in C and in TypeScript, in turns, as ratios.
 *
 * Rule: a number never fails a run; a goal is marked as met or missed.
 */

import process from "node:process";
import { parseArgs } from "node:util";
import { actors } from "./actor_bench.ts";
import { deliveries } from "./actor_delivery_bench.ts";
import { commandLine } from "./command_line_bench.ts";
import { createUnlink } from "./create_unlink_bench.ts";
import { coldImport } from "./import_bench.ts";
import { lock } from "./lock_bench.ts";
import { machine } from "./machine.ts";
import { memoryRead } from "./memory_read_bench.ts";
import { native } from "./native_bench.ts";
import { firstErrorLine, type Peer, peer, type PeerName } from "./peers.ts";
import { HERE } from "./program.ts";
import { region } from "./region_bench.ts";
import { headLines, machineLines, notInstallableLine, rowLines } from "./report.ts";
import { type Measured, writeResults } from "./results.ts";
import { ringRoundTrip, ringStream } from "./ring_bench.ts";
import { roundTrip } from "./round_trip_bench.ts";
import { DENO, type Node, node } from "./runtimes.ts";
import { segment } from "./segment_bench.ts";
import { sendReceive } from "./send_receive_bench.ts";
import type { NotInstallable, Row, Run, Scale, Subject } from "./subject.ts";
import { waiting } from "./waiting_bench.ts";

const SUBJECTS: readonly Subject[] = [
  sendReceive,
  roundTrip,
  ...waiting,
  createUnlink,
  ringStream,
  ringRoundTrip,
  lock,
  region,
  segment,
  memoryRead,
  ...actors,
  ...deliveries,
  ...native,
  coldImport,
  commandLine,
];

const HELP = `Measures Postbox on Deno and on Node beside C, in turns and in one run.

Usage: deno task bench [SUBJECT…] [--quick] [--json] [--out FOLDER]

Subjects (default: all)
${SUBJECTS.map(({ name, title }) => `  ${name.padEnd(15)} ${title}`).join("\n")}

Options
  --quick        few rounds: shows that it works, the numbers mean little
  --json         machine-readable: machine, versions, and one object a row
  --out FOLDER   where tables.md and the pictures go; a full run of all subjects writes them to
                 bench/results, any other only where it is told to
  --help         this

Examples
  deno task bench
  deno task bench send-receive round-trip
  deno task bench --json import > results.json

A ratio is the median of a contender through the median of the baseline; its quartiles are those of
the rounds' own ratios. Compiled C, Node and what is installed for it are kept in bench/build. Exit
code 0 whether goals are met or not, 2 for wrong usage.`;

const FULL: Scale = { isQuick: false, rounds: (full) => full, iterations: (full) => full };
const QUICK: Scale = {
  isQuick: true,
  rounds: (full) => Math.min(full, 3),
  iterations: (full) => Math.ceil(full / 20),
};

const OPTIONS = {
  quick: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
  out: { type: "string" },
  help: { type: "boolean", short: "h", default: false },
} as const;

function parsed(args: string[]) {
  return parseArgs({ args, options: OPTIONS, allowPositionals: true });
}

async function main(args: string[]): Promise<number> {
  let given: ReturnType<typeof parsed>;
  try {
    given = parsed(args);
  } catch (error) {
    console.error(`Cannot run the benchmarks: ${(error as Error).message}\n\n${HELP}`);
    return 2;
  }
  const { values: { quick, json, out, help }, positionals: names } = given;
  if (help) {
    console.log(HELP);
    return 0;
  }
  const unknown = names.filter((name) => !SUBJECTS.some((subject) => subject.name === name));
  if (unknown.length > 0) {
    console.error(`Cannot run ${unknown.join(" ")}: expected some of\n\n${HELP}`);
    return 2;
  }
  const subjects = SUBJECTS.filter(({ name }) => names.length === 0 || names.includes(name));
  const isFull = !quick && subjects.length === SUBJECTS.length;
  await run(subjects, { quick, json, folder: out ?? (isFull ? `${HERE}results` : undefined) });
  return 0;
}

interface RunOptions {
  quick: boolean;
  json: boolean;
  /** Where the results are written to. */
  folder: string | undefined;
}

async function run(
  subjects: readonly Subject[],
  { quick, json, folder }: RunOptions,
): Promise<void> {
  const results: Measured[] = [];
  const others = new Others();
  const onNode = await others.node();
  const runtimes = onNode === undefined ? [DENO] : [DENO, onNode];
  const here = machine(runtimes);
  const given: Run = {
    ...(quick ? QUICK : FULL),
    runtimes,
    peer: (name) => others.peer(name, onNode),
  };
  if (!json) console.log(machineLines(here));
  for (const subject of subjects) {
    const rows: Row[] = [];
    if (!json) console.log(headLines(subject));
    for await (const row of subject.run(given)) {
      rows.push(row);
      if (!json) console.log(rowLines(subject, row));
    }
    results.push({ subject, rows });
  }
  const { notInstallable } = others;
  if (json) {
    const rows = results.flatMap(({ rows }) => rows);
    console.log(JSON.stringify({ machine: here, quick, rows, notInstallable }, null, 2));
  } else for (const other of notInstallable) console.log(notInstallableLine(other));
  if (folder !== undefined) writeResults(folder, here, results);
}

/** What comes from elsewhere, and may not come. */
class Others {
  readonly notInstallable: NotInstallable[] = [];
  readonly #peers = new Map<PeerName, Promise<Peer | undefined>>();

  node(): Promise<Node | undefined> {
    return this.#installed("Node 24", node());
  }

  /** Prepared once a run, when the first subject asks for it. */
  peer(name: PeerName, on: Node | undefined): Promise<Peer | undefined> {
    let installed = this.#peers.get(name);
    if (installed === undefined) {
      const prepared = on === undefined ? Promise.reject(new Error("no Node")) : peer(name, on);
      installed = this.#installed(name, prepared);
      this.#peers.set(name, installed);
    }
    return installed;
  }

  async #installed<T>(name: string, preparing: Promise<T>): Promise<T | undefined> {
    try {
      return await preparing;
    } catch (error) {
      this.notInstallable.push({ name, reason: firstErrorLine(error) });
      return undefined;
    }
  }
}

process.exitCode = await main(process.argv.slice(2));
