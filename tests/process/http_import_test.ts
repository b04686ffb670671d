/**
 * The library by plain URL: this checkout served over HTTP, imported with no configuration file,
 * no import map, no lock file and an empty cache.
 */

import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { assertEquals } from "../assert.ts";
import { test, type TestBody } from "../harness.ts";
import { type Finished, run, temporaryFolder } from "../support/process.ts";
import { execPath, ROOT } from "../support/runtime.ts";
import { MessageQueue } from "../../mod.ts";
import "../support/loaded.ts";
import { queueName } from "../support/names.ts";
import { ENTRY_POINTS } from "../../tools/layers.ts";

/** A test of imports that only Deno has. */
function importTest(name: string, body: TestBody): void {
  const reason = "it imports nothing over HTTP";
  test(name, { not: { node: reason, bun: reason } }, body);
}

/** A server of the checkout and an empty place to start programs in; gone at the end of the scope. */
interface Site extends AsyncDisposable {
  url: string;
  /** The paths that were asked for. */
  served: string[];
  /** Runs TypeScript given as text, with FFI alone. */
  run(code: string, flags?: string[]): Promise<Finished>;
  /** Runs a file of the checkout by its URL, with FFI alone. */
  runUrl(path: string, args: string[]): Promise<Finished>;
}

function serveCheckout(): Site {
  const served: string[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const path = decodeURIComponent(new URL(request.url).pathname).slice(1);
    served.push(path);
    try {
      const text = readFileSync(`${ROOT}${path}`, "utf8");
      return new Response(text, { headers: { "content-type": "application/typescript" } });
    } catch (error) {
      return new Response(String(error), { status: 404 });
    }
  });
  const host = `127.0.0.1:${server.addr.port}`;
  const folder = temporaryFolder(), directory = folder.path;
  mkdirSync(`${directory}/empty`);
  const start = (flags: string[], program: string, args: string[] = []) =>
    run(execPath(), {
      args: [
        ...["run", "--no-config", "--no-lock", "--no-prompt", "--quiet", "--allow-ffi"],
        ...[`--allow-import=${host}`, ...flags, program, ...args],
      ],
      cwd: `${directory}/empty`,
      env: { DENO_DIR: `${directory}/cache` },
    });
  return {
    url: `http://${host}`,
    served,
    async run(code, flags = []) {
      writeFileSync(`${directory}/program.ts`, code);
      return await start(flags, `${directory}/program.ts`);
    },
    async runUrl(path, args) {
      // The one npm package is not what is tested here, so it need not be fetched again.
      mkdirSync(`${directory}/cache`, { recursive: true });
      symlinkSync(await npmCache(), `${directory}/cache/npm`);
      return await start([], `http://${host}/${path}`, args);
    },
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      folder[Symbol.dispose]();
    },
  };
}

async function npmCache(): Promise<string> {
  const { stdout } = await run(execPath(), { args: ["info", "--json"] });
  const { npmCache } = JSON.parse(stdout) as { npmCache: string };
  return npmCache;
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
