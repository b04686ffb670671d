/**
 * What every carrier of actor messages promises (src/actor/carriers/carrier.ts), as one suite that
 * each registers in a few lines.
 */

import "../support/loaded.ts";
import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "../assert.ts";
import { test } from "../harness.ts";
import { ClosedError } from "../../mod.ts";
import type { Inbox, Lane, Outbox } from "../../src/actor/carriers/carrier.ts";
import { CONTROL_PRIORITY } from "../../src/actor/wire/priorities.ts";
import { askAndAnswer } from "../support/carriers.ts";
import { scaled } from "../support/scale.ts";
import { within } from "../support/until.ts";

/** Both ends of a carrier; closed at the end of the scope, with nothing left in the kernel. */
export interface CarrierEnds extends Disposable {
  readonly inbox: Inbox;
  /** Opens another outbox; at least four at a time. */
  outbox(): Outbox;
}

/** A carrier that the suite is registered for. */
export interface CarrierUnderTest {
  readonly name: string;
  /** Makes one with room for a handful of frames, of at least 64 bytes. */
  open(): CarrierEnds;
  /** Why it does not give out the highest priority first, where it does not. */
  readonly noPriorities?: string;
}

const decoder = new TextDecoder(), encoder = new TextEncoder();

const bytesOf = (text: string) => encoder.encode(text);

/** What a promise rejects with; listens at once. */
function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(() => "no error", (error) => error);
}

/** More than any carrier of the suite has room for. */
const MANY = 10_000;

/** One inbox and the one way to it. */
class Ends implements Disposable {
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly into: Uint8Array;
  readonly #ends: CarrierEnds;

  constructor(carrier: CarrierUnderTest) {
    this.#ends = carrier.open();
    this.inbox = this.#ends.inbox;
    this.outbox = this.#ends.outbox();
    this.into = new Uint8Array(this.inbox.maxFrameBytes);
  }

  another(): Outbox {
    return this.#ends.outbox();
  }

  trySend(text: string, priority = 0, lane: Lane = "message"): boolean {
    return this.outbox.trySend(bytesOf(text), lane, priority);
  }

  send(text: string, priority = 0, lane: Lane = "message"): Promise<void> {
    return this.outbox.send(bytesOf(text), lane, priority);
  }

  tryTake(): string | undefined {
    return this.text(this.inbox.tryTake(this.into));
  }

  async take(): Promise<string> {
    return this.text(await within("a frame", this.inbox.take(this.into)))!;
  }

  /** Takes frames until one has this text, and gives those before it. */
  async takeUntil(last: string): Promise<string[]> {
    const texts: string[] = [];
    for (let text; (text = await this.take()) !== last;) texts.push(text);
    return texts;
  }

  text(byteLength: number | undefined): string | undefined {
    return byteLength === undefined ? undefined : decoder.decode(this.into.subarray(0, byteLength));
  }

  /** Sends until a lane has no room; gives how many it took. */
  fill(lane: Lane = "message", text = lane): number {
    const priority = lane === "control" ? CONTROL_PRIORITY : 0;
    for (let count = 0; count < MANY; count++) {
      if (!this.trySend(text, priority, lane)) return count;
    }
    throw new Error(`${MANY} frames fill no ${lane} lane`);
  }

  [Symbol.dispose](): void {
    this.#ends[Symbol.dispose]();
  }
}

