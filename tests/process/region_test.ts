/**
 * Regions between processes and threads: JavaScript and C on the same numbers, waiting for each
 * other, children and workers.
 */

import "../support/loaded.ts";
import { assertEquals, assertGreaterOrEqual } from "../assert.ts";
import { test } from "../harness.ts";
import { MessageQueue } from "../../mod.ts";
import { Region } from "../../src/region/mod.ts";
import { CHANGES_OFFSET } from "../../src/region/region_layout.ts";
import { bellName } from "../../src/wait/doorbell.ts";
import { ARMED, BELLS_OFFSET, WAITING_MASK } from "../../src/wait/event_layout.ts";
import { Child, run, runProgram } from "../support/process.ts";
import { evalArgs, execPath, FFI_ONLY, linked } from "../support/runtime.ts";
import { scaled } from "../support/scale.ts";
import { runWith } from "../support/spawned.ts";
import { until, within } from "../support/until.ts";
import {
  ADDER,
  assertTotals,
  compilePeer,
  SHARED,
  Shared,
  sharedRegion,
} from "./region_schemas.ts";

const ROUNDS = scaled(200_000);

test(`three processes add ${ROUNDS} times to every type of integer, exactly`, async () => {
  using program = await compilePeer();
  using shared = sharedRegion();
  const { started, ready } = shared.fields;
  const adders = [
    run(program.path, { args: [shared.name, "add", `${ROUNDS}`], timeoutMs: 120_000 }),
    ...[1, 2].map(() =>
      run(execPath(), {
        args: [...evalArgs(ADDER), shared.name, `${ROUNDS}`],
        timeoutMs: 120_000,
      })
    ),
  ];
  await within("all adders", started.waitFor(3));
  ready.store(1);
  for (const { code, stderr } of await Promise.all(adders)) assertEquals([code, stderr], [0, ""]);
  assertTotals(shared.fields, 3 * ROUNDS);
  assertEquals(shared.fields.sum.load(), 2 * ROUNDS);
});

// --- Waiting for C -----------------------------------------------------------------------------

/** Waits for a value, blocked or in its event loop, and prints it. */
const WAITER = `
  ${SHARED}
  const { ready } = Region.open(name, Shared).fields;
  console.log("waits");
  console.log(args[0] === "blocks" ? ready.waitForSync(7) : await ready.waitFor(7));
`;

/** The same, but that it never looks by itself. */
const LISTENER = `
  ${SHARED}
  import { EventCount } from "@postbox/postbox/src/wait/mod.ts";
  const { buffer, fields: { ready } } = Region.open(name, Shared);
  const events = EventCount.attach(buffer, ${CHANGES_OFFSET}, { lookEveryMs: 3_600_000 });
  const look = () => ready.load() === 7 ? 7 : undefined;
  console.log("waits");
  console.log(args[0] === "blocks" ? events.waitSync(look) : await events.wait(look));
`;

for (const way of ["blocks", "loops"] as const) {
  for (const call of ["changed", "store"] as const) {
    const how = call === "changed" ? "announces by postbox_changed()" : "only stores";
    test(`one who ${way} sees what C ${how}`, async () => {
      using peer = await compilePeer();
      using shared = sharedRegion();
      const program = call === "changed" ? LISTENER : WAITER;
      await using waiter = Child.program(program, shared.name, way);
      assertEquals(await within("the waiter", waiter.line()), "waits");
      const armed = new Int32Array(shared.region.buffer, CHANGES_OFFSET + 4 * ARMED, 1);
      const isArmed = () => (Atomics.load(armed, 0) & WAITING_MASK) !== 0;
      await until("the waiter is armed", isArmed);
      const { code, stderr } = await run(peer.path, { args: [shared.name, call, "7"] });
      assertEquals([code, stderr], [0, ""]);
      assertEquals(await within("the value", waiter.line()), "7");
      assertEquals((await within("its end", waiter.finished())).code, 0);
      // Who was woken disarms no more: the notifier has.
      if (way === "blocks" && call === "changed") assertEquals(isArmed(), false);
    });
  }
}

/** Makes ready even whenever it is odd, so many times. */
const PLAYER = `
  ${SHARED}
  import { EventCount } from "@postbox/postbox/src/wait/mod.ts";
  const { buffer, fields: { ready } } = Region.open(name, Shared);
  const [way, turns] = args;
  const events = EventCount.attach(buffer, ${CHANGES_OFFSET}, { lookEveryMs: 3_600_000, spin: false });
  const look = () => (ready.load() & 1) === 1 || undefined;
  for (let turn = 0; turn < Number(turns); turn++) {
    if (way === "blocks") events.waitSync(look);
    else await events.wait(look);
    ready.add(1);
  }
`;

for (const way of ["blocks", "loops"] as const) {
  const turns = 1000;
  test(`${turns} times C's postbox_changed() wakes one who ${way}, and none is lost`, async () => {
    using peer = await compilePeer();
    using shared = sharedRegion();
    const finished = Promise.all([
      run(execPath(), { args: [...evalArgs(PLAYER), shared.name, way, String(turns)] }),
      run(peer.path, { args: [shared.name, "play", String(turns)] }),
    ]);
    for (const { code, stderr } of await within("the end of the game", finished)) {
      assertEquals([code, stderr], [0, ""]);
    }
    assertEquals(shared.fields.ready.load(), 2 * turns);
  });
}

