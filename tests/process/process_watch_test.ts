/**
 * The ends of other processes, and of workers, as the kernel tells them: by a descriptor of the
 * process, and by the locks that it held.
 */

import "../support/loaded.ts";
import { assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { SharedMemory } from "../../mod.ts";
import { ByteLocks } from "../../src/life/byte_locks.ts";
import { identityOf } from "../../src/life/process_identity.ts";
import { ProcessWatch } from "../../src/life/process_watch.ts";
import { descriptorOf } from "../../src/shm/inside.ts";
import { memoryName } from "../support/names.ts";
import { Child, runProgram } from "../support/process.ts";
import { evalArgs, execPath, FFI_ONLY, linked } from "../support/runtime.ts";
import { within } from "../support/until.ts";

/** Waits for its standard input to end. */
const sleeper = () => new Child("cat", []);

test("ProcessWatch.exited() is told when the process is killed, also to several", async () => {
  await using child = sleeper();
  using watch = ProcessWatch.open(identityOf(child.pid)!)!;
  const told = Promise.all([watch.exited(), watch.exited()]);
  assertEquals(watch.hasExited(), false);
  assertEquals(watch.signal("SIGKILL"), true);
  await within("its end", told);
  assertEquals([watch.hasExited(), watch.exitedSync({ timeoutMs: 0 })], [true, true]);
  await watch.exited(); // and again, later
  const { signal } = await child.finished();
  assertEquals(signal, "SIGKILL");
  assertEquals(watch.signal("SIGTERM"), false); // its parent knows: there is nobody any more
});

test("ProcessWatch.exitedSync() comes back when the process has ended", async () => {
  await using child = sleeper();
  using watch = ProcessWatch.open(identityOf(child.pid)!)!;
  assertEquals(watch.signal("SIGTERM"), true);
  assertEquals(watch.exitedSync({ timeoutMs: 20_000 }), true);
  assertEquals((await child.finished()).signal, "SIGTERM");
});

test("ProcessWatch.signal() sends that signal", async () => {
  await using child = sleeper();
  using watch = ProcessWatch.open(identityOf(child.pid)!)!;
  assertEquals(watch.signal("SIGUSR2"), true);
  assertEquals((await child.finished()).signal, "SIGUSR2");
});

test("ProcessWatch.open() is undefined for a child that has ended and was waited for", async () => {
  const child = sleeper();
  const identity = identityOf(child.pid)!;
  child.kill();
  await child.finished();
  assertEquals(ProcessWatch.open(identity), undefined);
  await child[Symbol.asyncDispose]();
});

test("ProcessWatch.ofParent() is told of the parent's end", async () => {
  // A process between, which is killed, and whose child tells us.
  const inner = `
    import { ProcessWatch } from "@postbox/postbox/src/life/process_watch.ts";
    const watch = ProcessWatch.ofParent();
    console.log(watch.pid);
    await watch.exited();
    console.log(ProcessWatch.ofParent()?.pid !== watch.pid);
  `;
  const between = `import { spawn } from "node:child_process";
    import process from "node:process";
    const args = JSON.parse(process.argv[2]);
    spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit"] });
    setInterval(() => {}, 1000);`;
  const args = [...evalArgs(between, { permissions: ["-A"] }), JSON.stringify(evalArgs(inner))];
  await using child = new Child(execPath(), args);
  assertEquals(Number(await within("the watch", child.line())), child.pid);
  child.kill();
  assertEquals(await within("its end", child.line()), "true");
});

test("a killed process gives its bytes back", async () => {
  using object = memoryName();
  using memory = SharedMemory.create(object.name, { byteLength: 1 });
  using locks = new ByteLocks(descriptorOf(memory), object.name);
  await using child = Child.program(
    `import process from "node:process";
    import { SharedMemory } from "@postbox/postbox";
    import { ByteLocks } from "@postbox/postbox/src/life/byte_locks.ts";
    import { descriptorOf } from "@postbox/postbox/src/shm/inside.ts";
    const memory = SharedMemory.open(process.argv[2]);
    console.log(new ByteLocks(descriptorOf(memory), "locks").tryHold(9));
    setInterval(() => {}, 1000);`,
    object.name,
  );
  assertEquals(await within("the lock", child.line()), "true");
  assertEquals([locks.isHeld(9), locks.tryHold(9)], [true, false]);
  child.kill();
  await child.finished();
  assertEquals([locks.isHeld(9), locks.tryHold(9)], [false, true]);
});

test("a terminated worker's bytes come back when its table is closed", {
  not: { bun: "Bun crashes when a worker is terminated that has mapped shared memory" },
}, async () => {
  using object = memoryName();
  const worker = linked(`
    import { parentPort, workerData } from "node:worker_threads";
    import { DescriptorTable, SharedMemory } from "@postbox/postbox";
    import { ByteLocks } from "@postbox/postbox/src/life/byte_locks.ts";
    import { descriptorOf } from "@postbox/postbox/src/shm/inside.ts";
    DescriptorTable.attach(workerData.table);
    // Kept mapped, and reachable: nothing is collected before the worker's end.
    globalThis.memory = SharedMemory.open(workerData.name);
    globalThis.locks = new ByteLocks(descriptorOf(memory), "locks");
    parentPort.postMessage(locks.tryHold(1));
  `);
  const { code, stdout, stderr } = await runProgram(
    `import { once } from "node:events";
    import process from "node:process";
    import { Worker } from "node:worker_threads";
    import { DescriptorTable, SharedMemory } from "@postbox/postbox";
    import { ByteLocks } from "@postbox/postbox/src/life/byte_locks.ts";
    import { descriptorOf } from "@postbox/postbox/src/shm/inside.ts";
    const [name] = process.argv.slice(2);
    const memory = SharedMemory.create(name, { byteLength: 1 });
    const locks = new ByteLocks(descriptorOf(memory), "locks");
    const table = DescriptorTable.create();
    const url = new URL("data:text/javascript," + encodeURIComponent(${JSON.stringify(worker)}));
    const worker = new Worker(url, { workerData: { table: table.buffer, name } });
    const [taken] = await once(worker, "message");
    const before = locks.isHeld(1);
    await worker.terminate();
    await table.close();
    console.log(JSON.stringify([taken, before, locks.isHeld(1)]));`,
    { args: [object.name], permissions: ["--allow-read", ...FFI_ONLY] },
  );
  assertEquals([code, stdout, stderr], [0, "[true,true,false]\n", ""]);
});
