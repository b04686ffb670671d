/**
 * RwLock between processes: readers together, writers alone, and a death after each step that a
 * reader or a writer takes.
 *
 * Method of the deaths: a program takes the first steps of `src/sync/rw_lock_steps.ts`, one more each
 * time, and kills itself; it does so with one lock for each form that comes next. Each must get the
 * lock, and be told if, and only if, the dead one was writing.
 */

import "../support/loaded.ts";
import { assertEquals, assertGreater } from "../assert.ts";
import { test } from "../harness.ts";
import { type MutexGuard, type ReadGuard, RW_LOCK_BYTES, RwLock, SharedMemory } from "../../mod.ts";
import { READER_SLOTS } from "../../src/sync/rw_lock_layout.ts";
import { removeDeadBells } from "../support/locks.ts";
import { memoryName } from "../support/names.ts";
import { Child, endWell, runProgram } from "../support/process.ts";
import { scaled } from "../support/scale.ts";
import { untilAsleep, within } from "../support/until.ts";

/** Memory with a lock, by name, and words after it. */
class Page implements Disposable {
  readonly #name = memoryName();
  readonly name: string = this.#name.name;
  readonly memory: SharedMemory = SharedMemory.create(this.name, { byteLength: 4096 });
  readonly lock: RwLock = RwLock.format(this.memory.bytes.subarray(0, RW_LOCK_BYTES));
  readonly words: Int32Array = new Int32Array(this.memory.buffer, RW_LOCK_BYTES, 16);

  [Symbol.dispose](): void {
    this.lock.close();
    removeDeadBells(this.memory);
    this.memory.close();
    this.#name[Symbol.dispose]();
  }
}

/** What a program begins with that uses a page: its name is the first argument. */
const PROGRAM = `
  import process from "node:process";
  import { RW_LOCK_BYTES, RwLock, SharedMemory } from "@postbox/postbox";
  const [name, ...args] = process.argv.slice(2);
  const memory = SharedMemory.open(name);
  const lock = RwLock.attach(memory.bytes, { name });
  const words = new Int32Array(memory.buffer, RW_LOCK_BYTES, 16);
`;

test("readers of several processes read together, and a writer waits for all of them", async () => {
  using page = new Page();
  const start = () =>
    Child.program(
      `${PROGRAM}
      const guard = await lock.read();
      console.log("reads");
      process.stdin.once("data", () => {
        guard.unlock();
        process.stdin.destroy();
      });`,
      page.name,
    );
  await using first = start();
  await using second = start();
  for (const child of [first, second]) {
    assertEquals(await within("it reads", child.line()), "reads");
  }
  const reading = page.lock.tryRead()!;
  assertEquals(page.lock.tryWrite(), undefined);
  await using writer = Child.program(
    `${PROGRAM} const guard = lock.writeSync(); console.log("writes"); guard.unlock();`,
    page.name,
  );
  await untilAsleep(writer.pid);
  for (const child of [first, second]) {
    await child.write("end\n");
    await within("its end", child.finished());
  }
  await untilAsleep(writer.pid);
  reading.unlock();
  assertEquals(await within("it writes", writer.line()), "writes");
});

/** The forms, each of which gives what it found of the dead. */
const FORMS: Record<string, (lock: RwLock) => Promise<ReadGuard | MutexGuard | undefined>> = {
  "tryRead()": (lock) => Promise.resolve(lock.tryRead()),
  "readSync()": (lock) => Promise.resolve(lock.readSync({ timeoutMs: 20_000 })),
  "read()": (lock) => lock.read({ timeoutMs: 20_000 }),
  "tryWrite()": (lock) => Promise.resolve(lock.tryWrite()),
  "writeSync()": (lock) => Promise.resolve(lock.writeSync({ timeoutMs: 20_000 })),
  "write()": (lock) => lock.write({ timeoutMs: 20_000 }),
};

