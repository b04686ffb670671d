/**
 * actor_postbox ROLE WHERE CARRIER KIND: actors of Postbox. WHERE: `here`, `worker` or `process`;
 * CARRIER: `queue` or `ring`; KIND of the question: `sum`, a layout, or `pack`, MessagePack.
 */

import { type SpawnOptions, system } from "../../src/actor/mod.ts";
import counter from "./actor_counter.ts";
import { run } from "./actor_loops.ts";
import { args } from "./loop.ts";

const [role, where, carrier, kind] = args("ROLE", "WHERE", "CARRIER", "KIND") as [
  string,
  "here" | "worker" | "process",
  "queue" | "ring",
  "sum" | "pack",
];

const options: SpawnOptions<undefined> = where === "here"
  ? { in: where, capacity: 100_000 }
  : { in: where, carrier };
const bench = await system(`bench-${crypto.randomUUID()}`);

await run(role, {
  async start() {
    const ref = await bench.spawn(counter, options);
    return {
      tell: (note) => ref.add(note),
      ask: async (note) => (await ref[kind](note)).n,
      stop: () => bench.stop(ref),
    };
  },
  end: () => bench.close(),
});
