/**
 * actor_payload ROLE BYTES CARRIER: payloads that an actor in another process takes.
 *
 * ```text
 * whole    one iteration asks with BYTES, timed one by one: the lower quartile
 * handed   what is left of it without writing and reading them: these cost by the byte, so that is
 *          where a line through two sizes, the half and the whole, begins: 2 × half − whole
 * ```
 */

import { system } from "../../src/actor/mod.ts";
import counter from "./actor_counter.ts";
import { nowNs } from "./clock.ts";
import { args, must, numbers, say } from "./loop.ts";

const [role, bytes, carrier] = args("ROLE", "BYTES", "CARRIER") as [
  "whole" | "handed",
  string,
  "queue" | "ring",
];

const bench = await system(`bench-${crypto.randomUUID()}`);
const ref = await bench.spawn(counter, { in: "process", carrier });
const whole = new Uint8Array(Number(bytes)).fill(1), half = whole.slice(whole.length >> 1);

async function ask(payload: Uint8Array): Promise<number> {
  const startNs = nowNs();
  const { n } = await ref.take(payload);
  const ns = nowNs() - startNs;
  must(n === payload.length, "take");
  return ns;
}

/** In turns: what else the machine does meets both. */
async function quartiles(iterations: number, payloads: readonly Uint8Array[]): Promise<number[]> {
  const ns = payloads.map(() => new Float64Array(iterations));
  for (let i = 0; i < iterations; i++) {
    for (const [index, payload] of payloads.entries()) ns[index]![i] = await ask(payload);
  }
  return ns.map((sorted) => sorted.sort()[iterations >> 2]!);
}

say("ready");
for (const iterations of numbers()) {
  if (role === "whole") {
    const [ns] = await quartiles(iterations, [whole]);
    say(JSON.stringify({ ns }));
  } else {
    const [ofHalf, ofWhole] = await quartiles(iterations, [half, whole]) as [number, number];
    // Noise can make it negative, for which a logarithmic scale has no place.
    say(JSON.stringify({ ns: Math.max(1, 2 * ofHalf - ofWhole) }));
  }
}
await bench.close();
