/**
 * Throws random and mutated frames into every carrier, and at actors that live: `deno task fuzz`.
 *
 * Exit code 1 when one was lost, changed or came twice, a carrier threw, or an actor does not answer.
 */

import process from "node:process";
import { parseArgs } from "node:util";
import { uniqueName } from "../../mod.ts";
import type { Inbox, Outbox } from "../../src/actor/carriers/carrier.ts";
import type { DeadReason } from "../../src/actor/mod.ts";
import { LocalInbox } from "../../src/actor/carriers/local.ts";
import { NAMED_CARRIERS } from "../support/carriers.ts";
import { Stage } from "../support/stage.ts";
import { until } from "../support/until.ts";
import { fuzzCarrier } from "./carriers.ts";
import { fuzzEndpoint } from "./endpoints.ts";

const FRAMES = 1_000_000;

/** What is printed of the dead letters. */
const REASONS: readonly DeadReason[] = [
  "invalid-frame",
  "unknown-actor",
  "unknown-kind",
  "undecodable",
  "invalid-payload",
  "expired",
  "dropped",
  "payload-lost",
];

const CARRIERS = ["local", "queue", "ring"] as const, ACTORS = ["inbox", "mailbox"] as const;
const KINDS: readonly string[] = [...CARRIERS, ...ACTORS];

const HELP = `Throws random and mutated frames into carriers, and counts them by what is wrong; and
into the inbox and the mailbox of actors, which have to live on.

Usage: deno task fuzz [${KINDS.join("|")}]… [--frames N] [--seed N]

  --frames N  how many for each (default: ${FRAMES})
  --seed N    what they depend on (default: the time)`;

/** Runs something with a carrier of that kind, and leaves nothing of it. */
function withCarrier<T>(kind: string, run: (inbox: Inbox, outbox: Outbox) => T): T {
  if (kind === "local") {
    using inbox = new LocalInbox(kind, { maxFrames: 10, maxFrameBytes: 256 });
    using outbox = inbox.outbox();
    return run(inbox, outbox);
  }
  const carrier = NAMED_CARRIERS[kind as keyof typeof NAMED_CARRIERS], name = uniqueName("fuzz");
  using inbox = carrier.create(name);
  try {
    using outbox = carrier.openOutbox(name);
    return run(inbox, outbox);
  } finally {
    carrier.unlink(name);
  }
}

/** Throws frames at an actor here; what it makes of them are its dead letters. */
async function fuzzActor(
  kind: string,
  frames: number,
  seed: number,
): Promise<ReadonlyMap<string, number>> {
  const place = { name: kind, in: "here", hasMailbox: kind === "mailbox" } as const;
  const stage = await Stage.open(place), { deadLetters } = stage.shop;
  try {
    const actor = await stage.subject;
    using outbox = stage.outboxTo(actor);
    const problems = await fuzzEndpoint({ actor, outbox, frames, seed });
    const invalid = [...problems.values()].reduce((sum, count) => sum + count, 0);
    await until("each is a dead letter", () => deadLetters.count("invalid-frame") >= invalid);
    await actor.echo("alive", { timeoutMs: 10_000 });
    if (deadLetters.count("invalid-frame") > invalid) throw new Error("more letters than frames");
    return new Map(REASONS.map((reason) => [reason, deadLetters.count(reason)]));
  } finally {
    await stage.close();
  }
}

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      frames: { type: "string", default: String(FRAMES) },
      seed: { type: "string", default: String(Date.now() % 2 ** 32) },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const kinds = positionals.length === 0 ? KINDS : positionals;
  const unknown = kinds.find((kind) => !KINDS.includes(kind));
  const frames = Number(values.frames), seed = Number(values.seed);
  if (unknown !== undefined || !Number.isSafeInteger(frames) || !Number.isSafeInteger(seed)) {
    console.error(HELP);
    return 2;
  }
  for (const kind of kinds) {
    const started = performance.now();
    const counts = (ACTORS as readonly string[]).includes(kind)
      ? await fuzzActor(kind, frames, seed)
      : withCarrier(kind, (inbox, outbox) => fuzzCarrier({ inbox, outbox, frames, seed }));
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${kind}: ${frames} frames, seed ${seed}; ${seconds} s`);
    for (const [reason, count] of [...counts].sort()) {
      console.log(`  ${reason.padEnd(15)} ${String(count).padStart(9)}`);
    }
  }
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
