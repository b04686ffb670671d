/**
 * Mailbox buffers: priorities, bounds, and a model.
 *
 * Goal: what comes out, and when nothing fits, is what a sorted list says. Method: the model keeps
 * messages in an array in the order in which they are to be taken; random operations, seeded, with
 * few priorities and many, on small buffers, so that lines fill, wrap, grow and empty all the time.
 */

import "../support/loaded.ts";
import { assertEquals, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import { MailboxBuffer } from "../../src/actor/flow/mailbox_buffer.ts";
import { type Random, withSeed } from "../support/random.ts";
import { scaled } from "../support/scale.ts";

function taken<T extends NonNullable<unknown>>(buffer: MailboxBuffer<T>): T[] {
  const all: T[] = [];
  for (let item; (item = buffer.shift()) !== undefined;) all.push(item);
  return all;
}

test("MailboxBuffer.shift() gives the highest priority first, and the oldest within one", () => {
  const buffer = new MailboxBuffer<string>(10);
  for (const [item, priority] of [["a", 0], ["b", 5], ["c", 0], ["d", 9], ["e", 5]] as const) {
    buffer.push(item, priority);
  }
  assertEquals(taken(buffer), ["d", "b", "e", "a", "c"]);
  assertEquals(buffer.shift(), undefined);
});

test("MailboxBuffer.push() is false when the buffer is full, whatever the priority", () => {
  const buffer = new MailboxBuffer<string>(2);
  assertEquals([buffer.push("a", 0), buffer.push("b", 0), buffer.push("c", 9)], [
    true,
    true,
    false,
  ]);
  assertEquals([buffer.length, buffer.room()], [2, 0]);
  assertEquals(taken(buffer), ["a", "b"]);
});

test("MailboxBuffer.pushDroppingOld() drops the oldest of the lowest priority", () => {
  const buffer = new MailboxBuffer<string>(3);
  for (const [item, priority] of [["a", 5], ["b", 2], ["c", 2]] as const) {
    buffer.push(item, priority);
  }
  assertEquals(buffer.pushDroppingOld("d", 3), "b");
  assertEquals(buffer.pushDroppingOld("e", 2), "c"); // its own level, which stays
  assertEquals(buffer.pushDroppingOld("f", 9), "e"); // the last of its level, which goes
  assertEquals(buffer.pushDroppingOld("g", 1), "g"); // all that wait are more urgent
  assertEquals(taken(buffer), ["f", "a", "d"]);
});

test("MailboxBuffer.pushDroppingOld() drops nothing while there is room", () => {
  const buffer = new MailboxBuffer<string>(1);
  assertEquals(buffer.pushDroppingOld("a", 0), undefined);
  assertEquals(buffer.pushDroppingOld("b", 0), "a");
  assertEquals(taken(buffer), ["b"]);
});

test("MailboxBuffer.unshift() puts back in front of its priority, and over the capacity", () => {
  const buffer = new MailboxBuffer<string>(2);
  buffer.push("a", 0);
  buffer.push("b", 3);
  buffer.unshift("first of 3", 3);
  buffer.unshift("first of 0", 0);
  assertEquals([buffer.length, buffer.room(), buffer.push("c", 0)], [4, 0, false]);
  assertEquals(taken(buffer), ["first of 3", "b", "first of 0", "a"]);
});

test("MailboxBuffer.admit() adds behind the others, over the capacity", () => {
  const buffer = new MailboxBuffer<string>(1);
  buffer.push("a", 0);
  buffer.admit("b", 0);
  assertEquals(taken(buffer), ["a", "b"]);
});

test("MailboxBuffer.remove() takes out what a predicate holds for", () => {
  const buffer = new MailboxBuffer<number>(10);
  for (let item = 0; item < 9; item++) buffer.push(item, item % 3);
  assertEquals(buffer.remove((item) => item % 3 === 1 || item > 5), [8, 1, 4, 7, 6]);
  assertEquals([buffer.length, buffer.remove(() => false)], [4, []]);
  assertEquals(taken(buffer), [2, 5, 0, 3]);
});

test("MailboxBuffer.push() refuses what is no priority, and adds nothing", () => {
  const buffer = new MailboxBuffer<string>(1);
  for (const priority of [-1, 0.5, NaN, Infinity]) {
    assertThrows(() => buffer.push("a", priority), RangeError, `priority ${priority}`);
  }
  buffer.push("a", 0);
  assertThrows(() => buffer.pushDroppingOld("b", NaN), RangeError);
  assertEquals(taken(buffer), ["a"]);
});

test("new MailboxBuffer() refuses what is no capacity", () => {
  for (const capacity of [0, -1, 1.5, NaN, Infinity]) {
    assertThrows(() => new MailboxBuffer(capacity), RangeError, `buffer ${capacity} messages`);
  }
});

/** Messages in the order in which they are to be taken. */
class Model {
  readonly all: { item: number; priority: number }[] = [];

  push(item: number, priority: number): void {
    const index = this.all.findIndex((one) => one.priority < priority);
    this.all.splice(index === -1 ? this.all.length : index, 0, { item, priority });
  }

  unshift(item: number, priority: number): void {
    const index = this.all.findIndex((one) => one.priority <= priority);
    this.all.splice(index === -1 ? this.all.length : index, 0, { item, priority });
  }

  dropOld(): number {
    const lowest = this.all.at(-1)!.priority;
    const index = this.all.findIndex((one) => one.priority === lowest);
    return this.all.splice(index, 1)[0]!.item;
  }

  remove(predicate: (item: number) => boolean): number[] {
    const removed = this.all.filter(({ item }) => predicate(item)).map(({ item }) => item);
    this.all.splice(0, Infinity, ...this.all.filter(({ item }) => !predicate(item)));
    return removed;
  }
}

for (const capacity of [1, 3, 8, 9, 40]) {
  for (const priorities of [[0], [7], [0, 1], [3, 4], [0, 1, 2, 9, 31_999, 32_000]]) {
    test(`MailboxBuffer of ${capacity} does what a model does with priorities ${priorities}`, () => {
      const buffer = new MailboxBuffer<number>(capacity), model = new Model();
      let next = 0;
      // Mostly full for a while, then mostly empty, and so on.
      let filling = true;
      withSeed(capacity * 100 + priorities.length, scaled(3000), (random: Random) => {
        if (random.oneIn(50)) filling = !filling;
        const priority = random.pick(priorities), item = next++;
        switch (random.below(filling ? 8 : 12)) {
          case 0:
            assertEquals(buffer.pushDroppingOld(item, priority), dropping(model, item, priority));
            break;
          case 1:
            if (model.all.length < capacity + 5) {
              buffer.unshift(item, priority);
              model.unshift(item, priority);
            }
            break;
          case 2:
            if (model.all.length < capacity + 5) {
              buffer.admit(item, priority);
              model.push(item, priority);
            }
            break;
          case 3: {
            const odd = random.below(4);
            const predicate = (one: number) => one % 4 === odd;
            assertEquals(buffer.remove(predicate), model.remove(predicate));
            break;
          }
          case 4:
          case 5:
          case 6: {
            const fits = model.all.length < capacity;
            assertEquals(buffer.push(item, priority), fits);
            if (fits) model.push(item, priority);
            break;
          }
          default:
            assertEquals(buffer.shift(), model.all.shift()?.item);
        }
        assertEquals(buffer.length, model.all.length);
        assertEquals(buffer.room(), Math.max(0, capacity - model.all.length));
      });
      assertEquals(taken(buffer), model.all.map(({ item }) => item));

      function dropping(model: Model, item: number, priority: number): number | undefined {
        const isFull = model.all.length >= capacity;
        model.push(item, priority);
        return isFull ? model.dropOld() : undefined;
      }
    });
  }
}
