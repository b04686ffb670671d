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
import { errorOf, within } from "../support/until.ts";

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