/** Registers the suite. */
export function carrierContract(carrier: CarrierUnderTest): void {
  const { name, noPriorities } = carrier;

  test(`${name}: frames of one priority come out in the order in which they went in`, () => {
    using ends = new Ends(carrier);
    for (const text of ["a", "b", "c"]) assert(ends.trySend(text, 4));
    assertEquals([ends.tryTake(), ends.tryTake(), ends.tryTake(), ends.tryTake()], [
      ...["a", "b", "c"],
      undefined,
    ]);
  });

  test(`${name}: a frame comes with its priority`, () => {
    using ends = new Ends(carrier);
    for (const priority of [0, 7, 32_000, CONTROL_PRIORITY]) {
      assert(ends.trySend("x", priority));
      assertEquals([ends.tryTake(), ends.inbox.priority], ["x", priority]);
    }
  });

  test(`${name}: the highest priority comes out first`, { missing: noPriorities }, () => {
    using ends = new Ends(carrier);
    for (
      const [text, priority] of [["low", 1], ["high", 9], ["none", 0], ["high too", 9]] as const
    ) {
      ends.trySend(text, priority);
    }
    assertEquals([ends.tryTake(), ends.tryTake(), ends.tryTake(), ends.tryTake()], [
      ...["high", "high too", "low", "none"],
    ]);
  });

  test(`${name}: depth tells of what waits, and ends with it`, () => {
    using ends = new Ends(carrier);
    assertEquals([ends.outbox.depth, ends.inbox.depth], [0, 0]);
    ends.trySend("x");
    const { depth } = ends.outbox;
    assert(depth > 0 && depth <= ends.outbox.capacity && ends.inbox.depth === depth);
    ends.tryTake();
    assertEquals([ends.outbox.depth, ends.inbox.depth], [0, 0]);
  });

  test(`${name}: an empty frame is one, and one as long as can be arrives whole`, () => {
    using ends = new Ends(carrier);
    const { maxFrameBytes } = ends.outbox;
    assertEquals(maxFrameBytes, ends.inbox.maxFrameBytes);
    const longest = Uint8Array.from({ length: maxFrameBytes }, (_, index) => index * 7);
    assert(ends.outbox.trySend(new Uint8Array(0), "message", 0));
    assertEquals(ends.inbox.tryTake(ends.into), 0);
    assert(ends.outbox.trySend(longest, "control", CONTROL_PRIORITY));
    assertEquals(ends.inbox.tryTake(ends.into), maxFrameBytes);
    assertEquals(ends.into, longest);
  });

  test(`${name}: a frame that is too long is refused by both numbers, and nothing is sent`, async () => {
    using ends = new Ends(carrier);
    const { maxFrameBytes } = ends.outbox;
    const long = new Uint8Array(maxFrameBytes + 1);
    const told = new RegExp(`has ${maxFrameBytes + 1} bytes, expected at most ${maxFrameBytes}$`);
    for (
      const error of [
        assertThrows(() => ends.outbox.trySend(long, "message", 0), RangeError),
        await assertRejects(() => ends.outbox.send(long, "control", 0), RangeError),
      ]
    ) assert(told.test(error.message), error.message);
    assertEquals(ends.tryTake(), undefined);
  });

  test(`${name}: a priority that is none is refused`, async () => {
    using ends = new Ends(carrier);
    for (const priority of [-1, 0.5, 32_768, NaN]) {
      assertThrows(() => ends.trySend("x", priority), RangeError, `the priority is ${priority}, `);
      await assertRejects(() => ends.send("x", priority), RangeError, "from 0 to 32767");
    }
    assertEquals(ends.tryTake(), undefined);
  });

  test(`${name}: a buffer that is too short is refused, and nothing is taken`, async () => {
    using ends = new Ends(carrier);
    ends.trySend("stays");
    const leastBytes = ends.inbox.maxFrameBytes, short = new Uint8Array(leastBytes - 1);
    const told = `has ${leastBytes - 1} bytes, expected at least ${leastBytes}`;
    assertThrows(() => ends.inbox.tryTake(short), RangeError, told);
    await assertRejects(() => ends.inbox.take(short), RangeError, told);
    assertEquals(ends.tryTake(), "stays");
  });

  test(`${name}: the sender's bytes are its own again at once`, async () => {
    using ends = new Ends(carrier);
    const frame = bytesOf("at first");
    assert(ends.outbox.trySend(frame, "message", 0));
    frame.fill(0);
    const filled = ends.fill() + 1;
    const waiting = bytesOf("waiting");
    const sent = ends.outbox.send(waiting, "message", 0);
    waiting.fill(0);
    assertEquals(await ends.take(), "at first");
    for (let taken = 1; taken < filled; taken++) await ends.take();
    assertEquals(await ends.take(), "waiting");
    await sent;
  });

  test(`${name}: trySend() is false when there is no room, and true when there is again`, () => {
    using ends = new Ends(carrier);
    const count = ends.fill();
    assertGreaterOrEqual(count, 1);
    assertEquals(ends.trySend("x"), false);
    for (let taken = 0; taken < count; taken++) assertEquals(ends.tryTake(), "message");
    assertEquals(ends.tryTake(), undefined);
    assertEquals(ends.fill(), count);
  });

  test(`${name}: send() waits for room, and goes when there is some`, async () => {
    using ends = new Ends(carrier);
    const count = ends.fill();
    const sent = [ends.send("1"), ends.send("2"), ends.send("3")];
    assertEquals((await ends.takeUntil("3")).slice(count), ["1", "2"]);
    await within("all three", Promise.all(sent));
  });

  test(`${name}: nobody overtakes who waits with the same priority`, async () => {
    using ends = new Ends(carrier);
    ends.fill();
    const sent = ends.send("first");
    await ends.take();
    for (let more = 0; more < 3; more++) {
      const isSent = ends.trySend("second");
      if (isSent) break; // the first has just gone
      await ends.take();
    }
    await within("the first", sent);
    const texts = await ends.takeUntil("first");
    assertEquals(texts.includes("second"), false);
  });

  test(`${name}: of those who wait the highest priority goes first`, async () => {
    using ends = new Ends(carrier);
    ends.fill();
    const gone: string[] = [];
    const sent = (["low", "high", "high too", "middle"] as const).map((text) => {
      const priority = { low: 1, middle: 5, high: 9, "high too": 9 }[text];
      return ends.send(text, priority).then(() => gone.push(text));
    });
    while (gone.length < 4) await ends.take();
    await Promise.all(sent);
    assertEquals(gone, ["high", "high too", "middle", "low"]);
  });

  test(`${name}: control frames go where messages have no room, and come out first`, async () => {
    using ends = new Ends(carrier);
    const messages = ends.fill();
    const sent = ends.send("waiting");
    assert(ends.trySend("control", CONTROL_PRIORITY, "control"));
    assertEquals(await ends.take(), "control");
    for (let taken = 0; taken < messages; taken++) assertEquals(await ends.take(), "message");
    await within("what waited", sent);
    assertEquals(await ends.take(), "waiting");
  });

  test(`${name}: a control frame that waits goes before messages that waited before it`, async () => {
    using ends = new Ends(carrier);
    ends.fill();
    ends.fill("control");
    const gone: string[] = [];
    const message = ends.send("a message").then(() => gone.push("message"));
    const control = ends.send("order", CONTROL_PRIORITY, "control").then(() =>
      gone.push("control")
    );
    assertEquals(await ends.take(), "control");
    await within("the control frame", control);
    assertEquals(gone, ["control"]);
    await ends.takeUntil("a message");
    await within("the message", message);
    assertEquals(gone, ["control", "message"]);
  });

  test(`${name}: a send that is given up is not sent, and those behind it go`, async () => {
    using ends = new Ends(carrier);
    ends.fill();
    const reason = { reason: "its own" }, controller = new AbortController();
    const { signal } = controller;
    const aborted = errorOf(ends.outbox.send(bytesOf("aborted"), "message", 0, { signal }));
    const started = performance.now();
    const late = errorOf(ends.outbox.send(bytesOf("late"), "message", 0, { timeoutMs: 5 }));
    const behind = ends.send("behind");
    controller.abort(reason);
    assertStrictEquals(await within("the abort", aborted), reason);
    assertEquals((await within("the deadline", late) as Error).name, "TimeoutError");
    assertGreaterOrEqual(performance.now() - started, 5);
    const texts = await ends.takeUntil("behind");
    assertEquals(texts.filter((text) => text !== "message"), []);
    await within("what was behind", behind);
    const gone = ends.outbox.send(bytesOf("x"), "message", 0, { signal });
    assertStrictEquals(await errorOf(gone), reason);
    assertEquals(ends.tryTake(), undefined);
  });

  test(`${name}: a send at the deadline goes if there is room by then`, async () => {
    using ends = new Ends(carrier);
    await ends.outbox.send(bytesOf("at once"), "message", 0, { timeoutMs: 0 });
    assertEquals(ends.tryTake(), "at once");
    await assertRejects(
      () => ends.outbox.send(bytesOf("x"), "message", 0, { timeoutMs: -1 }),
      RangeError,
    );
  });

  test(`${name}: what must be done at each attempt is done, and taken back`, async () => {
    using ends = new Ends(carrier);
    const count = ends.fill();
    const attempts: boolean[] = [];
    const sent = ends.outbox.send(bytesOf("attempted"), "message", 0, {
      attempt(send) {
        const isSent = send();
        attempts.push(isSent);
        return isSent;
      },
    });
    const broken = assertRejects(
      () =>
        ends.outbox.send(bytesOf("never"), "message", 0, {
          attempt() {
            throw new Error("of the attempt");
          },
        }),
      Error,
      "of the attempt",
    );
    const behind = ends.send("behind");
    assertEquals((await ends.takeUntil("behind")).slice(count), ["attempted"]);
    await within("both", Promise.all([sent, behind]));
    await within("the refusal", broken);
    assertEquals(attempts.pop(), true);
    assertEquals(attempts.includes(true), false);
  });

  test(`${name}: take() waits for a frame`, async () => {
    using ends = new Ends(carrier);
    const taken = ends.inbox.take(ends.into);
    await new Promise((resolve) => setImmediate(resolve));
    assert(ends.trySend("later", 3));
    assertEquals([ends.text(await within("it", taken)), ends.inbox.priority], ["later", 3]);
  });

  test(`${name}: take() tells of a frame as soon as it is taken, before its promise does`, async () => {
    using ends = new Ends(carrier);
    const told: number[] = [];
    const take = () => ends.inbox.take(ends.into, { taken: (length) => void told.push(length) });
    const waiting = take();
    assertEquals(told, []);
    ends.trySend("abc");
    assertEquals(ends.text(await within("a frame", waiting)), "abc");
    assertEquals(told, [3]);
    ends.trySend("de");
    const atOnce = take();
    assertEquals(told, [3, 2]);
    assertEquals(ends.text(await atOnce), "de");
  });

  test(`${name}: a take that is given up takes nothing`, async () => {
    using ends = new Ends(carrier);
    const reason = { reason: "its own" }, controller = new AbortController();
    const { signal } = controller;
    const aborted = errorOf(ends.inbox.take(ends.into, { signal }));
    const started = performance.now();
    const late = errorOf(ends.inbox.take(new Uint8Array(ends.into), { timeoutMs: 5 }));
    controller.abort(reason);
    assertStrictEquals(await within("the abort", aborted), reason);
    assertEquals((await within("the deadline", late) as Error).name, "TimeoutError");
    assertGreaterOrEqual(performance.now() - started, 5);
    assert(ends.trySend("still there"));
    assertStrictEquals(await errorOf(ends.inbox.take(ends.into, { signal })), reason);
    assertEquals(ends.tryTake(), "still there");
  });

  test(`${name}: who waits when its end is closed is told, and who comes later`, async () => {
    using ends = new Ends(carrier);
    const taken = assertRejects(() => ends.inbox.take(ends.into), ClosedError);
    ends.inbox.close();
    ends.inbox.close();
    assertEquals((await within("the taker", taken)).target, ends.inbox.name);
    assertEquals([ends.inbox.closed, ends.outbox.closed], [true, false]);
    assertThrows(() => ends.tryTake(), ClosedError);
    await assertRejects(() => ends.inbox.take(ends.into), ClosedError);

    using other = new Ends(carrier);
    const count = other.fill();
    const sent = assertRejects(() => other.send("never"), ClosedError);
    const control = other.outbox.send(bytesOf("gone"), "control", CONTROL_PRIORITY);
    await within("a control frame", control);
    other.outbox.close();
    other.outbox.close();
    assertEquals((await within("the sender", sent)).target, other.outbox.target);
    assertEquals([other.inbox.closed, other.outbox.closed], [false, true]);
    assertThrows(() => other.trySend("x"), ClosedError);
    await assertRejects(() => other.send("x"), ClosedError);
    assertEquals(await other.take(), "gone"); // what was sent is on its way
    for (let taken = 0; taken < count; taken++) assertEquals(other.tryTake(), "message");
    assertEquals(other.tryTake(), undefined);
  });

  for (
    const [what, round] of [
      ["sends", async (ends: Ends) => {
        await ends.send("x");
        ends.tryTake();
      }],
      ["takes", async (ends: Ends) => {
        ends.trySend("x");
        await ends.inbox.take(ends.into);
      }],
    ] as const
  ) {
    test(`${name}: who ${what} without a pause lets others have their turns`, async () => {
      using ends = new Ends(carrier);
      let isOver = false;
      setTimeout(() => isOver = true, 1);
      let rounds = 0;
      while (!isOver && rounds++ < 1e5) await round(ends);
      assert(isOver, `${rounds} rounds let no timer through`);
    });
  }

  const frames = scaled(100_000), senders = 4;
  test(`${name}: ${frames} frames of ${senders} senders come once each, in the order of their sender`, async () => {
    using ends = new Ends(carrier);
    const each = frames / senders;
    const sending = Array.from({ length: senders }, async (_, sender) => {
      using outbox = ends.another();
      const frame = new Uint8Array(24), words = new Uint32Array(frame.buffer);
      for (let index = 0; index < each; index++) {
        words.set([sender, index]);
        words[2 + index % 4] = ~index; // where it lies must not matter
        if (!outbox.trySend(frame, "message", 0)) await outbox.send(frame, "message", 0);
      }
    });
    const next = new Uint32Array(senders), words = new Uint32Array(ends.into.buffer);
    for (let count = 0; count < frames; count++) {
      const byteLength = ends.inbox.tryTake(ends.into) ??
        await within("the next frame", ends.inbox.take(ends.into));
      const sender = words[0]!, index = words[1]!;
      if (byteLength !== 24 || index !== next[sender] || words[2 + index % 4] !== (~index >>> 0)) {
        throw new Error(`frame ${count}: ${byteLength} bytes, ${index} of sender ${sender}`);
      }
      next[sender] = index + 1;
    }
    await Promise.all(sending);
    assertEquals([...next], Array(senders).fill(each));
    assertEquals(ends.tryTake(), undefined);
  });

  const exchanges = scaled(10_000);
  test(`${name}: two sides that ask each other as fast as they can both go on, ${exchanges} times`, async () => {
    using left = new Ends(carrier);
    using right = new Ends(carrier);
    await within(
      "both sides",
      Promise.all([
        askAndAnswer({ inbox: left.inbox, outbox: right.outbox, asks: exchanges / 2 }),
        askAndAnswer({ inbox: right.inbox, outbox: left.outbox, asks: exchanges / 2 }),
      ]),
      60_000,
    );
  });
}
