/** system(): one of a name, its end, and what is asked of it afterwards. */

import "../support/loaded.ts";
import {
  actor,
  ActorError,
  ClosedError,
  msg,
  type PosixError,
  protocol,
  system,
} from "../../src/actor/mod.ts";
import subjectActor, { as } from "./actors/subject.ts";
import { assert, assertEquals, assertRejects } from "../assert.ts";
import { test } from "../harness.ts";
import { systemName } from "../support/stage.ts";
import { errorOf, until, within } from "../support/until.ts";

test("system() is refused while one of that name lives", async () => {
  const name = systemName();
  await using _first = await system(name);
  const error = await errorOf(system(name)) as PosixError;
  assertEquals(error.code, "EEXIST");
});

test("system() takes a name again when its system was closed", async () => {
  const name = systemName();
  for (let round = 0; round < 3; round++) {
    await using shop = await system(name);
    const subject = await shop.spawn(subjectActor, { mailbox: "subject" });
    assertEquals(await subject.echo(round), round);
  }
});

test("system() refuses what is no name, and what is no option", async () => {
  for (const name of ["", "a/b", "a.b", " ", "ü", "x".repeat(65), "a\0b"]) {
    await assertRejects(() => system(name), RangeError);
  }
  await assertRejects(() => system(5 as never), TypeError);
  await assertRejects(() => system(systemName(), 5 as never), TypeError);
});

test("System.close() does nothing when it was called before", async () => {
  const shop = await system(systemName());
  await shop.spawn(subjectActor);
  await Promise.all([shop.close(), shop.close()]);
  await shop.close();
});

test("System.close() ends who waits for an answer", async () => {
  const Waiter = protocol("test.waiter", { wait: msg().reply(), next: msg().reply() });
  let began!: () => void;
  const hasBegun = new Promise<void>((resolve) => began = resolve);
  const waiter = actor(import.meta, Waiter, () => ({
    wait() {
      began();
      return new Promise<void>(() => {});
    },
    next() {},
  }));
  const shop = await system(systemName());
  const ref = await shop.spawn(waiter, { stopMs: 0 });
  const errors = [errorOf(ref.wait()), errorOf(ref.next())];
  await hasBegun;
  await within("the end", shop.close());
  for (const error of await within("the answers", Promise.all(errors))) {
    assert(error instanceof ActorError && error.code === "EDIED", `${error}`);
  }
});

test("a ref whose system was closed says so", async () => {
  const shop = await system(systemName());
  const subject = await shop.spawn(subjectActor);
  const mailbox = await shop.spawn(subjectActor, { mailbox: "subject" });
  await shop.close();
  for (const ref of [subject, mailbox]) {
    assert(await errorOf(ref.note("late")) instanceof ClosedError);
    assert(await errorOf(ref.echo("late")) instanceof ClosedError);
    assert(await errorOf(ref.countSync(1).next()) instanceof ClosedError);
  }
  assert(await errorOf(shop.spawn(subjectActor)) instanceof ClosedError);
});

test("System.spawn() takes a name again that a stopped actor had", async () => {
  await using shop = await system(systemName());
  const refs = [];
  for (let round = 0; round < 3; round++) {
    const subject = await shop.spawn(subjectActor, { mailbox: "again" });
    assertEquals(await subject.echo(round), round);
    await subject.note("for this one");
    await shop.stop(subject);
    refs.push(subject);
  }
  const subject = await shop.spawn(subjectActor, { mailbox: "again" });
  assertEquals(await subject.notes(), []);
  // A stopped one is no other, though they had one name.
  for (const ref of refs) assert(await errorOf(ref.echo(1)) instanceof ActorError);
  const twice = await errorOf(shop.spawn(subjectActor, { mailbox: "again" })) as PosixError;
  assertEquals(twice.code, "EEXIST");
  assertEquals(await subject.echo("still here"), "still here");
});

test("two kinds of one name in two protocols are two kinds", async () => {
  const One = protocol("test.one", { same: msg(as<number>()).reply(as<string>()) });
  const other = protocol("test.other", { same: msg(as<number>()).reply(as<string>()) });
  assert(One.kinds.same.tag !== other.kinds.same.tag);
  await using shop = await system(systemName());
  const one = actor(import.meta, One, () => ({ same: (n) => `one ${n}` }));
  const two = actor(import.meta, other, () => ({ same: (n) => `two ${n}` }));
  const refs = [await shop.spawn(one), await shop.spawn(two)];
  assertEquals(await Promise.all(refs.map((ref, index) => ref.same(index))), ["one 0", "two 1"]);
});

test("what a sender says about time is refused unless it is a number of milliseconds", async () => {
  await using shop = await system(systemName());
  const subject = await shop.spawn(subjectActor);
  for (const ms of [-1, NaN, Infinity, "5", null] as number[]) {
    const echoed = () => subject.echo("x", { timeoutMs: ms });
    await assertRejects(echoed, RangeError, 'Cannot send "echo": timeoutMs is ');
  }
  assertEquals(await subject.echo("x", { timeoutMs: 60_000 }), "x");
});

test("System.spawn() says in its own words what a kernel queue is refused for", async () => {
  await using shop = await system(systemName());
  await assertRejects(
    () => shop.spawn(subjectActor, { mailbox: "wide", capacity: 1_000_000 }),
    RangeError,
    "Cannot spawn: capacity is 1000000: ",
  );
  await shop.spawn(subjectActor, { mailbox: "taken" });
  const error = await errorOf(shop.spawn(subjectActor, { mailbox: "taken" })) as PosixError;
  assertEquals(error.code, "EEXIST");
  assert(error.message.includes("spawn with another mailbox"), error.message);
});

test("a start that fails names the actor and what it threw", async () => {
  const Plain = protocol("test.plain", { nothing: msg() });
  const failing = actor(import.meta, Plain, () => {
    throw new RangeError("thrown on purpose");
  });
  await using shop = await system(systemName());
  const error = await errorOf(shop.spawn(failing, { name: "one" })) as ActorError;
  assertEquals(error.message, 'Cannot start "one": RangeError: thrown on purpose');
});

test("an end that nobody asked for, and the first dead letter of a kind, are told in the log", async () => {
  const Fragile = protocol("test.fragile", { fail: msg(), ask: msg().reply() });
  const fragile = actor(import.meta, Fragile, () => ({
    fail() {
      throw new RangeError("thrown on purpose");
    },
    ask() {},
  }));
  const lines: string[] = [];
  await using shop = await system(systemName(), { log: { sink: (line) => lines.push(line) } });
  const restart = { backoffMs: [0, 0] } as const;
  const one = await shop.spawn(fragile, { name: "one", restart });
  for (let round = 0; round < 2; round++) {
    await one.fail();
    const answers = () => one.ask().then(() => true, () => false);
    await until("the next answers", async () => {
      return shop.deadLetters.count("handler-threw") > round && await answers();
    });
  }
  await shop.stop(one);
  const told = lines.map((line) => line.replace(/^\S+ /, "").replace(/ error=.*| detail=.*/, ""));
  const ended = (incarnation: number) =>
    `WARN ${shop.name}: "one" threw RangeError: thrown on purpose; it is started anew ` +
    `incarnation=${incarnation}`;
  assertEquals(told, [
    `WARN ${shop.name}: A message went to the dead letters, the first for its reason ` +
    "reason=handler-threw for=one kind=fail",
    ended(1),
    ended(2),
  ]);
});
