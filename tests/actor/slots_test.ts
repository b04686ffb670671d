/**
 * The slots of a mailbox: what a receiver takes stays until it is acknowledged, whatever an
 * incarnation before has left is told apart, and comes first.
 *
 * Method: real queues and real memory; a killed incarnation is one that stopped at that point and is
 * not asked again, or memory that is written as the kernel leaves it.
 */

import "../support/loaded.ts";
import { LayoutError, MessageQueue, PosixError, SharedMemory, uniqueName } from "../../mod.ts";
import { watchHandler } from "../../src/actor/delivery/hung.ts";
import {
  attemptsText,
  bequeath,
  drainSlots,
  foundIn,
  type Leftover,
  noteEnd,
} from "../../src/actor/delivery/recovery.ts";
import type { Outbox } from "../../src/actor/carriers/carrier.ts";
import {
  createRingInbox,
  openRingInbox,
  openRingOutbox,
  RING_FRAME_BYTES,
} from "../../src/actor/carriers/ring.ts";
import { QueueFeed, RingFeed } from "../../src/actor/delivery/feed.ts";
import { SlotMemory } from "../../src/actor/delivery/slots.ts";
import { slotOffset, type SlotSizes } from "../../src/actor/delivery/slot_layout.ts";
import { SlotSource, type SlotSourceParts } from "../../src/actor/delivery/slot_source.ts";
import { onStep, type Step } from "../../src/actor/delivery/steps.ts";
import { ownerOf } from "../../src/actor/memory/owner.ts";
import { blankHeader, encodeFrame, type SlabDescriptor } from "../../src/actor/wire/frame.ts";
import { CODEC, KIND } from "../../src/actor/wire/frame_layout.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import { until, within } from "../support/until.ts";

const RUN = 77n;
const SIZES: SlotSizes = { receivers: 1, slotsEach: 4, frameBytes: 256 };
const SELF = ownerOf(1, 1), NEXT = ownerOf(1, 2), OTHER = ownerOf(2, 1);

/** A queue and the slots of its receivers. */
class Mailbox implements Disposable {
  readonly name = uniqueName("slots");
  readonly queue: MessageQueue;
  readonly memory: SlotMemory;
  readonly freed: SlabDescriptor[] = [];
  readonly torn: string[] = [];
  readonly #open: Disposable[] = [];

  constructor(sizes: SlotSizes = SIZES) {
    this.queue = MessageQueue.create(this.name, { maxMessages: 10, maxMessageBytes: 256 });
    this.memory = SlotMemory.create(this.name, sizes, RUN);
  }

  /** A receiver; the one before it in its row is never asked again. */
  source(parts: Partial<SlotSourceParts> = {}): SlotSource {
    const memory = this.openMemory();
    const source = new SlotSource({
      memory,
      row: 0,
      feed: new QueueFeed(MessageQueue.open(this.name), memory, parts.row ?? 0),
      self: SELF,
      prefetch: 1,
      maxAttempts: 3,
      isRunning: () => false,
      free: (block) => void this.freed.push(block),
      torn: (_bytes, detail) => {
        this.torn.push(detail);
        return undefined;
      },
      ...parts,
    });
    this.#open.push({ [Symbol.dispose]: () => void source.close() });
    return source;
  }

  openMemory(): SlotMemory {
    const memory = SlotMemory.open(this.name, RUN);
    this.#open.push(memory);
    return memory;
  }

  /** The words of the slots, as somebody else sees them. */
  words(): Int32Array {
    const memory = SharedMemory.open(this.name);
    this.#open.push(memory);
    return new Int32Array(memory.buffer, 0, memory.byteLength / 4);
  }

  send(text: string, priority = 0): void {
    assert(this.queue.trySend(frameOf(text), { priority }));
  }

