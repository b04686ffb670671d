/**
 * Anonymous memory handed on: to a child as a descriptor, to a worker as a buffer.
 *
 * Rule: what is counted is counted exactly, by both at once, and what was sealed stays sealed.
 */

import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { assert, assertEquals, assertGreaterOrEqual } from "../assert.ts";
import { test } from "../harness.ts";
import { Segment, SharedMemory, type StdioEntry } from "../../mod.ts";
import "../support/loaded.ts";
import { hex } from "../support/peer.ts";
import { compileC, type Finished, run, temporaryFolder } from "../support/process.ts";
import { evalArgs, execPath, FFI_ONLY, linked, moduleUrl } from "../support/runtime.ts";
import { runWith } from "../support/spawned.ts";
import { addTogether, until } from "../support/until.ts";

type Stdio = readonly StdioEntry[];

/** A program given as text, with FFI alone, that gets descriptors. */
function child(code: string, stdioFrom: (stdio: Stdio) => StdioEntry[]): Promise<Finished> {
  return runWith(stdioFrom, execPath(), evalArgs(code));
}

function assertPrinted({ code, stdout, stderr }: Finished, expected: string) {
  assertEquals([code, stdout.trimEnd(), stderr], [0, expected, ""]);
}

const ADDS = 2_000_000;

/** The other side of {@linkcode addTogether}. */
const addInChild = `
  const gun = new Int32Array(memory.buffer, 0, 2), sum = new BigInt64Array(memory.buffer, 64, 1);
  Atomics.store(gun, 1, 1);
  while (Atomics.load(gun, 0) === 0);
  for (let i = 0; i < ${ADDS}; i++) Atomics.add(sum, 0, 1n);
  Atomics.store(gun, 1, 2);
`;

/** Adds 64-bit ones as long as the other side does, and says how many. */
async function countTogether(buffer: SharedArrayBuffer): Promise<bigint> {
  const sum = new BigInt64Array(buffer, 64, 1);
  return BigInt(await addTogether(new Uint32Array(buffer, 0, 2), () => Atomics.add(sum, 0, 1n)));
}

const sumOf = (buffer: SharedArrayBuffer) => Atomics.load(new BigInt64Array(buffer, 64, 1), 0);

test("SharedMemory.inheritAs() gives a child memory that both count in, exactly", async () => {
  using memory = SharedMemory.anonymous({ byteLength: 128 });
  const finished = child(
    `
      import { SharedMemory } from "@postbox/postbox";
      using memory = SharedMemory.fromInherited(3, { byteLength: 128 });
      ${addInChild}
      console.log(memory.byteLength, memory.status().linked);
    `,
    (stdio) => memory.inheritAs(3, stdio),
  );
  const ours = await countTogether(memory.buffer);
  assertPrinted(await finished, "128 false");
  assertGreaterOrEqual(Number(ours), 1000);
  assertEquals(sumOf(memory.buffer), BigInt(ADDS) + ours);
});

test("SharedMemory.inheritAs() gives a child two memories as 3 and 4, each its own", async () => {
  using third = SharedMemory.anonymous({ byteLength: 64, label: "third" });
  using fourth = SharedMemory.anonymous({ byteLength: 128, label: "fourth" });
  third.write("three");
  fourth.write("four!");
  const finished = await child(
    `
      import { SharedMemory } from "@postbox/postbox";
      const text = (memory) => new TextDecoder().decode(memory.read({ byteLength: 5 }));
      using third = SharedMemory.fromInherited(3);
      using fourth = SharedMemory.fromInherited(4);
      console.log(third.byteLength, text(third), fourth.byteLength, text(fourth));
      third.write("3", { offset: 8 });
      fourth.write("4", { offset: 8 });
    `,
    (stdio) => fourth.inheritAs(4, third.inheritAs(3, stdio)),
  );
  assertPrinted(finished, "64 three 128 four!");
  assertEquals([third.bytes[8], fourth.bytes[8]], [..."34"].map((digit) => digit.charCodeAt(0)));
});

test("SharedMemory.inheritAs() leaves a gap that the child sees as no descriptor of ours", async () => {
  using memory = SharedMemory.anonymous({ byteLength: 64 });
  const finished = await child(
    `
      import { LayoutError, SharedMemory } from "@postbox/postbox";
      using memory = SharedMemory.fromInherited(5);
      try {
        SharedMemory.fromInherited(4);
      } catch (error) {
        console.log(memory.byteLength, error instanceof LayoutError || error.code);
      }
    `,
    (stdio) => memory.inheritAs(5, stdio),
  );
  assert(["64 true", "64 EBADF"].includes(finished.stdout.trim()), finished.stdout);
  assertEquals([finished.code, finished.stderr], [0, ""]);
});

