/**
 * The contract of actors: what waits, and what becomes of it: deadlines, cancellation, full
 * mailboxes, dead letters.
 */

import { MailboxFull } from "../../../src/actor/mod.ts";
import { CREDIT_LIMIT } from "../../../src/actor/flow/credit.ts";
import { ADDRESS, addressOf } from "../../../src/actor/protocol/ref.ts";
import { assert, assertEquals, assertStrictEquals } from "../../assert.ts";
import type { Place, Stage, SubjectRef } from "../../support/stage.ts";
import { errorOf, until } from "../../support/until.ts";
import type { Case } from "../actor_contract.ts";

/** More than a mailbox or a credit takes. */
const MANY = 5000;

/** Notes until there is no room; gives what was noted, and how full it was. */
async function fill(
  { place }: Stage,
  actor: SubjectRef,
): Promise<{ noted: string[]; full: MailboxFull }> {
  // An inbox that is full now has room again as soon as it was drained; credit comes back later.
  const isBoundByCredit = place.in !== "here" && !place.hasMailbox;
  const noted: string[] = [];
  while (noted.length < MANY) {
    const text = `fill ${noted.length}`;
    try {
      await actor.note(text, { onFull: "fail" });
      noted.push(text);
    } catch (full) {
      assert(full instanceof MailboxFull, `${full}`);
      if (!isBoundByCredit || full.capacity === CREDIT_LIMIT) return { noted, full };
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }
  throw new Error(`${MANY} messages do not fill a mailbox`);
}

export function flowContract(place: Place, promise: Case): void {
  promise("what is too old when its turn comes is a dead letter", async (stage) => {
    const actor = await stage.subject;
    const held = await stage.hold(actor);
    const letters = await stage.letters("expired", 2, async () => {
      await actor.shortNote("by its protocol");
      await actor.note("by its sender", { ttlMs: 1 });
      await actor.shortNote("in time", { ttlMs: 60_000 });
      const sentAt = Date.now();
      await until("the time is over", () => Date.now() > sentAt + 2);
      await held.release();
    });
    assertEquals(letters.map(({ kind }) => kind), ["shortNote", "note"]);
    assertEquals(await actor.notes(), ["in time"]);
  });

  promise("a signal ends its ask, and none of its neighbours", async (stage) => {
    const actor = await stage.subject, { probe, told } = await stage.probe();
    const inHand = new AbortController(), waiting = new AbortController();
    const first = errorOf(actor.hold({ probe, name: "first" }, { signal: inHand.signal }));
    await told.until("first began");
    const never = errorOf(actor.hold({ probe, name: "never" }, { signal: waiting.signal }));
    const neighbours = Promise.all([actor.echo("left"), actor.echo("right")]);
    const reasons = [new Error("the second"), new Error("the first")];
    waiting.abort(reasons[0]);
    assertStrictEquals(await never, reasons[0]);
    inHand.abort(reasons[1]);
    assertStrictEquals(await first, reasons[1]);
    await told.until("first aborted by AbortError");
    assertEquals(await neighbours, ["left", "right"]);
    assertEquals(told.all.length, 2, `${told.all}`);
  });

  promise("a deadline ends its ask, and its handler's signal is aborted", async (stage) => {
    const actor = await stage.subject, { probe, told } = await stage.probe();
    const late = errorOf(actor.hold({ probe, name: "late" }, { timeoutMs: 50 }));
    const error = await late as DOMException;
    assertEquals([error.name, error instanceof DOMException], ["TimeoutError", true]);
    assert(error.message.includes('"hold"') && error.message.includes("50 ms"), error.message);
    await told.until("late aborted by AbortError");
    assertEquals(await actor.echo("next"), "next");
  });

  promise("an ask whose deadline passes while it waits is not handled", async (stage) => {
    const actor = await stage.subject, { probe, told } = await stage.probe();
    const held = await stage.hold(actor);
    const [letter] = await stage.letters("expired", 1, async () => {
      const late = actor.hold({ probe, name: "never" }, { timeoutMs: 5 });
      assertEquals((await errorOf(late) as Error).name, "TimeoutError");
      const now = Date.now();
      await until("it is over there, too", () => Date.now() > now + 2);
      await held.release();
    });
    assertEquals(letter!.kind, "hold");
    assertEquals(await actor.nothing(), undefined);
    assertEquals(told.all, []);
  });

  promise("a thousand asks that were given up are not handled", async (stage) => {
    const actor = await stage.subject;
    const held = await stage.hold(actor);
    const controller = new AbortController(), { signal } = controller;
    const asked = Array.from(
      { length: 1000 },
      () => errorOf(actor.wholeLater({ n: 1 }, { signal })),
    );
    controller.abort(new Error("all of them"));
    const errors = await Promise.all(asked) as Error[];
    assert(errors.every(({ message }) => message === "all of them"));
    await held.release();
    assertEquals(await actor.echo("after them"), "after them");
  });

  promise("a full mailbox says how full it is", async (stage) => {
    const actor = await stage.subject;
    const held = await stage.hold(actor);
    const { noted, full } = await fill(stage, actor);
    assertEquals(full.mailbox, addressOf(actor).label);
    assert(full.depth >= 1 && full.depth <= full.capacity, full.message);
    const asked = await errorOf(actor.nothing({ onFull: "fail" }));
    assert(asked instanceof MailboxFull, `${asked}`);
    await held.release();
    assertEquals(await actor.notes(), noted);
  });

  promise("who waits for room gets it, in turn, or gives up", async (stage) => {
    const actor = await stage.subject;
    const held = await stage.hold(actor);
    const { noted } = await fill(stage, actor);
    const texts = Array.from({ length: 20 }, (_, index) => `waited ${index}`);
    const waiting = Promise.all(texts.map((text) => actor.note(text, { onFull: "wait" })));
    const late = errorOf(actor.note("late", { timeoutMs: 5 }));
    const controller = new AbortController(), reason = new Error("no longer");
    const gaveUp = errorOf(actor.note("given up", { signal: controller.signal }));
    assertEquals((await late as Error).name, "TimeoutError");
    controller.abort(reason);
    assertStrictEquals(await gaveUp, reason);
    await held.release();
    await waiting;
    assertEquals(await actor.notes(), [...noted, ...texts]);
  });

  promise("a message that is not to wait is dropped, and can be sent again", async (stage) => {
    const actor = await stage.subject, { shop: { deadLetters } } = stage;
    const held = await stage.hold(actor);
    const { noted } = await fill(stage, actor);
    const before = { dropped: deadLetters.count("dropped"), total: deadLetters.total };
    const [letter] = await stage.letters("dropped", 1, async () => {
      await actor.note("dropped", { onFull: "drop-new" });
    });
    assertEquals([letter!.kind, letter!.label], ["note", addressOf(actor).label]);
    assertEquals(deadLetters.count("dropped"), before.dropped + 1);
    assertEquals(deadLetters.total, before.total + 1);
    assertStrictEquals(deadLetters.read(letter!.id), letter);
    assertStrictEquals(deadLetters.list().at(-1), letter);
    await held.release();
    assertEquals(await actor.notes(), noted);
    assertEquals(await stage.shop.replay(letter!.id), true);
    assertEquals(await actor.notes(), ["dropped"]);
    assertEquals(deadLetters.read(letter!.id), undefined);
    assertEquals(await stage.shop.replay(letter!.id), false, "once");
  });

  promise("a large message is kept as a whole, and can be sent again", async (stage) => {
    const actor = await stage.subject;
    const text = "x".repeat(20_000);
    const [letter] = await stage.letters(
      "invalid-payload",
      1,
      () => actor.wholeNote({ n: 0.5, text } as { n: number }),
    );
    assert(letter!.bytes!.length > 20_000, `${letter!.bytes!.length} bytes`);
    await stage.letters("invalid-payload", 1, () => stage.shop.replay(letter!.id));
  });

  promise("answers get through while messages wait", async (stage) => {
    const actor = await stage.subject, { probe, told } = await stage.probe();
    const held = await stage.hold(actor);
    const items = actor.count({ probe, n: 50 }, { credit: 2 });
    const waiting = Array.from({ length: 200 }, (_, index) => actor.note(`${index}`));
    const first = items.next();
    await held.release();
    assertEquals((await first).value, 0);
    await items.return!();
    await told.until("over, aborted");
    await Promise.all(waiting);
    assertEquals((await actor.notes()).length, 200);
  });

  promise("what is set aside is handled in its order, when it is wanted", async (stage) => {
    const actor = await stage.subject;
    await actor.close();
    const answered: string[] = [];
    const asked = Promise.all(
      ["a", "b", "c"].map((text) => actor.later(text).then((reply) => answered.push(reply))),
    );
    const large = actor.laterBytes(new Uint8Array(20_000).fill(1));
    await actor.note("not set aside");
    assertEquals(await actor.notes(), ["not set aside"]);
    await actor.open();
    await asked;
    assertEquals(answered, ["a", "b", "c"]);
    assertEquals(await large, 20_000);
  });

  promise("what is given up while it is set aside is not handled", async (stage) => {
    const actor = await stage.subject;
    await actor.close();
    const controller = new AbortController(), reason = new Error("set aside too long");
    const asked = errorOf(actor.later("never", { signal: controller.signal }));
    await actor.nothing();
    controller.abort(reason);
    assertStrictEquals(await asked, reason);
    await actor.open();
    assertEquals(await actor.later("open"), "open");
  });

  promise("an actor becomes another, from the next message on", async ({ subject }) => {
    const actor = await subject;
    assertEquals(await actor.name(), "as it began");
    const [, name] = await Promise.all([actor.become("another"), actor.name()]);
    assertEquals(name, "another");
    await actor.become("as it began");
    assertEquals(await actor.name(), "as it began");
  });

  if (place.in !== "here" || place.hasMailbox) return;

  promise("the oldest of the lowest priority is dropped", async (stage) => {
    const actor = await stage.shop.spawn(
      (await import("../../actor/actors/subject.ts")).default,
      { capacity: 3, onFull: "drop-old" },
    );
    const held = await stage.hold(actor);
    const letters = await stage.letters("dropped", 2, async () => {
      await actor.note("a", { priority: 1 });
      for (const text of ["b", "c", "d", "e"]) await actor.note(text);
    });
    assertEquals(letters.map(({ address }) => address), [
      actor[ADDRESS],
      actor[ADDRESS],
    ]);
    await held.release();
    assertEquals(await actor.notes(), ["a", "d", "e"]);
    await stage.shop.stop(actor);
  });

  promise("an actor logs with its name", async (stage: Stage) => {
    const actor = await stage.subject;
    await actor.log("keep an eye\non this");
    await actor.nothing();
    const line = stage.lines.at(-1)!;
    assert(line.includes(`WARN ${addressOf(actor).label}: `), line);
    assert(line.includes('by="the subject"') && !line.includes("\n"), line);
  });
}
