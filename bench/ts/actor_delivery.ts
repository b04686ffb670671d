/**
 * actor_delivery ROLE PROMISE: an actor in another process, with a mailbox. PROMISE: `plain`, at most
 * once; `kept`, at least once; `counted`, the same, and each message counts once in a region.
 */

import { system } from "../../src/actor/mod.ts";
import { Region } from "../../src/region/mod.ts";
import { uniqueName } from "../../src/shm/mod.ts";
import { counted, kept, plain, Totals } from "./actor_delivery_counters.ts";
import { run } from "./actor_loops.ts";
import { args } from "./loop.ts";

const [role, promise] = args("ROLE", "PROMISE") as [string, "plain" | "kept" | "counted"];

const options = { in: "process", mailbox: "counter" } as const;
const bench = await system(`bench-${crypto.randomUUID()}`);
const regionName = uniqueName("bench");

async function spawned() {
  if (promise === "plain") return await bench.spawn(plain, options);
  if (promise === "kept") return await bench.spawn(kept, options);
  using _region = Region.create(regionName, Totals);
  try {
    return await bench.spawn(counted, { ...options, init: regionName });
  } finally {
    Region.unlink(regionName);
  }
}

await run(role, {
  async start() {
    const ref = await spawned();
    return {
      tell: (note) => ref.add(note),
      ask: async (note) => (await ref.sum(note)).n,
      stop: () => bench.stop(ref),
    };
  },
  end: () => bench.close(),
});
