/** The carriers by their contract, and what each promises beyond it. */

import "../support/loaded.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "../assert.ts";
import { carrierContract, type CarrierEnds } from "../contract/carrier_contract.ts";
import { test } from "../harness.ts";
import {
  ClosedError,
  LayoutError,
  MessageQueue,
  MpscRing,
  PosixError,
  SharedMemory,
  uniqueName,
} from "../../mod.ts";
import type { Inbox, Outbox } from "../../src/actor/carriers/carrier.ts";
import { CountedConsumer } from "../../src/actor/carriers/counted_consumer.ts";
import { LocalInbox } from "../../src/actor/carriers/local.ts";
import {
  createQueueInbox,
  inboxSize,
  openQueueInbox,
  openQueueOutbox,
} from "../../src/actor/carriers/queue.ts";
import { createRingInbox, openRingInbox, openRingOutbox } from "../../src/actor/carriers/ring.ts";
import {
  COUNT_INDEX,
  COUNTS,
  COUNTS_OFFSET,
  RINGS_OFFSET,
} from "../../src/actor/carriers/ring_layout.ts";
import { CONTROL_PRIORITY } from "../../src/actor/wire/priorities.ts";
import { tryPushMarked } from "../../src/ring/inside.ts";
import type { RingConsumer } from "../../src/ring/mod.ts";
import { SMALL_QUEUE, SMALL_RING } from "../support/carriers.ts";
import { Random } from "../support/random.ts";
import { within } from "../support/until.ts";

/** An inbox, and the outboxes that a test opens. */
function ends(inbox: Inbox, open: () => Outbox, unlink: () => void): CarrierEnds {
  const outboxes: Outbox[] = [];
  return {
    inbox,
    outbox() {
      const outbox = open();
      outboxes.push(outbox);
      return outbox;
    },
    [Symbol.dispose]() {
      for (const outbox of outboxes) outbox.close();
      inbox.close();
      unlink();
    },
  };
}

function localEnds(maxFrames = 10): CarrierEnds {
  const inbox = new LocalInbox("local", { maxFrames, maxFrameBytes: 256 });
  return ends(inbox, () => inbox.outbox(), () => {});
}

function queueEnds(maxMessages = SMALL_QUEUE.maxMessages): CarrierEnds {
  const name = uniqueName("carrier");
  const inbox = createQueueInbox(name, { ...SMALL_QUEUE, maxMessages });
  return ends(inbox, () => openQueueOutbox(name), () => MessageQueue.unlink(name));
}

function ringEnds(): CarrierEnds {
  const name = uniqueName("carrier");
  const inbox = createRingInbox(name, SMALL_RING);
  return ends(inbox, () => openRingOutbox(name), () => SharedMemory.unlink(name));
}

carrierContract({ name: "local", open: localEnds });
carrierContract({ name: "queue", open: queueEnds });
carrierContract({
  name: "ring",
  open: ringEnds,
  noPriorities: "a ring keeps the order of its producers; who takes from it orders by priority",
});

/** How many frames a lane of an empty carrier takes. */
function filled(outbox: Outbox, lane: "message" | "control"): number {
  let count = 0;
  while (outbox.trySend(new Uint8Array(8), lane, 0)) count++;
  return count;
}

function take(inbox: Inbox): string | undefined {
  const into = new Uint8Array(inbox.maxFrameBytes);
  const byteLength = inbox.tryTake(into);
  return byteLength === undefined ? undefined : textOf(into.subarray(0, byteLength));
}

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

// --- Room for control frames ---------------------------------------------------------------------

for (const [name, open] of [["local", localEnds], ["queue", queueEnds]] as const) {
  test(`${name}: messages leave the last two places, where there are enough`, () => {
    for (const [capacity, messages] of [[1, 1], [2, 1], [3, 2], [4, 2], [5, 3], [10, 8]] as const) {
      using ends = open(capacity);
      const outbox = ends.outbox();
      assertEquals([outbox.capacity, filled(outbox, "message")], [capacity, messages]);
      assertEquals(filled(outbox, "control"), capacity - messages);
      assertEquals([outbox.depth, filled(outbox, "control")], [capacity, 0]);
    }
  });
}