  [Symbol.dispose](): void {
    for (const handle of this.#open) handle[Symbol.dispose]();
    this.memory.close();
    this.queue.close();
    MessageQueue.unlink(this.name);
    SharedMemory.unlink(this.name);
  }
}

function frameOf(text: string, sequence = 0): Uint8Array {
  const bytes = new Uint8Array(256);
  const payload = new TextEncoder().encode(text);
  const header = { ...blankHeader(KIND.TELL), codec: CODEC.RAW, tag: 5, sequence };
  return bytes.subarray(0, encodeFrame(bytes, header, payload));
}

function textIn(bytes: Uint8Array | undefined): string | undefined {
  return bytes && new TextDecoder().decode(bytes.slice(64));
}

/** Takes the next message, as a cell does. */
function taken(source: SlotSource): { text: string | undefined; attempt: number; receipt: number } {
  const text = textIn(source.tryNext()), receipt = source.last;
  return { text, attempt: text === undefined ? 0 : source.begin(receipt), receipt };
}

/** Takes all that is there, acknowledging each. */
function all(source: SlotSource): [string, number][] {
  const found: [string, number][] = [];
  for (;;) {
    const { text, attempt, receipt } = taken(source);
    if (text === undefined) return found;
    source.done(receipt);
    found.push([text, attempt]);
  }
}

test("SlotMemory.open() refuses what is not of its run, and what is too short for what it says", () => {
  using mailbox = new Mailbox();
  const { name } = mailbox;
  assertThrows(() => SlotMemory.open(name, 78n), LayoutError, "something else");
  assertThrows(() => SlotMemory.create(name, SIZES, RUN), PosixError, "exists");
  using memory = SharedMemory.open(name);
  const words = new Int32Array(memory.buffer, 0, 16);
  for (
    const [word, value] of [[6, 0], [6, 65], [7, -1], [7, 257], [8, 0], [8, 2 ** 30], [7, 200]]
  ) {
    const before = words[word!]!;
    words[word!] = value!;
    assertThrows(() => SlotMemory.open(name, RUN), LayoutError, "slots of");
    words[word!] = before;
  }
  SlotMemory.open(name, RUN).close();
});

test("a message that was taken is given again to the next incarnation until it is acknowledged", () => {
  using mailbox = new Mailbox();
  mailbox.send("one", 7);
  mailbox.send("two");
  const first = mailbox.source();
  assertEquals(taken(first), { text: "one", attempt: 1, receipt: first.last });
  assertEquals(first.priority, 7);
  mailbox.send("urgent", 9);

  const second = mailbox.source({ self: NEXT });
  const again = taken(second);
  assertEquals([again.text, again.attempt, second.priority], ["one", 2, 7]);
  second.done(again.receipt);
  assertEquals(all(second), [["urgent", 1], ["two", 1]]);
  assertEquals(all(mailbox.source({ self: NEXT })), []);
});

test("what no handler was given is no attempt", () => {
  using mailbox = new Mailbox();
  mailbox.send("one");
  assertEquals(textIn(mailbox.source().tryNext()), "one");
  assertEquals(all(mailbox.source({ self: NEXT })), [["one", 1]]);
});

test("what is held comes by its priority and its age, whatever is taken ahead", () => {
  using mailbox = new Mailbox();
  for (const [text, priority] of [["a", 1], ["b", 1], ["c", 3]] as const) {
    mailbox.send(text, priority);
  }
  const first = mailbox.source({ prefetch: 2 });
  assertEquals(taken(first).text, "c");
  assertEquals(mailbox.queue.length, 1); // c and a were taken
  const second = mailbox.source({ self: NEXT, prefetch: 3 });
  assertEquals(all(second), [["c", 2], ["a", 1], ["b", 1]]);
});

test("the order of what is held outlives the end of its numbers", () => {
  using mailbox = new Mailbox();
  const words = mailbox.words();
  for (const text of ["a", "b", "c"]) mailbox.send(text);
  const first = mailbox.source({ prefetch: 3 });
  assertEquals(taken(first).text, "a");
  const orders = [2 ** 31 - 2, 2 ** 31 - 1, -(2 ** 31)];
  for (let slot = 0; slot < 4; slot++) {
    const at = slotOffset(SIZES, slot) / 4;
    if (words[at]! >= 0) words[at + 3] = orders[words[at + 3]! - 1]!;
  }
  mailbox.send("d");
  const second = mailbox.source({ self: NEXT, prefetch: 3 });
  assertEquals(all(second), [["a", 2], ["b", 1], ["c", 1], ["d", 1]]);
});

test("a message that was set aside stays kept, as long as there is a slot for the next", () => {
  using mailbox = new Mailbox();
  for (const text of ["a", "b", "c", "d"]) mailbox.send(text);
  const source = mailbox.source();
  const aside: number[] = [];
  for (const text of ["a", "b", "c"]) {
    const message = taken(source);
    assertEquals(message.text, text);
    assert(source.canSetAside);
    source.outOfHand();
    aside.push(message.receipt);
  }
  const last = taken(source);
  assertEquals([last.text, source.canSetAside], ["d", false]);
  assertEquals(source.tryNext(), undefined);
  assertEquals(source.begin(aside[0]!), 1); // it is the same attempt
  source.done(aside[0]!);
  source.done(last.receipt);
  for (const receipt of aside.slice(1)) source.back(receipt);
  assertEquals(all(source), [["b", 2], ["c", 2]]);
});

test("what is not kept comes back before everything else, and is not kept", () => {
  using mailbox = new Mailbox();
  mailbox.send("kept");
  const source = mailbox.source();
  source.giveBack(frameOf("returned"), 4);
  assertEquals([textIn(source.tryNext()), source.last, source.priority], ["returned", 0, 4]);
  assertEquals(taken(source).text, "kept");
  source.giveBack(frameOf("left"), 0);
  assertEquals(source.close().map(({ bytes }) => textIn(bytes)), ["left"]);
});

test("SlotSource refuses a row that a living one serves, and takes that of a dead one", () => {
  using mailbox = new Mailbox();
  mailbox.source();
  const asked: number[] = [];
  const isRunning = (owner: number) => asked.push(owner) > 0;
  const error = assertThrows(() => mailbox.source({ self: NEXT, isRunning }), PosixError);
  assertEquals([error.code, asked], ["EBUSY", [SELF]]);
  mailbox.source({ self: NEXT, isRunning: () => false });
});

test("SlotSource.next() waits for the queue, and ends with its signal", async () => {
  using mailbox = new Mailbox();
  const source = mailbox.source(), halt = new AbortController();
  const waiting = source.next(halt.signal);
  mailbox.send("late", 3);
  assertEquals(textIn(await within("a message", waiting)), "late");
  assertEquals(source.priority, 3);
  source.done(source.last);
  const ended = source.next(halt.signal);
  halt.abort();
  assertEquals(await within("the end", ended), undefined);
});

test("a receiver takes over the rows that were left to it, also while it waits", async () => {
  using mailbox = new Mailbox({ ...SIZES, receivers: 3 });
  for (const text of ["a", "b"]) mailbox.send(text);
  const left = mailbox.source({ row: 0, self: OTHER }),
    other = mailbox.source({ row: 2, self: OTHER });
  assertEquals([taken(left).text, taken(other).text], ["a", "b"]);
  const heir = mailbox.source({ row: 1 });
  const waiting = heir.next(new AbortController().signal);
  bequeath(mailbox.memory, 0, 2);
  heir.adopt();
  bequeath(mailbox.memory, 2, 1); // with what was left to it
  heir.adopt();
  heir.adopt();
  const first = textIn(await within("what was left", waiting))!, receipt = heir.last;
  const found = [[first, heir.begin(receipt)]];
  heir.done(receipt);
  assertEquals([...found, ...all(heir)].sort(), [["a", 2], ["b", 2]]);
  assertEquals(all(mailbox.source({ row: 1, self: NEXT })), []);
});

test("a receiver that begins after it was left a row finds what is in it", () => {
  using mailbox = new Mailbox({ ...SIZES, receivers: 2 });
  mailbox.send("a");
  assertEquals(taken(mailbox.source({ row: 0, self: OTHER })).text, "a");
  bequeath(mailbox.memory, 0, 1);
  assertEquals(all(mailbox.source({ row: 1 })), [["a", 2]]);
});

test("foundIn() tells what each kill leaves", () => {
  using mailbox = new Mailbox();
  const { memory } = mailbox, words = mailbox.words(), at = slotOffset(SIZES, 0) / 4;
  const frame = frameOf("the message");
  const kindOf = () => foundIn(memory, 0).kind;
  assertEquals(kindOf(), "free");
  // What was there before is whole, and is not what comes.
  memory.frameBytesOf(0).set(frame);
  memory.arm(0, 0);
  assertEquals([memory.stateOf(0), kindOf()], ["armed", "free"]);
  // The kernel wrote the priority, and a page of the bytes was not there.
  words[at] = 12;
  assertEquals(kindOf(), "torn");
  for (let part = 8; part < frame.byteLength; part += 7) {
    memory.arm(0, 0);
    memory.frameBytesOf(0).fill(0);
    memory.frameBytesOf(0).set(frame.subarray(0, part));
    words[at] = 12;
    assertEquals(kindOf(), "torn", `${part} bytes`);
  }
  // It wrote all, and the length was not written any more.
  memory.frameBytesOf(0).set(frame);
  assertEquals(foundIn(memory, 0), { kind: "held", length: frame.byteLength });
  memory.setLength(0, frame.byteLength);
  assertEquals(foundIn(memory, 0), { kind: "held", length: frame.byteLength });
  // What no frame is and was received as a whole is judged by who handles it.
  memory.frameBytesOf(0).fill(9);
  memory.setLength(0, 3);
  assertEquals(foundIn(memory, 0), { kind: "held", length: 3 });
  memory.setLength(0, 257);
  assertEquals(kindOf(), "torn");
  memory.arm(0, 0);
  memory.frameBytesOf(0)[7] = 1; // another order of writes than Linux has
  assertEquals(kindOf(), "torn");
  for (const word of [32_768, -4, -(2 ** 31)]) {
    words[at] = word;
    assertEquals(foundIn(memory, 0), { kind: "torn", detail: "its priority is none" });
  }
  memory.done(0);
  assertEquals(kindOf(), "done");
  memory.empty(0);
  assertEquals(kindOf(), "free");
});

test("a torn message is told before its slot is empty, and told again if that was not done", async () => {
  using mailbox = new Mailbox();
  const words = mailbox.words(), at = slotOffset(SIZES, 1) / 4;
  mailbox.memory.arm(1, 0);
  words[at] = 3;
  const tellings: (() => void)[] = [];
  const torn = () => new Promise<void>((resolve) => void tellings.push(resolve));
  mailbox.source({ torn });
  assertEquals([tellings.length, mailbox.memory.stateOf(1)], [1, "held"]);
  mailbox.source({ self: NEXT, torn });
  tellings[1]!();
  await Promise.resolve();
  await Promise.resolve();
  assertEquals(mailbox.memory.stateOf(1), "empty");
});

test("a block is freed after its message is marked, and by whoever comes when it was not", () => {
  using mailbox = new Mailbox();
  const block = { segment: 1, block: 2, generation: 3, byteLength: 4, crc: 5 };
  const bytes = new Uint8Array(256);
  const header = { ...blankHeader(KIND.TELL), codec: CODEC.RAW };
  const frame = bytes.subarray(0, encodeFrame(bytes, header, block));
  assert(mailbox.queue.trySend(frame));
  const source = mailbox.source();
  const seen: [Step, string, number][] = [];
  source.tryNext();
  source.begin(source.last);
  const slot = source.last - 1;
  onStep((step) => void seen.push([step, mailbox.memory.stateOf(slot), mailbox.freed.length]));
  try {
    source.done(source.last);
  } finally {
    onStep();
  }
  assertEquals(seen, [
    ["handled", "held", 0],
    ["freeing", "done", 0],
    ["freed", "done", 1],
    ["acknowledged", "empty", 1],
  ]);
  assertEquals(mailbox.freed, [block]);
  mailbox.memory.done(slot);
  const next = mailbox.source({ self: NEXT });
  assertEquals([mailbox.freed, mailbox.memory.stateOf(slot)], [[block, block], "empty"]);
  assertEquals(all(next), []);
});

test("drainSlots() gives what is left in its order, each before its slot is empty", async () => {
  using mailbox = new Mailbox({ ...SIZES, receivers: 2 });
  for (const text of ["a", "b", "c"]) mailbox.send(text);
  const first = mailbox.source({ prefetch: 3 });
  first.failed(taken(first).receipt, "threw Error: boom");
  mailbox.memory.arm(5, 9);
  mailbox.words()[slotOffset({ ...SIZES, receivers: 2 }, 5) / 4] = 1;
  const left: [string | undefined, string | undefined, number, string][] = [];
  const freed: (string | undefined)[] = [];
  const refuse = ({ bytes, torn, attempt, error }: Leftover) => {
    left.push([torn === undefined ? textIn(bytes) : undefined, torn?.slice(0, 23), attempt, error]);
    assertEquals(states(mailbox).filter((state) => state === "held").length, 5 - left.length);
    return Promise.resolve();
  };
  await drainSlots(mailbox.memory, refuse, (bytes) => void freed.push(textIn(bytes)));
  assertEquals(left, [
    ["a", undefined, 1, "threw Error: boom"],
    ["b", undefined, 0, ""],
    ["c", undefined, 0, ""],
    [undefined, "its receiver was killed", 0, ""],
  ]);
  assertEquals(states(mailbox), Array(8).fill("empty"));
  assertEquals(freed.slice(0, 3), ["a", "b", "c"]);
});

test("noteEnd() says how a receiver ended where it had a message in hand, and nowhere else", () => {
  using mailbox = new Mailbox();
  for (const text of ["a", "b"]) mailbox.send(text);
  const source = mailbox.source({ prefetch: 2 });
  const { receipt } = taken(source);
  noteEnd(mailbox.memory, 0, "was killed by SIGKILL ".repeat(50));
  assertEquals(source.lastError(receipt).slice(0, 21), "was killed by SIGKILL");
  assertEquals(source.lastError(receipt).length, 224);
  source.done(receipt);
  const second = taken(source);
  source.back(second.receipt);
  noteEnd(mailbox.memory, 0, "was killed by SIGKILL");
  assertEquals(source.lastError(second.receipt), "");
  assertEquals(attemptsText(1, ""), "it was tried once");
});

test("watchHandler() measures each handler by itself, and calls one hung that goes on too long", async () => {
  using mailbox = new Mailbox();
  const { memory } = mailbox, deadlineMs = 150;
  let changedAt = 0, hungAt: number | undefined;
  const end = watchHandler(memory, 0, deadlineMs, () => hungAt = performance.now());
  const began = performance.now();
  // Busy for three deadlines, with one handler after the other.
  for (let handling = 1; performance.now() - began < 3 * deadlineMs; handling++) {
    memory.setHandling(0, handling, 0);
    changedAt = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assertEquals(hungAt, undefined);
  await until("it is hung", () => hungAt !== undefined);
  assert(hungAt! - changedAt >= deadlineMs, `${hungAt! - changedAt} ms`);
  end();
});

test("a record of a ring that was copied and not taken is given once", () => {
  using mailbox = new Mailbox({ ...SIZES, frameBytes: RING_FRAME_BYTES });
  const { name } = mailbox, ring = `${name}-ring`;
  createRingInbox(ring).close();
  try {
    using outbox = openRingOutbox(ring);
    using other = openRingOutbox(ring);
    const send = (way: Outbox, text: string, number: number) =>
      assert(way.trySend(frameOf(text, number), "message", number));
    const source = (self: number) => {
      const memory = mailbox.openMemory();
      return mailbox.source({ self, memory, feed: new RingFeed(openRingInbox(ring), memory, 0) });
    };
    send(outbox, "a", 1);
    send(outbox, "a", 2); // the same, but for its number
    send(other, "b", 3);
    for (const dies of ["copied", "copied", "received"] as const) {
      const killed = source(SELF);
      dyingAt(dies, () => {
        while (killed.tryNext() !== undefined);
      });
      killed.close(); // as the kernel does
    }
    const next = source(NEXT);
    const found: [string | undefined, number][] = [];
    for (let bytes; (bytes = next.tryNext()) !== undefined;) {
      found.push([textIn(bytes), next.priority]);
      next.begin(next.last);
      next.done(next.last);
    }
    assertEquals(found.sort(), [["a", 1], ["a", 2], ["b", 3]]);
    next.close();
    assertEquals(all(source(NEXT)), []);
  } finally {
    SharedMemory.unlink(ring);
  }
});

test("a record that is handled and not taken out of its ring comes no more", async () => {
  using mailbox = new Mailbox({ ...SIZES, frameBytes: RING_FRAME_BYTES });
  const ring = `${mailbox.name}-ring`;
  createRingInbox(ring).close();
  try {
    using outbox = openRingOutbox(ring);
    const source = () => {
      const memory = mailbox.openMemory();
      return mailbox.source({ memory, feed: new RingFeed(openRingInbox(ring), memory, 0) });
    };
    assert(outbox.trySend(frameOf("a", 1), "message", 0));
    const killed = source();
    dyingAt("copied", () => killed.tryNext());
    killed.close();
    // Killed before it looked into the ring, with the next slot ready; and once more.
    for (const held of ["a", undefined]) {
      const next = source();
      if (held !== undefined) {
        assertEquals(textIn(next.tryNext()), held);
        next.done(next.last);
      }
      dyingAt("armed", () => next.tryNext());
      next.close();
    }
    const last = source();
    const waiting = last.next(new AbortController().signal);
    assert(outbox.trySend(frameOf("b", 2), "message", 0));
    assertEquals(textIn(await within("the next", waiting)), "b");
  } finally {
    SharedMemory.unlink(ring);
  }
});

test("the steps of a message come in their order", () => {
  using mailbox = new Mailbox();
  const seen: Step[] = [];
  onStep((step) => void seen.push(step));
  try {
    mailbox.send("a");
    const source = mailbox.source();
    source.done(taken(source).receipt);
  } finally {
    onStep();
  }
  assertEquals(seen, [
    "claimed",
    "recovered",
    "armed",
    "received",
    "kept",
    "begun",
    "handled",
    "acknowledged",
  ]);
});

/** Does something that ends at a step, as if the process did. */
function dyingAt(last: Step, act: () => unknown): void {
  onStep((step) => {
    if (step === last) throw new Error("killed");
  });
  try {
    assertThrows(act, Error, "killed");
  } finally {
    onStep();
  }
}

function states({ memory }: Mailbox): string[] {
  const { receivers, slotsEach } = memory.sizes;
  return Array.from({ length: receivers * slotsEach }, (_, slot) => memory.stateOf(slot));
}
