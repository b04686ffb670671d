/** once(): an effect and the id of its message are one update. Killed: tests/process/once_test.ts. */

import "../support/loaded.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import { handledIds, once } from "../../src/actor/mod.ts";
import { array, i64, record, Region, struct, u32 } from "../../src/region/mod.ts";
import { Random } from "../support/random.ts";

function ledger(remembered: number) {
  const Ledger = struct("ledger", {
    account: record({ cents: i64, payments: u32, handled: handledIds(remembered) }),
    plain: record({ cents: i64, handled: u32 }),
  });
  return Region.anonymous(Ledger);
}

test("once() changes a record for the first of an id, and not again", () => {
  using region = ledger(4);
  const { account } = region.fields;
  const pay = (id: string) =>
    once(account, id, (draft) => {
      draft.cents += 5n;
      draft.payments++;
    });
  assertEquals([pay("a"), pay("b"), pay("a"), pay("b"), pay("ab")], [
    true,
    true,
    false,
    false,
    true,
  ]);
  const { cents, payments } = account.read();
  assertEquals([cents, payments], [15n, 3]);
});

test("once() takes what the change gives in place of the draft", () => {
  using region = ledger(4);
  const { account } = region.fields;
  const pay = () => once(account, "a", (draft) => ({ ...draft, cents: draft.cents + 5n }));
  assertEquals([pay(), pay(), account.read().cents], [true, false, 5n]);
});

test("once() remembers as many ids as its record has room for, the last ones", () => {
  for (const remembered of [1, 2, 3, 7]) {
    using region = ledger(remembered);
    const { account } = region.fields;
    const last: string[] = [], random = new Random(remembered);
    for (let step = 0; step < 300; step++) {
      const id = `${random.below(2 * remembered + 1)}`;
      const isNew = once(account, id, (draft) => void draft.payments++);
      assertEquals(isNew, !last.includes(id), `${remembered} remembered, step ${step}`);
      if (isNew) last.push(id);
      if (last.length > remembered) last.shift();
    }
  }
});

test("once() remembers nothing and changes nothing when the change throws", () => {
  using region = ledger(4);
  const { account } = region.fields;
  assertThrows(
    () =>
      once(account, "a", (draft) => {
        draft.cents = 7n;
        throw new Error("on purpose");
      }),
    Error,
    "on purpose",
  );
  assertThrows(() => once(account, "a", (draft) => void (draft.payments = -1)), RangeError);
  assertEquals(account.read().cents, 0n);
  assert(once(account, "a", () => {}));
});

test("once() refuses a change that is async", () => {
  using region = ledger(4);
  const { account } = region.fields;
  const change = async () => await Promise.resolve();
  assertThrows(() => once(account, "a", change as never), TypeError, "expected it to be done");
  assert(once(account, "a", () => {}));
});

test("once() refuses an id that it cannot tell from others", () => {
  using region = ledger(4);
  const { account } = region.fields;
  for (const id of ["", "x".repeat(64), "ä".repeat(32)]) {
    assertThrows(() => once(account, id, () => {}), RangeError, "expected 1 to 63");
  }
  const longest = "x".repeat(63);
  assert(once(account, longest, () => {}));
  assert(once(account, longest.slice(1), () => {}));
  assert(!once(account, longest, () => {}));
});

test("once() tells ids apart that have the same end, or the same beginning", () => {
  using region = ledger(8);
  const { account } = region.fields;
  const ids = ["1.1.1", "11.1.1", "1.1.11", "1.11.1", "1", "11", "111"];
  for (const id of ids) assert(once(account, id, () => {}), id);
  for (const id of ids) assert(!once(account, id, () => {}), id);
});

test("once() refuses a record that remembers no ids", () => {
  using region = ledger(4);
  assertThrows(
    // @ts-expect-error: `handled` is a number
    () => once(region.fields.plain, "a", () => {}),
    TypeError,
    "expected a member `handled` of type handledIds()",
  );
});

test("handledIds() refuses a number that is none", () => {
  for (const count of [0, -1, 1.5, NaN, 65_537]) {
    assertThrows(() => handledIds(count), RangeError, "expected 1 to 65536");
  }
  assertEquals(handledIds(65_536).fields.ids.type.maxBytes, 65_536 * 64);
});

test("once() goes on with whatever a peer wrote among the ids", () => {
  const random = new Random(7);
  for (let round = 0; round < 300; round++) {
    using region = ledger(3);
    const { account } = region.fields;
    account.update((draft) => {
      draft.handled.next = random.below(2 ** 32);
      draft.handled.ids = random.bytes(random.below(3 * 64 + 1));
    });
    assert(once(account, "a", () => {}));
    assert(!once(account, "a", () => {}));
    for (const id of ["b", "c", "d"]) assert(once(account, id, () => {}));
    assert(!once(account, "d", () => {}));
  }
});

test("once() leaves the rest of its record as it is", () => {
  const Table = struct("table", {
    rows: record({ before: array(u32, 3), handled: handledIds(2), behind: array(u32, 3) }),
  });
  using region = Region.anonymous(Table);
  const { rows } = region.fields;
  rows.update((draft) => {
    draft.before = [1, 2, 3];
    draft.behind = [4, 5, 6];
  });
  for (const id of ["a", "b", "c"]) once(rows, id, (draft) => void draft.before[1]!++);
  const { before, behind } = rows.read();
  assertEquals([before, behind], [[1, 5, 3], [4, 5, 6]]);
});