for (const [name, open] of [["local", localEnds], ["queue", queueEnds]] as const) {
  test(`${name}: where there is a single place, who waits for it with a control frame is first`, async () => {
    using ends = open(1);
    const outbox = ends.outbox(), gone: string[] = [];
    outbox.trySend(bytesOf("full"), "message", 0);
    const message = outbox.send(bytesOf("m"), "message", 0).then(() => gone.push("message"));
    const control = outbox.send(bytesOf("c"), "control", CONTROL_PRIORITY)
      .then(() => gone.push("control"));
    const into = new Uint8Array(ends.inbox.maxFrameBytes), texts: string[] = [];
    for (let taken = 0; taken < 3; taken++) {
      texts.push(textOf(into.subarray(0, await within("a frame", ends.inbox.take(into)))));
    }
    await within("both", Promise.all([message, control]));
    assertEquals([texts, gone], [["full", "c", "m"], ["control", "message"]]);
  });
}

test("queue: who found it full asks for its room again, and takes none of the reserve", () => {
  using ends = queueEnds();
  const [first, second] = [ends.outbox(), ends.outbox()];
  first.trySend(new Uint8Array(8), "message", 0); // knows of room for some more now
  filled(second, "message");
  filled(second, "control");
  assertEquals(first.trySend(new Uint8Array(8), "message", 0), false);
  take(ends.inbox);
  assertEquals(first.trySend(new Uint8Array(8), "message", 0), false);
  assertEquals(second.trySend(new Uint8Array(8), "control", 0), true);
});

test("queue: two outboxes that fill an empty queue leave the room of control frames", () => {
  for (let ahead = 0; ahead <= 8; ahead++) {
    using ends = queueEnds();
    const [first, second] = [ends.outbox(), ends.outbox()];
    for (let sent = 0; sent < ahead; sent++) first.trySend(new Uint8Array(8), "message", 0);
    for (let sent = 0; sent < 10; sent++) {
      second.trySend(new Uint8Array(8), "message", 0);
      first.trySend(new Uint8Array(8), "message", 0);
    }
    assertEquals(first.depth, 8);
  }
});

// --- The kernel queue ----------------------------------------------------------------------------

test("queue: an inbox has the size that fits the limits, and a refusal names the limit", () => {
  const { maxMessages, maxMessageBytes } = MessageQueue.limits();
  assertEquals(inboxSize(), {
    maxMessages: Math.min(10, maxMessages),
    maxMessageBytes: Math.min(1024, maxMessageBytes),
  });
  const name = uniqueName("carrier"), tooMany = 65_537; // for root, too
  const error = assertThrows(
    () => createQueueInbox(name, { maxMessages: tooMany, maxMessageBytes: 64 }),
    PosixError,
  );
  assertEquals([error.code, error.target], ["EINVAL", name]);
  assert(error.hint?.includes(`msg_max is ${maxMessages}`), error.hint);
});

test("queue: the frames stay for the next inbox, and anybody's messages are frames", () => {
  const name = uniqueName("carrier");
  try {
    createQueueInbox(name).close();
    using outbox = openQueueOutbox(name);
    using other = MessageQueue.open(name, { access: "w" });
    outbox.trySend(bytesOf("of an outbox"), "message", 3);
    other.trySend("of a stranger", { priority: 2 });
    outbox.close();
    using next = openQueueInbox(name);
    assertEquals([take(next), next.priority], ["of an outbox", 3]);
    assertEquals([take(next), next.priority], ["of a stranger", 2]);
  } finally {
    MessageQueue.unlink(name);
  }
});

test("queue, ring: what is not there cannot be opened", () => {
  const name = uniqueName("carrier");
  for (const open of [openQueueInbox, openQueueOutbox, openRingInbox, openRingOutbox]) {
    assertEquals(assertThrows(() => open(name), PosixError).code, "ENOENT");
  }
});

