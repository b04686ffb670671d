/** The contract of actors: what is told and asked, what schemas make of it, how errors arrive. */

import { ValidationError } from "../../../src/actor/mod.ts";
import { addressOf } from "../../../src/actor/protocol/ref.ts";
import { runs } from "../../actor/actors/subject.ts";
import { assert, assertEquals, assertStrictEquals } from "../../assert.ts";
import type { Place } from "../../support/stage.ts";
import { errorOf } from "../../support/until.ts";
import type { Case } from "../actor_contract.ts";

export function messageContract(place: Place, promise: Case): void {
  promise("tells are handled one after the other, in their order", async ({ subject }) => {
    const actor = await subject;
    const texts = Array.from({ length: 100 }, (_, index) => `note ${index}`);
    await Promise.all(texts.map((text) => actor.note(text)));
    assertEquals(await actor.notes(), texts);
  });

  promise("an ask gets its own reply, also when many wait", async ({ subject }) => {
    const actor = await subject;
    const numbers = Array.from({ length: 100 }, (_, index) => index);
    assertEquals(await Promise.all(numbers.map((n) => actor.echo(n))), numbers);
  });

  promise("a reply may be nothing", async ({ subject }) => {
    assertEquals(await (await subject).nothing(), undefined);
  });

  promise("values arrive as equal ones, and as others", async ({ subject }) => {
    const value = {
      texts: ["", "ü", "\u{1f600}"],
      numbers: [0, -1, 1.5, 2 ** 40, NaN, -Infinity],
      big: 2n ** 70n,
      at: new Date(86_400_000),
      bytes: new Uint8Array([1, 2, 3]),
      words: new Uint16Array([1, 65_535]),
      map: new Map([["a", [1, null]]]),
    };
    const set = new Set(["a", 1]);
    const reply = await (await subject).echo({ value, set }) as { value: unknown; set: unknown };
    assertEquals(reply.value, value);
    assert(reply.set instanceof Set, `${reply.set}`);
    assertEquals([...reply.set], [...set]); // one by one: Node 20 does not compare sets
    assert(reply.value !== value);
  });

  promise("each transform runs once, at the receiver", async ({ subject }) => {
    const actor = await subject;
    const first = await actor.transform("a");
    const before = { ...runs };
    const second = await actor.transform("a");
    const runOf = ({ text }: { text: string }) => Number(text.split(" ").at(-1));
    assertEquals(runOf(second), runOf(first) + 1);
    // The reply's runs where it is received, and so here; the payload's where the subject is.
    assertEquals(second.runs, first.runs + 1);
    assertEquals(runs, {
      payload: before.payload + (place.in === "here" ? 1 : 0),
      reply: before.reply + 1,
    });
  });

  promise("an asker hears what is wrong with its payload", async ({ subject }) => {
    const actor = await subject;
    for (const ask of ["whole", "wholeLater"] as const) {
      const error = await errorOf(actor[ask]({ n: 1.5 }));
      assert(error instanceof ValidationError, `${error}`);
      assertEquals([error.kind, error.part], [`test.subject.${ask}`, "payload"]);
      assertEquals(error.issues, [{ path: "n", message: "Expected a whole number" }]);
    }
    assertEquals(await actor.whole({ n: 7 }), 7);
    assertEquals(await actor.wholeLater({ n: 8 }), 8);
  });

  promise("a tell that its schema refuses is a dead letter", async (stage) => {
    const actor = await stage.subject;
    const [letter] = await stage.letters("invalid-payload", 1, () => actor.wholeNote({ n: 0.5 }));
    assertEquals([letter!.kind, letter!.label], ["wholeNote", addressOf(actor).label]);
    assertEquals(letter!.detail.includes("n: Expected a whole number"), true, letter!.detail);
    assertEquals(await actor.notes(), []);
  });

  promise("an error arrives with class, name, code, message and cause", async ({ subject }) => {
    const actor = await subject;
    const cause = new TypeError("that is why", { cause: new Error("deep") });
    for (const kind of ["fail", "failLater"] as const) {
      const error = await errorOf(actor[kind](cause)) as RangeError & { code: string };
      assert(error instanceof RangeError, `${error}`);
      assertEquals([error.name, error.code], ["RangeError", "EASKED"]);
      assertEquals(error.message, "failed as asked");
      assert(error.cause instanceof TypeError, `${error.cause}`);
      assertEquals([error.cause.message, (error.cause.cause as Error).message], [
        "that is why",
        "deep",
      ]);
    }
    assertEquals(await actor.nothing(), undefined, "it lives on");
  });

  promise("the highest priority is handled first, and the first of equals", async (stage) => {
    const actor = await stage.subject;
    const held = await stage.hold(actor);
    await actor.note("a 0");
    await actor.note("b 5", { priority: 5 });
    await actor.urgentNote("c 9");
    await actor.note("d 0");
    await actor.urgentNote("e 5", { priority: 5 });
    await actor.note("f 32000", { priority: 32_000 });
    await held.release();
    assertEquals(await actor.notes(), ["f 32000", "c 9", "b 5", "e 5", "a 0", "d 0"]);
  });

  promise("a priority out of its bounds is refused", async ({ subject }) => {
    const actor = await subject;
    for (const priority of [-1, 0.5, 32_001, NaN]) {
      assert(await errorOf(actor.note("never", { priority })) instanceof RangeError);
      assert(await errorOf(actor.nothing({ priority })) instanceof RangeError);
    }
    assertEquals(await actor.notes(), []);
  });

  promise("a handler is told priority, deadline, attempt and sender", async ({ subject }) => {
    const actor = await subject;
    const before = Date.now();
    const { id, ...turn } = await actor.turn({ priority: 3, timeoutMs: 60_000 });
    const after = Date.now();
    const { deadlineMs, ...rest } = turn;
    assertEquals(rest, { attempt: 1, priority: 3, from: 0 });
    assert(deadlineMs! >= before + 60_000 && deadlineMs! <= after + 60_001, `${deadlineMs}`);
    const other = await actor.turn();
    assertEquals([other.deadlineMs, other.priority], [undefined, 0]);
    assert(other.id !== id);
  });

  promise("what cannot be sent is refused at once, with its path", async ({ subject }) => {
    const actor = await subject;
    const error = await errorOf(actor.echo({ items: [{ fn: () => 1 }] }));
    assert(error instanceof TypeError, `${error}`);
    assert(error.message.includes("payload.items[0].fn"), error.message);
    const reason = new Error("before it began");
    const signal = AbortSignal.abort(reason);
    assertStrictEquals(await errorOf(actor.echo(1, { signal })), reason);
    assertStrictEquals(await errorOf(actor.note("never", { signal })), reason);
    assertEquals(await actor.notes(), []);
  });
}
