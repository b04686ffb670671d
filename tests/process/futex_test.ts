/**
 * EventCount between processes: a token handed over a million times, players killed on the way,
 * signals, the end of a process, what a killed one leaves.
 *
 * Goal: no wake-up is lost. Method: the token is a number in shared memory; the one who may add 1
 * is the one whose turn its last bit says. Nobody looks by the clock within a test, so a single
 * lost wake-up would stop the game. Who is killed is replaced, and the killer notifies for it:
 * between its publication and its notification is the one instant in which nobody else can. For
 * more of it: POSTBOX_HANDOVERS=20 (times as many) deno test -A tests/process/futex_test.ts
 */

import process from "node:process";
import "../support/loaded.ts";
import { assert, assertEquals, assertGreaterOrEqual } from "../assert.ts";
import { test } from "../harness.ts";
import { MessageQueue, PosixError, SharedMemory } from "../../mod.ts";
import { C, mqClose, mqOpen } from "../../src/sys/mod.ts";
import { bellName, isDead } from "../../src/wait/doorbell.ts";
import {
  ARMED,
  BELLS_OFFSET,
  FIRST_BELL_BIT,
  SLEEPERS_BIT,
  WAITING_MASK,
} from "../../src/wait/event_layout.ts";
import { EVENT_COUNT_BYTES, EventCount } from "../../src/wait/mod.ts";
import { memoryName } from "../support/names.ts";
import { BECOME_OTHER_USER, inNamespaces, rootTest, runPrepared } from "../support/prepared.ts";
import { Child, compileC, run, runProgram } from "../support/process.ts";
import { Random } from "../support/random.ts";
import { evalArgs, execPath, FFI_ONLY, linked } from "../support/runtime.ts";
import { scaled } from "../support/scale.ts";
import { until, untilAsleep, within } from "../support/until.ts";

const TIMES = Number(process.env.POSTBOX_HANDOVERS ?? 1);

/** Where the event count is; the words before it are what is published. */
const AT = EVENT_COUNT_BYTES;

/** No wait looks by itself within a test. */
const NEVER = 3_600_000;

/** Memory with an event count, by name. */
class Page implements Disposable {
  readonly #name = memoryName();
  readonly name: string = this.#name.name;
  readonly memory: SharedMemory;
  readonly values: Int32Array;
  readonly words: Int32Array;
  readonly bells: BigUint64Array;
  readonly events: EventCount;

  constructor(mode = 0o600) {
    this.memory = SharedMemory.create(this.name, { byteLength: 4096, mode });
    const { buffer } = this.memory;
    this.values = new Int32Array(buffer, 0, 16);
    this.words = new Int32Array(buffer, AT, 16);
    this.bells = new BigUint64Array(buffer, AT + BELLS_OFFSET, 1);
    this.events = EventCount.format(buffer, AT);
  }

  publish(value: number): void {
    Atomics.store(this.values, 0, value);
    this.events.notify();
  }

  /** Comes back when somebody is armed. */
  untilArmed(bit: number): Promise<void> {
    return until("somebody is armed", () => (Atomics.load(this.words, ARMED) & bit) !== 0);
  }

  [Symbol.dispose](): void {
    this.memory.close();
    this.#name[Symbol.dispose]();
  }
}

/** What a program begins with that uses a page: its name is the first argument. */
const PAGE = `
  import process from "node:process";
  import { SharedMemory } from "@postbox/postbox";
  import { EventCount } from "@postbox/postbox/src/wait/mod.ts";
  import { bellOfThisThread } from "@postbox/postbox/src/wait/doorbell.ts";
  const [name, ...args] = process.argv.slice(2);
  const memory = SharedMemory.open(name, { owner: "any" });
  const values = new Int32Array(memory.buffer, 0, 16);
  const attach = (options) => EventCount.attach(memory.buffer, ${AT}, { target: name, ...options });
  const atLeast = (least) => () => {
    const value = Atomics.load(values, 0);
    return value >= least ? value : undefined;
  };
`;

