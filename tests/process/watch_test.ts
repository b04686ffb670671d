/** A watched descriptor and the end of the process: nothing hangs, nothing crashes. */

import { assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { runProgram } from "../support/process.ts";
import { FFI_ONLY, linked } from "../support/runtime.ts";
import { scaled } from "../support/scale.ts";
import { within } from "../support/until.ts";

/** Watches a queue that nobody else has; `told` counts. */
const WATCH = `
  import process from "node:process";
  import { MessageQueue, uniqueName } from "@postbox/postbox";
  import { C, mqOpen, watchReadable } from "@postbox/postbox/src/sys/mod.ts";
  const name = uniqueName("watch");
  const queue = MessageQueue.create(name, { maxMessages: 1, maxMessageBytes: 8 });
  const mqd = mqOpen(name, C.O_RDWR | C.O_NONBLOCK | C.O_CLOEXEC, 0, undefined, () => undefined);
  MessageQueue.unlink(name);
  let told = 0;
  const watch = watchReadable(mqd, () => { told++; queue.tryReceive(); }, name);
  watch.resume();
  process.on("exit", () => console.log("told", told));
`;

/** Deno emits no `exit` after an uncaught error. */
const ANY = undefined;

/** How a program with a watch goes on, and how it ends. */
const ENDS: [what: string, code: string, exitCode: number, stdout: string | undefined][] = [
  ["naturally when the watch keeps nothing alive", "watch.pause();", 0, "told 0\n"],
  ["naturally when the watch is stopped", "watch.stop();", 0, "told 0\n"],
  ["at once by process.exit()", "setImmediate(() => process.exit(3));", 3, "told 0\n"],
  ["at once by an uncaught error", "setImmediate(() => { throw new Error('x'); });", 1, ANY],
  [
    "naturally with something to read that nobody wants",
    'queue.tryReceive = () => {}; queue.trySend("x"); watch.pause();',
    0,
    ANY,
  ],
  [
    "by process.exit() in its callback",
    'queue.tryReceive = () => process.exit(3); queue.trySend("x");',
    3,
    "told 1\n",
  ],
  [
    "by an error in its callback",
    'queue.tryReceive = () => { throw new Error("x"); }; queue.trySend("x");',
    1,
    ANY,
  ],
  [
    "only when the watch is stopped, if it keeps it alive",
    `watch.pause();
     watch.resume();
     setTimeout(() => queue.trySend("x"), 20).unref();
     const look = setInterval(() => { if (told > 0) { watch.stop(); clearInterval(look); } }, 1);
     look.unref();`,
    0,
    "told 1\n",
  ],
  [
    "with the watch alive after garbage was collected",
    `const gc = globalThis.gc ?? (() => Bun.gc(true));
     gc();
     setTimeout(() => { gc(); queue.trySend("x"); }, 20);
     const look = setInterval(() => { if (told > 0) { watch.stop(); clearInterval(look); } }, 1);`,
    0,
    "told 1\n",
  ],
];

for (const [what, code, exitCode, stdout] of ENDS) {
  test(`a program with a watched descriptor ends ${what}`, async () => {
    const program = runProgram(WATCH + code, { v8Flags: ["expose-gc"] });
    const finished = await within("its end", program);
    assertEquals(finished.code, exitCode, finished.stderr);
    if (stdout !== ANY) assertEquals(finished.stdout, stdout);
  });
}

const ROUNDS = Math.max(5, scaled(20));

test("worker.terminate() ends a worker with a watched descriptor", async () => {
  const finished = await within(
    "its end",
    runProgram(
      `
      import { Worker } from "node:worker_threads";
      const source = ${JSON.stringify(linked(WATCH))} + \`
        import { parentPort } from "node:worker_threads";
        parentPort.postMessage("watching");
      \`;
      for (let round = 0; round < ${ROUNDS}; round++) {
        const worker = new Worker(new URL("data:text/javascript," + encodeURIComponent(source)));
        await new Promise((resolve) => worker.once("message", resolve));
        console.log(await worker.terminate());
      }
    `,
      { permissions: ["--allow-read", ...FFI_ONLY] },
    ), // reading is for the worker's imports
  );
  assertEquals([finished.code, finished.stdout], [0, "1\n".repeat(ROUNDS)], finished.stderr);
});

test("worker.terminate() ends a worker that is told again and again", async () => {
  const finished = await within(
    "its end",
    runProgram(
      `
      import { Worker } from "node:worker_threads";
      const source = ${JSON.stringify(linked(WATCH))} + \`
        import { parentPort } from "node:worker_threads";
        queue.tryReceive = () => {}; // there is always something to read
        queue.trySend("x");
        const look = setInterval(() => {
          if (told < 3) return;
          clearInterval(look);
          parentPort.postMessage("told");
        }, 1);
      \`;
      for (let round = 0; round < ${ROUNDS}; round++) {
        const worker = new Worker(new URL("data:text/javascript," + encodeURIComponent(source)));
        await new Promise((resolve) => worker.once("message", resolve));
        await worker.terminate();
      }
      console.log("done");
    `,
      { permissions: ["--allow-read", ...FFI_ONLY] },
    ),
    60_000,
  );
  assertEquals([finished.code, finished.stdout], [0, "done\n"], finished.stderr);
});
