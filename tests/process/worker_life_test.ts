/**
 * Workers that end with waits parked: what they had open is closed by their parent, and nothing of
 * theirs is left, no descriptor, no thread, no byte of a queue.
 *
 * Method: programs that start workers, end them in every way, close their tables and count in /proc.
 */

import process from "node:process";
import { assertEquals, assertGreater, assertLessOrEqual } from "../assert.ts";
import { test } from "../harness.ts";
import { type Finished, run, runProgram } from "../support/process.ts";
import { evalArgs, execPath, FFI_ONLY, linked } from "../support/runtime.ts";
import { scaled } from "../support/scale.ts";
import { within } from "../support/until.ts";

/** Reading is for the imports of the workers. */
const PERMISSIONS = ["--allow-read", ...FFI_ONLY];

/** For programs that work for longer than the others. */
const LONG_MS = 300_000;

/** What a worker is made of: it has a table, and two queues without a name. */
const WORKER = linked(`
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

const MEMORY = 'const memory = SharedMemory.anonymous({ byteLength: 4096, label: "life" });';

const WAIT = "for (const queue of queues) queue.receive(); setImmediate(ready);";

/** What the programs are made of. */
const PARENT = `
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
const churnProgram = (worker: string) =>
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

function assertNothingLeft({ code, stdout, stderr }: Finished): void {
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

const WORKERS = Number(process.env.POSTBOX_WORKERS ?? scaled(100));

test(
  `${WORKERS} workers that wait and are terminated leave nothing (POSTBOX_WORKERS=1000 for more)`,
  { not: { bun: "Bun crashes when a worker is terminated that has mapped shared memory" } },
  async () => {
    const args = [String(WORKERS), "4", "1", "64"];
    const code = churnProgram(WORKER + MEMORY + WAIT);
    const program = runProgram(code, { args, permissions: PERMISSIONS, timeoutMs: LONG_MS });
    assertNothingLeft(await within("its end", program, LONG_MS));
  },
);

test("terminated workers leave no bytes of queues: three would be refused", async () => {
  // Two queues of 10 messages of 8192 bytes take 165 760 bytes: there is room for three workers.
  const program = evalArgs(churnProgram(WORKER + WAIT), { permissions: PERMISSIONS });
  const args = ["--msgqueue=500000:500000", execPath(), ...program, "8", "1", "10", "8192"];
  assertNothingLeft(await within("its end", run("prlimit", { args, timeoutMs: LONG_MS }), LONG_MS));
});

test("workers that messages keep coming for are terminated without harm", async () => {
  // Node goes through a worker's event loop once more when it ends, with no JavaScript to call.
  const worker = linked(`
    import { parentPort, workerData } from "node:worker_threads";
    import { DescriptorTable, MessageQueue } from "@postbox/postbox";
    DescriptorTable.attach(workerData.table);
    const queue = MessageQueue.open(workerData.size);
    setImmediate(() => parentPort.postMessage("waiting"));
    for await (const message of queue);
  `);
  const program = runProgram(
    `${PARENT}
    import { MessageQueue, uniqueName } from "@postbox/postbox";
    async function one() {
      const name = uniqueName("life");
      const queue = MessageQueue.create(name, { maxMessages: 4, maxMessageBytes: 8 });
      const table = DescriptorTable.create();
      const worker = start(${JSON.stringify(worker)}, table, name);
      let wanted = true;
      const send = () => {
        if (!wanted) return;
        queue.trySend("x");
        setImmediate(send);
      };
      try {
        await once(worker, "message");
        send();
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
        await worker.terminate();
        await table.close();
      } finally {
        wanted = false;
        MessageQueue.unlink(name);
        queue.close();
      }
    }
    for (let round = 0; round < ${scaled(30)}; round++) await one();
    console.log("done", count().ours);
  `,
    { permissions: PERMISSIONS, timeoutMs: LONG_MS },
  );
  const { code, stdout, stderr } = await within("its end", program, LONG_MS);
  assertEquals([code, stdout, stderr], [0, "done 0\n", ""]);
});

test("DescriptorTable.close() takes the doorbell away on which a terminated worker waited", async () => {
  const worker = linked(`
    import { parentPort, workerData } from "node:worker_threads";
    import { DescriptorTable } from "@postbox/postbox";
    import { EventCount } from "@postbox/postbox/src/wait/mod.ts";
    DescriptorTable.attach(workerData.table);
    EventCount.attach(workerData.size, 0).wait(() => undefined);
    setImmediate(() => parentPort.postMessage("waiting"));
  `);
  const program = runProgram(
    `${PARENT}
    import { EventCount } from "@postbox/postbox/src/wait/mod.ts";
    import { bellName } from "@postbox/postbox/src/wait/doorbell.ts";
    import { mqClose, mqOpen } from "@postbox/postbox/src/sys/mod.ts";
    const memory = new SharedArrayBuffer(64);
    EventCount.format(memory, 0);
    const table = DescriptorTable.create();
    const worker = start(${JSON.stringify(worker)}, table, memory);
    await once(worker, "message");
    const bell = bellName(Atomics.load(new BigUint64Array(memory), 2));
    const look = () => {
      try {
        mqClose(mqOpen(bell, 1, 0, undefined, () => undefined), bell);
        return "there";
      } catch (error) {
        return error.code;
      }
    };
    console.log(look());
    await worker.terminate();
    await table.close();
    console.log(look());
  `,
    { permissions: PERMISSIONS, timeoutMs: LONG_MS },
  );
  const { code, stdout, stderr } = await within("its end", program, LONG_MS);
  assertEquals([code, stdout, stderr], [0, "there\nENOENT\n", ""]);
});

/** How a worker ends, other than from outside. */
const OWN_ENDS: [what: string, code: string][] = [
  ["ended by itself, and left things open", "ready();"],
  ["ended by an error with waits parked", `${WAIT} setTimeout(() => { throw new Error("x") }, 1);`],
  ["ended by process.exit() with waits parked", `${WAIT} setTimeout(() => process.exit(3), 1);`],
];

for (const [what, code] of OWN_ENDS) {
  test(`DescriptorTable.close() closes what a worker left that ${what}`, async () => {
    const program = runProgram(
      `${PARENT}
      const table = DescriptorTable.create();
      const worker = start(${JSON.stringify(WORKER + code)}, table, size);
      worker.on("error", () => {});
      await new Promise((resolve) => worker.once("exit", resolve)); // once() rejects by an error
      const left = await table.close();
      await until(() => parked().length === 0);
      console.log(left > 1, count().ours, parked().length);
    `,
      { permissions: PERMISSIONS, timeoutMs: LONG_MS },
    );
    const { code: exitCode, stdout } = await within("its end", program);
    assertEquals([exitCode, stdout], [0, "true 0 0\n"]);
  });
}

test("DescriptorTable.attach() is refused to a second worker, and to one that comes late", async () => {
  const finished = await within(
    "its end",
    runProgram(
      `${PARENT}
      const attach = ${
        JSON.stringify(linked(`
        import { parentPort, workerData } from "node:worker_threads";
        import { DescriptorTable } from "@postbox/postbox";
        try {
          DescriptorTable.attach(workerData.table);
          parentPort.postMessage("attached");
          setInterval(() => {}, 1000);
        } catch (error) {
          parentPort.postMessage(error.name + ": " + error.message);
        }
      `))
      };
      const table = DescriptorTable.create();
      const first = start(attach, table);
      console.log(...await once(first, "message"));
      console.log(...await once(start(attach, table), "message"));
      await first.terminate();
      await table.close();
      console.log(...await once(start(attach, table), "message"));
      const closed = DescriptorTable.create();
      await closed.close();
      console.log(...await once(start(attach, closed), "message"));
    `,
      { permissions: PERMISSIONS },
    ),
  );
  const taken =
    "TypeError: Cannot attach to the table: another thread has it, expected one table " +
    "for each worker\n";
  const closed = 'ClosedError: Cannot use table "descriptor table": the handle is closed\n';
  assertEquals(
    [finished.stdout, finished.stderr],
    ["attached\n" + taken + taken + closed, ""],
  );
});

test(
  "DescriptorTable.close() closes what a worker had open that was terminated at any instruction",
  {
    not: {
      deno: "Deno 2.9 does not stop a worker that computes: it runs to its next turn",
      bun: "Bun crashes when a worker is terminated that has mapped shared memory",
    },
  },
  async () => {
    // With a function call between opening and entering, one worker in six leaves a descriptor.
    const program = runProgram(
      `${PARENT}
      const code = ${
        JSON.stringify(
          linked(`
        import { parentPort, workerData } from "node:worker_threads";
        import { DescriptorTable, SharedMemory } from "@postbox/postbox";
        DescriptorTable.attach(workerData.table);
        parentPort.postMessage("ready");
        setImmediate(() => {
          for (;;) SharedMemory.anonymous({ byteLength: 0, label: "life" }).close();
        });
      `),
        )
      };
      let left = 0;
      async function one() {
        const table = DescriptorTable.create();
        const worker = start(code, table);
        await once(worker, "message");
        await new Promise((resolve) => setTimeout(resolve, 2 + Math.random() * 8));
        await worker.terminate();
        left += await table.close();
      }
      for (let round = 0; round < ${
        scaled(25)
      }; round++) await Promise.all([one(), one(), one(), one()]);
      console.log(left > 0, count().ours);
    `,
      { timeoutMs: LONG_MS },
    );
    const { code, stdout, stderr } = await within("its end", program, LONG_MS);
    assertEquals([code, stdout], [0, "true 0\n"], stderr);
  },
);

test(
  "DescriptorTable.close() waits for the end of a web worker, which nothing else tells of",
  { not: { node: "Node has no web workers" } },
  async () => {
    const code = linked(`
      import { DescriptorTable, MessageQueue, uniqueName } from "@postbox/postbox";
      self.onmessage = ({ data }) => {
        DescriptorTable.attach(data);
        const name = uniqueName("life");
        const queue = MessageQueue.create(name, { maxMessages: 1, maxMessageBytes: 64 });
        MessageQueue.unlink(name);
        queue.receive();
        setImmediate(() => self.postMessage("parked"));
      };
    `);
    const program = runProgram(
      `${PARENT}
      const url = "data:text/javascript," + encodeURIComponent(${JSON.stringify(code)});
      const table = DescriptorTable.create();
      const worker = new globalThis.Worker(url, { type: "module" });
      worker.postMessage(table.buffer);
      await new Promise((resolve) => worker.onmessage = resolve);
      worker.terminate();
      const left = await table.close();
      await until(() => parked().length === 0);
      console.log(left > 1, count().ours, parked().length);
    `,
      { permissions: PERMISSIONS },
    );
    const { code: exitCode, stdout, stderr } = await within("its end", program);
    assertEquals([exitCode, stdout, stderr], [0, "true 0 0\n", ""]);
  },
);

test(
  "a message for a terminated worker's queue is written into no memory but the parked call's",
  { not: { node: "Node parks no call", bun: "Bun parks no call" } },
  async () => {
    // Without a table the call stays parked. The kernel writes when it comes back, into memory that
    // is still what it was, whatever the runtime did with the worker's.
    const program = runProgram(
      `${PARENT}
      import { MessageQueue, uniqueName } from "@postbox/postbox";
      import { sys } from "@postbox/postbox/src/sys/load.ts";
      const name = uniqueName("life");
      const outbox = MessageQueue.create(name, size);
      const code = ${
        JSON.stringify(linked(`
        import { parentPort, workerData } from "node:worker_threads";
        import { MessageQueue } from "@postbox/postbox";
        const queue = MessageQueue.open(workerData.size);
        queue.receive();
        setImmediate(() => parentPort.postMessage("parked"));
      `))
      };
      const { buffer } = DescriptorTable.create();
      const worker = start(code, { buffer }, name);
      await once(worker, "message");
      await until(() => parked().length === 1);
      MessageQueue.unlink(name);
      const [address] = parked();
      const words = () => [...new Int32Array(sys().viewOf(address, 16))];
      const before = words();
      const threads = () => readDirectory("/proc/self/task").length;
      const most = threads();
      await worker.terminate();
      await until(() => threads() < most); // the worker's; that of the call stays
      const used = Array.from({ length: 1e5 }, (_, i) => new Uint8Array(16).fill(i).buffer);
      console.log(JSON.stringify(words()) === JSON.stringify(before));
      outbox.trySend("x");
      const POLLIN = 1, told = POLLIN << 16 | POLLIN; // asked for, and given
      await until(() => words()[1] === told);
      const [fd, events, bell] = words();
      console.log(fd === before[0], events === told, bell === before[2]);
    `,
      { permissions: PERMISSIONS },
    );
    const { code, stdout, stderr } = await within("its end", program);
    assertEquals([code, stdout, stderr], [0, "true\ntrue true true\n", ""]);
  },
);

test(
  "the record has the parked call's bell and memory as long as there is a watch",
  { not: { node: "Node parks no call", bun: "Bun parks no call" } },
  async () => {
    const program = runProgram(`
      import { epollCreate, parkedIn, RECORD_BYTES, recordIn, recordOn, watchReadable } from
        "@postbox/postbox/src/sys/mod.ts";
      const set = epollCreate("test");
      const before = watchReadable(set, () => {}, "test");
      const record = recordOn(new SharedArrayBuffer(RECORD_BYTES));
      recordIn(record);
      const seen = [parkedIn(record) !== undefined];
      before.stop();
      seen.push(parkedIn(record) !== undefined);
      const first = watchReadable(set, () => {}, "test");
      const { bell } = parkedIn(record);
      const second = watchReadable(set, () => {}, "test");
      second.stop();
      seen.push(parkedIn(record).bell === bell);
      first.resume();
      first.stop();
      seen.push(parkedIn(record) !== undefined); // the call is on its way back
      while (parkedIn(record) !== undefined) await new Promise((resolve) => setTimeout(resolve, 1));
      console.log(...seen);
    `);
    const { code, stdout, stderr } = await within("its end", program);
    assertEquals([code, stdout, stderr], [0, "true false true true\n", ""]);
  },
);
