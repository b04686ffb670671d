/**
 * The library by plain URL: this checkout served over HTTP, imported with no configuration file,
 * no import map, no lock file and an empty cache.
 */

import { existsSync } from "node:fs";
import { assertEquals } from "../assert.ts";
import { test, type TestBody } from "../harness.ts";
import { serveCheckout } from "../support/http_site.ts";
import { ROOT } from "../support/runtime.ts";
import { MessageQueue } from "../../mod.ts";
import "../support/loaded.ts";
import { queueName } from "../support/names.ts";
import { ENTRY_POINTS } from "../../tools/layers.ts";

/** A test of imports that only Deno has. */
function importTest(name: string, body: TestBody): void {
  const reason = "it imports nothing over HTTP";
  test(name, { not: { node: reason, bun: reason } }, body);
}

const sendAndReceive = `
  const name = uniqueName("test");
  using queue = MessageQueue.create(name, { maxMessages: 1, maxMessageBytes: 64 });
  MessageQueue.unlink(name);
  queue.sendSync("over HTTP", { priority: 3 });
  const message = queue.receiveSync();
  console.log(message.text(), message.priority);
`;

const writeAndRead = `
  using memory = SharedMemory.anonymous({ byteLength: 64 });
  memory.write("over HTTP");
  console.log(new TextDecoder().decode(memory.bytes.slice(0, 9)));
`;

importTest("mod.ts sends a message and shares memory when imported by URL", async () => {
  await using site = serveCheckout();
  const { code, stdout, stderr } = await site.run(`
    import { MessageQueue, SharedMemory, uniqueName } from "${site.url}/mod.ts";
    ${sendAndReceive} ${writeAndRead}
  `);
  assertEquals([code, stdout, stderr], [0, "over HTTP 3\nover HTTP\n", ""]);
});

importTest("src/mq/mod.ts sends a message when imported by URL, and loads no shm/", async () => {
  await using site = serveCheckout();
  const { code, stdout, stderr } = await site.run(`
    import { MessageQueue, uniqueName } from "${site.url}/src/mq/mod.ts";
    ${sendAndReceive}
  `);
  assertEquals([code, stdout, stderr], [0, "over HTTP 3\n", ""]);
  assertEquals(site.served.filter((path) => path.startsWith("src/shm/")), []);
});

importTest("src/shm/mod.ts shares memory when imported by URL, and loads no mq/", async () => {
  await using site = serveCheckout();
  const { code, stdout, stderr } = await site.run(`
    import { SharedMemory } from "${site.url}/src/shm/mod.ts";
    ${writeAndRead}
  `);
  assertEquals([code, stdout, stderr], [0, "over HTTP\n", ""]);
  assertEquals(site.served.filter((path) => path.startsWith("src/mq/")), []);
});

importTest(
  "every entry point but the command line loads by URL and does nothing on import",
  async () => {
    await using site = serveCheckout();
    const present = ENTRY_POINTS.filter((path) =>
      path !== "cli/main.ts" && existsSync(`${ROOT}${path}`)
    );
    const imports = present.map((path) => `await import("${site.url}/${path}");`).join("\n");
    // With FFI denied, an import that loaded or opened anything would be refused.
    const { code, stdout, stderr } = await site.run(imports, ["--deny-ffi"]);
    assertEquals([code, stdout, stderr], [0, "", ""]);
    for (const path of present) assertEquals(site.served.includes(path), true, path);
  },
);

importTest("cli/main.ts runs by URL", async () => {
  await using site = serveCheckout();
  using queue = queueName();
  const { code, stdout, stderr } = await site.runUrl(
    "cli/main.ts",
    ["mq", "create", queue.name, "--max-messages", "1", "--max-bytes", "64"],
  );
  assertEquals([code, stdout, stderr], [0, "", ""]);
  using made = MessageQueue.open(queue.name);
  assertEquals([made.maxMessages, made.maxMessageBytes], [1, 64]);
});
