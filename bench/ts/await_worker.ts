/** await_worker ROLE: postMessage to a worker of node:worker_threads and back, in one process. */

import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { Inbox } from "./await_inbox.ts";
import { run } from "./await_loops.ts";
import { args } from "./loop.ts";

const [role] = args("ROLE") as [string];
const worker = isMainThread ? new Worker(new URL(import.meta.url), { argv: [role] }) : undefined;
const other = worker ?? parentPort!, inbox = new Inbox();
other.on("message", (data: Uint8Array<ArrayBuffer>) => inbox.put(data));

await run(isMainThread ? role : "peer", {
  send(message) {
    other.postMessage(message);
    return Promise.resolve();
  },
  receive: () => inbox.take(),
  close: () => void worker?.terminate(),
});
