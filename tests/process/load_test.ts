/** Loading the library: lazily, with one permission, and with words when that is missing. */

import { assertEquals, assertStringIncludes } from "../assert.ts";
import { test } from "../harness.ts";
import { runProgram } from "../support/process.ts";
import { moduleUrl, RUNTIME } from "../support/runtime.ts";

/** A Deno that is started with no word on permissions gets all from node:child_process. */
const NO_PERMISSION = ["--deny-write", "--no-prompt", "--quiet"];

test("importing the library loads and opens nothing", async () => {
  // Without any permission: a load or an open would be refused.
  const { code, stdout, stderr } = await runProgram(
    `import { MessageQueue } from "@postbox/postbox"; console.log(typeof MessageQueue);`,
    { permissions: NO_PERMISSION },
  );
  assertEquals([code, stdout], [0, "function\n"], stderr);
});

test("no koffi is loaded before the first use, and under Deno none at all", async () => {
  const { code, stdout, stderr } = await runProgram(
    `import { readFileSync } from "node:fs";
     import { MessageQueue } from "@postbox/postbox";
     const loaded = () => readFileSync("/proc/self/maps", "utf8").includes("koffi");
     const before = loaded();
     MessageQueue.limits();
     console.log(before, loaded());`,
    { permissions: ["--allow-all", "--quiet"] },
  );
  assertEquals([code, stdout], [0, `false ${RUNTIME !== "deno"}\n`], stderr);
});

const noPermissions = "there is no permission to be without";

test(
  "the first use without --allow-ffi throws an error that names the flag",
  { not: { node: noPermissions, bun: noPermissions } },
  async () => {
    const { code, stdout } = await runProgram(
      `import { MessageQueue } from "@postbox/postbox";
       try { MessageQueue.open("/x"); } catch (error) { console.log(error.message); }`,
      { permissions: NO_PERMISSION },
    );
    assertEquals(code, 0);
    assertStringIncludes(stdout, "expected the flag --allow-ffi");
  },
);

test("a worker loads the library for itself", async () => {
  const worker = `
    import { parentPort } from "node:worker_threads";
    import { MappedFile, MessageQueue, SharedMemory, uniqueName } from "${moduleUrl("mod.ts")}";
    const name = uniqueName("worker");
    const queue = MessageQueue.create(name, { maxMessages: 1, maxMessageBytes: 8 });
    MessageQueue.unlink(name);
    queue.trySend("x");
    const memory = SharedMemory.anonymous({ byteLength: 8 });
    const { complete } = MessageQueue.list();
    let code;
    try { MappedFile.open("/no/such/file"); } catch (error) { code = error.code; }
    const said = [queue.receiveSync().text(), memory.byteLength, typeof complete, code];
    parentPort.postMessage(said.join(" "));`;
  const { code, stdout, stderr } = await runProgram(
    `import { once } from "node:events";
     import { Worker } from "node:worker_threads";
     const url = ${JSON.stringify(`data:text/javascript,${encodeURIComponent(worker)}`)};
     const worker = new Worker(new URL(url));
     console.log((await once(worker, "message"))[0]);
     await once(worker, "exit");`,
    // Reading is for the worker's import of a file, not for the library.
    { permissions: ["--allow-ffi", "--allow-read", "--no-prompt", "--quiet"] },
  );
  assertEquals([code, stdout], [0, "x 8 boolean ENOENT\n"], stderr);
});
