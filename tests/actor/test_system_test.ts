/** testSystem(): clocks, probes, deaths on request; on real queues. */

import { actor, msg, protocol, testSystem } from "../../src/actor/mod.ts";
import { f64, struct } from "../../src/region/mod.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { test } from "../harness.ts";
import "../support/loaded.ts";

const Amount = struct("amount", { n: f64 });
const Bell = protocol("test.bell", { ring: msg(Amount), loud: msg().reply(Amount) });
const Timer = protocol("test.timer", { start: msg(Amount).reply(), ask: msg().reply(Amount) });

test("TestSystem.advance() lets timers, deadlines and backoffs pass, and no real time", async () => {
  await using shop = await testSystem({ log: { level: "none" } });
  const bell = await shop.probe(Bell);
  let starts = 0;
  const timer = actor(import.meta, Timer, (context) => {
    starts++;
    return {
      start: ({ n }) => void context.after(n, () => bell.ref.ring({ n })),
      ask: () => bell.ref.loud(),
    };
  });
  const ref = await shop.system.spawn(timer, { restart: { backoffMs: [60_000, 60_000] } });
  await ref.start({ n: 86_400_000 });
  await shop.advance(86_399_999);
  assertEquals(bell.length, 0);
  await shop.advance(1);
  assertEquals((await bell.expect("ring")).payload, { n: 86_400_000 });

  const late = assertRejects(() => ref.ask({ timeoutMs: 5_000 }), DOMException, "5000 ms");
  await bell.expect("loud");
  await shop.advance(5_000);
  await late;

  await shop.crash(ref, new Error("as the test wants"));
  await shop.advance(59_999);
  assertEquals(starts, 1);
  await shop.advance(1);
  assertEquals(starts, 2);
});

test("Probe answers asks as the test says, by hand and by handlers", async () => {
  await using shop = await testSystem();
  const bell = await shop.probe(Bell);
  const asked = bell.ref.loud();
  (await bell.expect("loud")).reply({ n: 3 });
  assertEquals(await asked, { n: 3 });

  const failing = assertRejects(() => bell.ref.loud(), RangeError, "too loud");
  (await bell.expect("loud")).fail(new RangeError("too loud"));
  await failing;

  bell.answer({ loud: () => ({ n: 11 }) });
  assertEquals(await bell.ref.loud(), { n: 11 });
});

test("Probe.expect() throws for a message of another kind, and when none comes", async () => {
  await using shop = await testSystem();
  const bell = await shop.probe(Bell);
  await bell.ref.ring({ n: 1 });
  await assertRejects(() => bell.expect("loud"), Error, 'the next message is "ring" with {"n":1}');
  const error = await assertRejects(() => bell.receive({ timeoutMs: 1 }), DOMException);
  assertEquals(error.name, "TimeoutError");
});

test("TestSystem.advance() throws with the machine's clock", async () => {
  await using shop = await testSystem({ clock: "real" });
  assert(shop.now > 1.7e12);
  await assertRejects(() => shop.advance(1), TypeError, "it is real");
});