/** Whether there is a bell of this number. */
function hasName(bell: bigint): boolean {
  try {
    const name = bellName(bell);
    mqClose(mqOpen(name, C.O_RDONLY, 0, undefined, () => undefined), name);
    return true;
  } catch (error) {
    if (error instanceof PosixError && error.code === "ENOENT") return false;
    throw error;
  }
}

// --- Hand-overs ----------------------------------------------------------------------------------

type Way = "blocks" | "loops";

/** Plays one side until the token has a value. Its bell is the line that it prints. */
const PLAYER = `
  ${PAGE}
  const [self, players, last] = args.map(Number), [, , , way, spin] = args;
  const blocks = way === "blocks";
  const events = attach({ lookEveryMs: ${NEVER}, spin: spin === "true" });
  console.log(String(blocks ? 0n : bellOfThisThread().id));
  const look = () => {
    const token = Atomics.load(values, 0);
    return token % players === self || token >= last ? token : undefined;
  };
  for (;;) {
    const token = blocks ? events.waitSync(look) : await events.wait(look);
    if (token >= last) break;
    Atomics.add(values, 1 + self, 1);
    // Another than this one has it when a player that was killed plays on.
    if (Atomics.compareExchange(values, 0, token, token + 1) !== token) process.exit(9);
    events.notify();
  }
  if (events.unannounced > 0) process.exit(8);
`;

interface Player {
  child: Child;
  bell: bigint;
}

/** A game of as many players as ways to wait, with so many of them killed on the way. */
async function play(ways: Way[], handOvers: number, kills: number): Promise<void> {
  using page = new Page();
  const random = new Random(Date.now() >>> 0);
  const bells: bigint[] = [];

  const start = async (self: number): Promise<Player> => {
    const spin = String(random.oneIn(2));
    const child = Child.program(
      PLAYER,
      ...[page.name, String(self), String(ways.length), String(handOvers), ways[self]!, spin],
    );
    const bell = BigInt(await within("a player", child.line()));
    if (bell !== 0n) bells.push(bell);
    return { child, bell };
  };

  const token = () => Atomics.load(page.values, 0);
  const players = await Promise.all(ways.map((_, self) => start(self)));
  try {
    for (let killed = 0; killed < kills; killed++) {
      // Each at about the same distance, wherever that is in what the players do.
      const stop = Math.floor((handOvers * (killed + random.below(100) / 100)) / kills);
      await goesOn(token, stop, random.seed);
      const self = random.below(ways.length);
      const { child } = players[self]!;
      child.kill("SIGKILL");
      const { signal, stderr } = await within("its end", child.finished());
      if (token() < handOvers) assertEquals([signal, stderr], ["SIGKILL", ""]);
      page.events.notify(); // what it may have published
      players[self] = await start(self);
    }
    await goesOn(token, handOvers, random.seed);
    for (const { child } of players) {
      const { code, stderr } = await within("the end of a player", child.finished());
      assertEquals([code, stderr], [0, ""], `seed ${random.seed}`);
    }
    assertEquals(token(), handOvers);
    const counted = page.values.subarray(1).reduce((sum, count) => sum + count);
    assertGreaterOrEqual(counted, handOvers);
    assertGreaterOrEqual(handOvers + kills, counted); // counted, and killed before it published
    for (const bell of bells) assert(isDead(bell));
    page.events.notify();
    assertEquals(Atomics.load(page.words, ARMED) & WAITING_MASK, 0);
  } finally {
    for (const { child } of players) await child[Symbol.asyncDispose]();
    for (const bell of bells) isDead(bell); // takes the name away
  }
}

/** The token moves by so much in a second at least, unless somebody sleeps who should not. */
const SLOW = 100, SLOW_FOR_MS = 20_000;

/** Comes back when the token has come so far; throws when it does not move any more, or crawls. */
async function goesOn(token: () => number, target: number, seed: number): Promise<void> {
  let last = token(), since = performance.now();
  for (let now = last; now < target; now = token()) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    const passedMs = performance.now() - since;
    if (passedMs < SLOW_FOR_MS) continue;
    if (now - last < SLOW * passedMs / 1000) {
      throw new Error(`from ${last} to ${now} in ${passedMs} ms, seed ${seed}`);
    }
    last = now;
    since = performance.now();
  }
}