/** Steps of a writer, of a reader, and of a reader that finds a dead writer's announcement. */
const STEPS: Record<string, string[]> = {
  writer: [
    "turnstile.tryTake()",
    "Atomics.store(words, ANNOUNCED, 1)",
    "slots[0].tryTake()",
    "slots[1].tryTake()",
    "slots.slice(2).every((slot) => slot.tryTake())",
    "Atomics.store(words, WRITING, 1)",
    "Atomics.store(words, WRITING, 0)",
    "slots[15].unlock()",
    "slots.slice(0, 15).every((slot) => slot.unlock() ?? true)",
    "Atomics.store(words, ANNOUNCED, 0)",
    "turnstile.unlock()",
  ],
  reader: ["slots[3].tryTake()", "slots[3].unlock()"],
  "reader who finds a dead writer's announcement": [
    "Atomics.store(words, ANNOUNCED, 1)",
    "turnstile.tryTake()",
    "Atomics.store(words, ANNOUNCED, 0)",
    "turnstile.unlock()",
  ],
};

/** A program takes steps with each of some locks, and dies. */
async function dieAfter(steps: readonly string[], name: string, locks: number): Promise<void> {
  const { signal, stderr } = await runProgram(
    `
    import process from "node:process";
    import { SharedMemory } from "@postbox/postbox";
    import { RobustMutex } from "@postbox/postbox/src/sync/robust_mutex.ts";
    import {
      ANNOUNCED, READER_SLOTS, SLOT_BYTES, SLOTS_OFFSET, TURNSTILE_OFFSET, WRITING,
    } from "@postbox/postbox/src/sync/rw_lock_layout.ts";
    const { buffer } = SharedMemory.open(process.argv[2]);
    for (let lock = 0; lock < ${locks}; lock++) {
      const at = lock * ${RW_LOCK_BYTES};
      const words = new Int32Array(buffer, at, 16);
      const mutexAt = (offset) => new RobustMutex(buffer, at + offset, "mutex");
      const turnstile = mutexAt(TURNSTILE_OFFSET);
      const slots = Array.from({ length: READER_SLOTS }, (_, index) =>
        mutexAt(SLOTS_OFFSET + index * SLOT_BYTES));
      ${steps.join(";\n")};
    }
    process.kill(process.pid, "SIGKILL");
    setInterval(() => {}, 1000);
    `,
    {
      args: [name],
      // A program of Deno may not send signals with --allow-ffi alone.
      permissions: ["--allow-ffi", "--allow-run", "--no-prompt", "--quiet"],
      timeoutMs: 20_000,
    },
  );
  assertEquals([signal, stderr], ["SIGKILL", ""]);
}

for (const [who, steps] of Object.entries(STEPS)) {
  const writing = steps.indexOf("Atomics.store(words, WRITING, 1)") + 1;
  const written = steps.indexOf("Atomics.store(words, WRITING, 0)") + 1;
  for (let done = 1; done <= steps.length; done++) {
    test(`a ${who} dies after step ${done}, and nothing hinders who comes next`, async () => {
      const wasWriting = writing > 0 && done >= writing && done < written;
      using object = memoryName();
      const byteLength = RW_LOCK_BYTES * Object.keys(FORMS).length;
      using memory = SharedMemory.create(object.name, { byteLength });
      const forms = Object.entries(FORMS).map(([form, lock], index) => {
        const place = memory.bytes.subarray(index * RW_LOCK_BYTES, (index + 1) * RW_LOCK_BYTES);
        return { form, lock, left: RwLock.format(place) };
      });
      await dieAfter(steps.slice(0, done), object.name, forms.length);
      for (const { form, lock, left } of forms) {
        const guard = await within(form, lock(left));
        assertEquals(guard?.recovered, wasWriting, form);
        guard!.unlock();
        await within("a repair", left.withWrite(() => {}, { repair: () => {} }));
        const after = await within(form, lock(left));
        assertEquals(after?.recovered, false, form);
        after!.unlock();
      }
    });
  }
}

test("who waits when a reader or a writer is killed gets the lock, and is told of the writer", async () => {
  for (const [hold, told] of [["tryRead", "false"], ["tryWrite", "true"]] as const) {
    using page = new Page();
    await using holder = Child.program(
      `${PROGRAM} const guard = lock.${hold}(); console.log("holds"); process.stdin.resume();`,
      page.name,
    );
    await within("the holder", holder.line());
    const start = (form: string) =>
      Child.program(
        `${PROGRAM}
        console.log("waits");
        const guard = ${form};
        console.log(guard.recovered);
        guard.unlock();`,
        page.name,
      );
    // A reader need not wait for a reader.
    const forms = hold === "tryWrite"
      ? ["lock.writeSync()", "await lock.write()", "lock.readSync()", "await lock.read()"]
      : ["lock.writeSync()", "await lock.write()"];
    const children = forms.map(start);
    try {
      for (const child of children) await within("a start", child.line());
      await untilAsleep(children[0]!.pid);
      holder.kill();
      const lines = children.map((child, index) => within(forms[index]!, child.line()));
      assertEquals(await Promise.all(lines), forms.map(() => told));
      await within("the ends", endWell(children));
    } finally {
      for (const child of children) await child[Symbol.asyncDispose]();
    }
    page.lock.withWriteSync(() => {}, { repair: () => {} });
  }
});

