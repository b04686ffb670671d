/** Dead letters: what is kept, what is counted, and that both are bounded as they say. */

import "../support/loaded.ts";
import { assert, assertEquals } from "../assert.ts";
import { test } from "../harness.ts";
import { VirtualClock } from "../../src/actor/flow/clock.ts";
import {
  DeadLetters,
  type DeadReason,
  type LetterParts,
} from "../../src/actor/flow/dead_letters.ts";
import { type Random, withSeed } from "../support/random.ts";
import { scaled } from "../support/scale.ts";

function parts(reason: DeadReason, byteLength = 100, detail = "detail"): LetterParts {
  return {
    reason,
    label: "counter",
    address: undefined,
    kind: "add",
    detail,
    bytes: new Uint8Array(byteLength),
    error: undefined,
  };
}

test("DeadLetters.add() numbers a letter, and says when it came", () => {
  const clock = new VirtualClock(5000), letters = new DeadLetters({ clock });
  const error = new Error("mine"), bytes = Uint8Array.of(1, 2, 3);
  const letter = letters.add({ ...parts("handler-threw"), bytes, error });
  assertEquals([letter.id, letter.at, letter.label, letter.kind], [1, 5000, "counter", "add"]);
  assert(letter.bytes === bytes && letter.error === error);
  assertEquals(letters.add(parts("expired")).id, 2);
});

test("DeadLetters.list() gives the oldest first, those of a reason, the latest few", () => {
  const letters = new DeadLetters();
  for (const reason of ["expired", "dropped", "expired", "dropped", "expired"] as const) {
    letters.add(parts(reason));
  }
  const ids = (list: readonly { id: number }[]) => list.map(({ id }) => id);
  assertEquals(ids(letters.list()), [1, 2, 3, 4, 5]);
  assertEquals(ids(letters.list({ reason: "expired" })), [1, 3, 5]);
  assertEquals(ids(letters.list({ reason: "expired", limit: 2 })), [3, 5]);
  assertEquals(ids(letters.list({ limit: 0 })), []);
  assertEquals(ids(letters.list({ reason: "stopped" })), []);
});

test("DeadLetters.read() leaves a letter, take() takes it out", () => {
  const letters = new DeadLetters(), { id } = letters.add(parts("dropped"));
  assertEquals([letters.read(id)?.id, letters.length], [id, 1]);
  assertEquals([letters.take(id)?.id, letters.length, letters.byteLength], [id, 0, 0]);
  assertEquals([letters.take(id), letters.read(id)], [undefined, undefined]);
  assertEquals([letters.total, letters.count("dropped"), letters.evicted], [1, 1, 0]);
});

test("DeadLetters.add() lets the oldest go when there are too many", () => {
  const letters = new DeadLetters({ maxCount: 2 });
  for (let added = 0; added < 5; added++) letters.add(parts("dropped"));
  assertEquals(letters.list().map(({ id }) => id), [4, 5]);
  assertEquals([letters.evicted, letters.total, letters.count("dropped")], [3, 5, 5]);
});

test("DeadLetters.add() lets the oldest go when they are too large", () => {
  const letters = new DeadLetters({ maxBytes: 10_000 });
  for (let added = 0; added < 4; added++) letters.add(parts("dropped", 3000));
  assertEquals(letters.list().map(({ id }) => id), [2, 3, 4]);
  letters.add(parts("dropped", 9000));
  assertEquals(letters.list().map(({ id }) => id), [5]);
  assert(letters.byteLength <= 10_000);
});

test("DeadLetters.add() keeps of a frame that is too large what is known of it", () => {
  const letters = new DeadLetters({ maxBytes: 5000 });
  letters.add(parts("dropped", 1000));
  letters.add(parts("dropped", 5001));
  assertEquals(letters.list().map(({ bytes }) => bytes?.byteLength), [1000, undefined]);
});

test("DeadLetters.add() counts a letter that there is no room for at all", () => {
  const letters = new DeadLetters({ maxCount: 0 });
  assertEquals(letters.add(parts("expired")).id, 1);
  assertEquals([letters.length, letters.evicted, letters.count("expired")], [0, 1, 1]);
});

test("DeadLetters.add() keeps of a peer's words a bounded part", () => {
  const letters = new DeadLetters(), long = "x".repeat(1e6);
  const letter = letters.add({ ...parts("undecodable", 0, long), label: long, kind: long });
  for (const words of [letter.label, letter.detail, letter.kind!]) assertEquals(words.length, 1024);
  assert(letters.byteLength < 10_000);
});

test("DeadLetters.onLetter() tells each that wants to know, until that is taken back", () => {
  const letters = new DeadLetters(), seen: string[] = [];
  const stop = letters.onLetter(({ id }) => seen.push(`a${id}`));
  letters.onLetter(({ id }) => seen.push(`b${id}`));
  letters.add(parts("dropped"));
  stop();
  stop();
  letters.add(parts("dropped"));
  assertEquals(seen, ["a1", "b1", "b2"]);
});

test("DeadLetters.onLetter() tells of later letters alone who comes while one is told of", () => {
  const letters = new DeadLetters(), seen: string[] = [];
  const stop = letters.onLetter(() => {
    stop();
    letters.onLetter(({ id }) => seen.push(`late${id}`));
  });
  letters.add(parts("dropped"));
  letters.add(parts("dropped"));
  assertEquals(seen, ["late2"]);
});

test("DeadLetters is bounded, and counts right, whatever is done with it", () => {
  const reasons: DeadReason[] = ["expired", "dropped", "unanswered"];
  const letters = new DeadLetters({ maxCount: 20, maxBytes: 20_000 });
  const counts = new Map<DeadReason, number>();
  let taken = 0;
  withSeed(7, scaled(5000), (random: Random) => {
    if (random.oneIn(3)) {
      const id = random.below(letters.total + 2);
      const wasKept = letters.list().some((letter) => letter.id === id);
      assertEquals(letters.take(id) !== undefined, wasKept);
      if (wasKept) taken++;
    } else {
      const reason = random.pick(reasons);
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
      letters.add(parts(reason, random.below(3000), "y".repeat(random.below(2000))));
    }
    assert(letters.length <= 20 && letters.byteLength <= 20_000);
    assertEquals(letters.list().length, letters.length);
    assertEquals(letters.total, letters.length + letters.evicted + taken);
    for (const reason of reasons) assertEquals(letters.count(reason), counts.get(reason) ?? 0);
  });
  for (const { id } of letters.list()) letters.take(id);
  assertEquals(letters.byteLength, 0);
});
