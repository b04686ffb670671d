/**
 * Workers that end with waits parked: what they had open is closed by their parent, and nothing of
 * theirs is left, no descriptor and no thread; of bytes, see worker_queue_bytes_test.ts.
 *
 * Method: programs that start workers, end them in every way, close their tables and count in /proc.
 */

import process from "node:process";
import { assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { runProgram } from "../support/process.ts";
import { linked } from "../support/runtime.ts";
import { scaled } from "../support/scale.ts";
import { within } from "../support/until.ts";
import {
  assertNothingLeft,
  churnProgram,
  LONG_MS,
  PARENT,
  PERMISSIONS,
  WAIT,
  WORKER,
} from "./worker_life_support.ts";

const MEMORY = 'const memory = SharedMemory.anonymous({ byteLength: 4096, label: "life" });';

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