const GAMES: [ways: Way[], handOvers: number, kills: number][] = [
  [["blocks", "blocks"], scaled(1_000_000), 12],
  [["blocks", "loops"], 60_000, 6],
  [["loops", "loops"], 20_000, 6],
  [["blocks", "blocks", "blocks", "loops"], 20_000, 4],
];

for (const [ways, count, kills] of GAMES) {
  const handOvers = count * TIMES, killed = kills * TIMES;
  test(`${handOvers} hand-overs, each ${ways.join(", ")}, ${killed} are killed`, async () => {
    await play(ways, handOvers, killed);
  });
}

for (const way of ["blocks", "loops"] as const) {
  test(`20000 hand-overs between C, blocked, and one that ${way}`, async () => {
    using program = await compileC(new URL("futex_peer.c", import.meta.url));
    using page = new Page();
    const last = 20_000;
    await using child = Child.program(PLAYER, page.name, "0", "2", String(last), way, "false");
    await within("the player", child.line());
    const c = run(program.path, { args: [page.name, "1", String(last)], timeoutMs: 60_000 });
    const [{ code, stderr }, played] = await within(
      "both ends",
      Promise.all([c, child.finished()]),
      60_000,
    );
    assertEquals([code, stderr, played.code, played.stderr], [0, "", 0, ""]);
    assertEquals([...page.values.subarray(0, 3)], [last, last / 2, last / 2]);
  });
}

// --- What a killed one leaves --------------------------------------------------------------------

/** Publishes 1 and is killed before it notifies. */
const PUBLISHES_AND_DIES = `
  ${PAGE}
  Atomics.store(values, 0, 1);
  process.kill(process.pid, "SIGKILL");
  setInterval(() => {}, 1000);
`;

test("a waiter finds by itself what somebody published who was killed then", async () => {
  for (const [how, bit] of [["waitSync", SLEEPERS_BIT], ["wait", FIRST_BELL_BIT]] as const) {
    using page = new Page();
    await using child = Child.program(
      `${PAGE}
      const events = attach();
      console.log("ready");
      console.log(await events.${how}(atLeast(1)), events.unannounced);`,
      page.name,
    );
    assertEquals(await within("the waiter", child.line()), "ready");
    await page.untilArmed(bit);
    const { signal } = await within(
      "the death",
      runProgram(PUBLISHES_AND_DIES, {
        args: [page.name],
      }),
    );
    assertEquals(signal, "SIGKILL");
    assertEquals(await within("the look", child.line()), "1 1");
    assertEquals((await within("its end", child.finished())).code, 0);
  }
});

test("a killed thread that slept leaves a bit, which the next notifier takes away", async () => {
  using page = new Page();
  await using child = Child.program(`${PAGE} attach().waitSync(atLeast(1));`, page.name);
  await page.untilArmed(SLEEPERS_BIT);
  child.kill();
  await within("its end", child.finished());
  assertEquals(Atomics.load(page.words, ARMED) & WAITING_MASK, SLEEPERS_BIT);
  page.publish(1);
  assertEquals(Atomics.load(page.words, ARMED) & WAITING_MASK, 0);
});

/** Waits in its event loop for a value. */
const LOOPS = `
  ${PAGE}
  const events = attach({ lookEveryMs: ${NEVER} });
  const waited = events.wait(atLeast(1));
  console.log(String(bellOfThisThread().id));
  console.log(await waited);
`;

test("a killed event loop leaves its bell, which the next notifier takes away", async () => {
  using page = new Page();
  await using child = Child.program(LOOPS, page.name);
  const bell = BigInt(await within("its bell", child.line()));
  assertEquals([page.bells[0], hasName(bell)], [bell, true]);
  child.kill();
  await within("its end", child.finished());
  assertEquals([page.bells[0], hasName(bell)], [bell, true]);
  page.publish(1);
  assertEquals([page.bells[0], hasName(bell)], [0n, false]);
  assertEquals(Atomics.load(page.words, ARMED) & WAITING_MASK, 0);
});