/** Prints how the call in it fails. */
const failing = (call: string) => `
  import { SharedMemory } from "@postbox/postbox";
  try {
    ${call}
    console.log("no error");
  } catch (error) {
    const { name, code, syscall, target, found, expected } = error;
    console.log(JSON.stringify({ name, code, syscall, target, found, expected }));
  }
`;

test("SharedMemory.grow() in a child gives EPERM when the parent sealed it", async () => {
  using memory = SharedMemory.anonymous({ byteLength: 64, seal: ["shrink", "grow", "seal"] });
  const finished = await child(
    failing(`
      using memory = SharedMemory.fromInherited(3, {
        seal: ["shrink", "grow", "seal"], maxByteLength: 8192,
      });
      memory.bytes[0] = 1;
      memory.grow(8192);
    `),
    (stdio) => memory.inheritAs(3, stdio),
  );
  const error = {
    name: "PosixError",
    code: "EPERM",
    syscall: "posix_fallocate",
    target: "descriptor 3",
  };
  assertPrinted(finished, JSON.stringify(error));
  assertEquals([memory.bytes[0], memory.status().byteLength], [1, 64]);
});

test("SharedMemory.grow() in a child is seen by the parent when growing is not sealed", async () => {
  using memory = SharedMemory.anonymous({ byteLength: 64, maxByteLength: 8192 });
  const finished = await child(
    failing(`
      using memory = SharedMemory.fromInherited(3, { maxByteLength: 8192 });
      memory.grow(8192);
      memory.bytes[8191] = 7;
    `),
    (stdio) => memory.inheritAs(3, stdio),
  );
  assertPrinted(finished, "no error");
  memory.grow(8192);
  assertEquals(memory.bytes[8191], 7);
});

test("SharedMemory.fromInherited() throws LayoutError when a seal is missing", async () => {
  using memory = SharedMemory.anonymous({ byteLength: 64, seal: ["shrink"] });
  const finished = await child(
    failing(`SharedMemory.fromInherited(3, { seal: ["shrink", "grow"] });`),
    (stdio) => memory.inheritAs(3, stdio),
  );
  const error = {
    name: "LayoutError",
    target: "descriptor 3",
    found: "the seals shrink",
    expected: "a memfd with the seals shrink, grow",
  };
  assertPrinted(finished, JSON.stringify(error));
});

test("SharedMemory.fromInherited() throws LayoutError when it is too short", async () => {
  using memory = SharedMemory.anonymous({ byteLength: 64 });
  const finished = await child(
    failing("SharedMemory.fromInherited(3, { byteLength: 65 });"),
    (stdio) => memory.inheritAs(3, stdio),
  );
  const error = {
    name: "LayoutError",
    target: "descriptor 3",
    found: "64 bytes",
    expected: "at least 65 bytes",
  };
  assertPrinted(finished, JSON.stringify(error));
});

test("SharedMemory.fromInherited() throws LayoutError for a file, which could shrink", async () => {
  using folder = temporaryFolder();
  const file = `${folder.path}/file`;
  writeFileSync(file, "");
  const program = evalArgs(failing("SharedMemory.fromInherited(3);"));
  const finished = await run("sh", {
    args: ["-c", 'exec "$@" 3<"$0"', file, execPath(), ...program],
  });
  const error = {
    name: "LayoutError",
    target: "descriptor 3",
    found: "a descriptor that is no memfd",
    expected: "a memfd with the seals shrink",
  };
  assertPrinted(finished, JSON.stringify(error));
});

test("SharedMemory.fromInherited() with access r follows memory sealed with future-write", async () => {
  using memory = SharedMemory.anonymous({ byteLength: 64, seal: ["shrink", "future-write"] });
  memory.bytes[0] = 1;
  const finished = child(
    `
      import { SharedMemory } from "@postbox/postbox";
      using memory = SharedMemory.fromInherited(3, {
        access: "r", seal: ["shrink", "future-write"],
      });
      const words = new Int32Array(memory.buffer, 0, 16);
      while (Atomics.load(words, 1) !== 99);
      console.log(words[0], Atomics.load(words, 1));
      memory.bytes[32] = 77; // stays in the child
    `,
    (stdio) => memory.inheritAs(3, stdio),
  );
  Atomics.store(new Int32Array(memory.buffer, 0, 16), 1, 99);
  assertPrinted(await finished, "1 99");
  assertEquals(memory.bytes[32], 0);
});