// --- The ring ------------------------------------------------------------------------------------

/** A ring in shared memory with a name, and the memory as a peer sees it. */
class NamedCarrier implements Disposable {
  readonly name: string = uniqueName("carrier");
  readonly inbox: Inbox = createRingInbox(this.name, SMALL_RING);
  readonly memory: SharedMemory = SharedMemory.open(this.name);

  /** The ring of messages, past the carrier. */
  get messages(): MpscRing {
    return MpscRing.attach(this.memory.bytes.subarray(RINGS_OFFSET));
  }

  [Symbol.dispose](): void {
    this.inbox.close();
    this.memory.close();
    SharedMemory.unlink(this.name);
  }
}

test("ring: when all lanes are taken the error says how many there are", () => {
  using carrier = new NamedCarrier();
  const outboxes = Array.from({ length: 8 }, () => openRingOutbox(carrier.name));
  try {
    const error = assertThrows(() => openRingOutbox(carrier.name), PosixError);
    assertEquals([error.code, error.target], ["EBUSY", carrier.name]);
    assertStringIncludes(error.message, "all of its 8 lanes are taken");
    outboxes.pop()!.close();
    openRingOutbox(carrier.name).close();
  } finally {
    for (const outbox of outboxes) outbox.close();
  }
});

test("ring: an outbox that gets no lane for control frames leaves that for messages", () => {
  using carrier = new NamedCarrier();
  const { messages, memory } = carrier;
  const control = MpscRing.attach(
    memory.bytes.subarray(RINGS_OFFSET + MpscRing.bytesFor(messages)),
  );
  const producers = Array.from({ length: control.lanes }, () => control.producer());
  for (let times = 0; times < 2; times++) {
    assertEquals(assertThrows(() => openRingOutbox(carrier.name), PosixError).code, "EBUSY");
  }
  for (const producer of producers) producer.close();
  const outboxes = producers.map(() => openRingOutbox(carrier.name));
  for (const outbox of outboxes) outbox.close();
});

test("ring: one inbox at a time, and the next goes on with the frames", () => {
  using carrier = new NamedCarrier();
  using outbox = openRingOutbox(carrier.name);
  assertEquals(assertThrows(() => openRingInbox(carrier.name), PosixError).code, "EBUSY");
  for (const text of ["1", "2", "3"]) outbox.trySend(bytesOf(text), "message", 0);
  outbox.trySend(bytesOf("control"), "control", CONTROL_PRIORITY);
  assertEquals([take(carrier.inbox), take(carrier.inbox)], ["control", "1"]);
  carrier.inbox.close();
  using next = openRingInbox(carrier.name);
  assertEquals([take(next), take(next), take(next)], ["2", "3", undefined]);
});

test("ring: a full lane is full for its own outbox alone", () => {
  using carrier = new NamedCarrier();
  using full = openRingOutbox(carrier.name);
  using other = openRingOutbox(carrier.name);
  const count = filled(full, "message");
  assertEquals(filled(other, "message"), count);
  assert(full.depth <= full.capacity && full.capacity === SMALL_RING.messageBytes);
});

test("ring: who waits behind a long frame goes when that gives up", async () => {
  using carrier = new NamedCarrier();
  using outbox = openRingOutbox(carrier.name);
  filled(outbox, "message");
  take(carrier.inbox); // room for a short one
  const given = new AbortController();
  const long = new Uint8Array(outbox.maxFrameBytes);
  const refused = outbox.send(long, "message", 0, { signal: given.signal }).catch((e) => e);
  let isGone = false;
  const short = outbox.send(new Uint8Array(8), "message", 0).then(() => isGone = true);
  given.abort("too long");
  assertEquals(await within("the long one", refused), "too long");
  await new Promise((resolve) => setImmediate(resolve));
  assert(isGone, "at once, and not when the clock says so");
  await short;
});

