/**
 * Supervision of actors in workers and processes: who is restarted, how often, who is stopped, in
 * which order, and what a start that fails says.
 */

import process from "node:process";
import { type ActorError, child, type Down } from "../../src/actor/mod.ts";
import counterActor from "../actor/actors/counter.ts";
import fragileActor from "../actor/actors/fragile.ts";
import mortalActor, { type Birth } from "../actor/actors/mortal.ts";
import { assert, assertEquals, assertLess, assertRejects } from "../assert.ts";
import { test } from "../harness.ts";
import {
  Downs,
  objectsOf,
  ofTheLiving,
  placesOf,
  quietSystem,
  refusalOf,
} from "../support/actors.ts";
import { until, within } from "../support/until.ts";

const AT_ONCE = { keep: "permanent", backoffMs: [0, 0], max: Infinity } as const;
const HOUR_MS = 3_600_000;

/** The error of a start that must fail. */
async function failedStart(starting: Promise<unknown>): Promise<ActorError> {
  const error = await refusalOf(starting);
  assertEquals(error.code, "ESTART");
  return error;
}

test("a process is restarted as its policy says", async () => {
  await using shop = await quietSystem();
  const cases = [
    ["permanent", "exit", [[1, "exit", true]]],
    ["transient", "exit", [[1, "exit", true]]],
    ["temporary", "exit", [[1, "exit", false]]],
    ["transient", "stop", [[1, "stopped", false]]],
    ["temporary", "throw", [[1, "threw", false]]],
  ] as const;
  await Promise.all(cases.map(async ([keep, way, told]) => {
    const restart = { keep, backoffMs: [0, 0] } as const;
    const mortal = await shop.spawn(mortalActor, { in: "process", restart, stdio: "ignore" });
    const downs = new Downs(shop, mortal);
    await (way === "stop" ? mortal.stop() : mortal.die(way));
    await downs.first(1);
    assertEquals(downs.told, told.map((one) => [...one]));
    if (told[0][2]) assertEquals((await mortal.life()).incarnation, 2);
    else assertEquals((await refusalOf(mortal.life())).code, "EDIED");
  }));
  // Of those that are not restarted nothing is left.
  await until("two are left", () => placesOf(shop.name).join() === "0,1,2,directory");
});

test("an actor that ends too often is given up: asks reject, its messages are dead letters", async () => {
  await using shop = await quietSystem();
  await Promise.all((["box", undefined] as const).map(async (mailbox) => {
    const restart = { keep: "permanent", max: 1, withinMs: HOUR_MS, backoffMs: [0, 0] } as const;
    const mortal = await shop.spawn(mortalActor, { in: "process", mailbox, restart });
    const downs = new Downs(shop, mortal);
    const { pid } = await mortal.life();
    await mortal.die("kill");
    const { pid: next } = await ofTheLiving(() => mortal.life());
    assert(next !== pid);
    process.kill(next, "SIGSTOP"); // it takes nothing from here on
    await mortal.note("too late");
    const asked = mortal.life();
    process.kill(next, "SIGKILL");
    assertEquals((await refusalOf(asked)).exit, { kind: "signal", signal: "SIGKILL" });
    const [, given] = await downs.first(2);
    const last = { kind: "signal", signal: "SIGKILL" } as const;
    const gaveUp = { kind: "gave-up", restarts: 1, withinMs: HOUR_MS, last } as const;
    assertEquals([given!.exit, given!.restarting], [gaveUp, false]);
    assertEquals((await refusalOf(mortal.life())).exit, gaveUp);
  }));
  await until("what waited is told", () => shop.deadLetters.count("stopped") >= 2);
  const letters = shop.deadLetters.list().filter(({ reason }) => reason === "stopped");
  assertEquals(letters.filter(({ label }) => label === "box").length >= 1, true);
  assertEquals(placesOf(shop.name, "box"), ["0", "directory"]);
});

test("a process that does not start again is tried with longer and longer waits", async () => {
  await using shop = await quietSystem();
  const restart = { keep: "permanent", backoffMs: [20, 1000], max: Infinity } as const;
  const init: Birth = { setup: "throw", fromIncarnation: 2, untilIncarnation: 4 };
  const mortal = await shop.spawn(mortalActor, { in: "worker", restart, init });
  const downs = new Downs(shop, mortal);
  const started = performance.now();
  await mortal.die("throw");
  await downs.first(4);
  const { incarnation } = await within("a later incarnation", mortal.life());
  assertEquals(incarnation, 5);
  assert(performance.now() - started >= 20 + 40 + 80 + 160);
  assertEquals(downs.told, [1, 2, 3, 4].map((incarnation) => [incarnation, "threw", true]));
});

test("a group of processes is restarted as its strategy says", async () => {
  await using shop = await quietSystem();
  const cases = [
    ["one-for-all", [2, 2, 2]],
    ["rest-for-one", [1, 2, 2]],
  ] as const;
  await Promise.all(cases.map(async ([strategy, expected]) => {
    const three = await shop.supervise(
      strategy,
      ["a", "b", "c"].map((name) => child(mortalActor, { in: "process", name })),
      { backoffMs: [0, 0] },
    );
    await three[1]!.die("kill");
    const incarnations = () =>
      Promise.all(three.map(async (one) => (await ofTheLiving(() => one.life())).incarnation));
    await until(`${strategy} has restarted ${expected}`, async () => {
      return String(await incarnations()) === String(expected);
    });
    assertEquals(await incarnations(), [...expected]);
  }));
});

