/** Semaphore, Event and Barrier between processes; C uses the semaphores, in memory and by name. */

import process from "node:process";
import "../support/loaded.ts";
import { assert, assertEquals, assertGreaterOrEqual } from "../assert.ts";
import { test } from "../harness.ts";
import {
  Barrier,
  BARRIER_BYTES,
  Event,
  EVENT_BYTES,
  Semaphore,
  SEMAPHORE_BYTES,
  SharedMemory,
  uniqueName,
} from "../../mod.ts";
import { unless } from "../../src/sys/mod.ts";
import { memoryName } from "../support/names.ts";
import { Peer } from "../support/peer.ts";
import { BECOME_OTHER_USER, rootTest, runPrepared } from "../support/prepared.ts";
import { Child, compileC, endWell } from "../support/process.ts";
import { refusal } from "../support/refusal.ts";
import { until, untilAsleep, within } from "../support/until.ts";

/** LINUX: errno(3) */
const NONE = 0, EAGAIN = 11;

/** Where things are in the memory. */
const SEMAPHORE_AT = 0, EVENT_AT = 128, MANUAL_AT = 256, BARRIER_AT = 384, WORDS_AT = 512;

const PARTIES = 3;

/** Memory with one of each, by name, and a semaphore with a name. */
class Page implements Disposable {
  readonly #name = memoryName();
  readonly name: string = this.#name.name;
  readonly memory: SharedMemory = SharedMemory.create(this.name, { byteLength: 4096 });
  readonly semaphore: Semaphore = Semaphore.format(this.#at(SEMAPHORE_AT, SEMAPHORE_BYTES));
  readonly event: Event = Event.format(this.#at(EVENT_AT, EVENT_BYTES));
  readonly manual: Event = Event.format(this.#at(MANUAL_AT, EVENT_BYTES), { manualReset: true });
  readonly barrier: Barrier = Barrier.format(this.#at(BARRIER_AT, BARRIER_BYTES), {
    parties: PARTIES,
  });
  readonly words: Int32Array = new Int32Array(this.memory.buffer, WORDS_AT, 16);
  readonly named: Semaphore = Semaphore.create(uniqueName("test"));

  #at(offset: number, byteLength: number): Uint8Array<SharedArrayBuffer> {
    return this.memory.bytes.subarray(offset, offset + byteLength);
  }

  [Symbol.dispose](): void {
    this.named.close();
    unless("ENOENT", () => Semaphore.unlink(this.named.name));
    for (const one of [this.semaphore, this.event, this.manual, this.barrier]) one.close();
    this.memory.close();
    this.#name[Symbol.dispose]();
  }
}

/** What a program begins with that uses a page. */
const PROGRAM = `
  import process from "node:process";
  import { Barrier, Event, Semaphore, SharedMemory } from "@postbox/postbox";
  const [name, semaphoreName] = process.argv.slice(2);
  const memory = SharedMemory.open(name);
  const at = (offset) => memory.bytes.subarray(offset, offset + 128);
  const semaphore = Semaphore.attach(at(${SEMAPHORE_AT}));
  const named = Semaphore.open(semaphoreName);
  const event = Event.attach(at(${EVENT_AT})), manual = Event.attach(at(${MANUAL_AT}));
  const barrier = Barrier.attach(at(${BARRIER_AT}));
  const words = new Int32Array(memory.buffer, ${WORDS_AT}, 16);
`;

function start(page: Page, code: string): Child {
  return Child.program(`${PROGRAM} ${code}`, page.name, page.named.name);
}

const peer = await compileC(new URL("sync_peer.c", import.meta.url));
process.on("exit", () => peer[Symbol.dispose]());

/** Both kinds of semaphores; `at` is how the C peer knows it. */
const KINDS = [
  { where: "in memory", at: SEMAPHORE_AT, of: (page: Page) => page.semaphore, code: "semaphore" },
  { where: "with a name", at: -1, of: (page: Page) => page.named, code: "named" },
] as const;

for (const { where, at, of, code } of KINDS) {
  /** A C program that uses the semaphore. */
  const cPeer = async (page: Page) => {
    const c = new Peer(peer.path, [page.name]);
    assertEquals(await c.ask(`open ${page.named.name}`), "0");
    return { c, ask: async (command: string) => Number(await c.ask(`${command} ${at}`)) };
  };

  test(`C and JavaScript count on one semaphore ${where}`, async () => {
    using page = new Page();
    const { c, ask } = await cPeer(page);
    await using _c = c;
    const semaphore = of(page);
    assertEquals([await ask("value"), await ask("trywait")], [0, EAGAIN]);
    semaphore.release(2);
    assertEquals([await ask("value"), await ask("trywait"), semaphore.value], [2, NONE, 1]);
    assertEquals([await ask("post"), await ask("post"), semaphore.value], [NONE, NONE, 3]);
    assertEquals([semaphore.tryAcquire(), await ask("value")], [true, 2]);
  });

  test(`C's post wakes who blocks for a semaphore ${where}, and an event loop finds it`, async () => {
    using page = new Page();
    const { c, ask } = await cPeer(page);
    await using _c = c;
    await using child = start(page, `${code}.acquireSync(); console.log("acquired");`);
    await untilAsleep(child.pid);
    assertEquals(await ask("post"), NONE);
    assertEquals(await within("the wake-up", child.line()), "acquired");
    const waiting = of(page).acquire();
    assertEquals(await ask("post"), NONE);
    await within("it finds it", waiting);
    assertEquals(of(page).value, 0);
  });

  test(`Semaphore.release() ${where} wakes C, who blocks, and who awaits`, async () => {
    using page = new Page();
    const { c } = await cPeer(page);
    await using _c = c;
    await using blocked = start(page, `${code}.acquireSync(); console.log("acquired");`);
    await using awaiting = start(
      page,
      `console.log("waits"); await ${code}.acquire(); console.log("acquired");`,
    );
    await c.tell(`wait ${at}`);
    for (const { pid } of [c, blocked]) await untilAsleep(pid);
    assertEquals(await within("a start", awaiting.line()), "waits");
    of(page).release(3);
    const lines = [c, blocked, awaiting].map((child) => within("a wake-up", child.line()));
    assertEquals(await Promise.all(lines), ["0", "acquired", "acquired"]);
    await within("the ends", endWell([blocked, awaiting]));
    assertEquals(of(page).value, 0);
  });

  test(`who is killed while it waits for a semaphore ${where} takes nothing`, async () => {
    using page = new Page();
    await using blocked = start(page, `${code}.acquireSync();`);
    await using awaiting = start(
      page,
      `const acquired = ${code}.acquire(); console.log("waits"); await acquired;`,
    );
    await untilAsleep(blocked.pid);
    await within("it waits", awaiting.line());
    for (const child of [blocked, awaiting]) {
      child.kill();
      await within("its end", child.finished());
    }
    of(page).release();
    assertEquals([of(page).value, of(page).tryAcquire()], [1, true]);
  });
}

test("Semaphore.acquireSync() throws EINTR when the program listens, and works again", async () => {
  using page = new Page();
  await using child = start(
    page,
    `
    const heard = new Promise((resolve) => process.on("SIGINT", () => resolve("heard")));
    const alive = setInterval(() => {}, 60_000);
    try {
      semaphore.acquireSync();
    } catch ({ code, syscall, hint }) {
      console.log(code, /^sem_(clock|timed)wait$/.test(syscall), hint.includes("event loop"));
    }
    console.log(await heard);
    console.log(semaphore.acquireSync());
    process.exit();`,
  );
  await untilAsleep(child.pid);
  child.kill("SIGINT");
  assertEquals(await within("the error", child.line()), "EINTR true true");
  assertEquals(await within("the listener", child.line()), "heard");
  page.semaphore.release();
  assertEquals(await within("the wake-up", child.line()), "true");
});

rootTest("a semaphore that another user planted is not opened, unless that is meant", async () => {
  const name = uniqueName("test");
  const { code, stderr } = await runPrepared(
    ["env"],
    `
    import process from "node:process";
    import { Semaphore } from "@postbox/postbox";
    ${BECOME_OTHER_USER}
    Semaphore.create(process.argv[2], { value: 7, mode: 0o666 });`,
    { args: [name] },
  );
  assertEquals([code, stderr], [0, ""]);
  try {
    for (const open of [Semaphore.open, Semaphore.openOrCreate]) {
      const error = refusal(() => open(name));
      assertEquals([error.code, error.target], ["EACCES", name]);
      assert(error.hint?.includes(`owner: "any"`));
    }
    using semaphore = Semaphore.open(name, { owner: "any" });
    assertEquals(semaphore.value, 7);
  } finally {
    Semaphore.unlink(name);
  }
});

// --- Event ---------------------------------------------------------------------------------------

test("an event lets one process through each time it is set", async () => {
  using page = new Page();
  const code = (wait: string) => `console.log("waits"); ${wait}; Atomics.add(words, 0, 1);`;
  await using first = start(page, code("event.waitSync()"));
  await using second = start(page, code("await event.wait()"));
  await using third = start(page, code("event.waitSync()"));
  for (const child of [first, second, third]) {
    assertEquals(await within("a start", child.line()), "waits");
  }
  for (const { pid } of [first, third]) await untilAsleep(pid);
  for (let times = 1; times <= 3; times++) {
    page.event.set();
    await until("one is let through", () => Atomics.load(page.words, 0) >= times);
    assertEquals([Atomics.load(page.words, 0), page.event.isSet], [times, false]);
  }
  await within("the ends", endWell([first, second, third]));
});

test("an event that is reset by hand lets all processes through, C sets it, too", async () => {
  using page = new Page();
  await using c = new Peer(peer.path, [page.name]);
  await using first = start(page, `manual.waitSync(); console.log("through");`);
  await using second = start(
    page,
    `console.log("waits"); await manual.wait(); console.log("through");`,
  );
  await untilAsleep(first.pid);
  await within("a start", second.line());
  assertEquals(await c.ask(`store ${MANUAL_AT} 1`), "0");
  const lines = [first, second].map((child) => within("it is let through", child.line()));
  assertEquals(await Promise.all(lines), ["through", "through"]);
  await within("the ends", endWell([first, second]));
  assertEquals(page.manual.isSet, true);
});

// --- Barrier -------------------------------------------------------------------------------------

const ROUNDS = 300;

test(`${PARTIES} processes meet at a barrier ${ROUNDS} times, and each time one is told`, async () => {
  using page = new Page();
  const code = (wait: string) => `
    let told = 0;
    for (let round = 1; round <= ${ROUNDS}; round++) {
      Atomics.add(words, 1, 1);
      if (${wait}) told++;
      // Nobody is a round ahead who has not waited for this one.
      const came = Atomics.load(words, 1);
      if (came < round * ${PARTIES} || came > (round + 1) * ${PARTIES} - 1) throw new Error(came);
    }
    Atomics.add(words, 2, told);
    console.log("done");`;
  await using first = start(page, code("barrier.waitSync()"));
  await using second = start(page, code("await barrier.wait()"));
  await using third = start(page, code("round % 2 ? barrier.waitSync() : await barrier.wait()"));
  const lines = [first, second, third].map((child) => within("all rounds", child.line(), 60_000));
  assertEquals(await Promise.all(lines), ["done", "done", "done"]);
  await within("the ends", endWell([first, second, third]));
  assertEquals(Atomics.load(page.words, 2), ROUNDS);
});

test("a party that is killed after it came stays counted", async () => {
  using page = new Page();
  await using killed = start(page, "barrier.waitSync();");
  await untilAsleep(killed.pid);
  killed.kill();
  await within("its end", killed.finished());
  const waiting = page.barrier.wait();
  assertEquals(page.barrier.waitSync(), true);
  assertEquals(await within("the other", waiting), false);
});

test("a party that gives up is not counted, and the others wait for another", async () => {
  using page = new Page();
  await using other = start(page, "console.log(barrier.waitSync({ timeoutMs: 50 }));");
  assertEquals(await within("its deadline", other.line()), "undefined");
  const waiting = page.barrier.wait();
  const started = performance.now();
  assertEquals(page.barrier.waitSync({ timeoutMs: 20 }), undefined);
  assertGreaterOrEqual(performance.now() - started, 20);
  const second = page.barrier.wait();
  assertEquals(page.barrier.waitSync(), true);
  assertEquals(await Promise.all([waiting, second]), [false, false]);
});