test("ring: the usual size is at most 1 MiB, for frames of 8 KiB", () => {
  const name = uniqueName("carrier");
  using inbox = createRingInbox(name);
  try {
    using memory = SharedMemory.open(name);
    assert(memory.byteLength <= 2 ** 20, `${memory.byteLength} bytes`);
    assertEquals(inbox.maxFrameBytes, 8184);
  } finally {
    SharedMemory.unlink(name);
  }
});

test("ring: a frame whose sender was killed before it counted is found", async () => {
  using carrier = new NamedCarrier();
  const { inbox } = carrier;
  using producer = carrier.messages.producer();
  assertEquals(take(inbox), undefined);
  tryPushMarked(producer, bytesOf("1"), 5);
  // Whoever polls finds it soon, and who waits at the next look by the clock at the latest.
  let text, looks = 0;
  while ((text = take(inbox)) === undefined && looks++ < 1000);
  assertEquals([text, inbox.priority], ["1", 5]);
  const into = new Uint8Array(inbox.maxFrameBytes);
  const taken = inbox.take(into);
  await new Promise((resolve) => setImmediate(resolve));
  tryPushMarked(producer, bytesOf("2"), 6);
  assertEquals([await within("the look", taken), inbox.priority], [1, 6]);
  tryPushMarked(producer, bytesOf("3"), 7);
  producer.close(); // as when it dies
  using _successor = openRingOutbox(carrier.name);
  assertEquals(take(inbox), "3");
});

test("ring: what is published during a look that finds nothing is looked for", () => {
  const counts = new Int32Array(new SharedArrayBuffer(4));
  let looks = 0;
  const consumer = {
    tryPopInto() {
      if (looks++ > 0) return 3;
      Atomics.add(counts, 0, 1); // by a producer, behind our back
      return undefined;
    },
  } as unknown as RingConsumer;
  const counted = new CountedConsumer(consumer, counts, 0);
  assertEquals(counted.tryPopInto(new Uint8Array(8), false), undefined);
  assertEquals(counted.tryPopInto(new Uint8Array(8), false), 3);
});

test("ring: counts and priorities that a peer made up lose no frame", () => {
  using carrier = new NamedCarrier();
  const { inbox } = carrier;
  using outbox = openRingOutbox(carrier.name);
  const counts = new Int32Array(carrier.memory.buffer, COUNTS_OFFSET, COUNTS);
  const random = new Random(6);
  for (let round = 0; round < 1000; round++) {
    const count = Atomics.load(counts, COUNT_INDEX.message);
    outbox.trySend(bytesOf(String(round)), "message", round % 5);
    // Also back to what it was, as if nothing had come.
    Atomics.store(counts, COUNT_INDEX.message, random.oneIn(2) ? count : random.below(2 ** 31));
    let text, looks = 0;
    while ((text = take(inbox)) === undefined && looks++ < 1000);
    assertEquals([text, inbox.priority], [String(round), round % 5]);
  }
  using producer = carrier.messages.producer();
  for (const mark of [-1, 32_768, -(2 ** 31)]) {
    tryPushMarked(producer, bytesOf("x"), mark);
    let text, looks = 0;
    while ((text = take(inbox)) === undefined && looks++ < 1000);
    assertEquals([text, inbox.priority], ["x", 32_767]);
  }
});

test("ring: memory that is none, or not finished, is refused", () => {
  const shape = { lanes: 1, capacityBytes: 1024 };
  for (const byteLength of [0, 64, 128, RINGS_OFFSET + MpscRing.bytesFor(shape), 4096]) {
    const name = uniqueName("carrier");
    using memory = SharedMemory.create(name, { byteLength });
    try {
      if (byteLength > RINGS_OFFSET) MpscRing.format(memory.bytes.subarray(RINGS_OFFSET), shape);
      for (const open of [openRingInbox, openRingOutbox]) {
        assertThrows(() => open(name), LayoutError);
      }
    } finally {
      SharedMemory.unlink(name);
    }
  }
});

// --- In one thread -------------------------------------------------------------------------------

