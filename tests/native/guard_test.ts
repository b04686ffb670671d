/**
 * What a peer cuts off: without the guard it ends the process, with it the process lives and is told.
 *
 * Programs of their own, for what goes wrong ends them. They cut the objects off themselves, by
 * truncate(2) as a peer would: it is the same object, whoever does it.
 */

import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { test } from "../harness.ts";
import { NATIVE, NEEDS_NATIVE } from "../support/native.ts";
import { Child, type Finished, runProgram, temporaryFolder } from "../support/process.ts";
import { evalArgs, execPath, linked, RUNTIME } from "../support/runtime.ts";
import { until } from "../support/until.ts";

/** Deno lets nobody change what is in /dev who may not do everything. */
const PERMISSIONS = ["--allow-all", "--quiet"];

/** No choice by the environment, whatever that of the tests says. */
const env = { POSTBOX_NATIVE: "" };

const SETUP = `
  import { ftruncateSync, openSync, truncateSync, writeFileSync } from "node:fs";
  import process from "node:process";
  import {
    f64, LayoutError, MappedFile, mutex, record, Region, SharedMemory, struct, u32, uniqueName, useNative,
  } from "@postbox/postbox";
  const NATIVE = process.argv[2];
  if (NATIVE !== "") useNative(NATIVE);
  const PAGE = 4096;
  /** Memory that has lost its name, and what cuts it off. */
  const makeMemory = (byteLength) => {
    const name = uniqueName("guard");
    const memory = SharedMemory.create(name, { byteLength, maxByteLength: 4 * byteLength });
    const fd = openSync("/dev/shm" + name, "r+");
    SharedMemory.unlink(name);
    return { memory, cutTo: (bytes) => ftruncateSync(fd, bytes) };
  };
  const thrown = (body) => { try { body(); return "nothing"; } catch (error) { return error.name; } };
`;

const run = (code: string, native: string): Promise<Finished> =>
  runProgram(SETUP + code, { args: [native], permissions: PERMISSIONS, env });

const TOUCH = `
  const { memory, cutTo } = makeMemory(4 * PAGE);
  const bytes = memory.bytes.fill(7);
  cutTo(PAGE);
  console.log(bytes[0], bytes[2 * PAGE], bytes[4 * PAGE - 1]);
  bytes[3 * PAGE] = 5; // reaches nobody
  console.log(bytes[3 * PAGE], thrown(() => memory.bytes), thrown(() => memory.buffer));
  console.log(memory.read({ byteLength: 2 }).join(), memory.closed);
`;

test("memory that a peer cuts off ends the process without the driver", async () => {
  const { signal, stdout } = await run(TOUCH, "");
  assertEquals(stdout, "");
  assert(signal !== null, "it lived");
});

test(
  "memory that a peer cuts off reads zeros, and the next use says so",
  NEEDS_NATIVE,
  async () => {
    const { code, stdout, stderr } = await run(TOUCH, NATIVE);
    assertEquals([code, stdout], [0, "7 0 0\n5 LayoutError LayoutError\n7,7 false\n"], stderr);
  },
);

test(
  "what grew is guarded to its new end, and closing puts an end to it",
  NEEDS_NATIVE,
  async () => {
    const { code, stdout, stderr } = await run(
      `const { memory, cutTo } = makeMemory(PAGE);
     memory.grow(3 * PAGE);
     const bytes = memory.bytes;
     cutTo(0);
     console.log(bytes[3 * PAGE - 1], thrown(() => memory.grow(4 * PAGE)));
     memory.close();
     memory.close();
     console.log(bytes[0], thrown(() => memory.bytes));
     const another = makeMemory(PAGE).memory;
     console.log(another.byteLength, another.bytes[0]);`,
      NATIVE,
    );
    assertEquals([code, stdout], [0, "0 LayoutError\n0 ClosedError\n4096 0\n"], stderr);
  },
);

test("closed memory gives its place in the table back", NEEDS_NATIVE, async () => {
  const { code, stdout, stderr } = await run(
    `// More than there is room for at a time (native/src/places.rs).
     const kept = []; // so that no address is used twice, and nothing is collected
     for (let i = 0; i < 5000; i++) {
       const closed = SharedMemory.anonymous({ byteLength: PAGE });
       kept.push(closed.buffer);
       closed.close();
     }
     const { memory, cutTo } = makeMemory(PAGE), { bytes } = memory;
     cutTo(0);
     console.log(bytes[0], thrown(() => memory.bytes), kept.length);`,
    NATIVE,
  );
  assertEquals([code, stdout], [0, "0 LayoutError 5000\n"], stderr);
});