test("SharedMemory.fromInherited() with access rw gives EPERM when sealed with future-write", async () => {
  using memory = SharedMemory.anonymous({ byteLength: 64, seal: ["shrink", "future-write"] });
  const finished = await child(
    failing("SharedMemory.fromInherited(3);"),
    (stdio) => memory.inheritAs(3, stdio),
  );
  const error = { name: "PosixError", code: "EPERM", syscall: "mmap", target: "descriptor 3" };
  assertPrinted(finished, JSON.stringify(error));
});

test("SharedMemory.fromInherited() does not hand the memory on to a child's child", async () => {
  using memory = SharedMemory.anonymous({ byteLength: 64 });
  const code = `
    import { spawnSync } from "node:child_process";
    import { SharedMemory } from "@postbox/postbox";
    const count = (...more) => {
      const stdio = ["ignore", "pipe", "inherit", ...more];
      const { stdout } = spawnSync("sh", ["-c", "ls -l /proc/self/fd | grep -c memfd:"], { stdio });
      return stdout.toString().trim();
    };
    using memory = SharedMemory.fromInherited(3);
    console.log(count(), count(3));
  `;
  const finished = await runWith(
    (stdio) => memory.inheritAs(3, stdio),
    execPath(),
    evalArgs(code, { permissions: [...FFI_ONLY, "--allow-run", "--allow-env"] }),
  );
  assertPrinted(finished, "0 1"); // only a child that is meant to have it has it
});

test("SharedMemory.inheritAs() gives a C program memory that both count in, exactly", async () => {
  using memory = SharedMemory.anonymous({ byteLength: 128 });
  using program = await compileC(new URL("./memory_peer.c", import.meta.url));
  const commands = `adopt 3\nwrite 100 ${hex("from C")}\nadd64 64 ${5 * ADDS}\n`;
  const finished = runWith(
    (stdio) => memory.inheritAs(3, stdio),
    "sh",
    ["-c", 'printf "$1" | "$0" unused', program.path, commands],
  );
  const ours = await countTogether(memory.buffer);
  assertPrinted(await finished, "128\nok\nok");
  assertEquals(new TextDecoder().decode(memory.bytes.slice(100, 106)), "from C");
  assertEquals(sumOf(memory.buffer), 5n * BigInt(ADDS) + ours);
});

/** A worker that attaches to the first buffer it is posted. It is terminated at the end. */
function worker(code: string): Worker & AsyncDisposable {
  const source = `
    import { parentPort } from "node:worker_threads";
    import { Segment } from "${moduleUrl("mod.ts")}";
    parentPort.once("message", (buffer) => {
      const segment = Segment.attach(buffer);
      ${code}
    });
  `;
  const started = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
  return Object.assign(started, {
    [Symbol.asyncDispose]: async () => {
      await started.terminate();
    },
  });
}

/** What the worker says next; rejects when it fails. */
async function said(from: Worker): Promise<unknown> {
  const [answer] = await once(from, "message");
  return answer;
}

test("Segment.attach() in a worker counts with the parent, exactly", async () => {
  using memory = SharedMemory.anonymous({ byteLength: 128 });
  await using other = worker(`
    const memory = segment;
    ${addInChild}
    parentPort.postMessage([segment.byteLength, segment.maxByteLength]);
  `);
  const answer = said(other);
  other.postMessage(memory.buffer);
  const ours = await countTogether(memory.buffer);
  assertEquals(await answer, [128, 128]);
  assertEquals(sumOf(memory.buffer), BigInt(ADDS) + ours);
});

test("Atomics.wait() in a worker is woken by Atomics.notify() in the parent", async () => {
  using memory = SharedMemory.anonymous({ byteLength: 64 });
  await using other = worker(`
    const words = new Int32Array(segment.buffer, 0, 16);
    parentPort.postMessage(Atomics.wait(words, 0, 0));
  `);
  const answer = said(other);
  other.postMessage(memory.buffer);
  const words = new Int32Array(memory.buffer, 0, 16);
  // Without a store to word 0, so only the notification can wake it.
  await until("the worker waits", () => Atomics.notify(words, 0, 1) === 1);
  assertEquals(await answer, "ok");
});

