/** Programs that use the installed package: the oldest Node, workers, what bundlers make of it. */

import { cpSync, writeFileSync } from "node:fs";
import process from "node:process";
import { assertEquals, assertMatch } from "../assert.ts";
import { test } from "../harness.ts";
import { temporaryFolder } from "../support/process.ts";
import { BUILT_BY_DENO } from "../support/runtime.ts";
import {
  assertWorks,
  IMPORTS,
  json,
  type Program,
  runIn,
  sharedProject,
  start,
  succeed,
  tools,
} from "./support.ts";

test(
  "import and require() work on the oldest Node that the engines allow",
  { not: BUILT_BY_DENO },
  async () => {
    const name = `node-linux-${process.arch}`;
    const node = `${await tools(name)}/node_modules/${name}/bin/node`;
    assertEquals(await succeed(node, ["--version"]), "v20.19.0\n");
    await assertWorks(await sharedProject(), node);
  },
);

/** One file that is both ends: a worker counts in the memory, and sends through the queue. */
const WITH_WORKER: Program = {
  extension: "mjs",
  text: `
    import { isMainThread, Worker, workerData } from "node:worker_threads";
    import { MessageQueue, Segment, SharedMemory, uniqueName } from "@postbox/postbox";
    if (isMainThread) {
      const name = uniqueName("npm");
      const queue = MessageQueue.create(name, { maxMessages: 1, maxMessageBytes: 16 });
      const memory = SharedMemory.anonymous({ byteLength: 64 });
      const worker = new Worker(new URL(import.meta.url), {
        workerData: { name, buffer: memory.buffer },
      });
      worker.on("exit", (code) => {
        MessageQueue.unlink(name);
        console.log(code, queue.tryReceive()?.text(), Atomics.load(new Int32Array(memory.buffer), 0));
      });
    } else {
      const segment = Segment.attach(workerData.buffer);
      Atomics.add(new Int32Array(segment.buffer), 0, 7);
      const queue = MessageQueue.open(workerData.name);
      queue.sendSync("from the worker");
      queue.close();
    }
  `,
};

test(
  "a worker of node:worker_threads uses the same queue and the same memory",
  { not: BUILT_BY_DENO },
  async () => {
    const { code, stdout, stderr } = await runIn(await sharedProject(), WITH_WORKER);
    assertEquals([code, stdout], [0, "0 from the worker 7\n"], stderr);
  },
);

/** What a bundler is told, and what the output is then. */
const BUNDLES = [
  { format: "esm", extension: "mjs", flags: [] },
  // A CommonJS file has no import.meta.url, by which koffi is found; a path does as well.
  { format: "cjs", extension: "cjs", flags: ["--define:import.meta.url=__filename"] },
];

/** Bundles a program in the shared project, and gives what esbuild printed. */
async function bundle(input: string, ...flags: string[]): Promise<string> {
  const esbuild = `${await tools("esbuild")}/node_modules/.bin/esbuild`;
  const args = ["--bundle", "--platform=node", "--target=node20", ...flags];
  return await succeed(esbuild, args, { cwd: await sharedProject(), stdin: input });
}

const IN_ONE_FILE = IMPORTS.text.replace(/await run\((.*)\)/, "0; run($1)");

for (const { format, extension, flags } of BUNDLES) {
  test(
    `a bundle of format ${format} runs where koffi is installed`,
    { not: BUILT_BY_DENO },
    async () => {
      using folder = temporaryFolder();
      const file = `${folder.path}/bundle.${extension}`;
      writeFileSync(file, await bundle(IN_ONE_FILE, `--format=${format}`, ...flags));
      const alone = await start("node", [file]);
      assertMatch(alone.stderr, /install it with: npm install koffi/);

      const koffi = "node_modules/koffi";
      cpSync(
        `${await sharedProject()}/node_modules/@postbox/postbox/${koffi}`,
        `${folder.path}/${koffi}`,
        { recursive: true },
      );
      const { version } = json("deno.json");
      assertEquals(await succeed("node", [file]), `true true\n7\n${version}\n`);
    },
  );

  test(
    `a bundle of format ${format} can leave the package outside`,
    { not: BUILT_BY_DENO },
    async () => {
      const text = await bundle(IN_ONE_FILE, `--format=${format}`, "--packages=external");
      const program = { text, extension } as Program;
      const { code, stdout, stderr } = await runIn(await sharedProject(), program);
      assertEquals([code, stdout], [0, `true true\n7\n${json("deno.json").version}\n`], stderr);
    },
  );
}

test("a bundler drops what is imported and not used", { not: BUILT_BY_DENO }, async () => {
  const input = `
    import "@postbox/postbox";
    import { MessageQueue } from "@postbox/postbox/mq";
    import { run } from "@postbox/postbox/cli";
    console.log("nothing used");
  `;
  const output = await bundle(input, "--format=esm", "--log-level=error");
  assertEquals(output.replace(/^\/\/.*\n/gm, "").trim(), `console.log("nothing used");`);
});
