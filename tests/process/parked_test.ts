/**
 * Processes with waits parked: who awaits keeps them running, nobody else does, every end is at
 * once; a parked wait costs one thread at most, and no processor time.
 */

import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { assert, assertEquals, assertLessOrEqual, assertStringIncludes } from "../assert.ts";
import { test } from "../harness.ts";
import type { MessageQueue } from "../../mod.ts";
import { isReactorParked } from "../../src/wait/reactor.ts";
import "../support/loaded.ts";
import { privateQueue } from "../support/names.ts";
import { Child, runProgram, type Signal } from "../support/process.ts";
import { FFI_ONLY, linked } from "../support/runtime.ts";
import { scaled } from "../support/scale.ts";
import { until, within } from "../support/until.ts";

/** Reading is for the imports of workers. */
const PERMISSIONS = ["--allow-read", ...FFI_ONLY];

/** A queue of one message that nobody else has. */
const QUEUE = `
  import process from "node:process";
  import { MessageQueue, uniqueName } from "@postbox/postbox";
  const name = uniqueName("test");
  const queue = MessageQueue.create(name, { maxMessages: 1, maxMessageBytes: 8 });
  MessageQueue.unlink(name);
`;

/** What a program does, and what it ends with: the code, and what stands on its standard output. */
type End = [what: string, code: string, exitCode: number, stdout?: string];

const NATURAL_ENDS: End[] = [
  ["when nobody waits and a queue is open", "", 0],
  [
    "when a wait was cancelled by its signal",
    `const controller = new AbortController();
     queue.receive({ signal: controller.signal }).catch(({ name }) => console.log(name));
     setTimeout(() => controller.abort(), 5);`,
    0,
    "AbortError\n",
  ],
  [
    "when a wait reached its deadline",
    "queue.receive({ timeoutMs: 5 }).catch(({ name }) => console.log(name));",
    0,
    "TimeoutError\n",
  ],
  [
    "when the handle was closed",
    `queue.receive().catch(({ name }) => console.log(name));
     setTimeout(() => queue.close(), 5);`,
    0,
    "ClosedError\n",
  ],
  [
    "after a loop that was left, with the queue open",
    `setTimeout(() => queue.trySend("one"), 5);
     for await (const message of queue) {
       console.log(message.text());
       break;
     }`,
    0,
    "one\n",
  ],
  [
    "after some waits, one of them served and the others cancelled",
    `const { signal, abort } = (() => {
       const controller = new AbortController();
       return { signal: controller.signal, abort: () => controller.abort() };
     })();
     const waits = Array.from({ length: 10 }, () => queue.receive({ signal }));
     setTimeout(() => queue.trySend("one"), 5);
     console.log((await waits.shift()).text());
     abort();
     const ends = await Promise.allSettled(waits);
     console.log(ends.filter(({ reason }) => reason === signal.reason).length);`,
    0,
    "one\n9\n",
  ],
];

for (const [what, code, exitCode, stdout = ""] of NATURAL_ENDS) {
  test(`a program ends by itself ${what}`, async () => {
    const finished = await within("its end", runProgram(QUEUE + code));
    assertEquals([finished.code, finished.stdout, finished.stderr], [exitCode, stdout, ""]);
  });
}

/** The timer alone keeps no program running: only who awaits does. */
const AWAITED: [what: string, code: string, stdout: string][] = [
  [
    "receive()",
    `setTimeout(() => queue.trySend("there"), 50).unref();
     console.log((await queue.receive()).text());`,
    "there\n",
  ],
  [
    "send()",
    `queue.trySend("first");
     setTimeout(() => queue.tryReceive(), 50).unref();
     await queue.send("second");
     console.log(queue.tryReceive().text());`,
    "second\n",
  ],
  [
    "a loop over the messages",
    `setTimeout(() => queue.trySend("there"), 50).unref();
     for await (const message of queue) {
       console.log(message.text());
       queue.close();
     }`,
    "there\n",
  ],
  [
    "receive() that began again after a pause without anybody",
    `const first = new AbortController();
     queue.receive({ signal: first.signal }).catch(() => {});
     first.abort();
     setTimeout(() => queue.trySend("there"), 50).unref();
     console.log((await queue.receive()).text());`,
    "there\n",
  ],
];

for (const [what, code, stdout] of AWAITED) {
  test(`a program that awaits ${what} goes on until it has it`, async () => {
    const finished = await within("its end", runProgram(QUEUE + code));
    assertEquals([finished.code, finished.stdout, finished.stderr], [0, stdout, ""]);
  });
}

