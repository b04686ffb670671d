/** The contract of actors: streams, their credit and every way in which they end. */

import { assert, assertEquals, assertStrictEquals, assertThrows } from "../../assert.ts";
import type { Place } from "../../support/stage.ts";
import { errorOf } from "../../support/until.ts";
import type { Case } from "../actor_contract.ts";

/** What an iterable gives before it ends or throws, and what it throws. */
async function collected<T>(items: AsyncIterable<T>): Promise<{ items: T[]; error?: unknown }> {
  const taken: T[] = [];
  try {
    for await (const item of items) taken.push(item);
    return { items: taken };
  } catch (error) {
    return { items: taken, error };
  }
}

export function streamContract(_place: Place, promise: Case): void {
  promise("a stream gives its items in order, and ends", async (stage) => {
    const actor = await stage.subject, { probe, told } = await stage.probe();
    assertEquals(await collected(actor.count({ probe, n: 40 })), {
      items: Array.from({ length: 40 }, (_, index) => index),
    });
    await told.until("over, not aborted");
    assertEquals(await collected(actor.count({ probe, n: 0 })), { items: [] });
    assertEquals(await collected(actor.countSync(3)), { items: [0, 1, 2] });
  });

  promise("no more items are made than there is credit for", async (stage) => {
    const actor = await stage.subject, { probe, told } = await stage.probe();
    const credit = 4;
    const items = actor.count({ probe, n: 30 }, { credit });
    for (let taken = 1; taken <= 30; taken++) {
      assertEquals((await items.next()).value, taken - 1);
      const made = told.all.filter((text) => text.startsWith("made")).length;
      assert(made <= taken + credit, `${made} made, ${taken} taken`);
    }
    assertEquals((await items.next()).done, true);
    assertEquals((await items.next()).done, true, "and again");
  });

  promise("a stream that nobody takes from stands still", async (stage) => {
    const actor = await stage.subject, { probe, told } = await stage.probe();
    const items = actor.count({ probe, n: 100 }, { credit: 3 });
    assertEquals((await items.next()).value, 0);
    await told.until("made 2");
    for (let round = 0; round < 20; round++) await actor.nothing();
    const made = told.all.length;
    assert(made <= 4, `${told.all}`);
    await items.return!();
    await told.until("over, aborted");
  });

  promise("credit out of its bounds is refused", async (stage) => {
    const actor = await stage.subject;
    for (const credit of [0, -1, 1.5, 65_537, NaN]) {
      assertThrows(() => actor.countSync(1, { credit }), RangeError, "credit");
    }
  });

  promise("leaving the loop ends the generator", async (stage) => {
    const actor = await stage.subject, { probe, told } = await stage.probe();
    const seen = [];
    for await (const item of actor.count({ probe, n: 1000 })) {
      seen.push(item);
      if (item === 5) break;
    }
    assertEquals(seen, [0, 1, 2, 3, 4, 5]);
    await told.until("over, aborted");
    assert(told.all.length < 100, "it did not go on");
  });

  promise("throwing in the loop ends the generator", async (stage) => {
    const actor = await stage.subject, { probe, told } = await stage.probe();
    const reason = new Error("in the loop");
    const thrown = await errorOf((async () => {
      for await (const _item of actor.count({ probe, n: 1000 })) throw reason;
    })());
    assertStrictEquals(thrown, reason);
    await told.until("over, aborted");
  });

  promise("a signal ends a stream that waits, and its reason is thrown", async (stage) => {
    const actor = await stage.subject, { probe, told } = await stage.probe();
    const controller = new AbortController(), reason = new Error("enough");
    const items = collected(
      actor.count({ probe, n: 9, hangAt: 2 }, { signal: controller.signal }),
    );
    await told.until("made 1");
    assertEquals(await actor.echo("meanwhile"), "meanwhile", "others are served");
    controller.abort(reason);
    const { error } = await items;
    assertStrictEquals(error, reason);
    await told.until("over, aborted");
  });

  promise("a signal ends a stream without an end", async (stage) => {
    const actor = await stage.subject;
    const { items, error } = await collected(
      actor.countSync(Infinity, { signal: AbortSignal.timeout(20) }),
    );
    assertEquals((error as Error).name, "TimeoutError");
    assert(items.length > 0);
  });

  promise("an error comes after the items before it", async (stage) => {
    const actor = await stage.subject, { probe } = await stage.probe();
    const { items, error } = await collected(actor.count({ probe, n: 9, throwAt: 5 }));
    assertEquals(items, [0, 1, 2, 3, 4]);
    assert(error instanceof RangeError, `${error}`);
    assertEquals(error.message, "no 5");
  });

  promise("two streams at a time do not disturb each other", async (stage) => {
    const actor = await stage.subject, { probe, told } = await stage.probe();
    const [left, right] = [actor.countSync(1000), actor.count({ probe, n: 1000 })];
    for (let index = 0; index < 10; index++) {
      assertEquals((await left.next()).value, index);
      assertEquals((await right.next()).value, index);
    }
    await right.return!();
    await told.until("over, aborted");
    const { items } = await collected(left);
    assertEquals([items.length, items[0]], [990, 10]);
  });

  promise("a handler that gives no items fails the stream", async (stage) => {
    const { items, error } = await collected((await stage.subject).noItems());
    assertEquals(items, []);
    assert(error instanceof TypeError, `${error}`);
  });

  promise("large and small items keep their order", async (stage) => {
    const lengths = Array.from(
      { length: 30 },
      (_, index) => index % 4 === 0 ? 9000 + index : index,
    );
    const { items } = await collected((await stage.subject).manyBytes(lengths));
    assertEquals(items.map(({ length }) => length), lengths);
    assert(items.every((bytes) => bytes.every((byte) => byte === bytes.length % 256)));
  });

  promise("a stream that nobody looks at is not asked for", async (stage) => {
    const actor = await stage.subject, { probe, told } = await stage.probe();
    const unseen = actor.count({ probe, n: 3 });
    await actor.nothing();
    assertEquals(told.all, []);
    await unseen.return!();
    assertEquals((await unseen.next()).done, true);
    await actor.nothing();
    assertEquals(told.all, []);
  });
}