test("fields of a region say that it was cut off", NEEDS_NATIVE, async () => {
  const { code, stdout, stderr } = await run(
    `const name = uniqueName("guard");
     const schema = struct("guarded", { hits: u32, last: record({ ratio: f64 }) });
     const region = Region.create(name, schema);
     try {
       region.fields.hits.store(3);
       truncateSync("/dev/shm" + name, 0);
       console.log(region.fields.hits.load(), thrown(() => region.fields.hits.load()));
       console.log(thrown(() => region.fields.hits.store(1)), thrown(() => region.snapshot()));
       console.log(thrown(() => region.fields.last.read()), thrown(() => region.buffer));
     } finally {
       SharedMemory.unlink(name);
       region.close();
     }`,
    NATIVE,
  );
  const four = "LayoutError LayoutError\n";
  assertEquals([code, stdout], [0, `0 LayoutError\n${four}${four}`], stderr);
});

test(
  "a lock that is cut off is refused, and one that is held can be given back",
  NEEDS_NATIVE,
  async () => {
    const { code, stdout, stderr } = await run(
      `const name = uniqueName("guard");
     const region = Region.create(name, struct("locked", { lock: mutex, other: mutex }));
     try {
       const guard = region.fields.lock.tryLock();
       truncateSync("/dev/shm" + name, 0);
       guard.unlock(); // C finds the page gone, and lives
       console.log(thrown(() => region.fields.lock.tryLock()));
       console.log(thrown(() => region.fields.other.lockSync({ timeoutMs: 1 })));
     } finally {
       SharedMemory.unlink(name);
       region.close();
     }`,
      NATIVE,
    );
    assertEquals([code, stdout], [0, "LayoutError\nLayoutError\n"], stderr);
  },
);

test(
  "a lock that was cut off while it was held leaves the next locks of its thread alone",
  { ...NEEDS_NATIVE, not: { bun: "it has no such flag" } },
  async () => {
    const { code, signal, stdout, stderr } = await runProgram(
      `${SETUP}
       const locked = struct("locked", { lock: mutex });
       /** C takes no lock of the region out of the thread's list, for it finds zeros there. */
       function cutWhileHeld(registry) {
         const name = uniqueName("guard"), region = Region.create(name, locked);
         const { buffer } = region, guard = region.fields.lock.tryLock();
         truncateSync("/dev/shm" + name, 0);
         guard.unlock();
         SharedMemory.unlink(name);
         registry.register(buffer, 0);
         region.close();
       }
       let isCollected = false;
       const registry = new FinalizationRegistry(() => isCollected = true);
       cutWhileHeld(registry);
       while (!isCollected) { gc(); await new Promise((resolve) => setTimeout(resolve, 1)); }
       for (let turn = 0; turn < 10; turn++) { gc(); await new Promise((resolve) => setTimeout(resolve, 1)); }
       const name = uniqueName("guard"), region = Region.create(name, locked);
       SharedMemory.unlink(name);
       for (let round = 0; round < 3; round++) region.fields.lock.tryLock().unlock();
       console.log("alive");
       region.close();`,
      { args: [NATIVE], permissions: PERMISSIONS, env, v8Flags: ["expose-gc"] },
    );
    assertEquals([code, signal, stdout], [0, null, "alive\n"], stderr);
  },
);

test("rings, semaphores and events say that their memory was cut off", NEEDS_NATIVE, async () => {
  const { code, stdout, stderr } = await run(
    `import { Event, EVENT_BYTES, Semaphore, SEMAPHORE_BYTES, SpscRing } from "@postbox/postbox";
     const ringBytes = SpscRing.bytesFor(4096);
     const { memory, cutTo } = makeMemory(4 * PAGE);
     const part = (from, byteLength) => memory.bytes.subarray(from, from + byteLength);
     const ring = SpscRing.format(part(0, ringBytes), { capacityBytes: 4096 });
     const semaphore = Semaphore.format(part(3 * PAGE, SEMAPHORE_BYTES));
     const event = Event.format(part(3 * PAGE + 1024, EVENT_BYTES));
     const producer = ring.producer(), consumer = ring.consumer();
     producer.tryPush("x");
     cutTo(0);
     console.log(thrown(() => producer.tryPush("y")), thrown(() => producer.tryPush("z")));
     console.log(thrown(() => consumer.tryPop()), thrown(() => ring.usedBytes));
     console.log(await producer.push("w").catch(({ name }) => name), await consumer.pop().catch(({ name }) => name));
     console.log(thrown(() => semaphore.release()), thrown(() => semaphore.tryAcquire()));
     console.log(thrown(() => event.set()), thrown(() => event.waitSync({ timeoutMs: 1 })));
     process.exit(0);`,
    NATIVE,
  );
  assertEquals([code, stdout], [0, "LayoutError LayoutError\n".repeat(5)], stderr);
});

