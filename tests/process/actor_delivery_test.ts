/**
 * At-least-once, of actors in workers and processes that are killed: what was accepted is handled,
 * or told in the dead letters, whatever instant they are killed at.
 *
 * Method: the module of the actor stops its process at named steps (src/actor/delivery/steps.ts);
 * each handler tells a witness, which is not killed, before it does anything.
 */

import { statSync, writeFileSync } from "node:fs";
import process from "node:process";
import { ActorError, addressOf, removeSystem, systemStatus } from "../../src/actor/mod.ts";
import type { Step } from "../../src/actor/delivery/steps.ts";
import { endpointOf } from "../../src/actor/runtime/system.ts";
import type keeperActor from "../actor/actors/keeper.ts";
import type { KeeperRef } from "../actor/actors/keeper.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { test } from "../harness.ts";
import {
  blocksInUse,
  isRunning,
  objectsOf,
  ofTheLiving,
  placesOf,
  systemName,
} from "../support/actors.ts";
import { AT_ONCE, Keepers, largeNote, note } from "../support/keepers.ts";
import { type Preparation, runPrepared } from "../support/prepared.ts";
import { Child, temporaryFolder } from "../support/process.ts";
import { evalArgs, execPath, siblingUrl } from "../support/runtime.ts";
import { until, within } from "../support/until.ts";

const KEEPER = siblingUrl("../actor/actors/keeper.ts", import.meta.url);
const KILLED = "SIGKILL";

/** Where an actor lives, and what brings its messages. */
const PLACES = [
  { in: "process", mailbox: "kept" },
  { in: "process", carrier: "ring" },
  { in: "worker", mailbox: "kept" },
  { in: "worker", carrier: "ring" },
] as const;

/** Where a worker that is terminated cannot be followed by another. */
const NO_NEXT_WORKER = { bun: "what it frees of a terminated worker is memory of others" };

for (const place of PLACES) {
  const name = `${place.in}${"carrier" in place ? " with a ring" : ""}`;
  const options = { not: place.in === "worker" ? NO_NEXT_WORKER : undefined };

  test(
    `a message whose actor in a ${name} is killed over it comes again, before the others`,
    options,
    async () => {
      await using keepers = await Keepers.open();
      const keeper = await keepers.spawn(place);
      await Promise.all([
        keeper.keep(note("urgent", "later", "fine"), { priority: 5 }),
        keeper.keep(largeNote("large", "later", "fine")),
        keeper.keep(note("last")),
      ]);
      for (const text of ["urgent", "large"]) {
        await keepers.attempts(text, 1);
        const exit = place.in === "process"
          ? { kind: "signal", signal: KILLED } as const
          : { kind: "terminated" } as const;
        await endpointOf(keepers.shop).deaths.crash(addressOf(keeper), exit);
        await keepers.attempts(text, 2);
      }
      await keepers.attempts("last", 1);
      assertEquals(
        keepers.seen.map(({ text, attempt, priority, bytes }) => [text, attempt, priority, bytes]),
        [
          ["urgent", 1, 5, 0],
          ["urgent", 2, 5, 0],
          ["large", 1, 0, 50_000],
          ["large", 2, 0, 50_000],
          ["last", 1, 0, 0],
        ],
      );
      await until("all blocks are free", () => blocksInUse(keepers.shop.name) === 0);
      assertEquals(keepers.shop.deadLetters.total, 0);
      await keepers.shop.stop(keeper);
      assertEquals(placesOf(keepers.shop.name, "kept").filter(isOfActor), []);
    },
  );
}

for (const place of ["process", "worker"] as const) {
  const options = { not: place === "worker" ? NO_NEXT_WORKER : undefined };

  test(
    `a handler in a ${place} that hangs is killed at its deadline, and its message comes again`,
    options,
    async () => {
      await using keepers = await Keepers.open();
      const keeper = await keepers.spawn({ in: place, mailbox: "kept", deadlineMs: 100 });
      // In Deno nothing ends a worker that computes.
      const fate = place === "process" ? "hang" : "later";
      const began = performance.now();
      await keeper.keep(note("hangs", fate, "fine"));
      assertEquals(await keepers.attempts("hangs", 2), [1, 2]);
      assert(performance.now() - began >= 100);
      // Others are not measured with it: each has its own time.
      for (let index = 0; index < 5; index++) await keeper.keep(note(`${index}`));
      await keepers.attempts("4", 1);
      assertEquals(keepers.seen.at(-1)!.incarnation, 2);
    },
  );
}

test("a message that kills its process each time is a dead letter that says so, and the next is handled", async () => {
  await using keepers = await Keepers.open();
  const keeper = await keepers.spawn({ in: "process", mailbox: "kept", maxAttempts: 2 });
  await keeper.keep(largeNote("poison", "kill"));
  await keeper.keep(note("next"));
  await keepers.attempts("next", 1);
  assertEquals(await keepers.attempts("poison", 2), [1, 2]);
  const [letter] = await keepers.letters(1);
  assertEquals([letter!.reason, letter!.kind, letter!.label], ["attempts-spent", "keep", "kept"]);
  assertStringIncludes(letter!.detail, "it was tried 2 times, and the actor was killed by SIGKILL");
  assert(letter!.bytes!.byteLength > 50_000);
  assertEquals(blocksInUse(keepers.shop.name), 0);
});

