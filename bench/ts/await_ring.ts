/**
 * await_ring ROLE MEMORY: two rings in one memory, awaited in two event loops; ring.ts blocks
 * instead, and draws them.
 */

import { SharedMemory, SpscRing } from "../../mod.ts";
import { run } from "./await_loops.ts";
import { args, say } from "./loop.ts";

const [role, name] = args("ROLE", "MEMORY") as [string, string];
const isPeer = role === "peer";

using memory = SharedMemory.open(name);
const half = memory.byteLength / 2;
const there = SpscRing.attach(memory.bytes.subarray(0, half));
const back = SpscRing.attach(memory.bytes.subarray(half));
using producer = (isPeer ? back : there).producer();
using consumer = (isPeer ? there : back).consumer();

if (isPeer) say("ready");
await run<Uint8Array<ArrayBuffer>>(role, {
  send: (message) => producer.push(message),
  receive: () => consumer.pop(),
  messages: () => consumer,
  messageIn: (record) => record,
  close() {},
});
