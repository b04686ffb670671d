/** Programs that start workers, end them in every way and count in /proc what is left of them. */

import { assertEquals, assertGreater, assertLessOrEqual } from "../assert.ts";
import type { Finished } from "../support/process.ts";
import { FFI_ONLY, linked } from "../support/runtime.ts";

/** Reading is for the imports of the workers. */
export const PERMISSIONS: readonly string[] = ["--allow-read", ...FFI_ONLY];

/** For programs that work for longer than the others. */
export const LONG_MS = 300_000;

/** What a worker is made of: it has a table, and two queues without a name. */
export const WORKER: string = linked(`
  import process from "node:process";
  import { parentPort, workerData } from "node:worker_threads";
  import { DescriptorTable, MessageQueue, SharedMemory, uniqueName } from "@postbox/postbox";
  const { table, size } = workerData;
  DescriptorTable.attach(table);
  const open = () => {
    const name = uniqueName("life");
    const queue = MessageQueue.create(name, size);
    MessageQueue.unlink(name);
    return queue;
  };
  const queues = [open(), open()];
  const ready = () => parentPort.postMessage("ready");
`);

/** Its waits, which nothing ends; then it is ready. */
export const WAIT: string = "for (const queue of queues) queue.receive(); setImmediate(ready);";

/** What the programs are made of. */
export const PARENT: string = `
  import { once } from "node:events";
  import process from "node:process";
  import { Worker } from "node:worker_threads";
  import { DescriptorTable } from "@postbox/postbox";
  import { readDirectory, readLink, readText } from "@postbox/postbox/src/sys/file.ts";

  const size = { maxMessages: 1, maxMessageBytes: 64 };

  function start(code, table, size) {
    const url = new URL("data:text/javascript," + encodeURIComponent(code));
    return new Worker(url, { workerData: { table: table.buffer, size } });
  }

  function targetOf({ name }) {
    try {
      return readLink("/proc/self/fd/" + name);
    } catch (error) {
      if (error.code === "ENOENT") return "gone"; // what the list is read through
      throw error;
    }
  }

  /** What a runtime opens for itself, whenever it likes; the library opens none of these. */
  const RUNTIME_OWN = /_cache_v\\d+(-\\w+)?$|^(socket|pipe):/;

  function count() {
    const targets = readDirectory("/proc/self/fd").map(targetOf)
      .filter((target) => !RUNTIME_OWN.test(target));
    return {
      threads: readDirectory("/proc/self/task").length,
      descriptors: targets.length,
      ours: targets.filter((target) => target.includes("life")).length,
    };
  }

  function textOf(path) {
    try {
      return readText(path);
    } catch (error) {
      if (["ENOENT", "ESRCH"].includes(error.code)) return ""; // the thread has ended
      throw error;
    }
  }

  const POLL = { x64: 7, arm64: 73 }[process.arch]; // poll(3) is ppoll(2) on arm64

  /** Of the calls that are parked in threads of the runtime's, where their memory is. */
  function parked() {
    return readDirectory("/proc/self/task").flatMap(({ name }) => {
      const [call, ...args] = textOf("/proc/self/task/" + name + "/syscall").split(" ");
      return Number(call) === POLL && Number(args[1]) === 2 ? [BigInt(args[0])] : [];
    });
  }

  async function until(condition) {
    const deadline = performance.now() + 20_000;
    while (!condition() && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
`;

/** Starts workers in some lanes, and terminates each as soon as it waits. */
export const churnProgram = (worker: string): string =>
  `${PARENT}
  const [total, lanes, maxMessages, maxMessageBytes] = process.argv.slice(2).map(Number);
  const left = new Set();

  async function one() {
    const table = DescriptorTable.create();
    const worker = start(${JSON.stringify(worker)}, table, { maxMessages, maxMessageBytes });
    await once(worker, "message");
    await worker.terminate();
    left.add(await table.close());
  }

  async function churn(count) {
    let started = 0;
    const lane = async () => {
      while (started++ < count) await one();
    };
    await Promise.all(Array.from({ length: lanes }, lane));
  }

  await churn(2 * lanes); // what the runtime opens once, it has then
  const before = count();
  await churn(total);
  await until(() => count().threads <= before.threads); // idle threads of a runtime end after 10 s
  console.log(JSON.stringify({ before, after: count(), left: [...left] }));
`;

interface Counts {
  threads: number;
  descriptors: number;
  ours: number;
}

export function assertNothingLeft({ code, stdout, stderr }: Finished): void {
  assertEquals([code, stderr], [0, ""], stderr);
  const { before, after, left } = JSON.parse(stdout) as {
    before: Counts;
    after: Counts;
    left: number[];
  };
  assertEquals(after.ours, 0);
  assertLessOrEqual(after.descriptors, before.descriptors, stdout);
  assertLessOrEqual(after.threads, before.threads, stdout);
  // The queues and what waits for them: the same for each worker.
  assertEquals(left.length, 1, stdout);
  assertGreater(left[0]!, 2);
}
