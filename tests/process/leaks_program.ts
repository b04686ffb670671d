/**
 * Uses everything a few thousand times, wrong uses included, and counts from /proc what is there
 * before and after: descriptors, mappings, kernel objects. Prints one line of JSON.
 *
 * Needs V8's --expose-gc, or Bun: a mapping lives as long as its SharedArrayBuffer.
 */

import process from "node:process";
import {
  MappedFile,
  MessageQueue,
  PosixError,
  Segment,
  SharedMemory,
  uniqueName,
} from "../../mod.ts";
import { readDirectory, readLink, readText } from "../../src/sys/file.ts";

const rounds = Number(process.argv[2]);
const engine = globalThis as unknown as { gc?(): void; Bun?: { gc(atOnce: boolean): void } };
const gc = engine.gc ?? (() => engine.Bun!.gc(true));

function swallow(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
}

function round(): void {
  const name = uniqueName("leak");
  const queue = MessageQueue.create(name, { maxMessages: 1, maxMessageBytes: 16 });
  const writer = MessageQueue.open(name, { access: "w" });
  writer.status();
  writer.trySend("x");
  queue.receiveSync();
  swallow(() => MessageQueue.create(name));
  queue.notify("SIGCONT");
  MessageQueue.unlink(name);
  queue.close();
  writer.close();
  swallow(() => MessageQueue.open(name));
  swallow(() => MessageQueue.create(uniqueName("leak"), { maxMessages: 1e6 }));

  const memory = SharedMemory.create(name, { byteLength: 5000, maxByteLength: 70_000 });
  const reader = SharedMemory.open(name, { access: "r" });
  memory.grow(70_000);
  memory.write("x", { offset: 69_999 });
  memory.read();
  Segment.attach(memory.buffer).close();
  swallow(() => SharedMemory.create(name, { byteLength: 1 }));
  swallow(() => SharedMemory.create(uniqueName("leak"), { byteLength: 2 ** 42 }));
  SharedMemory.unlink(name);
  memory.close();
  reader.close();

  const anonymous = SharedMemory.anonymous({ byteLength: 100, seal: ["shrink", "grow", "seal"] });
  anonymous.close();
  swallow(() => SharedMemory.anonymous({ byteLength: 2 ** 42 }));
  swallow(() => SharedMemory.fromInherited(1));

  MappedFile.open("/etc/passwd", { mapping: "private" }).close();
  swallow(() => MappedFile.open("/proc/self/status"));
  swallow(() => MappedFile.open("/no/such/file"));
}

/**
 * What the runtime opens for itself, whenever it likes: caches, and what its threads wait on. The
 * library opens queues, memory, files, folders and mounts, none of which is among these.
 */
const RUNTIME_OWN = /_cache_v\d+(-\w+)?$|^(socket|pipe):|^anon_inode:\[(eventpoll|eventfd)\]$/;

/** What the descriptors of this process stand for, the runtime's own left out. */
function descriptors(): string[] {
  const targets: string[] = [];
  for (const { name } of readDirectory("/proc/self/fd")) {
    try {
      targets.push(readLink(`/proc/self/fd/${name}`));
    } catch (error) {
      // The one that the directory was read through.
      if (!(error instanceof PosixError) || error.code !== "ENOENT") throw error;
    }
  }
  return targets.filter((target) => !RUNTIME_OWN.test(target)).sort();
}

function objects() {
  MessageQueue.list();
  return {
    descriptors: descriptors(),
    // Named, so that what the runtime maps for itself does not count.
    mappings: readText("/proc/self/maps").split("\n")
      // But for the guard's own, which stays as long as the process.
      .filter((line) => /leak-|memfd:(?!postbox-guard)|\/etc\/passwd/.test(line)).length,
    allMappings: readText("/proc/self/maps").split("\n").length,
    threads: readDirectory("/proc/self/task").length,
  };
}

for (let index = 0; index < 50; index++) round();
gc();
const before = objects();
for (let index = 0; index < rounds; index++) round();
gc();
// Buffers are freed by a task after the collection.
await new Promise((resolve) => setTimeout(resolve, 50));
gc();
console.log(JSON.stringify({ before, after: objects() }));