// --- The end of a program ------------------------------------------------------------------------

/** How a program with a bell ends, and what of it. */
const ENDS: [how: string, code: string, exitCode: number][] = [
  ["by itself", "", 0],
  ["by process.exit()", "setImmediate(() => process.exit(3));", 3],
  ["by process.exit() while it waits", "attach().wait(atLeast(2)); process.exit(3);", 3],
  [
    "by itself after a wait was cancelled",
    "attach().wait(atLeast(2), { signal }).catch(() => {});",
    0,
  ],
];

for (const [how, code, exitCode] of ENDS) {
  test(`a program that ends ${how} leaves no bell`, async () => {
    using page = new Page();
    await using child = Child.program(
      `${PAGE}
      const signal = AbortSignal.timeout(20);
      console.log(String(bellOfThisThread().id));
      ${code}`,
      page.name,
    );
    const bell = BigInt(await within("its bell", child.line()));
    const finished = await within("its end", child.finished());
    assertEquals([finished.code, finished.stderr], [exitCode, ""]);
    assert(!hasName(bell));
    assert(page.bells[0] === 0n || exitCode === 3);
  });
}

test("EventCount.notify() wakes everybody, whatever way they wait", async () => {
  using page = new Page();
  const program = (wait: string) =>
    Child.program(
      `${PAGE}
      console.log("ready");
      console.log(await attach({ lookEveryMs: ${NEVER} }).${wait}(atLeast(1)));`,
      page.name,
    );
  await using first = program("waitSync");
  await using second = program("waitSync");
  await using third = program("wait");
  await using fourth = program("wait");
  const all = [first, second, third, fourth];
  for (const child of all) assertEquals(await within("a waiter", child.line()), "ready");
  for (const child of [first, second]) await untilAsleep(child.pid);
  await until("both bells are armed", () => {
    const armed = Atomics.load(page.words, ARMED);
    return (armed & FIRST_BELL_BIT) !== 0 && (armed & (FIRST_BELL_BIT << 1)) !== 0;
  });
  page.publish(1);
  for (const child of all) {
    assertEquals(await within("a wake-up", child.line()), "1");
    assertEquals((await within("its end", child.finished())).code, 0);
  }
});

test("a wait keeps the program running until it is over", async () => {
  using page = new Page();
  await using child = Child.program(LOOPS, page.name);
  await within("its bell", child.line());
  await page.untilArmed(FIRST_BELL_BIT);
  page.publish(1);
  const { code, stdout, stderr } = await within("its end", child.finished());
  assertEquals([code, stdout, stderr], [0, "1\n", ""]);
});

/** A program with a worker that uses a page. */
function withWorker(page: Page, workerCode: string, code: string): Child {
  const worker = linked(`
    import { parentPort, workerData } from "node:worker_threads";
    import { DescriptorTable } from "@postbox/postbox";
    ${PAGE.replace("process.argv.slice(2)", "workerData")}
    ${workerCode}
  `);
  const program = `
    import process from "node:process";
    import { Worker } from "node:worker_threads";
    import { DescriptorTable } from "@postbox/postbox";
    const url = new URL("data:text/javascript," + encodeURIComponent(${JSON.stringify(worker)}));
    const table = DescriptorTable.create();
    const worker = new Worker(url, { workerData: [...process.argv.slice(2), table.buffer] });
    ${code}
  `;
  // To read is what the worker's import needs.
  const args = evalArgs(program, { permissions: [...FFI_ONLY, "--allow-read"] });
  return new Child(execPath(), [...args, page.name]);
}

test("a worker that ends leaves no bell", async () => {
  using page = new Page();
  await using child = withWorker(
    page,
    `await attach({ lookEveryMs: ${NEVER} }).wait(atLeast(1));
    parentPort.postMessage(String(bellOfThisThread().id));`,
    `worker.on("message", (bell) => worker.on("exit", () => console.log(bell)));`,
  );
  await page.untilArmed(FIRST_BELL_BIT);
  page.publish(1);
  const bell = BigInt(await within("its bell", child.line()));
  assert(!hasName(bell));
  assertEquals((await within("its end", child.finished())).code, 0);
});

