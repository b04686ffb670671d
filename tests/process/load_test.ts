/** Loading the library: lazily, with one permission, and with words when that is missing. */

import { assertEquals, assertStringIncludes } from "../assert.ts";
import { test } from "../harness.ts";
import { runProgram } from "../support/process.ts";

test("importing the library loads and opens nothing", async () => {
  // Without any permission: a load or an open would be refused.
  const { code, stdout, stderr } = await runProgram(
    `import { MessageQueue } from "@postbox/postbox"; console.log(typeof MessageQueue);`,
    { permissions: ["--no-prompt", "--quiet"] },
  );
  assertEquals([code, stdout], [0, "function\n"], stderr);
});

test("the first use without --allow-ffi throws an error that names the flag", async () => {
  const { code, stdout } = await runProgram(
    `import { MessageQueue } from "@postbox/postbox";
     try { MessageQueue.open("/x"); } catch (error) { console.log(error.message); }`,
    { permissions: ["--no-prompt", "--quiet"] },
  );
  assertEquals(code, 0);
  assertStringIncludes(stdout, "expected the flag --allow-ffi");
});

test("a worker loads the library for itself", async () => {
  const library = JSON.stringify(new URL("../../mod.ts", import.meta.url).href);
  const worker = `
    import { MappedFile, MessageQueue, SharedMemory, uniqueName } from ${library};
    const name = uniqueName("worker");
    const queue = MessageQueue.create(name, { maxMessages: 1, maxMessageBytes: 8 });
    MessageQueue.unlink(name);
    queue.trySend("x");
    const memory = SharedMemory.anonymous({ byteLength: 8 });
    const { complete } = MessageQueue.list();
    let code;
    try { MappedFile.open("/no/such/file"); } catch (error) { code = error.code; }
    postMessage([queue.receiveSync().text(), memory.byteLength, typeof complete, code].join(" "));
    close();`;
  const { code, stdout, stderr } = await runProgram(
    `const url = ${JSON.stringify(`data:application/javascript,${encodeURIComponent(worker)}`)};
     const worker = new Worker(url, { type: "module" });
     worker.onmessage = ({ data }) => console.log(data);`,
    // Reading is for the worker's import of a file, not for the library.
    { permissions: ["--allow-ffi", "--allow-read", "--no-prompt", "--quiet"] },
  );
  assertEquals([code, stdout], [0, "x 8 boolean ENOENT\n"], stderr);
});
