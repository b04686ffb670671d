/**
 * Throws random and mutated frames into every carrier: `deno task fuzz`.
 *
 * Exit code 1 when one was lost, changed or came twice, or a carrier threw.
 */

import process from "node:process";
import { parseArgs } from "node:util";
import { uniqueName } from "../../mod.ts";
import type { Inbox, Outbox } from "../../src/actor/carriers/carrier.ts";
import { LocalInbox } from "../../src/actor/carriers/local.ts";
import { NAMED_CARRIERS } from "../support/carriers.ts";
import { fuzzCarrier } from "./carriers.ts";

const FRAMES = 1_000_000;

const KINDS = ["local", "queue", "ring"] as const;

const HELP = `Throws random and mutated frames into carriers, and counts them by what is wrong.

Usage: deno task fuzz [${KINDS.join("|")}]… [--frames N] [--seed N]

  --frames N  how many for each carrier (default: ${FRAMES})
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

function main(args: string[]): number {
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
  const kinds: readonly string[] = positionals.length === 0 ? KINDS : positionals;
  const unknown = kinds.find((kind) => !(KINDS as readonly string[]).includes(kind));
  const frames = Number(values.frames), seed = Number(values.seed);
  if (unknown !== undefined || !Number.isSafeInteger(frames) || !Number.isSafeInteger(seed)) {
    console.error(HELP);
    return 2;
  }
  for (const kind of kinds) {
    const started = performance.now();
    const counts = withCarrier(
      kind,
      (inbox, outbox) => fuzzCarrier({ inbox, outbox, frames, seed }),
    );
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${kind}: ${frames} frames, seed ${seed}; ${seconds} s`);
    for (const [reason, count] of [...counts].sort()) {
      console.log(`  ${reason.padEnd(12)} ${String(count).padStart(9)}`);
    }
  }
  return 0;
}

process.exitCode = main(process.argv.slice(2));
