/**
 * The ends of actors in workers and processes: who waits for an answer is told at once, and how;
 * what waits in a mailbox is for the next incarnation; what the dead had is given back.
 *
 * Method: an ask is pending, and the next incarnation is an hour away: it must not wait for that.
 */

import process from "node:process";
import type { Exit, Ref } from "../../src/actor/mod.ts";
import mortalActor, { type Mortal, type Way } from "../actor/actors/mortal.ts";
import relayActor from "../actor/actors/relay.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { test } from "../harness.ts";
import {
  blocksInUse,
  Downs,
  isRunning,
  placesOf,
  quietSystem,
  refusalOf,
} from "../support/actors.ts";
import { runProgram } from "../support/process.ts";
import { siblingUrl } from "../support/runtime.ts";
import { until, within } from "../support/until.ts";

const HOUR_MS = 3_600_000;
const LATER = { keep: "permanent", backoffMs: [HOUR_MS, HOUR_MS] } as const;
const AT_ONCE = { keep: "permanent", backoffMs: [0, 0], max: Infinity } as const;

const ON_PURPOSE = "RangeError: thrown on purpose";
const KILLED: Exit = { kind: "signal", signal: "SIGKILL" };

/** How the ways to end are told, by where the actor lives. */
const ENDS: Record<"worker" | "process", Partial<Record<Way, Pick<Exit, "kind">>>> = {
  process: {
    throw: { kind: "threw" },
    symbol: { kind: "threw" },
    exit: { kind: "exit", code: 3 } as Exit,
    timer: { kind: "exit", code: 1 } as Exit,
    rejection: { kind: "exit", code: 1 } as Exit,
    kill: KILLED,
    fault: { kind: "signal", signal: "SIGSEGV" } as Exit,
  },
  worker: {
    throw: { kind: "threw" },
    exit: { kind: "exit", code: 3 } as Exit,
    timer: { kind: "threw" },
    rejection: { kind: "threw" },
    fill: { kind: "out-of-memory" },
  },
};

for (const place of ["process", "worker"] as const) {
  test(`an ask rejects at once when its actor in a ${place} ends, and says how`, async () => {
    await using shop = await quietSystem();
    const resourceLimits = { maxOldGenerationSizeMb: 30 };
    const ends = Object.entries(ENDS[place]) as [Way, Pick<Exit, "kind">][];
    await Promise.all(ends.map(async ([way, expected]) => {
      const options = { restart: LATER, name: way, stdio: "ignore" } as const;
      const mortal = await (place === "worker"
        ? shop.spawn(mortalActor, { ...options, in: place, resourceLimits })
        : shop.spawn(mortalActor, { ...options, in: place }));
      const downs = new Downs(shop, mortal);
      const { code, actor, exit } = await refusalOf(mortal.dieAsked(way));
      assertEquals([code, actor], ["EDIED", way]);
      const { error, ...told } = exit as Pick<Exit, "kind"> & { error?: unknown };
      assertEquals(told, expected);
      if (expected.kind === "threw") {
        const shown = way === "symbol" ? "Symbol(on purpose)" : ON_PURPOSE;
        assertStringIncludes(String(error), shown);
      }
      await downs.first(1);
      await shop.stop(mortal);
      // The second is the end of the wait for a restart.
      assertEquals(downs.told, [[1, expected.kind, true], [1, "stopped", false]]);
    }));
    assertEquals(placesOf(shop.name), [
      "0",
      "directory",
    ]);
  });
}

test(
  "an ask rejects at once when the heap of its actor's process is full",
  { not: { bun: "its engine is not V8" } },
  async () => {
    const code = `
      import { system } from "@postbox/postbox/src/actor/mod.ts";
      import mortalActor from ${
      JSON.stringify(siblingUrl("../actor/actors/mortal.ts", import.meta.url))
    };
      const shop = await system("test-" + crypto.randomUUID().slice(0, 13));
      const mortal = await shop.spawn(mortalActor, { in: "process" });
      console.log(await mortal.dieAsked("fill").catch(({ exit }) => exit.kind));
      await shop.close();
    `;
    const permissions = ["-A", "--no-prompt", "--quiet"];
    const v8Flags = ["max-old-space-size=40"];
    const { stdout } = await runProgram(code, { permissions, v8Flags, timeoutMs: 60_000 });
    assertEquals(stdout, "out-of-memory\n");
  },
);

test("an asker that launched nobody is told of a death as well, and a stream ends by it", async () => {
  await using shop = await quietSystem();
  const [mortal, relay] = await Promise.all([
    shop.spawn(mortalActor, { in: "process", restart: LATER }),
    shop.spawn(relayActor, { in: "process" }),
  ]);
  const { pid } = await mortal.life();
  const stream = mortal.items();
  await stream.next(); // before the ask: nothing is begun while that one is in hand
  const asked = relay.outlive(mortal);
  await until("the ask is in hand", async () => (await stream.next()).value === 1);
  process.kill(pid, "SIGKILL");
  assertEquals(await within("what the relay was told", asked), KILLED);
  const error = await refusalOf((async () => {
    for await (const _ of stream);
  })());
  assertEquals(error.exit, KILLED);
});