test("a terminated worker leaves its bell: its name until its table is closed, its place until it is rung", async () => {
  using page = new Page();
  await using child = withWorker(
    page,
    `DescriptorTable.attach(args[0]);
    const waited = attach({ lookEveryMs: ${NEVER} }).wait(atLeast(1));
    parentPort.postMessage(String(bellOfThisThread().id));
    await waited;`,
    `worker.on("message", async (bell) => {
      await worker.terminate();
      await table.close();
      console.log(bell);
      process.stdin.once("data", () => process.stdin.destroy());
    });`,
  );
  const bell = BigInt(await within("its bell", child.line()));
  assertEquals([page.bells[0], hasName(bell)], [bell, false]);
  page.publish(1);
  assertEquals([page.bells[0], hasName(bell)], [0n, false]);
  await child.write("go on\n");
  assertEquals((await within("its end", child.finished())).code, 0);
});

// --- Blocked threads and signals -----------------------------------------------------------------

test("EventCount.waitSync() lets SIGINT end a program without a listener", async () => {
  using page = new Page();
  await using child = Child.program(`${PAGE} attach().waitSync(atLeast(1));`, page.name);
  await untilAsleep(child.pid);
  child.kill("SIGINT");
  const { signal, stderr } = await within("its end", child.finished());
  assertEquals([signal, stderr], ["SIGINT", ""]);
});

test("EventCount.waitSync() throws EINTR when the program listens, and works again", async () => {
  using page = new Page();
  await using child = Child.program(
    `${PAGE}
    const heard = new Promise((resolve) => process.on("SIGINT", () => resolve("heard")));
    const alive = setInterval(() => {}, 60_000);
    const events = attach({ lookEveryMs: ${NEVER} });
    try {
      events.waitSync(atLeast(1));
    } catch ({ name, code, syscall, target, hint }) {
      console.log(JSON.stringify([name, code, syscall, target === process.argv[2], hint]));
    }
    console.log(await heard);
    console.log(events.waitSync(atLeast(1)));
    clearInterval(alive);
    process.exit();`,
    page.name,
  );
  await untilAsleep(child.pid);
  child.kill("SIGINT");
  const error = JSON.parse(await within("the error", child.line()));
  assertEquals(error.slice(0, 4), ["PosixError", "EINTR", "futex", true]);
  assert(error[4].includes("let the event loop run its listener"));
  assertEquals(await within("the listener", child.line()), "heard");
  await untilAsleep(child.pid);
  page.publish(1);
  assertEquals(await within("the wake-up", child.line()), "1");
  assertEquals((await within("its end", child.finished())).code, 0);
});

test("EventCount.waitSync() in a worker lets go when the worker is terminated", async () => {
  using page = new Page();
  await using child = withWorker(
    page,
    `attach({ lookEveryMs: ${NEVER} }).waitSync(atLeast(1));`,
    `process.stdin.once("data", async () => {
      await worker.terminate();
      console.log("terminated");
      process.stdin.destroy();
    });`,
  );
  await untilAsleep(child.pid);
  await child.write("go on\n");
  const { code, stdout, stderr } = await within("its end", child.finished());
  assertEquals([code, stdout, stderr], [0, "terminated\n", ""]);
});

// --- Others than this user, other namespaces -----------------------------------------------------

/** Notifies as another user, who may write the memory that it has open and ring no bell of ours. */
async function notifyAsOther(page: Page, value: number): Promise<void> {
  const { code, stderr } = await runPrepared(
    ["env"],
    `${PAGE}
    const events = attach();
    ${BECOME_OTHER_USER}
    Atomics.store(values, 0, ${value});
    for (let times = 0; times < 1000; times++) events.notify();`,
    { args: [page.name] },
  );
  assertEquals([code, stderr], [0, ""]);
}

