/**
 * Three runtimes on the same queues and the same memory: Deno from the checkout, Node from the npm
 * package, and a C program. Each sends to both others and counts in one segment, all at once.
 *
 * Rule: totals are exact, and each sender's messages arrive whole and in its order.
 */

import { assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { MessageQueue, SharedMemory } from "../../mod.ts";
import "../support/loaded.ts";
import { memoryName, queueName } from "../support/names.ts";
import { compileC, run, temporaryFolder } from "../support/process.ts";
import { BUILT_BY_DENO, execPath, FFI_ONLY, moduleUrl } from "../support/runtime.ts";
import { within } from "../support/until.ts";
import { project, tarball } from "./support.ts";

const MESSAGES = 20_000; // from each to each

test(
  "Deno, Node and C send to each other and count in one segment, exactly",
  { not: BUILT_BY_DENO },
  async () => {
    using folder = temporaryFolder();
    await project(folder.path, await tarball());
    using program = await compileC(new URL("./mixed_peer.c", import.meta.url));
    const party = new URL("./mixed_party.js", import.meta.url).pathname;
    const installed = `file://${folder.path}/node_modules/@postbox/postbox/mod.js`;

    using object = memoryName();
    using memory = SharedMemory.create(object.name, { byteLength: 16 });
    using first = queueName(), second = queueName(), third = queueName();
    const names = [first.name, second.name, third.name];
    using queues = new DisposableStack();
    for (const name of names) {
      queues.use(MessageQueue.create(name, { maxMessages: 8, maxMessageBytes: 9 }));
    }

    const parties = [
      // Reading is for the import of a file by its name, not for the library.
      {
        command: execPath(),
        args: ["run", "--allow-read", ...FFI_ONLY, party, moduleUrl("mod.ts")],
      },
      { command: "node", args: [party, installed] },
      { command: program.path, args: [] },
    ].map(({ command, args }, id) => {
      const others = names.filter((_, other) => other !== id);
      const words = [String(id), String(MESSAGES), object.name, names[id]!, ...others];
      return run(command, { args: [...args, ...words], timeoutMs: 60_000 });
    });
    const finished = await within("the end of all three", Promise.all(parties), 70_000);

    const expected = (id: number) =>
      JSON.stringify([0, 1, 2].map((sender) => sender === id ? 0 : MESSAGES));
    for (const [id, { code, stdout, stderr }] of finished.entries()) {
      assertEquals([code, stdout.trim(), stderr], [0, expected(id), ""]);
    }
    const words = new Uint32Array(memory.buffer, 8, 2);
    const total = MESSAGES * 3 * 2;
    assertEquals(Atomics.load(new BigUint64Array(memory.buffer, 0, 1), 0), BigInt(total));
    assertEquals([...words], [total, 3]);
  },
);
