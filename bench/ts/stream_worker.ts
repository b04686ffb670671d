/** stream_worker ROLE BYTES: postMessage from a worker of node:worker_threads, in one process. */

import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { args } from "./loop.ts";
import { Arrivals, run } from "./stream_loops.ts";

const [role, bytes] = args("ROLE", "BYTES") as [string, string];
const worker = isMainThread
  ? new Worker(new URL(import.meta.url), { argv: [role, bytes] })
  : undefined;
const other = worker ?? parentPort!, arrivals = new Arrivals();
other.on("message", (piece: Uint8Array) => arrivals.put(piece));

await run(isMainThread ? role : "peer", Number(bytes), {
  write(bytes) {
    other.postMessage(bytes);
    return Promise.resolve();
  },
  read: () => arrivals.read(),
  close: () => void worker?.terminate(),
});