rootTest("a notifier of another user cannot ring, and the waiter looks by itself", async () => {
  using page = new Page();
  await using child = Child.program(
    `${PAGE}
    const events = attach({ lookEveryMs: 20 });
    const waited = events.wait(atLeast(1));
    console.log(String(bellOfThisThread().id));
    console.log(await waited, events.unannounced);`,
    page.name,
  );
  const bell = BigInt(await within("its bell", child.line()));
  await notifyAsOther(page, 1);
  assertEquals(await within("its look", child.line()), "1 1");
  await within("its end", child.finished());
  assert(!hasName(bell));
});

rootTest("a queue that another user planted under the name of a bell is not rung", async () => {
  using page = new Page();
  const bell = 1n << 63n | BigInt(process.pid);
  const { code, stderr } = await runPrepared(
    ["env"],
    `${BECOME_OTHER_USER}
    import { MessageQueue } from "@postbox/postbox";
    MessageQueue.create("${bellName(bell)}", { maxMessages: 1, maxMessageBytes: 1, mode: 0o666 });`,
  );
  assertEquals([code, stderr], [0, ""]);
  using queue = MessageQueue.open(bellName(bell), { owner: "any" });
  try {
    page.bells[0] = bell;
    Atomics.or(page.words, ARMED, FIRST_BELL_BIT);
    page.publish(1);
    assertEquals(queue.length, 0);
  } finally {
    MessageQueue.unlink(bellName(bell));
  }
});

rootTest("a notifier who cannot ring leaves a bell armed for one who can", async () => {
  using page = new Page();
  await using child = Child.program(LOOPS, page.name);
  await within("its bell", child.line());
  await page.untilArmed(FIRST_BELL_BIT);
  await notifyAsOther(page, 0);
  page.publish(1);
  assertEquals(await within("its look", child.line()), "1");
  assertEquals((await within("its end", child.finished())).code, 0);
});

rootTest(
  "a notifier in another IPC namespace finds no bell, and the waiter looks by itself",
  async () => {
    using page = new Page();
    await using child = Child.program(
      `${PAGE}
    const events = attach({ lookEveryMs: 20 });
    const waited = events.wait(atLeast(2));
    console.log(String(bellOfThisThread().id));
    console.log(await waited, events.unannounced);`,
      page.name,
    );
    await within("its bell", child.line());
    const { code, stderr } = await runPrepared(
      inNamespaces(["-i"], ""),
      `${PAGE}
    const events = attach();
    for (const value of [1, 2]) {
      Atomics.store(values, 0, value);
      events.notify();
    }`,
      { args: [page.name] },
    );
    assertEquals([code, stderr], [0, ""]);
    assertEquals(await within("its look", child.line()), "2 1");
    assertEquals((await within("its end", child.finished())).code, 0);
  },
);

rootTest("a thread that makes a bell removes those of the dead, where it sees them", async () => {
  const { code, stdout, stderr } = await runPrepared(
    inNamespaces(["-i", "-m"], "mkdir -p /dev/mqueue && mount -t mqueue none /dev/mqueue"),
    `
    import { readdirSync } from "node:fs";
    import { C, mqOpen, mqClose, tryLock } from "@postbox/postbox/src/sys/mod.ts";
    import { bellName, bellOfThisThread } from "@postbox/postbox/src/wait/doorbell.ts";
    const SIZE = { maxMessages: 1, maxMessageBytes: 1 };
    const open = (name) => mqOpen(name, C.O_CREAT | C.O_RDWR, 0o600, SIZE, () => undefined);
    for (let id = 1n; id <= 5n; id++) mqClose(open(bellName(id)), "dead");
    tryLock(open(bellName(6n)), "alive");
    mqClose(open("/postbox-bell-7"), "another's");
    mqClose(open("/other"), "another's");
    const mine = bellName(bellOfThisThread().id);
    const names = readdirSync("/dev/mqueue").map((name) => "/" + name);
    console.log(JSON.stringify(names.map((name) => name === mine ? "mine" : name).sort()));
    `,
    { permissions: ["--allow-all", "--no-prompt", "--quiet"] },
  );
  assertEquals([code, stderr], [0, ""]);
  assertEquals(JSON.parse(stdout), [
    "/other",
    "/postbox-bell-0000000000000006",
    "/postbox-bell-7",
    "mine",
  ]);
});