test(
  "a mapped file that is cut off reads zeros, and the next use says so",
  NEEDS_NATIVE,
  async () => {
    using folder = temporaryFolder();
    const { code, stdout, stderr } = await run(
      `const path = ${JSON.stringify(`${folder.path}/file`)};
     for (const mapping of ["read", "private", "shared"]) {
       writeFileSync(path, new Uint8Array(3 * PAGE).fill(7));
       const file = MappedFile.open(path, { mapping }), { bytes } = file;
       truncateSync(path, PAGE);
       console.log(bytes[0], bytes[2 * PAGE], thrown(() => file.bytes));
       file.close();
     }`,
      NATIVE,
    );
    assertEquals([code, stdout], [0, "7 0 LayoutError\n".repeat(3)], stderr);
  },
);

/** Two threads read and write what the main thread cuts off, again and again. */
const LOAD = `
  import { once } from "node:events";
  import { Worker } from "node:worker_threads";
  const hammer = new URL("data:text/javascript," + encodeURIComponent(\`
    import { parentPort } from "node:worker_threads";
    parentPort.on("message", ({ buffer, gate }) => {
      const words = new Int32Array(gate), bytes = new Uint8Array(buffer);
      Atomics.add(words, 0, 1);
      for (let at = 0, turn = 0; Atomics.load(words, 1) === 0; turn++) {
        at = (at + 4099 * 7) % bytes.length;
        if (turn & 1) bytes[at] = turn; else Atomics.load(bytes, at);
      }
      parentPort.postMessage("out");
    });\`));
  const workers = [new Worker(hammer), new Worker(hammer)];
  let told = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const { memory, cutTo } = makeMemory(32 * PAGE);
    const gate = new SharedArrayBuffer(8), words = new Int32Array(gate);
    const out = workers.map((worker) => once(worker, "message"));
    for (const worker of workers) worker.postMessage({ buffer: memory.buffer, gate });
    while (Atomics.load(words, 0) < 2) await new Promise((resolve) => setTimeout(resolve, 0));
    cutTo((round % 32) * PAGE);
    // Without a call in between: no optimiser may keep what it read once.
    try { for (;;) memory.bytes; } catch (error) { if (error.name === "LayoutError") told++; }
    if (round % 2 === 0) memory.close(); // under those who touch it
    Atomics.store(words, 1, 1);
    await Promise.all(out);
    memory.close();
  }
  console.log(told);
  for (const worker of workers) worker.terminate();
`;

test("a process lives while a peer cuts off what its threads use", NEEDS_NATIVE, async () => {
  const { code, stdout, stderr } = await run(`const ROUNDS = 60;${LOAD}`, NATIVE);
  assertEquals([code, stdout], [0, "60\n"], stderr);
});

/** A worker that was posted the buffer of memory, and uses it when it is told to. */
const POSTED = `
  import { once } from "node:events";
  import { Worker } from "node:worker_threads";
  const source = ${
  JSON.stringify(linked(`
    import { parentPort, workerData } from "node:worker_threads";
    import { Segment, useNative } from "@postbox/postbox";
    useNative(workerData);
    let segment, bytes;
    parentPort.on("message", (buffer) => {
      if (buffer === "use") {
        const read = [bytes[0], bytes.at(-1)];
        let thrown = "nothing";
        try { segment.bytes; } catch (error) { thrown = error.name; }
        parentPort.postMessage([...read, thrown].join(" "));
      } else {
        segment = Segment.attach(buffer);
        bytes = segment.bytes;
        parentPort.postMessage("attached");
      }
    });
  `))
};
  const url = new URL("data:text/javascript," + encodeURIComponent(source));
  const worker = new Worker(url, { workerData: NATIVE });
  const ask = async (message) => {
    const answer = once(worker, "message");
    worker.postMessage(message);
    return (await answer)[0];
  };
`;