test("postbox_changed() rings the bell of an event loop, and disarms it", async () => {
  using program = await compilePeer();
  using shared = sharedRegion();
  await using waiter = Child.program(WAITER, shared.name, "loops");
  await within("the waiter", waiter.line());
  const { buffer } = shared.region;
  const armed = new Int32Array(buffer, CHANGES_OFFSET, 16);
  await until("the waiter is armed", () => (Atomics.load(armed, ARMED) & WAITING_MASK) !== 0);
  waiter.kill("SIGSTOP"); // so that it answers only when it is told to
  const [bell] = new BigUint64Array(buffer, CHANGES_OFFSET + BELLS_OFFSET, 1);
  using queue = MessageQueue.open(bellName(bell!), { access: "r" });
  for (const times of [1, 2]) {
    const { code } = await run(program.path, { args: [shared.name, "changed", "7"] });
    assertEquals(
      [code, queue.length, Atomics.load(armed, ARMED) & WAITING_MASK],
      [0, 1, 0],
      `${times}`,
    );
  }
  waiter.kill("SIGCONT");
  assertEquals(await within("the value", waiter.line()), "7");
  assertEquals((await within("its end", waiter.finished())).code, 0);
});

test("postbox_changed() takes away the bell of a dead process", async () => {
  using program = await compilePeer();
  using shared = sharedRegion();
  await using waiter = Child.program(WAITER, shared.name, "loops");
  await within("the waiter", waiter.line());
  const armed = new Int32Array(shared.region.buffer, CHANGES_OFFSET, 16);
  await until("the waiter is armed", () => (Atomics.load(armed, ARMED) & WAITING_MASK) !== 0);
  waiter.kill();
  await within("its end", waiter.finished());
  const { code } = await run(program.path, { args: [shared.name, "changed", "7"] });
  assertEquals(code, 0);
  assertEquals(Atomics.load(armed, ARMED) & WAITING_MASK, 0);
  assertEquals([armed[4], armed[5]], [0, 0], "the first bell of the table");
});

test("postbox_changed() does nothing while nobody waits", async () => {
  using program = await compilePeer();
  using shared = sharedRegion();
  const { code } = await run(program.path, { args: [shared.name, "changed", "7"] });
  assertEquals([code, shared.fields.ready.load()], [0, 7]);
  assertEquals(new Int32Array(shared.region.buffer, CHANGES_OFFSET, 1)[0], 0);
});

test("C finds no region of another schema, and none that is not ready", async () => {
  using program = await compilePeer();
  using shared = sharedRegion();
  const words = new Uint32Array(shared.region.buffer, 0, 16);
  for (const index of [0, 2, 3, 4, 15]) {
    const before = words[index]!;
    words[index] = before ^ 1;
    const { code } = await run(program.path, { args: [shared.name, "store", "7"] });
    assertEquals(code, 7, `word ${index}`);
    words[index] = before;
  }
  assertEquals((await run(program.path, { args: [shared.name, "store", "7"] })).code, 0);
});

test("RecordField.update() gives false at its deadline, and read() waits for nobody", async () => {
  using shared = sharedRegion();
  const { started, stop, last } = shared.fields;
  const writer = runProgram(
    `${SHARED}
    const { started, stop, last } = Region.open(name, Shared).fields;
    last.update((draft) => {
      draft.tag = "late";
      started.add(1);
      stop.waitForSync(1);
    });`,
    { args: [shared.name] },
  );
  await within("the writer", started.waitFor(1));
  const start = performance.now();
  assertEquals(last.update((draft) => void (draft.tag = "mine"), { timeoutMs: 30 }), false);
  assertGreaterOrEqual(performance.now() - start, 30);
  assertEquals(last.write({ ...last.read(), tag: "mine" }, { timeoutMs: 0 }), false);
  assertEquals(last.read().tag, "");
  stop.store(1);
  const { code, stderr } = await within("its end", writer);
  assertEquals([code, stderr, last.read().tag], [0, "", "late"]);
});

// --- Children and workers ------------------------------------------------------------------------

test("a child takes over an anonymous region by its descriptor", async () => {
  using region = Region.anonymous(Shared);
  const child = await runWith(
    (stdio) => region.inheritAs(3, stdio),
    execPath(),
    evalArgs(`
      ${SHARED}
      const region = Region.fromInherited(3, Shared);
      region.fields.ready.store(5);
      region.fields.last.update((draft) => { draft.tag = "child"; });
    `),
  );
  assertEquals([child.code, child.stderr], [0, ""]);
  assertEquals([region.fields.ready.load(), region.fields.last.read().tag], [5, "child"]);
});

test("a worker uses a region by its posted buffer", async () => {
  using shared = sharedRegion();
  const worker = linked(`
    import { workerData } from "node:worker_threads";
    ${SHARED.replace("process.argv.slice(2)", "[]")}
    using region = Region.attach(workerData, Shared);
    for (let i = 0; i < 1000; i++) region.fields.u64.add(1n);
    region.fields.last.update((draft) => { draft.tag = "worker"; });
    region.fields.ready.store(1);
    await region.fields.ready.waitFor(2);
    region.fields.ready.store(3);
  `).replace("using region", "const region");
  const program = `
    ${SHARED}
    import { Worker } from "node:worker_threads";
    const region = Region.open(name, Shared);
    const url = new URL("data:text/javascript," + encodeURIComponent(${JSON.stringify(worker)}));
    const worker = new Worker(url, { workerData: region.buffer });
    const exited = new Promise((resolve) => worker.on("exit", resolve));
    await region.fields.ready.waitFor(1);
    console.log(region.fields.u64.load(), region.fields.last.read().tag);
    region.fields.ready.store(2);
    await region.fields.ready.waitFor(3);
    await exited;
    region.close();
  `;
  // To read is what the worker's import needs.
  const args = evalArgs(program, { permissions: [...FFI_ONLY, "--allow-read"] });
  const child = await run(execPath(), { args: [...args, shared.name], timeoutMs: 60_000 });
  assertEquals([child.code, child.stderr, child.stdout], [0, "", "1000n worker\n"]);
  assertEquals(shared.fields.ready.load(), 3);
});
