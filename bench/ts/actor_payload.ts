/**
 * actor_payload ROLE BYTES CARRIER: payloads that an actor in another process takes.
 *
 * ```text
 * whole    one iteration asks with BYTES, timed one by one: the lower quartile
 * handed   what that is without writing and reading them: a question of 64 bytes, and a block for
 *          BYTES is claimed and given to its message before, and freed after it
 * ```
 */

import { Directory } from "../../src/actor/memory/directory.ts";
import { Slab } from "../../src/actor/memory/slab.ts";
import { system } from "../../src/actor/mod.ts";
import counter from "./actor_counter.ts";
import { nowNs } from "./clock.ts";
import { args, must, numbers, say } from "./loop.ts";

const { process } = globalThis as unknown as { process: typeof import("node:process") };

const [role, bytes, carrier] = args("ROLE", "BYTES", "CARRIER") as [
  "whole" | "handed",
  string,
  "queue" | "ring",
];

const bench = await system(`bench-${crypto.randomUUID()}`);
const ref = await bench.spawn(counter, { in: "process", carrier });
const directory = Directory.create(`bench-${crypto.randomUUID()}`);
const slab = Slab.open(directory, 0, directory.begin(0, process.pid));
const payload = new Uint8Array(role === "whole" ? Number(bytes) : 64).fill(1);

async function ask(): Promise<void> {
  const { n } = await ref.take(payload);
  must(n === payload.length, "take");
}

async function hand(): Promise<void> {
  const block = slab.tryClaim(Number(bytes))!;
  slab.queue(block, 1);
  await ask();
  slab.free(block);
}

const run = role === "whole" ? ask : hand;

say("ready");
for (const iterations of numbers()) {
  const ns = new Float64Array(iterations);
  for (let i = 0; i < iterations; i++) {
    const startNs = nowNs();
    await run();
    ns[i] = nowNs() - startNs;
  }
  say(JSON.stringify({ ns: ns.sort()[iterations >> 2] }));
}
slab.close();
directory.remove();
await bench.close();
