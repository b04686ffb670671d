/** A program with an actor in a process and one in a worker, which a test runs by its URL. */

import greeter from "./greeter.ts";
import { system, uniqueName } from "../../mod.ts";

const shop = await system(uniqueName("http").slice(1));
try {
  const inProcess = await shop.spawn(greeter, { in: "process" });
  const inWorker = await shop.spawn(greeter, { in: "worker" });
  console.log("process", await inProcess.greet("Ada", { timeoutMs: 20_000 }));
  console.log("worker", await inWorker.greet("Ada", { timeoutMs: 20_000 }));
} finally {
  await shop[Symbol.asyncDispose]();
}
