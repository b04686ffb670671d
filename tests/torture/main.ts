/**
 * Kills processes at random instants and counts what that damages.
 *
 * Exit code 1 when an invariant was broken or nobody went on.
 */

import process from "node:process";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import type { TortureOptions, TortureSubject } from "./subject.ts";

/** The subjects, by name. A new one is one more line. */
const SUBJECTS: Readonly<Record<string, () => Promise<{ subject: TortureSubject }>>> = {
  locks: () => import("./locks.ts"),
  ring: () => import("./ring.ts"),
  record: () => import("./record.ts"),
};

const KILLS = 1000;

const NAMES = Object.keys(SUBJECTS);

const HELP = `Kills processes at random instants and counts what that damages.

Usage: deno task torture [${NAMES.join("|")}]… [--kills N] [--seed N]

  --kills N   how many processes are killed for each subject (default: ${KILLS})
  --seed N    what the random choices depend on (default: the time)
  --no-node   without processes of Node, which use the package as npm installs it; it takes a while to build`;

/** A whole number of the command line. */
function numberOf(text: string, option: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new RangeError(`Cannot use --${option} ${text}: expected a whole number from 0`);
}

/** The library as npm installs it, as a URL. */
async function nodeLibrary(): Promise<string> {
  const { sharedProject } = await import("../npm/support.ts");
  return pathToFileURL(`${await sharedProject()}/node_modules/@postbox/postbox/mod.js`).href;
}

/** Tortures one subject; false when it was damaged. */
async function torture(name: string, options: TortureOptions): Promise<boolean> {
  const { kills, seed } = options;
  const { subject } = await SUBJECTS[name]!();
  console.log(`${name}: ${subject.what}; ${kills} kills, seed ${seed}`);
  const started = performance.now();
  const progress = (line: string) => console.log(`  ${line}`);
  const { violations, hangs, counts, ...done } = await subject.run({ ...options, progress });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const rest = Object.entries(counts).map(([what, count]) => `, ${count} ${what}`).join("");
  console.log(
    `${name}: ${done.kills} kills, ${violations} violations, ${hangs} hangs${rest}; ${seconds} s`,
  );
  return violations === 0 && hangs === 0;
}

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      kills: { type: "string", default: String(KILLS) },
      seed: { type: "string", default: String(Date.now() % 2 ** 32) },
      "no-node": { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const unknown = positionals.find((name) => !NAMES.includes(name));
  if (unknown !== undefined) {
    console.error(`Cannot torture ${unknown}: expected ${NAMES.join(", ")}`);
    return 2;
  }
  const kills = numberOf(values.kills, "kills"), seed = numberOf(values.seed, "seed");
  const options: TortureOptions = { kills, seed };
  if (!values["no-node"]) options.nodeLibrary = nodeLibrary;
  let isSound = true;
  for (const name of positionals.length === 0 ? NAMES : positionals) {
    isSound = await torture(name, options) && isSound;
  }
  return isSound ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
