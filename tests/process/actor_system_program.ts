/**
 * A program with a system of everything there is, to be killed: its name is the argument. It says
 * what happens, a line each, and spawns and stops for ever.
 */

import process from "node:process";
import { system } from "../../src/actor/mod.ts";
import mortalActor from "../actor/actors/mortal.ts";
import relayActor from "../actor/actors/relay.ts";

const [name] = process.argv.slice(2);
console.log("begins");
const shop = await system(name!, { log: { level: "error" } });
const relay = await shop.spawn(relayActor, { in: "process" });
const [process_, worker] = await Promise.all([
  relay.spawn({ in: "process", mailbox: "inner" }),
  shop.spawn(mortalActor, { in: "worker", mailbox: "outer", carrier: "queue" }),
  shop.spawn(mortalActor, { in: "process", carrier: "ring" }),
  shop.spawn(mortalActor, { size: 2 }),
]);
await relay.flood({ mortal: worker, byteLength: 20_000, atOnce: 1 });
const lives = await Promise.all([relay.life(), process_.life()]);
console.log(`ready ${lives.map(({ pid }) => pid).join(" ")}`);
for (;;) {
  const mortal = await shop.spawn(mortalActor, { in: "process", mailbox: "again" });
  await mortal.large(new Uint8Array(50_000));
  await shop.stop(mortal);
}