test("actors that are linked end with each other", async () => {
  await using shop = await quietSystem();
  const restart = { ...AT_ONCE, keep: "transient" } as const;
  const [one, other] = await Promise.all([
    shop.spawn(mortalActor, { in: "process", name: "one" }),
    shop.spawn(mortalActor, { in: "process", name: "other", restart }),
  ]);
  shop.link(one, other);
  const downs = new Downs(shop, other);
  await one.die("kill");
  const [{ exit, restarting }] = await downs.first(1) as [Down];
  assertEquals([exit, restarting], [
    { kind: "lost", reason: 'linked to "one", which was killed by SIGKILL' },
    true,
  ]);
  assertEquals((await other.life()).incarnation, 2);
});

test("System.close() stops the last first, and each drains first", async () => {
  const ended: string[] = [];
  {
    await using shop = await quietSystem();
    for (const name of ["first", "second", "third"]) {
      const mortal = await shop.spawn(mortalActor, { in: "process", name });
      shop.watch(mortal, ({ label, exit }) => ended.push(`${label} ${exit.kind}`));
      for (let i = 0; i < 10; i++) await mortal.note(`${i}`);
    }
  }
  assertEquals(ended, ["third stopped", "second stopped", "first stopped"]);
});

test("an actor that hangs is ended when its time to stop is over", async () => {
  await using shop = await quietSystem();
  const stopMs = 50;
  const [waits, spins] = await Promise.all([
    shop.spawn(mortalActor, { in: "process", stopMs }),
    shop.spawn(mortalActor, { in: "process", stopMs }),
  ]);
  const asked = refusalOf(waits.hang());
  await waits.note("behind it");
  await spins.die("spin");
  const started = performance.now();
  await Promise.all([shop.stop(waits), shop.stop(spins)]);
  assert(performance.now() - started >= stopMs);
  assertEquals((await asked).exit, { kind: "stopped" });
  assertEquals(shop.deadLetters.list().map(({ reason, kind }) => [reason, kind]), [
    ["stopped", "note"],
  ]);
});

test("a start that fails rejects with its cause, and leaves nothing", async () => {
  await using shop = await quietSystem();
  const stdio = "ignore";
  const spawn = (place: "process" | "worker", setup: "throw" | "exit") =>
    shop.spawn(mortalActor, { in: place as "process", stdio, init: { setup } });
  const spawnFragile = (what: Parameters<typeof fragileActor>[0]) =>
    shop.spawn(fragileActor(what), { in: "process", stdio });
  const starts = [
    ["the setup threw on purpose", spawn("process", "throw")],
    ["the setup threw on purpose", spawn("worker", "throw")],
    ["it exited with code 4", spawn("process", "exit")],
    ["it exited with code 4", spawn("worker", "exit")],
    ["is no actor, expected one", spawnFragile("noActor")],
    ["fragile_missing", spawnFragile("missing")],
    ["the module threw on purpose", spawnFragile("throwing")],
    ["reading 'start'", shop.spawn(counterActor, { in: "process", stdio } as never)], // no init
    ["reading 'start'", shop.spawn(counterActor, { in: "worker", stdio } as never)],
  ] as const;
  await Promise.all(starts.map(async ([expected, starting]) => {
    const { message, cause } = await failedStart(starting);
    const told = `${message} ${cause instanceof Error ? cause.message : ""}`;
    assert(told.includes(expected), told);
  }));
  assertEquals(placesOf(shop.name), ["0", "directory"]);
});

test("a system that is being closed starts nothing more", async () => {
  const shop = await quietSystem();
  const starting = failedStart(shop.spawn(mortalActor, { in: "process" }));
  const hanging = failedStart(
    shop.spawn(mortalActor, { in: "process", init: { setup: "hang" }, stopMs: 0 }),
  );
  const closed = shop.close();
  await assertRejects(() => shop.spawn(mortalActor), TypeError, "is being stopped");
  await Promise.all([starting, hanging, within("its end", closed)]);
  assertEquals(objectsOf(shop.name), []);
});

test("to spawn and stop again and again leaves nothing", async () => {
  await using shop = await quietSystem();
  const { openDescriptors, threads } = await import("../support/usage.ts");
  const round = async () => {
    for (const place of ["process", "worker", "here"] as const) {
      const mortal = await shop.spawn(mortalActor, { in: place as "process" });
      await mortal.life();
      await shop.stop(mortal);
    }
  };
  await round();
  const before = { descriptors: openDescriptors(), threads: threads() };
  const rounds = Number(process.env.POSTBOX_ROUNDS ?? 3);
  for (let i = 0; i < rounds; i++) await round();
  // A leak is one a round at least.
  assertLess(openDescriptors() - before.descriptors, rounds);
  assertLess(threads() - before.threads, rounds);
  assertEquals(placesOf(shop.name), ["0", "directory"]);
});
