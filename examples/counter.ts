/**
 * A first actor: it counts, in a process of its own.
 *
 *     deno run --allow-ffi --allow-run examples/counter.ts
 *
 * The actor is examples/actors/counter.ts, a module of its own, for whoever runs it imports it.
 */

import process from "node:process";
import { system, uniqueName } from "../mod.ts";
import counterActor from "./actors/counter.ts";

// The name is this program's while it runs; a program that runs once at a time just says "shop".
const shop = await system(uniqueName("counter").slice(1));
try {
  // in: "worker" is a thread of this process, "here" this thread; nothing else changes.
  const counter = await shop.spawn(counterActor, { in: "process", init: { start: 40 } });
  await counter.add({ by: 1 }); // fulfilled when its mailbox has it
  await counter.add({ by: 1 }, { priority: 9 }); // goes before the others that wait there
  const { n, pid } = await counter.total({ timeoutMs: 10_000 }); // rejects at once when it dies
  console.log(`${n}, counted in ${pid === process.pid ? "this" : "another"} process`);
} finally {
  await shop.close(); // `await using shop = …` does it in TypeScript and in Node 24
}
