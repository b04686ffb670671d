/**
 * Mutex between processes, with C on the same lock: who waits is woken, and whoever dies with it,
 * however that happens, the next one gets it and is told.
 */

import process from "node:process";
import "../support/loaded.ts";
import { assert, assertEquals, assertGreaterOrEqual, assertRejects } from "../assert.ts";
import { test, type TestOptions } from "../harness.ts";
import { Mutex, MUTEX_BYTES, SharedMemory } from "../../mod.ts";
import { removeDeadBells } from "../support/locks.ts";
import { memoryName } from "../support/names.ts";
import { Peer } from "../support/peer.ts";
import { Child, compileC, endWell, runProgram } from "../support/process.ts";
import { evalArgs, execPath, FFI_ONLY, linked } from "../support/runtime.ts";
import { isAsleep, until, untilAsleep, within } from "../support/until.ts";

/** LINUX: errno(3); the numbers that C prints. */
const NONE = 0, EBUSY = 16, ETIMEDOUT = 110, EOWNERDEAD = 130, ENOTRECOVERABLE = 131;

/** Memory with a mutex, by name. Others may be at multiples of its size. */
class Page implements Disposable {
  readonly #name = memoryName();
  readonly name: string = this.#name.name;
  readonly memory: SharedMemory = SharedMemory.create(this.name, { byteLength: 4096 });
  readonly mutex: Mutex = Mutex.format(this.memory.bytes.subarray(0, MUTEX_BYTES));

  [Symbol.dispose](): void {
    this.mutex.close();
    removeDeadBells(this.memory);
    this.memory.close();
    this.#name[Symbol.dispose]();
  }
}

const peer = await compileC(new URL("sync_peer.c", import.meta.url));
process.on("exit", () => peer[Symbol.dispose]());

/** A C program that uses the page; what it answers is an error number. */
class CPeer extends Peer {
  constructor(page: Page) {
    super(peer.path, [page.name]);
  }

  async do(command: string): Promise<number> {
    return Number(await within(command, this.ask(`${command} 0`)));
  }
}

/** What a program begins with that uses a page: its name is the first argument. */
const PROGRAM = `
  import process from "node:process";
  import { Mutex, SharedMemory } from "@postbox/postbox";
  const [name, ...args] = process.argv.slice(2);
  const memory = SharedMemory.open(name);
  const mutex = Mutex.attach(memory.bytes, { name });
`;

// --- C and JavaScript, alive ---------------------------------------------------------------------

test("while C holds the mutex no form gets it, and then each does", async () => {
  using page = new Page();
  await using c = new CPeer(page);
  const { mutex } = page;
  assertEquals(await c.do("lock"), NONE);
  assertEquals(mutex.tryLock(), undefined);
  const started = performance.now();
  assertEquals(mutex.lockSync({ timeoutMs: 150 }), undefined);
  assertGreaterOrEqual(performance.now() - started, 150);
  await assertRejects(() => mutex.lock({ timeoutMs: 30 }), DOMException, "30 ms");
  assertEquals(await c.do("unlock"), NONE);
  mutex.tryLock()!.unlock();
  mutex.lockSync()!.unlock();
  (await mutex.lock()).unlock();
});

test("while JavaScript holds the mutex C does not get it, and then it does", async () => {
  using page = new Page();
  await using c = new CPeer(page);
  const guard = page.mutex.tryLock()!;
  assertEquals(await c.do("trylock"), EBUSY);
  assertEquals(Number(await c.ask("timedlock 0 20")), ETIMEDOUT);
  await c.tell("lock 0");
  await untilAsleep(c.pid);
  guard.unlock();
  assertEquals(await within("the lock", c.line()), "0");
  assertEquals(page.mutex.tryLock(), undefined);
  assertEquals(await c.do("unlock"), NONE);
});

test("C's unlock wakes a blocked thread, and an event loop finds it", async () => {
  using page = new Page();
  await using c = new CPeer(page);
  assertEquals(await c.do("lock"), NONE);
  await using child = Child.program(
    `${PROGRAM}
    const { recovered } = mutex.lockSync();
    console.log(recovered);
    process.stdin.resume(); // holds it until it is killed`,
    page.name,
  );
  await untilAsleep(child.pid);
  assertEquals(await c.do("unlock"), NONE);
  assertEquals(await within("the lock", child.line()), "false");
  child.kill();
  assertEquals(await c.do("lock"), EOWNERDEAD);
  assertEquals([await c.do("consistent")], [NONE]);
  const waiting = page.mutex.lock();
  assertEquals(await c.do("unlock"), NONE);
  const guard = await within("the lock", waiting);
  assertEquals(guard.recovered, false);
  guard.unlock();
});