test("Atomics.waitAsync() in the parent is woken by Atomics.notify() in a worker", async () => {
  using memory = SharedMemory.anonymous({ byteLength: 64 });
  await using other = worker(`
    const words = new Int32Array(segment.buffer, 0, 16);
    Atomics.store(words, 1, 5);
    parentPort.postMessage(Atomics.notify(words, 0));
  `);
  const words = new Int32Array(memory.buffer, 0, 16);
  const wait = Atomics.waitAsync(words, 0, 0);
  assert(wait.async);
  const answer = said(other);
  other.postMessage(memory.buffer);
  assertEquals([await wait.value, await answer, Atomics.load(words, 1)], ["ok", 1, 5]);
});

test("SharedMemory.grow() in the parent is seen by a worker that attached before", async () => {
  using memory = SharedMemory.anonymous({ byteLength: 4096, maxByteLength: 8192 });
  await using other = worker(`
    const words = new Int32Array(segment.buffer, 0, 16);
    const before = segment.byteLength;
    Atomics.store(words, 0, 1);
    while (Atomics.load(words, 0) === 1);
    segment.bytes[8191] = 7;
    parentPort.postMessage([before, segment.byteLength, segment.bytes.byteLength]);
  `);
  const answer = said(other);
  other.postMessage(memory.buffer);
  const words = new Int32Array(memory.buffer, 0, 16);
  await until("the worker is there", () => Atomics.load(words, 0) === 1);
  memory.grow(8192);
  Atomics.store(words, 0, 2);
  assertEquals(await answer, [4096, 8192, 8192]);
  assertEquals(memory.bytes[8191], 7);
});

test("SharedMemory.close() shows zeros to a worker that still reads and writes", async () => {
  const memory = SharedMemory.anonymous({ byteLength: 65536 });
  const { buffer } = memory;
  memory.bytes.fill(1);
  await using other = worker(`
    const { bytes } = segment;
    const words = new Int32Array(segment.buffer, 0, 16);
    let ones = 0, others = 0;
    const readAll = () => {
      for (let at = 0; at < bytes.length; at += 1024) {
        const value = bytes[at];
        if (value === 1) ones++; else if (value !== 0) others++;
      }
    };
    readAll();
    parentPort.postMessage("reading");
    const deadline = performance.now() + 20_000;
    while (Atomics.load(words, 8) !== 0 && performance.now() < deadline) readAll();
    let rest = 0;
    for (let at = 0; at < bytes.length; at++) rest += bytes[at];
    bytes[5] = 9; // goes nowhere
    Atomics.add(words, 8, 1);
    parentPort.postMessage({ readOnes: ones >= 64, others, rest });
  `);
  let answer = said(other);
  other.postMessage(memory.buffer);
  assertEquals(await answer, "reading");
  answer = said(other);
  memory.close();
  assertEquals(await answer, { readOnes: true, others: 0, rest: 0 });
  // The worker's own view of the closed memory can still be attached to, and crashes nobody.
  using stale = Segment.attach(buffer);
  assertEquals(stale.byteLength, 65536);
});

test("SharedMemory.fromInherited() in a worker cannot close what another thread has", async () => {
  const worker = `
    import { SharedMemory } from "@postbox/postbox";
    import { parentPort, workerData } from "node:worker_threads";
    try {
      SharedMemory.fromInherited(workerData).close();
    } catch (error) {
      if (error.name !== "LayoutError") throw error; // refused, where that can be known
    }
    parentPort.postMessage("done");
  `;
  const finished = await run(execPath(), {
    args: evalArgs(
      `
      import { Worker } from "node:worker_threads";
      import { SharedMemory } from "@postbox/postbox";
      const memory = SharedMemory.anonymous({ byteLength: 64 });
      const fd = memory.inheritAs(3)[3];
      const source = ${JSON.stringify(linked(worker))};
      const url = new URL("data:text/javascript," + encodeURIComponent(source));
      const thread = new Worker(url, { workerData: fd });
      await new Promise((resolve, reject) => thread.once("message", resolve).once("error", reject));
      await thread.terminate();
      using other = SharedMemory.anonymous({ byteLength: 64 });
      memory.write("x");
      console.log(memory.read({ byteLength: 1 })[0], other.bytes[0]);
    `,
      { permissions: ["--allow-read", ...FFI_ONLY] },
    ),
  });
  assertPrinted(finished, "120 0");
});