/** Waits that nothing ends. */
const PARK = `
  const full = MessageQueue.create(uniqueName("test"), { maxMessages: 1, maxMessageBytes: 8 });
  MessageQueue.unlink(full.name);
  full.trySend("x");
  const waits = [queue.receive(), queue.receive({ timeoutMs: 1e9 }), full.send("y")];
`;

/**
 * A program whose worker waits like that, and then does something.
 *
 * @param listeners What the program does with the worker before that.
 */
function withWorker(code: string, listeners = ""): string {
  const worker = `
    import { parentPort } from "node:worker_threads";
    ${QUEUE} ${PARK}
    setImmediate(() => parentPort.postMessage("parked"));
    ${code}
  `;
  return `
    import process from "node:process";
    import { Worker } from "node:worker_threads";
    const code = encodeURIComponent(${JSON.stringify(linked(worker))});
    const worker = new Worker(new URL("data:text/javascript," + code));
    ${listeners}
    await new Promise((resolve) => worker.once("message", resolve));
  `;
}

const IN_WORKER = withWorker("");

/** The runtime's own way out. */
const RUNTIME_EXIT = "const { Deno } = globalThis; if (Deno) Deno.exit(3); else process.exit(3);";

/** Ends that wait for nobody, by a program that has waits parked or whose worker has. */
const PROMPT_ENDS: [what: string, code: string, exitCode: number, stderr?: string][] = [
  ["process.exit()", `${QUEUE} ${PARK} setTimeout(() => process.exit(3), 5);`, 3],
  ["process.exit() at once", `${QUEUE} ${PARK} process.exit(3);`, 3],
  ["the runtime's own exit", `${QUEUE} ${PARK} setTimeout(() => { ${RUNTIME_EXIT} }, 5);`, 3],
  [
    "an uncaught error",
    `${QUEUE} ${PARK} setTimeout(() => { throw new Error("the fault"); }, 5);`,
    1,
    "the fault",
  ],
  [
    "an unhandled rejection",
    `${QUEUE} ${PARK} setTimeout(() => Promise.reject(new Error("the fault")), 5);`,
    1,
    "the fault",
  ],
  ["process.exit() while a worker waits", `${IN_WORKER} process.exit(3);`, 3],
  ["the runtime's own exit while a worker waits", `${IN_WORKER} ${RUNTIME_EXIT}`, 3],
  [
    "an uncaught error while a worker waits",
    `${IN_WORKER} setTimeout(() => { throw new Error("the fault"); }, 5);`,
    1,
    "the fault",
  ],
  ["worker.terminate() of a worker that waits", `${IN_WORKER} await worker.terminate();`, 0],
];

for (const [what, code, exitCode, stderr] of PROMPT_ENDS) {
  test(`a program with waits parked ends by ${what}`, async () => {
    const finished = await within("its end", runProgram(code, { permissions: PERMISSIONS }));
    assertEquals([finished.code, finished.signal], [exitCode, null], finished.stderr);
    if (stderr === undefined) assertEquals(finished.stderr, "");
    else assertStringIncludes(finished.stderr, stderr);
  });
}

const WORKER_ENDS: [what: string, code: string][] = [
  ["process.exit()", "setTimeout(() => process.exit(3), 5);"],
  ["an uncaught error", 'setTimeout(() => { throw new Error("the fault"); }, 5);'],
  [
    "itself, when its waits are over",
    `for (const wait of waits) wait.catch(() => {});
     setTimeout(() => { queue.close(); full.close(); }, 5);`,
  ],
];

for (const [what, code] of WORKER_ENDS) {
  test(`a worker with waits parked ends by ${what}, and its program then`, async () => {
    const listeners = `
      worker.on("error", () => {}); // what it does else is the runtime's matter
      worker.on("exit", () => console.log("ended"));
    `;
    const program = withWorker(code, listeners);
    const finished = await within("its end", runProgram(program, { permissions: PERMISSIONS }));
    assertEquals([finished.code, finished.stdout], [0, "ended\n"], finished.stderr);
  });
}