test("a writer that is killed while it waits leaves nothing that holds readers off", async () => {
  for (const form of ["lock.writeSync()", "const writing = lock.write()"]) {
    using page = new Page();
    const reading = page.lock.tryRead()!;
    const code = `${PROGRAM} ${form}; console.log("waits"); await writing;`;
    await using writer = Child.program(code, page.name);
    if (form.includes("Sync")) await untilAsleep(writer.pid);
    else await within("it waits", writer.line());
    const other = RwLock.attach(page.memory.bytes);
    assertEquals(other.tryRead(), undefined);
    writer.kill();
    const guard = await within("a reader", other.read());
    assertEquals(guard.recovered, false);
    for (const held of [guard, reading]) held.unlock();
    page.lock.tryWrite()!.unlock();
  }
});

const READS = scaled(20_000);

test("writers get in between readers that never leave a gap", async () => {
  using page = new Page();
  // Two processes whose reads overlap: at no time does nobody read, but for the writer.
  const start = () =>
    Child.program(
      `${PROGRAM}
      let reads = 0, guard = await lock.read();
      console.log("reads");
      while (words[0] === 0) {
        const next = lock.tryRead() ?? await lock.read();
        guard.unlock();
        guard = next;
        if (++reads % 64 === 0) {
          guard.unlock(); // one thread's reads count as one: otherwise it would read for ever
          guard = await lock.read();
        }
      }
      guard.unlock();
      console.log(reads);`,
      page.name,
    );
  await using first = start();
  await using second = start();
  for (const child of [first, second]) await within("it reads", child.line());
  for (let writes = 0; writes < 50; writes++) {
    (await within("a write", page.lock.write())).unlock();
  }
  Atomics.store(page.words, 0, 1);
  const lines = [first, second].map((child) => within("its end", child.line()));
  for (const reads of await Promise.all(lines)) assertGreater(Number(reads), 0);
  await within("the ends", endWell([first, second]));
});

test(`${READS} reads in each of two processes see no half of what two others write`, async () => {
  using page = new Page();
  const start = (code: string) =>
    Child.program(
      `${PROGRAM}
      const last = Number(args[0]);
      for (let count = 0; count < last; count++) { ${code} }
      console.log("done");`,
      page.name,
      String(READS),
    );
  const read = `
    const guard = count % 2 ? lock.readSync() : await lock.read();
    if (words[1] !== words[2] || guard.recovered) throw new Error(words[1] + " " + words[2]);
    guard.unlock();`;
  const write = `
    if (count % 10 > 0) continue;
    const guard = count % 20 ? lock.writeSync() : await lock.write();
    words[1]++;
    words[2]++;
    guard.unlock();`;
  const children = [read, read, write, write].map(start);
  try {
    // All at once: what a process printed that has ended meanwhile can be lost.
    const lines = children.map((child) => within("its end", child.line(), 60_000));
    assertEquals(await Promise.all(lines), children.map(() => "done"));
    await within("the ends", endWell(children));
  } finally {
    for (const child of children) await child[Symbol.asyncDispose]();
  }
  assertEquals([...page.words.subarray(1, 3)], [READS / 5, READS / 5]);
});

test(`at most ${READER_SLOTS} threads read at once`, async () => {
  using page = new Page();
  const guards = Array.from(
    { length: READER_SLOTS },
    () => RwLock.attach(page.memory.bytes).tryRead()!,
  );
  await using child = Child.program(
    `${PROGRAM} console.log(lock.tryRead() === undefined); (await lock.read()).unlock();
    console.log("reads");`,
    page.name,
  );
  assertEquals(await within("it waits", child.line()), "true");
  guards.pop()!.unlock();
  assertEquals(await within("it reads", child.line()), "reads");
  await within("its end", endWell([child]));
  for (const guard of guards) guard.unlock();
});