test("local: with its inbox a carrier ends, for who waits and for who comes", async () => {
  const inbox = new LocalInbox("counter", { maxFrames: 2, maxFrameBytes: 8 });
  const outbox = inbox.outbox();
  filled(outbox, "message");
  const waiting = assertRejects(() => outbox.send(bytesOf("x"), "message", 0), ClosedError);
  inbox.close();
  await within("the sender", waiting);
  assertThrows(() => outbox.trySend(bytesOf("x"), "message", 0), ClosedError, '"counter"');
  assertThrows(() => inbox.outbox(), ClosedError);
});

/** All that is in a local inbox, taken without a copy. */
function textsOf(inbox: LocalInbox): string[] {
  const texts: string[] = [];
  for (let frame; (frame = inbox.tryTakeFrame()) !== undefined;) texts.push(textOf(frame));
  return texts;
}

test("local: without control frames each place is one for messages", () => {
  const inbox = new LocalInbox("counter", { maxFrames: 3, maxFrameBytes: 8, takesControl: false });
  assertEquals(filled(inbox.outbox(), "message"), 3);
});

test("local: what is admitted needs no room, and what is put back comes first", () => {
  const inbox = new LocalInbox("counter", { maxFrames: 2, maxFrameBytes: 8, takesControl: false });
  for (const text of ["a", "b", "c"]) inbox.admit(bytesOf(text), 1);
  inbox.admit(bytesOf("urgent"), 2);
  inbox.putBack(bytesOf("first of 1"), 1);
  assertEquals([inbox.depth, inbox.outbox().trySend(bytesOf("x"), "message", 9)], [5, false]);
  assertEquals(textsOf(inbox), ["urgent", "first of 1", "a", "b", "c"]);
});

test("local: the oldest of the lowest priority is dropped, and that may be the new one", () => {
  const inbox = new LocalInbox("counter", { maxFrames: 2, maxFrameBytes: 8, takesControl: false });
  const put = (text: string, priority: number) => {
    const dropped = inbox.putDroppingOld(bytesOf(text), priority);
    return dropped && textOf(dropped);
  };
  assertEquals([put("a", 1), put("b", 1), put("c", 1), put("low", 0)], [
    undefined,
    undefined,
    "a",
    "low",
  ]);
  assertEquals(textsOf(inbox), ["b", "c"]);
});

test("local: who waits for a frame gets it, however it came in", async () => {
  const inbox = new LocalInbox("counter", { maxFrames: 2, maxFrameBytes: 8, takesControl: false });
  for (const put of ["admit", "putBack", "putDroppingOld"] as const) {
    const taken = inbox.takeFrame({});
    inbox[put](bytesOf(put.slice(0, 8)), 3);
    assertEquals(textOf(await within("a frame", taken)), put.slice(0, 8));
    assertEquals([inbox.priority, inbox.depth], [3, 0]);
  }
});

test("local: what is drained is all there is, and all who wait are told that it went", async () => {
  const inbox = new LocalInbox("counter", { maxFrames: 1, maxFrameBytes: 8, takesControl: false });
  const outbox = inbox.outbox();
  await outbox.send(bytesOf("in"), "message", 0);
  const waiting = ["one", "two"].map((text) => outbox.send(bytesOf(text), "message", 0));
  assertEquals(inbox.drain().map(({ bytes }) => textOf(bytes)), ["in", "one", "two"]);
  await within("both", Promise.all(waiting));
  assertEquals([filled(outbox, "message"), inbox.depth], [1, 1]);
});

test("local: more capacity lets in who waits for room", async () => {
  const inbox = new LocalInbox("counter", { maxFrames: 1, maxFrameBytes: 8, takesControl: false });
  const outbox = inbox.outbox();
  await outbox.send(bytesOf("in"), "message", 0);
  const waiting = outbox.send(bytesOf("waits"), "message", 0);
  inbox.capacity = 2;
  await within("the second", waiting);
  assertEquals(textsOf(inbox), ["in", "waits"]);
});