test("a worker that was posted the memory lives, and is told as well", NEEDS_NATIVE, async () => {
  const { code, stdout, stderr } = await run(
    `${POSTED}
     const { memory, cutTo } = makeMemory(2 * PAGE);
     memory.bytes.fill(7);
     console.log(await ask(memory.buffer), await ask("use"));
     cutTo(PAGE);
     console.log(await ask("use"), thrown(() => memory.bytes));
     const other = makeMemory(PAGE);
     other.memory.bytes.fill(5);
     console.log(await ask(other.memory.buffer), await ask("use"));
     other.memory.close(); // the worker is not told of that, and reads zeros
     console.log(await ask("use"));
     worker.terminate();`,
    NATIVE,
  );
  const said = "attached 7 7 nothing\n7 0 LayoutError LayoutError\nattached 5 5 nothing\n";
  assertEquals([code, stdout], [0, `${said}0 0 nothing\n`], stderr);
});

test(
  "memory whose handle was collected is guarded for the worker that has its buffer",
  { ...NEEDS_NATIVE, not: { bun: "it has no such flag" } },
  async () => {
    const { code, stdout, stderr } = await runProgram(
      `${SETUP}${POSTED}
       let isCollected = false;
       const registry = new FinalizationRegistry(() => isCollected = true);
       registry.register(post(), 0);
       function post() {
         const { memory, cutTo } = makeMemory(2 * PAGE);
         memory.bytes.fill(7);
         globalThis.cutTo = cutTo;
         worker.postMessage(memory.buffer);
         return memory.buffer;
       }
       await once(worker, "message");
       while (!isCollected) { gc(); await new Promise((resolve) => setTimeout(resolve, 1)); }
       await new Promise((resolve) => setTimeout(resolve, 1)); // the library's own registry
       globalThis.cutTo(PAGE);
       console.log(await ask("use"));
       worker.terminate();`,
      { args: [NATIVE], permissions: PERMISSIONS, env, v8Flags: ["expose-gc"] },
    );
    assertEquals([code, stdout], [0, "7 0 LayoutError\n"], stderr);
  },
);

/** What ends a program, and what it says then: with the driver the same as without it. */
async function withAndWithout(code: string, v8Flags: string[] = []): Promise<Finished[]> {
  const options = { permissions: PERMISSIONS, v8Flags, env };
  return await Promise.all(
    ["", NATIVE].map((native) =>
      runProgram(`${SETUP}makeMemory(PAGE);${code}`, {
        ...options,
        args: [native],
      })
    ),
  );
}

const OVERFLOW = `const deeper = (n) => { try { return deeper(n + 1) + 1; } finally { n++; } };`;

test("too deep a recursion is a RangeError as before", NEEDS_NATIVE, async () => {
  const ends = await withAndWithout(`${OVERFLOW} console.log(thrown(() => deeper(0)));`);
  for (const { code, stdout, stderr } of ends) {
    assertEquals([code, stdout], [0, "RangeError\n"], stderr);
  }
});

test(
  "a real overflow of the stack is reported as before",
  { ...NEEDS_NATIVE, not: { bun: "JavaScriptCore has no such flag" } },
  async () => {
    // V8 believes that the stack is larger than it is.
    const [plain, native] = await withAndWithout(`${OVERFLOW} deeper(0);`, ["stack-size=65500"]);
    assert(plain!.signal !== null, plain!.stderr);
    assertEquals(native!.signal, plain!.signal);
    if (RUNTIME === "deno") assertStringIncludes(native!.stderr, "overflowed its stack");
    const words = (text: string) => text.replace(/\(\d+\)/g, "").trim();
    assertEquals(words(native!.stderr), words(plain!.stderr));
  },
);

test("SIGBUS that somebody sends does what it did before", NEEDS_NATIVE, async () => {
  const program = `${SETUP}makeMemory(PAGE);
    console.log("ready");
    setTimeout(() => {}, 30_000);`;
  const ends: unknown[] = [];
  for (const native of ["", NATIVE]) {
    const args = [...evalArgs(program, { permissions: PERMISSIONS }), native];
    await using child = new Child(execPath(), args, env);
    assertEquals(await child.line(), "ready");
    let end: Finished | undefined;
    child.finished().then((finished) => end = finished);
    // More than once: Deno's own handler only takes itself away at the first.
    await until("SIGBUS to end it", () => {
      child.kill("SIGBUS");
      return end !== undefined;
    });
    ends.push(end!.signal);
  }
  assertEquals(ends[1], ends[0]);
  assertEquals(ends[0], "SIGBUS");
});
