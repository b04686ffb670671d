/** Projects in TypeScript that use the package, without skipLibCheck. */

import { writeFileSync } from "node:fs";
import { assertEquals, assertMatch, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import { BUILT_BY_DENO } from "../support/runtime.ts";
import {
  keptFolder,
  once,
  project,
  sharedProject,
  start,
  tarball,
  tools,
  versioned,
} from "./support.ts";

/** Everything is inferred; a type that got lost on the way fails the comparison. */
const CODE = `
import { ClosedError, MappedFile, type Message, MessageQueue } from "@postbox/postbox";
import { PosixError, Segment, SharedMemory, uniqueName } from "@postbox/postbox";
import { type CreateQueueOptions, MessageQueue as Queue, type QueueStatus } from "@postbox/postbox/mq";
import { SharedMemory as Memory } from "@postbox/postbox/shm";
import { run } from "@postbox/postbox/cli";

type Mark<A> = <T>() => T extends A ? 1 : 2;
type Same<A, B> = Mark<A> extends Mark<B> ? true : false;
function same<A, B>(_: Same<A, B>): void {}

const options: CreateQueueOptions = { maxMessages: 1, maxMessageBytes: 16, mode: 0o600 };
const queue = MessageQueue.create(uniqueName("types"), options);
const sent = queue.trySend(new Uint8Array(3), { priority: 5 });
const message = queue.tryReceive();
const text = queue.receiveSync({ timeoutMs: 5 })?.text();
const status = queue.status();
const cancel = queue.notify("SIGUSR1");
same<typeof queue, MessageQueue>(true);
same<typeof Queue, typeof MessageQueue>(true);
same<typeof sent, boolean>(true);
same<typeof message, Message | undefined>(true);
same<typeof text, string | undefined>(true);
same<typeof status, QueueStatus>(true);
same<typeof cancel, () => void>(true);

const memory = Memory.anonymous({ byteLength: 64 });
same<typeof memory, SharedMemory>(true);
same<typeof memory.buffer, SharedArrayBuffer>(true);
same<typeof memory.bytes, Uint8Array<SharedArrayBuffer>>(true);
Atomics.add(new Int32Array(Segment.attach(memory.buffer).buffer), 0, 1);
same<ReturnType<typeof MappedFile.open>, MappedFile>(true);

try {
  queue.close();
} catch (error) {
  if (error instanceof PosixError) same<typeof error.code, string>(true);
  if (error instanceof ClosedError) same<typeof error.target, string>(true);
}
const exit = run(["--version"]);
same<typeof exit, Promise<number>>(true);
queue[Symbol.dispose]();
memory[Symbol.dispose]();

// @ts-expect-error: neither bytes nor text
queue.trySend(5);
// @ts-expect-error: handles are made by create and open
new MessageQueue();
// @ts-expect-error: exactOptionalPropertyTypes
queue.receiveSync({ timeoutMs: undefined });
`;

const WITH_USING = `
import { MappedFile, MessageQueue, SharedMemory } from "@postbox/postbox";
{
  using queue = MessageQueue.open("/types");
  using memory = SharedMemory.anonymous({ byteLength: 64 });
  using file = MappedFile.open("/etc/hostname");
  const all: readonly Disposable[] = [queue, memory, file];
  export_(all);
}
function export_(_: unknown): void {}
`;

const WITH_REQUIRE = `
import { MessageQueue } from "@postbox/postbox";
import shm = require("@postbox/postbox/shm");
import cli = require("@postbox/postbox/cli");
const queue: MessageQueue = MessageQueue.open("/types");
const memory: shm.SharedMemory = shm.SharedMemory.open("/types");
const exit: Promise<number> = cli.run([]);
`;

const WITH_NODE = `
import process from "node:process";
import { Buffer } from "node:buffer";
import { Worker } from "node:worker_threads";
import { MessageQueue, SharedMemory } from "@postbox/postbox";
const queue = MessageQueue.openOrCreate("/types");
queue.trySend(Buffer.from("bytes"));
process.on("SIGUSR1", () => queue.tryReceiveInto(Buffer.alloc(queue.maxMessageBytes)));
const { buffer } = SharedMemory.open("/types");
new Worker("./worker.js", { workerData: { buffer } });
const given: Disposable = queue;
`;

const STRICT = {
  strict: true,
  module: "nodenext",
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noEmit: true,
};

/** Each is a project of both compilers. */
const PROJECTS = [
  {
    what: "ES2022 without Node's types",
    options: { target: "es2022", types: [] },
    files: { "code.ts": CODE, "using.ts": WITH_USING, "require.cts": WITH_REQUIRE },
  },
  {
    what: "ESNext without Node's types",
    options: { target: "esnext", types: [] },
    files: { "code.ts": CODE, "using.ts": WITH_USING, "require.cts": WITH_REQUIRE },
  },
  {
    what: "ES2022 with Node's types",
    options: { target: "es2022", types: ["node"] },
    files: { "code.ts": CODE, "require.cts": WITH_REQUIRE, "node.ts": WITH_NODE },
  },
  {
    what: "a bundler",
    options: { target: "es2022", types: [], module: "preserve", moduleResolution: "bundler" },
    files: { "code.ts": CODE, "using.ts": WITH_USING },
  },
];

const COMPILERS = ["typescript", "typescript-newest"] as const;

const withNodeTypes = once(async () =>
  await project(keptFolder(), await tarball(), versioned("@types/node"))
);

for (const { what, options, files } of PROJECTS) {
  for (const compiler of COMPILERS) {
    test(`${compiler} compiles a project for ${what}`, { not: BUILT_BY_DENO }, async () => {
      const tsc = `${await tools(...COMPILERS)}/node_modules/${compiler}/bin/tsc`;
      const folder = "node.ts" in files ? await withNodeTypes() : await sharedProject();
      for (const [file, text] of Object.entries(files)) writeFileSync(`${folder}/${file}`, text);
      writeFileSync(
        `${folder}/tsconfig.json`,
        JSON.stringify({ compilerOptions: { ...STRICT, ...options }, files: Object.keys(files) }),
      );
      const { code, stdout } = await start(tsc, ["--project", "."], { cwd: folder });
      assertEquals([code, stdout], [0, ""]);
    });
  }
}

const SOURCE = `export class Handle implements Disposable {
  /** Closes it. */
  close(): void {
  }

  /** The same. */
  [Symbol.dispose](): void {
    this.close();
  }
}
`;

const PACKED = `export declare class Handle implements Disposable {
  /** Closes it. */ close(): void;
}
`;

test(
  "completedTypes() declares a member with a computed name",
  { not: BUILT_BY_DENO },
  async () => {
    const { completedTypes } = await import("../../npm/types.ts");
    assertEquals(
      completedTypes(PACKED, SOURCE),
      `/// <reference lib="esnext.disposable" />
export declare class Handle implements Disposable {
  /** Closes it. */ close(): void;
  /** The same. */
  [Symbol.dispose](): void;
}
`,
    );
  },
);

test(
  "completedTypes() refuses a member that it does not understand",
  { not: BUILT_BY_DENO },
  async () => {
    const { completedTypes } = await import("../../npm/types.ts");
    const source = SOURCE.replace("[Symbol.dispose](): void", "get [Symbol.toStringTag](): string");
    const { message } = assertThrows(() => completedTypes(PACKED, source), Error);
    assertMatch(message, /^Cannot declare the members of Handle .* expected 1$/);
  },
);