/** Where a process is killed over a message, and the attempts that its handler then sees. */
interface CrashPlan {
  /** Each incarnation is killed at the next of them. */
  readonly steps: readonly Step[];
  readonly attempts: readonly number[];
  readonly isLarge?: true;
}

const QUEUE_PLANS: readonly (readonly CrashPlan[])[] = [
  [
    { steps: ["received"], attempts: [1] },
    { steps: ["kept"], attempts: [1] },
    { steps: ["begun"], attempts: [2] },
    { steps: ["handled"], attempts: [1, 2] },
    { steps: ["acknowledged"], attempts: [1] },
    { steps: ["armed"], attempts: [1] },
  ],
  [
    { steps: ["handled"], attempts: [1, 2], isLarge: true },
    { steps: ["freeing", "claimed", "found", "recovered"], attempts: [1], isLarge: true },
    { steps: ["freed", "found"], attempts: [1], isLarge: true },
    { steps: ["begun", "claimed", "found", "recovered"], attempts: [2] },
    { steps: ["received", "found", "begun"], attempts: [2], isLarge: true },
  ],
];

/** What is not the same through a ring. */
const RING_PLAN: readonly CrashPlan[] = [
  { steps: ["copied"], attempts: [1] },
  { steps: ["copied", "acknowledged"], attempts: [1], isLarge: true },
  { steps: ["received", "handled"], attempts: [1, 2] },
];
const PLANS = [...QUEUE_PLANS, RING_PLAN];

const NO_QUERY = { bun: "a module does not know the query of its URL" };

test(
  "no step of receiving, handling, acknowledging or recovering loses a message when it is the last",
  { not: NO_QUERY },
  async () => {
    using folder = temporaryFolder();
    await using keepers = await Keepers.open();
    await Promise.all(PLANS.map(async (plans, index) => {
      const file = `${folder.path}/${index}`;
      writeFileSync(file, "");
      const { default: definition } = await import(`${KEEPER}?steps=${file}`);
      const keeper = await keepers.spawn(
        plans === RING_PLAN
          ? { in: "process", carrier: "ring", maxAttempts: 10 }
          : { in: "process", mailbox: `kept-${index}`, maxAttempts: 10 },
        definition as typeof keeperActor,
      );
      for (const [at, { steps, attempts, isLarge }] of plans.entries()) {
        const text = `${index}.${at} ${steps}`;
        writeFileSync(file, steps.join(" "));
        await keeper.keep(isLarge ? largeNote(text) : note(text));
        await until(`it died at ${steps}`, () => statSync(file).size === 0);
        assertEquals(await keepers.attempts(text, attempts.length), attempts, text);
        await ofTheLiving(() => keeper.pid()); // the message before is acknowledged: the next steps are not its own
      }
      await keeper.keep(note(`${index} last`));
      await keepers.attempts(`${index} last`, 1);
    }));
    const expected = PLANS.flat().reduce(
      (sum, { attempts }) => sum + attempts.length,
      PLANS.length,
    );
    assertEquals(keepers.seen.length, expected);
    assertEquals(keepers.shop.deadLetters.list(), []);
    await until("all blocks are free", () => blocksInUse(keepers.shop.name) === 0);
  },
);

test("a member of a pool that is killed for good leaves what it had to another", async () => {
  await using keepers = await Keepers.open();
  const restart = { keep: "temporary" } as const;
  const keeper = await keepers.spawn({ in: "process", size: 2, mailbox: "kept", restart });
  await Promise.all([keeper.keep(largeNote("a", "kill", "fine")), keeper.keep(note("b"))]);
  assertEquals(await keepers.attempts("a", 2), [1, 2]);
  await keepers.attempts("b", 1);
  assertEquals(
    new Set(keepers.seen.filter(({ text }) => text === "a").map(({ by }) => by)).size,
    2,
  );
  await keeper.keep(note("c", "kill"));
  const [letter] = await keepers.letters(1);
  assertEquals([letter!.reason, letter!.detail], [
    "stopped",
    "it was tried once, and the actor was killed by SIGKILL",
  ]);
  await until("its slots are gone", () => !objectsOf(keepers.shop.name).includes("slots-kept"));
  assertEquals(blocksInUse(keepers.shop.name), 0);
});

