/**
 * What at-least-once delivery is worth: the same actors, killed at random instants, with slots and
 * without.
 *
 * Exit code 1 when a promise was broken with slots, 2 for wrong words.
 */

import { spawnSync } from "node:child_process";
import process from "node:process";
import { parseArgs } from "node:util";
import { RUNTIME } from "../../support/runtime.ts";
import { ROLES } from "./ledger.ts";
import { complaints, run, type RunResult } from "./run.ts";

const KILLS = 2000;

const HELP =
  `Kills actors with SIGKILL at random instants, with slots and without, and counts messages.

Usage: deno task torture:delivery [--kills N] [--plain-kills N] [--carrier queue|ring]
                                  [--runtime deno|node] [--seed N] [--json]

  --kills N         how many processes are killed in the run with slots (default: ${KILLS})
  --plain-kills N   how many in the run without (default: a quarter of those)
  --carrier NAME    what brings the messages: queue (default) or ring
  --runtime NAME    deno (default), or node: the machine's own, with the package as npm installs it
  --seed N          what the random choices depend on (default: the time)
  --json            prints the counts as JSON`;

/** A whole number of the command line. */
function numberOf(text: string, option: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new RangeError(`Cannot use --${option} ${text}: expected a whole number from 0`);
}

/** Runs the same under Node, in a folder in which the package is installed. */
async function onNode(args: readonly string[]): Promise<number> {
  const { Scratch } = await import("../../../tools/scratch.ts");
  using scratch = new Scratch();
  const cwd = await scratch.mirror();
  const command = ["tests/torture/delivery/main.js", ...args];
  return spawnSync("node", command, { cwd, stdio: "inherit" }).status ?? 1;
}

/** What a run gave, for people. */
function line(
  { delivery, carrier, kills, seed, hang, letters, ...counts }: RunResult,
  seconds: number,
): string {
  const all = Object.values(kills).reduce((sum, count) => sum + count, 0);
  const roles = ROLES.map((role) => `${role} ${kills[role]}`).join(", ");
  const rest = Object.entries(counts).map(([what, count]) => `${what} ${count}`).join(", ");
  const reasons = Object.entries(letters).map(([reason, count]) => `${count} ${reason}`).join(", ");
  const end = hang === undefined ? "" : `; ${hang}`;
  return `${delivery} by ${carrier}: ${all} kills (${roles}); ${rest}; letters: ${reasons}${end}; seed ${seed}, ${
    seconds.toFixed(0)
  } s`;
}

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      kills: { type: "string", default: String(KILLS) },
      "plain-kills": { type: "string" },
      carrier: { type: "string", default: "queue" },
      runtime: { type: "string", default: RUNTIME },
      seed: { type: "string", default: String(Date.now() % 2 ** 32) },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  if (values.runtime === "node" && RUNTIME === "deno") return await onNode(args);
  if (values.runtime !== RUNTIME) {
    console.error(`Cannot run on ${values.runtime}: expected deno or node`);
    return 2;
  }
  const { carrier } = values;
  if (carrier !== "queue" && carrier !== "ring") {
    console.error(`Cannot carry by ${carrier}: expected queue or ring`);
    return 2;
  }
  const kills = numberOf(values.kills, "kills"), seed = numberOf(values.seed, "seed");
  const plainKills = values["plain-kills"] === undefined
    ? Math.ceil(kills / 4)
    : numberOf(values["plain-kills"], "plain-kills");
  const progress = values.json ? undefined : (line: string) => console.log(`  ${line}`);
  const results: RunResult[] = [];
  for (
    const [delivery, count] of [["at-least-once", kills], ["at-most-once", plainKills]] as const
  ) {
    if (count === 0) continue;
    const started = performance.now();
    const result = await run({ delivery, carrier, kills: count, seed, progress });
    results.push(result);
    if (!values.json) console.log(line(result, (performance.now() - started) / 1000));
  }
  if (values.json) console.log(JSON.stringify({ runtime: RUNTIME, results }));
  const wrong = results.filter(({ delivery }) => delivery === "at-least-once").flatMap(complaints);
  for (const complaint of wrong) console.error(`Broken: ${complaint}`);
  return wrong.length === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