for (const signal of ["SIGINT", "SIGTERM"] as const satisfies Signal[]) {
  test(`a program with waits parked ends by ${signal}`, async () => {
    await using child = Child.program(
      `${QUEUE} ${PARK} setImmediate(() => console.log("parked"));`,
    );
    await within("its line", child.line());
    child.kill(signal);
    const finished = await within("its end", child.finished());
    assertEquals([finished.signal, finished.stderr], [signal, ""]);
  });

  test(`a program with waits parked runs its listener of ${signal}`, async () => {
    await using child = Child.program(`
      ${QUEUE} ${PARK}
      process.on("${signal}", () => process.exit(5));
      setImmediate(() => console.log("parked"));
    `);
    await within("its line", child.line());
    child.kill(signal);
    const finished = await within("its end", child.finished());
    assertEquals([finished.code, finished.signal, finished.stderr], [5, null, ""]);
  });
}

/** How many threads of this process wait for two descriptors, as a parked call of ours does. */
function parkedThreads(): number {
  const POLL = ({ x64: 7, arm64: 73 } as Record<string, number>)[process.arch];
  return readdirSync("/proc/self/task").filter((task) => {
    const [call, , count] = textOf(`/proc/self/task/${task}/syscall`).split(" ");
    return Number(call) === POLL && Number(count) === 2;
  }).length;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH") return ""; // the thread has ended
    throw error;
  }
}

test("50 queues that are awaited, cancelled and awaited again park one thread at most", async () => {
  const queues = Array.from({ length: 50 }, () => privateQueue({ maxMessages: 1 }));
  const threadsBefore = readdirSync("/proc/self/task").length;
  assertEquals(parkedThreads(), 0);
  let most = 0, rejected = 0;
  const park = (queue: MessageQueue) => {
    const controller = new AbortController();
    const wait = queue.receive({ signal: controller.signal });
    const over = wait.then((message) => message.text(), () => rejected++);
    return { controller, over };
  };
  let waits = queues.map(park);
  await until("the call is parked", () => parkedThreads() === Number(isReactorParked()));
  for (let round = 0; round < 50; round++) {
    await new Promise((resolve) => setImmediate(resolve));
    most = Math.max(most, parkedThreads());
    // In turn: one of them, all of them, all but one.
    const renewed = waits.filter((_, index) => [index === round, true, index !== round][round % 3]);
    for (const { controller } of renewed) controller.abort();
    if (round % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
    waits = waits.map((wait, index) => renewed.includes(wait) ? park(queues[index]!) : wait);
    most = Math.max(most, parkedThreads());
  }
  assertLessOrEqual(most, 1);
  // A call that is cancelled may still be on its way back when the next is begun.
  assertLessOrEqual(readdirSync("/proc/self/task").length, threadsBefore + 2);
  for (const [index, queue] of queues.entries()) queue.trySend(`${index}`);
  const texts = await within("all messages", Promise.all(waits.map(({ over }) => over)));
  assertEquals(texts, queues.map((_, index) => `${index}`));
  assert(rejected > 50);
  await until("nothing is parked", () => parkedThreads() === 0);
  for (const queue of queues) queue.close();
});

const IDLE_S = Math.max(4, scaled(10));

/** Says how much processor time the process took in a while, in ticks of 10 ms. */
const IDLE = `
  import process from "node:process";
  import { readText } from "@postbox/postbox/src/sys/file.ts";
  const ticks = () => {
    const stat = readText("/proc/self/stat");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(fields[11]) + Number(fields[12]); // utime and stime
  };
  setTimeout(() => {
    const before = ticks();
    setTimeout(() => {
      console.log(ticks() - before);
      process.exit();
    }, ${IDLE_S} * 1000);
  }, 1000); // after what the runtime does when it has started
`;

test(
  `50 parked waits take no processor time in ${IDLE_S} s`,
  { not: { bun: "Bun's event loop waits for no descriptor of ours: a timer looks" } },
  async () => {
    const queues = `
      import { MessageQueue, uniqueName } from "@postbox/postbox";
      const queues = Array.from({ length: 50 }, () => {
        const name = uniqueName("test");
        const queue = MessageQueue.create(name, { maxMessages: 1, maxMessageBytes: 8 });
        MessageQueue.unlink(name);
        return queue;
      });
    `;
    const waits = "for (const queue of queues) queue.receive();";
    const finished = await Promise.all([
      within("one with waits", runProgram(queues + waits + IDLE), 60_000),
      within("one without", runProgram(queues + IDLE), 60_000),
    ]);
    assertEquals(finished.map(({ code, stderr }) => [code, stderr]), [[0, ""], [0, ""]]);
    const [withWaits, without] = finished.map(({ stdout }) => Number(stdout));
    // Ticks of 10 ms. Other tests run beside this one; a wait that looked each millisecond would take
    // hundreds.
    assertLessOrEqual(withWaits!, without! + 10);
  },
);