test("what was set aside comes again when its process is killed", async () => {
  await using keepers = await Keepers.open();
  const keeper = await keepers.spawn({ in: "process", mailbox: "kept" });
  for (const text of ["a", "b"]) await keeper.keep(largeNote(text, "stash", "fine"));
  await keeper.keep(note("dies", "kill", "fine"));
  await keepers.attempts("dies", 2);
  assertEquals(keepers.seen.map(({ text, attempt }) => `${text}${attempt}`), [
    ...["a1", "b1", "dies1"],
    ...["a2", "b2", "dies2"],
  ]);
});

test("an ask that its actor died over is handled again, and what is at-most-once is not", async () => {
  await using keepers = await Keepers.open();
  const keeper = await keepers.spawn({ in: "process", mailbox: "kept" });
  assertEquals(await keeper.keepAsked(note("answered")), 1);
  const error = await keeper.keepAsked(note("asked", "kill", "fine")).catch((error) => error);
  assert(error instanceof ActorError && error.code === "EDIED", `${error}`);
  assertEquals(await keepers.attempts("asked", 2), [1, 2]);
  await keeper.risk(note("risk", "kill"));
  await keeper.keep(note("end"));
  await keepers.attempts("end", 1);
  assertEquals(await keepers.attempts("risk", 1), [1]);
});

for (const place of [PLACES[0], PLACES[1]]) {
  const by = "carrier" in place ? "with a ring " : "";

  test(`what an actor ${by}had whose parent was killed is told in the dead letters`, async () => {
    await using keepers = await Keepers.open();
    const parent = await keepers.spawn({ in: "process" });
    const child = await parent.child({ ...place, restart: AT_ONCE }) as unknown as KeeperRef;
    await child.keep(largeNote("in hand", "later"));
    await child.keep(note("waits"));
    await keepers.attempts("in hand", 1);
    process.kill(await parent.pid(), KILLED);
    const letters = await keepers.letters(2);
    assertEquals(letters.map(({ reason, detail }) => [reason, detail]), [
      ["stopped", "it was tried once"],
      ["stopped", ""],
    ]);
    await keepers.shop.stop(parent);
    const places = () => placesOf(keepers.shop.name, "kept").filter(isOfActor);
    await until("its places are gone", () => places().length === 0);
    assertEquals(blocksInUse(keepers.shop.name), 0);
  });
}

/** Whether an object is of an actor: neither of the system alone, nor the ring for an asker's answers. */
function isOfActor(name: string): boolean {
  return !/^(0|directory|ring-\d+)$/.test(name);
}

const PROGRAM = `
  import { actor, msg, protocol, system } from "@postbox/postbox/src/actor/mod.ts";
  import keeperActor, { Witness } from ${JSON.stringify(KEEPER)};

  const lines = [];
  const [name] = process.argv.slice(1).slice(-1);
  const shop = await system(name, { log: { level: "warn", sink: (line) => lines.push(line) } });
  let heard;
  const seen = new Promise((resolve) => heard = resolve);
  const witness = await shop.spawn(actor(import.meta, Witness, () => ({ seen: heard })));
  const spawn = (mailbox) =>
    shop.spawn(keeperActor, { in: "process", mailbox, init: { witness }, stdio: "inherit" });
  const keeper = await spawn("kept");
`;

/** A process that may lock no memory. */
const UNLOCKED: Preparation = process.getuid!() === 0
  ? ["unshare", "-Ur", "prlimit", "--memlock=0:0"]
  : ["prlimit", "--memlock=0:0"];

test("where no memory may be locked it works, says so once, and system.guarantees tells", async () => {
  const name = systemName();
  const code = `
    ${PROGRAM}
    await spawn("other");
    await keeper.keep({ text: "a", fates: ["kill", "fine"] });
    await seen;
    console.log(shop.guarantees.atLeastOnce, lines.join().includes("MEMLOCK"));
    await shop.close();
  `;
  const permissions = ["-A", "--no-prompt", "--quiet"];
  const { code: exit, stdout, stderr } = await runPrepared(UNLOCKED, code, {
    permissions,
    args: [name],
  });
  assertEquals([exit, stdout], [0, "unlocked false\n"], stderr);
  assertEquals([...stderr.matchAll(/WARN .*RLIMIT_MEMLOCK/g)].length, 1, stderr);
});

test("a system that was killed leaves its slots to whoever cleans up", async () => {
  const name = systemName();
  const code = `${PROGRAM}
    await keeper.keep({ text: "a", fates: ["later"] });
    await seen;
    console.log("ready");
    await new Promise(() => setInterval(() => {}, 1000));
  `;
  await using child = new Child(execPath(), [
    ...evalArgs(code, { permissions: ["-A", "--no-prompt", "--quiet"] }),
    name,
  ]);
  assertEquals(await within("its first line", child.line()), "ready");
  const { pids } = systemStatus(name);
  assert(objectsOf(name, "kept").includes("slots-kept"));
  child.kill(KILLED);
  await until("all of it has ended", () => systemStatus(name).state === "dead");
  await until("all of its processes have", () => !pids.some(isRunning));
  removeSystem(name);
  assertEquals(objectsOf(name, "kept"), []);
});