test("an unlock wakes those who block and those who await, one after the other", async () => {
  using page = new Page();
  const guard = page.mutex.tryLock()!;
  const program = (lock: string) =>
    Child.program(
      `${PROGRAM}
      console.log("ready");
      const guard = ${lock};
      console.log(guard.recovered);
      guard.unlock();`,
      page.name,
    );
  await using first = program("mutex.lockSync()");
  await using second = program("await mutex.lock()");
  await using third = program("await mutex.lock()");
  const children = [first, second, third];
  for (const child of children) assertEquals(await within("a start", child.line()), "ready");
  await untilAsleep(first.pid);
  guard.unlock();
  const lines = children.map((child) => within("the lock", child.line()));
  assertEquals(await Promise.all(lines), ["false", "false", "false"]);
  await within("the ends", endWell(children));
});

// --- Whoever dies with it ------------------------------------------------------------------------

/** What keeps tests of workers from Bun. */
const NO_WORKERS: TestOptions["not"] = {
  bun: "it frees the buffers of a worker that ends, and writes into the memory they show",
};

/** How an owner ends: a process that has the mutex, and what ends it. */
interface Death {
  how: string;
  /** Starts it; it prints a line when it has the mutex, and dies when it reads one. */
  start: (page: Page) => Child;
  /** Ends it; otherwise it reads a line. */
  kill?: (child: Child) => void;
  not?: TestOptions["not"];
}

/** A program that has the mutex and, told to, ends by some code. */
function holder(code: string): (page: Page) => Child {
  return (page) =>
    Child.program(
      `${PROGRAM}
      const guard = mutex.tryLock();
      console.log("locked");
      process.stdin.once("data", () => { ${code} });`,
      page.name,
    );
}

/** A program whose worker has the mutex; the worker, told to, ends by some code. */
function workerHolder(code: string): (page: Page) => Child {
  const worker = linked(`
    import { parentPort, workerData } from "node:worker_threads";
    import { Mutex, SharedMemory } from "@postbox/postbox";
    const memory = SharedMemory.open(workerData);
    const guard = Mutex.attach(memory.bytes).tryLock();
    parentPort.postMessage("locked");
    const alive = setInterval(() => guard.recovered, 1000);
    parentPort.once("message", () => { ${code} });
  `);
  const program = `
    import process from "node:process";
    import { Worker } from "node:worker_threads";
    const url = new URL("data:text/javascript," + encodeURIComponent(${JSON.stringify(worker)}));
    const worker = new Worker(url, { workerData: process.argv[2] });
    worker.on("message", (message) => console.log(message));
    process.stdin.on("data", () => worker.postMessage("end"));
    worker.on("error", () => {});
    worker.on("message", (message) => { if (message === "terminate") worker.terminate(); });
  `;
  const args = evalArgs(program, { permissions: [...FFI_ONLY, "--allow-read"] });
  return (page) => new Child(execPath(), [...args, page.name]);
}

const DEATHS: Death[] = [
  {
    how: "C is killed",
    start: (page) => {
      const c = new CPeer(page);
      void c.tell("lock 0");
      return c;
    },
    kill: (child) => child.kill(),
  },
  { how: "a process is killed", start: holder(""), kill: (child) => child.kill() },
  { how: "a process ends by itself", start: holder("process.stdin.destroy();") },
  { how: "a process ends by process.exit()", start: holder("process.exit(0);") },
  {
    how: "a process ends by an error",
    start: holder("process.stdin.destroy(); setTimeout(() => { throw new Error('the end'); }, 0);"),
  },
  {
    how: "a worker ends by itself",
    start: workerHolder("clearInterval(alive); parentPort.close();"),
    not: NO_WORKERS,
  },
  {
    how: "a worker is terminated",
    start: workerHolder(`parentPort.postMessage("terminate");`),
    not: NO_WORKERS,
  },
];

/** Who finds the mutex: it gives whether it was recovered, and leaves it consistent and free. */
const FINDERS: Record<string, (page: Page, die: () => Promise<void>) => Promise<boolean>> = {
  "lock() that waits": async (page, die) => {
    const waiting = page.mutex.withLock((guard) => guard.recovered, { repair: () => {} });
    await die();
    return await waiting;
  },
  "lockSync() that waits": async (page, die) => {
    await using child = Child.program(
      `${PROGRAM} console.log(mutex.withLockSync((guard) => guard.recovered, { repair() {} }));`,
      page.name,
    );
    await untilAsleep(child.pid);
    await die();
    return await child.line() === "true";
  },
  "tryLock() that comes later": async (page, die) => {
    await die();
    let recovered: boolean | undefined;
    await until("it is free", () => {
      using guard = page.mutex.tryLock();
      guard?.markConsistent();
      recovered = guard?.recovered;
      return guard !== undefined;
    });
    return recovered!;
  },
  "C that waits": async (page, die) => {
    await using c = new CPeer(page);
    await c.tell("lock 0");
    await untilAsleep(c.pid);
    await die();
    const recovered = Number(await c.line()) === EOWNERDEAD;
    assertEquals([await c.do("consistent"), await c.do("unlock")], [NONE, NONE]);
    return recovered;
  },
};

