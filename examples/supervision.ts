/**
 * Supervision: an actor in a process crashes, and is started anew with whoever depends on it.
 *
 *     deno run --allow-ffi --allow-run examples/supervision.ts
 */

import { child, describeExit, type Down, system, uniqueName } from "../mod.ts";
import { clerk, worker } from "./actors/shop_floor.ts";

const shop = await system(uniqueName("floor").slice(1), { log: { level: "none" } });
try {
  // When one ends, it and those after it are started anew, in their order: the clerk falls with the
  // worker, and the worker not with the clerk.
  const [first, second] = await shop.supervise("rest-for-one", [
    child(worker, { name: "worker", in: "process" }),
    child(clerk, { name: "clerk" }),
  ], { max: 5, withinMs: 10_000 });

  await first.work({ name: "easy" });
  await second.work({ name: "note it" });
  console.log("worker", await first.state(), "clerk", await second.state());

  // What a handler of a tell throws ends its actor. (What one of an ask throws, the asker gets.)
  const down = new Promise<Down>((resolve) => shop.watch(first, resolve));
  await first.work({ name: "impossible" });
  const { label, exit, restarting } = await down;
  console.log(`${label} ${describeExit(exit)}; ${restarting ? "another comes" : "that was it"}`);

  // The refs are good still, and what is sent before the next ones run waits for them.
  console.log("worker", await first.state(), "clerk", await second.state());
} finally {
  await shop.close();
}