test("what waits for an actor that is killed is for its next incarnation, but asks are not", async () => {
  await using shop = await quietSystem();
  await Promise.all([undefined, "box"].map(async (mailbox) => {
    const mortal = await shop.spawn(mortalActor, { in: "process", mailbox, restart: AT_ONCE });
    const { pid } = await mortal.life();
    process.kill(pid, "SIGSTOP"); // it takes nothing from here on
    const notes = ["one", "two", "three"];
    for (const note of notes) await mortal.note(note);
    const large = mortal.large(new Uint8Array(100_000));
    const asked = mortal.life();
    process.kill(pid, "SIGKILL");
    assertEquals((await refusalOf(asked)).exit, KILLED);
    assertEquals((await refusalOf(large)).exit, KILLED);
    const next = await within("the next incarnation", mortal.life());
    assertEquals({ ...next, pid: 0 }, { pid: 0, incarnation: 2, notes });
  }));
  await until("no block is in use", () => blocksInUse(shop.name) === 0);
});

test("a stream ends where it is served when its consumer is killed", async () => {
  await using shop = await quietSystem();
  const [mortal, relay] = await Promise.all([
    shop.spawn(mortalActor),
    shop.spawn(relayActor, { in: "process" }),
  ]);
  await relay.consume(mortal);
  await until("items are consumed", async () => await relay.consumed() > 100);
  await relay.kill();
  await until("the generator has ended", async () => {
    return (await mortal.life()).notes.includes("a stream ended");
  });
});

test("the blocks of endpoints that are killed while they send and take are free again", async () => {
  await using shop = await quietSystem();
  const relay = await shop.spawn(relayActor, { in: "process", restart: AT_ONCE });
  const mortal = await shop.spawn(mortalActor, { in: "process", restart: AT_ONCE });
  for (let round = 0; round < 4; round++) {
    await relay.flood({ mortal, byteLength: 50_000, atOnce: 1 });
    await until("it floods", () => blocksInUse(shop.name) > 0);
    const { pid } = await (round % 2 === 0 ? mortal.life() : relay.life());
    process.kill(pid, "SIGKILL");
    await until("another runs", async () => {
      const { pid: next } = await (round % 2 === 0 ? mortal : relay).life().catch(() => ({ pid }));
      return next !== pid;
    });
  }
  await shop.stop(relay);
  await mortal.life();
  await until("no block is in use", () => blocksInUse(shop.name) === 0);
});

test("the block of who is killed while it waits for room is free again", async () => {
  await using shop = await quietSystem();
  const [relay, mortal] = await Promise.all([
    shop.spawn(relayActor, { in: "process" }),
    shop.spawn(mortalActor, { in: "process" }),
  ]);
  const { pid } = await mortal.life();
  process.kill(pid, "SIGSTOP"); // it takes nothing from here on
  await relay.flood({ mortal, byteLength: 50_000, atOnce: 20 });
  // An inbox has 10 places, 2 of them for control frames.
  const places = 8;
  await until("its inbox is full, and one waits", () => blocksInUse(shop.name) > places);
  await relay.kill();
  // Those in the inbox are the mortal's, and outlive who sent them.
  await until("the one that waits is free", () => blocksInUse(shop.name) === places);
  process.kill(pid, "SIGCONT");
  await until("no block is in use", () => blocksInUse(shop.name) === 0);
});

test("the end of a process ends what it launched, and tells who waits for that", async () => {
  await using shop = await quietSystem();
  const relay = await shop.spawn(relayActor, { in: "process", restart: AT_ONCE });
  const inner: Ref<typeof Mortal>[] = [];
  for (const place of ["process", "worker", "here"] as const) {
    inner.push(await relay.spawn({ in: place, mailbox: `box-${place}` }));
  }
  const lives = await Promise.all(inner.map((mortal) => mortal.life()));
  const downs = inner.map((mortal) => new Downs(shop, mortal));
  const asks = inner.map((mortal) => refusalOf(mortal.hang()));
  await relay.kill();
  assertEquals((await Promise.all(asks)).map(({ code }) => code), ["EDIED", "EDIED", "EDIED"]);
  for (const heard of downs) {
    await heard.first(1);
    assertEquals(heard.told, [[1, "lost", false]]);
  }
  for (const mortal of inner) {
    const { code } = await refusalOf(mortal.life());
    assert(code === "EDIED" || code === "ENOACTOR", code);
  }
  // The next incarnation begins when all of that is gone: its mailboxes have the same names.
  for (const place of ["process", "worker", "here"] as const) {
    const mortal = await within("a relay", relay.spawn({ in: place, mailbox: `box-${place}` }));
    assertEquals((await mortal.life()).incarnation, 1);
  }
  assertEquals(lives.map(({ pid }) => isRunning(pid)), [false, false, false]);
});

test("an ask to an actor that has ended for good rejects at once", async () => {
  await using shop = await quietSystem();
  const [mortal, relay] = await Promise.all([
    shop.spawn(mortalActor, { in: "process" }),
    shop.spawn(relayActor, { in: "process" }),
  ]);
  await shop.stop(mortal);
  assertEquals((await refusalOf(mortal.life())).code, "EDIED");
  assertEquals(await relay.outlive(mortal), { kind: "stopped" });
  assertEquals((await refusalOf(mortal.note("too late"))).exit, { kind: "stopped" });
});