for (const { how, start, kill, not } of DEATHS) {
  test(`${how} with the mutex, and whoever comes next is told`, { not }, async () => {
    using page = new Page();
    for (const [who, find] of Object.entries(FINDERS)) {
      await using owner = start(page);
      await within("the owner", owner.line());
      const die = async () => {
        if (kill !== undefined) kill(owner);
        else await owner.write("end\n");
      };
      assertEquals(await within(who, find(page, die)), true, who);
      page.mutex.tryLock()!.unlock(); // and nobody has it now
    }
  });
}

test("what C unlocks without repairing it JavaScript cannot lock, and the reverse", async () => {
  for (const who of ["c", "javascript"]) {
    using page = new Page();
    await using c = new CPeer(page);
    await using owner = new CPeer(page);
    assertEquals(await owner.do("lock"), NONE);
    owner.kill();
    await owner.finished();
    if (who === "c") {
      assertEquals([await c.do("lock"), await c.do("unlock")], [EOWNERDEAD, NONE]);
      const error = await page.mutex.lock().catch((error) => error);
      assertEquals(error.code, "ENOTRECOVERABLE");
    } else {
      page.mutex.tryLock()!.unlock();
      assertEquals(await c.do("lock"), ENOTRECOVERABLE);
    }
  }
});

test("who is killed while it waits leaves nothing that hinders anybody", async () => {
  using page = new Page();
  const guard = page.mutex.tryLock()!;
  await using blocked = Child.program(`${PROGRAM} mutex.lockSync();`, page.name);
  await using awaiting = Child.program(
    `${PROGRAM} const locked = mutex.lock(); console.log("waits"); await locked;`,
    page.name,
  );
  await untilAsleep(blocked.pid);
  await within("it waits", awaiting.line());
  for (const child of [blocked, awaiting]) {
    child.kill();
    await within("its end", child.finished());
  }
  guard.unlock();
  const next = await within("the lock", page.mutex.lock());
  assertEquals(next.recovered, false);
  next.unlock();
});

// --- The end of who waits ------------------------------------------------------------------------

test("Mutex.lockSync() lets SIGINT end a program without a listener", async () => {
  using page = new Page();
  using _guard = page.mutex.tryLock()!;
  await using child = Child.program(`${PROGRAM} mutex.lockSync();`, page.name);
  await untilAsleep(child.pid);
  child.kill("SIGINT");
  const { signal, stderr } = await within("its end", child.finished());
  assertEquals([signal, stderr], ["SIGINT", ""]);
});

test(
  "Mutex.lockSync() in a worker lets go when it is terminated",
  { not: NO_WORKERS },
  async () => {
    using page = new Page();
    const guard = page.mutex.tryLock()!;
    const worker = linked(`
    import { workerData } from "node:worker_threads";
    import { Mutex, SharedMemory } from "@postbox/postbox";
    Mutex.attach(SharedMemory.open(workerData).bytes).lockSync();
  `);
    const program = `
    import process from "node:process";
    import { Worker } from "node:worker_threads";
    const url = new URL("data:text/javascript," + encodeURIComponent(${JSON.stringify(worker)}));
    const worker = new Worker(url, { workerData: process.argv[2] });
    process.stdin.once("data", async () => {
      await worker.terminate();
      console.log("terminated");
      process.stdin.once("data", () => process.stdin.destroy());
    });
  `;
    const args = evalArgs(program, { permissions: [...FFI_ONLY, "--allow-read"] });
    await using child = new Child(execPath(), [...args, page.name]);
    await untilAsleep(child.pid);
    await child.write("terminate\n");
    assertEquals(await within("its end", child.line()), "terminated");
    await until("its thread waits no more", () => !isAsleep(child.pid));
    guard.unlock();
    const next = page.mutex.tryLock()!;
    assertEquals(next.recovered, false);
    next.unlock();
    await child.write("end\n");
    await within("the end of its process", endWell([child]));
  },
);

test(
  "the second mapping of a page of locks goes with its buffer, unless something in it is held",
  { not: { bun: "the flag that lets a program collect garbage is V8's" } },
  async () => {
    const { code, stdout, stderr } = await runProgram(
      `
      import { Mutex, SharedMemory } from "@postbox/postbox";
      import { readText } from "@postbox/postbox/src/sys/mod.ts";
      const mappings = () =>
        // But for those of the native driver's guard, which stay as long as the process.
        readText("/proc/self/maps").match(/memfd:(?!postbox-guard)/g)?.length ?? 0;
      const use = (held) => {
        const memory = SharedMemory.anonymous({ byteLength: 4096 });
        const guard = Mutex.format(memory.bytes).tryLock();
        if (!held) guard.unlock();
        memory.close();
      };
      for (let times = 0; times < 100; times++) use(times % 10 === 0);
      console.log(mappings());
      for (let times = 0; times < 50 && mappings() > 10; times++) {
        gc();
        await new Promise((resolve) => setTimeout(resolve, 5)); // for the finalizers
      }
      console.log(mappings());
      `,
      { v8Flags: ["expose-gc"] },
    );
    assertEquals([code, stderr], [0, ""]);
    const [before, after] = stdout.trim().split("\n").map(Number);
    assert(before! >= 10, stdout);
    assertEquals(after, 10);
  },
);
