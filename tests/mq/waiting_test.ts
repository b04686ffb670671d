/** MessageQueue's asynchronous calls: order, cancelling, deadlines, closing, fairness. */

import "../support/loaded.ts";
import {
  assertEquals,
  assertGreaterOrEqual,
  assertLess,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "../assert.ts";
import { Buffer } from "node:buffer";
import { getEventListeners } from "node:events";
import process from "node:process";
import { test } from "../harness.ts";
import { ClosedError, type Message, MessageQueue, PosixError } from "../../mod.ts";
import { readDirectory } from "../../src/sys/mod.ts";
import { spinner } from "../../src/wait/spin.ts";
import { refusal } from "../support/refusal.ts";
import { namedQueue, privateQueue } from "../support/names.ts";
import { Random } from "../support/random.ts";
import { until, within } from "../support/until.ts";

/** Lets the event loop run its course a few times. */
async function turns(count = 3): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

const textOf = (message: Message) => message.text();

/** What a promise has come to: nothing yet, its value, or the name of its error. */
function watched<T>(promise: Promise<T>): { state: T | string } {
  const seen: { state: T | string } = { state: "pending" };
  promise.then((value) => seen.state = value, (error) => seen.state = error?.name ?? error);
  return seen;
}

test("MessageQueue.receive() gives the message that is there", async () => {
  using queue = privateQueue();
  queue.trySend("there", { priority: 7 });
  const message = await queue.receive();
  assertEquals([message.text(), message.priority], ["there", 7]);
});

test("MessageQueue.receive() waits for a message", async () => {
  using queue = privateQueue();
  const received = queue.receive();
  await turns();
  queue.trySend("later");
  assertEquals(textOf(await within("the message", received)), "later");
});

test("MessageQueue.receive() serves many calls in their order", async () => {
  using queue = privateQueue();
  const calls = Array.from({ length: 100 }, () => queue.receive().then(textOf));
  for (let i = 0; i < 100; i++) await queue.send(String(i));
  assertEquals(
    await within("all", Promise.all(calls)),
    Array.from({ length: 100 }, (_, i) => `${i}`),
  );
});

test("MessageQueue.receive() does not let a later call pass an earlier one", async () => {
  using queue = privateQueue();
  const first = queue.receive();
  queue.trySend("a");
  queue.trySend("b");
  const second = queue.receive(); // there is a message, but somebody came before
  assertEquals([textOf(await first), textOf(await second)], ["a", "b"]);
});

test("MessageQueue.receive() rejects with a TimeoutError at the deadline, not before", async () => {
  using queue = privateQueue();
  const start = performance.now();
  const error = await assertRejects(() => queue.receive({ timeoutMs: 20 }), DOMException);
  assertGreaterOrEqual(performance.now() - start, 20);
  assertEquals(error.name, "TimeoutError");
  assertEquals(watched(queue.receive({ timeoutMs: 0 })).state, "pending");
  assertEquals(
    (await assertRejects(() => queue.receive({ timeoutMs: 0 }), DOMException)).name,
    "TimeoutError",
  );
  queue.trySend("x");
  assertEquals(textOf(await queue.receive({ timeoutMs: 0 })), "x");
});

test("MessageQueue.receive() takes a deadline that no timer can count", async () => {
  using queue = privateQueue();
  const received = watched(queue.receive({ timeoutMs: 2 ** 40 }));
  await turns();
  assertEquals(received.state, "pending"); // setTimeout would have come back at once
  queue.trySend("x");
  await until("it is received", () => received.state !== "pending");
});

for (const timeoutMs of [-1, NaN]) {
  test(`MessageQueue.receive() rejects with RangeError for timeoutMs ${timeoutMs}`, async () => {
    using queue = privateQueue();
    queue.trySend("stays");
    await assertRejects(() => queue.receive({ timeoutMs }), RangeError);
    await assertRejects(() => queue.send("x", { timeoutMs }), RangeError);
    assertEquals(queue.length, 1);
  });
}

test("MessageQueue.receive() rejects with TypeError for a timeoutMs that is no number", async () => {
  using queue = privateQueue();
  await assertRejects(() => queue.receive({ timeoutMs: "5" as unknown as number }), TypeError);
});

test("MessageQueue.receive() rejects with the signal's reason, untouched", async () => {
  using queue = privateQueue();
  const controller = new AbortController();
  const received = queue.receive({ signal: controller.signal });
  await turns();
  const reason = { any: "thing" };
  controller.abort(reason);
  assertStrictEquals(await received.catch((error) => error), reason);
  queue.trySend("stays");
  assertStrictEquals(await queue.receive({ signal: controller.signal }).catch((e) => e), reason);
  assertEquals(queue.length, 1);
});

test("MessageQueue spins before it parks, unless it is told not to or has no time", async () => {
  let spins = 0;
  const { spin } = spinner;
  spinner.spin = () => {
    spins++;
    return undefined;
  };
  try {
    using object = namedQueue();
    for (
      const [options, timeoutMs, expected] of [[{}, 1, 1], [{}, 0, 0], [{ spin: false }, 1, 0]]
    ) {
      using queue = MessageQueue.open(object.name, options as { spin?: boolean });
      spins = 0;
      await queue.receive({ timeoutMs: timeoutMs as number }).catch(() => {});
      assertEquals(spins, expected, JSON.stringify({ options, timeoutMs }));
    }
  } finally {
    spinner.spin = spin;
  }
});

const listenersOf = (signal: AbortSignal) => getEventListeners(signal, "abort").length;

test("many waits have one listener on their signal, and none when they are over", async () => {
  using queue = privateQueue();
  const { signal } = new AbortController();
  const received = Array.from({ length: 50 }, () => queue.receive({ signal }));
  assertEquals(listenersOf(signal), 1);
  for (let i = 0; i < 50; i++) await queue.send("x");
  await Promise.all(received);
  assertEquals(listenersOf(signal), 0);
});

test("a signal ends all waits that it was given to, in their order, and no other", async () => {
  using queue = privateQueue();
  const controller = new AbortController(), { signal } = controller;
  const order: number[] = [];
  const ended = [1, 2, 3].map((number) =>
    queue.receive({ signal }).catch((reason) => order.push(reason * number))
  );
  const other = queue.receive();
  controller.abort(10);
  await Promise.all(ended);
  assertEquals([order, listenersOf(signal)], [[10, 20, 30], 0]);
  queue.trySend("other");
  assertEquals((await other).text(), "other");
});

test("MessageQueue.receive() rejects with TypeError for a signal that is none", async () => {
  using queue = privateQueue();
  for (const signal of [5, {}, new AbortController(), null]) {
    const options = { signal: signal as unknown as AbortSignal };
    const error = await assertRejects(() => queue.receive(options), TypeError);
    assertStringIncludes(error.message, "expected an AbortSignal");
  }
});

test("what somebody did to a signal cannot stop the waits of others", async () => {
  using queue = privateQueue();
  using innocent = privateQueue();
  const { signal } = new AbortController();
  signal.removeEventListener = () => {
    throw new Error("never");
  };
  signal.throwIfAborted = () => queue.close();
  const received = queue.receive({ signal });
  const others = innocent.receive();
  await turns();
  queue.trySend("one");
  innocent.trySend("two");
  const both = within("both", Promise.all([received, others]));
  assertEquals((await both).map(textOf), ["one", "two"]);
});

test("what came in time is no timeout, however late the event loop looks", async () => {
  using queue = privateQueue({ maxMessages: 1, maxMessageBytes: 8 });
  const busy = (ms: number) => {
    for (const start = performance.now(); performance.now() - start < ms;);
  };
  const received = queue.receive({ timeoutMs: 20 });
  queue.trySend("in time");
  busy(30);
  assertEquals((await received).text(), "in time");
  queue.trySend("full");
  const sent = queue.send("room", { timeoutMs: 20 });
  queue.tryReceive();
  busy(30);
  await sent;
  assertEquals(queue.tryReceive()?.text(), "room");
});

test("MessageQueue.receive({ timeoutMs: 0 }) takes what is there, however often", async () => {
  using queue = privateQueue({ maxMessages: 1, maxMessageBytes: 8 });
  for (let round = 0; round < 600; round++) {
    queue.trySend("x");
    assertEquals((await queue.receive({ timeoutMs: 0 })).text(), "x");
  }
});

test("MessageQueue.send() is not overtaken by a later trySend(), however often", async () => {
  using queue = privateQueue({ maxMessages: 2, maxMessageBytes: 8 });
  for (let round = 0; round < 600; round++) {
    const sent = queue.send("a");
    queue.trySend("b");
    await sent;
    assertEquals([queue.tryReceive()?.text(), queue.tryReceive()?.text()], ["a", "b"]);
  }
});

test("a TimeoutError says what was waited for", async () => {
  using queue = privateQueue({ maxMessages: 1, maxMessageBytes: 8 });
  const timeoutMs = 1;
  const empty = await assertRejects(() => queue.receive({ timeoutMs }), DOMException);
  assertStringIncludes(empty.message, `a message in "${queue.name}"`);
  queue.trySend("x");
  const full = await assertRejects(() => queue.send("y", { timeoutMs }), DOMException);
  assertStringIncludes(full.message, `room in "${queue.name}"`);
});

test("a send that cannot be copied leaves neither timer nor listener", async () => {
  using queue = privateQueue({ maxMessages: 1, maxMessageBytes: 8 });
  queue.trySend("full");
  const controller = new AbortController(), { signal } = controller;
  const first = queue.send("first", { signal });
  const gone = new Uint8Array(8);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  await assertRejects(() => queue.send(gone, { signal, timeoutMs: 60_000 }), TypeError);
  assertEquals(listenersOf(signal), 1);
  controller.abort("enough");
  assertEquals(await first.catch((reason) => reason), "enough");
  assertEquals(queue.length, 1);
});

test("MessageQueue.close() wakes its waiters with ClosedError", async () => {
  const queue = privateQueue({ maxMessages: 1 });
  queue.trySend("full");
  const sending = [queue.send("a"), queue.send("b")].map(watched);
  queue.close();
  await turns();
  assertEquals(sending.map(({ state }) => state), ["ClosedError", "ClosedError"]);
  await assertRejects(() => queue.receive(), ClosedError);
  await assertRejects(() => queue.send("x"), ClosedError);
});

test("MessageQueue.close() wakes who receives, and other handles wait on", async () => {
  using object = namedQueue();
  const other = MessageQueue.open(object.name);
  const theirs = watched(other.receive()), ours = object.queue.receive();
  await turns();
  other.close();
  await turns();
  assertEquals(theirs.state, "ClosedError");
  object.queue.trySend("x");
  assertEquals(textOf(await within("the message", ours)), "x");
});

test("MessageQueue.send() waits for room and keeps the order of its calls", async () => {
  using queue = privateQueue({ maxMessages: 2 });
  const sent = watched(Promise.all(["1", "2", "3", "4"].map((text) => queue.send(text))));
  await turns();
  assertEquals([sent.state, queue.length], ["pending", 2]);
  const texts: string[] = [];
  for (let i = 0; i < 4; i++) texts.push(textOf(await queue.receive()));
  assertEquals(texts, ["1", "2", "3", "4"]);
  await until("all are sent", () => Array.isArray(sent.state));
});

test("MessageQueue.send() has its own copy of bytes that wait", async () => {
  using queue = privateQueue({ maxMessages: 1 });
  // A Buffer's slice() is a view of the same bytes.
  for (const bytes of [new TextEncoder().encode("before"), Buffer.from("before")]) {
    queue.trySend("full");
    const sent = queue.send(bytes, { priority: 3 });
    bytes.fill(120);
    assertEquals(queue.tryReceive()?.text(), "full");
    await within("the send", sent);
    const message = queue.tryReceive();
    assertEquals([message?.text(), message?.priority], ["before", 3]);
  }
});

test("MessageQueue.send() rejects at its deadline and by its signal, and sends nothing", async () => {
  using queue = privateQueue({ maxMessages: 1 });
  queue.trySend("full");
  const controller = new AbortController();
  const late = assertRejects(() => queue.send("late", { timeoutMs: 5 }), DOMException);
  const cancelled = queue.send("cancelled", { signal: controller.signal }).catch((error) => error);
  controller.abort("no");
  assertEquals([(await late).name, await cancelled], ["TimeoutError", "no"]);
  assertEquals(queue.tryReceive()?.text(), "full");
  await turns();
  assertEquals(queue.tryReceive(), undefined);
});

test("MessageQueue.send() and receive() reject with what the kernel refuses", async () => {
  using object = namedQueue({ maxMessageBytes: 4 });
  using reader = MessageQueue.open(object.name, { access: "r" });
  using writer = MessageQueue.open(object.name, { access: "w" });
  const codes = [
    await assertRejects(() => object.queue.send("12345"), PosixError),
    await assertRejects(() => object.queue.send("x", { priority: 40_000 }), PosixError),
    await assertRejects(() => reader.send("x"), PosixError),
    await assertRejects(() => writer.receive(), PosixError),
  ].map(({ code }) => code);
  assertEquals(codes, ["EMSGSIZE", "EINVAL", "EBADF", "EBADF"]);
  await assertRejects(() => object.queue.send(7 as unknown as string), TypeError);
});

test("a message too long for the queue does not hold up those behind it", async () => {
  using queue = privateQueue({ maxMessages: 1, maxMessageBytes: 4 });
  queue.trySend("full");
  const wrong = assertRejects(() => queue.send("12345"), PosixError);
  const right = queue.send("1234");
  assertEquals(queue.tryReceive()?.text(), "full");
  await within("both", Promise.all([wrong, right]));
  assertEquals(queue.tryReceive()?.text(), "1234");
});

test("MessageQueue.receiveInto() writes what is there, or what comes, into the caller's buffer", async () => {
  using queue = privateQueue({ maxMessages: 2, maxMessageBytes: 8 });
  const buffer = new Uint8Array(10).fill(255);
  queue.trySend("there", { priority: 3 });
  assertEquals(await queue.receiveInto(buffer), { byteLength: 5, priority: 3 });
  assertEquals([...buffer], [...new TextEncoder().encode("there"), 255, 255, 255, 255, 255]);
  const received = queue.receiveInto(buffer);
  await turns();
  queue.trySend("later!");
  assertEquals(await within("the message", received), { byteLength: 6, priority: 0 });
  assertEquals(new TextDecoder().decode(buffer.subarray(0, 6)), "later!");
});

test("MessageQueue.receiveInto() stands in one line with receive()", async () => {
  using queue = privateQueue();
  const into = async (buffer: Uint8Array) => {
    const { byteLength } = await queue.receiveInto(buffer);
    return new TextDecoder().decode(buffer.subarray(0, byteLength));
  };
  const calls = [into(new Uint8Array(64)), queue.receive().then(textOf), into(new Uint8Array(64))];
  for (const text of ["a", "b", "c"]) queue.trySend(text);
  assertEquals(await within("all", Promise.all(calls)), ["a", "b", "c"]);
});

test("MessageQueue.receiveInto() leaves the message where it rejects", async () => {
  using queue = privateQueue({ maxMessages: 2, maxMessageBytes: 8 });
  queue.trySend("kept");
  const small = await assertRejects(() => queue.receiveInto(new Uint8Array(7)), PosixError);
  assertEquals([small.code, small.syscall], ["EMSGSIZE", "mq_receive"]);
  await assertRejects(() => queue.receiveInto({} as Uint8Array), TypeError);
  const signal = AbortSignal.abort("no more");
  assertEquals(watched(queue.receiveInto(new Uint8Array(8), { signal })).state, "pending");
  await turns();
  assertEquals((await queue.receive()).text(), "kept");

  const gone = new Uint8Array(8);
  const waiting = queue.receiveInto(gone);
  const seen = watched(waiting);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  queue.trySend("kept too");
  await until("it has rejected", () => seen.state !== "pending");
  assertEquals([seen.state, (await queue.receive()).text()], ["TypeError", "kept too"]);
  await assertRejects(() => queue.receiveInto(new Uint8Array(8), { timeoutMs: 0 }), DOMException);
});

test("MessageQueue.receiveIntoSync() blocks until its deadline, and takes what is there", () => {
  using queue = privateQueue({ maxMessages: 2, maxMessageBytes: 8 });
  const buffer = new Uint8Array(8);
  const start = performance.now();
  assertEquals(queue.receiveIntoSync(buffer, { timeoutMs: 20 }), undefined);
  assertGreaterOrEqual(performance.now() - start, 20);
  queue.trySend("hi", { priority: 1 });
  assertEquals(queue.receiveIntoSync(buffer), { byteLength: 2, priority: 1 });
  queue.close();
  assertThrows(() => queue.receiveIntoSync(buffer), ClosedError);
});

test("MessageQueue as an iterator drains, then waits, and ends when it is closed", async () => {
  using queue = privateQueue();
  for (const text of ["1", "2"]) queue.trySend(text);
  const texts: string[] = [];
  for await (const message of queue) {
    texts.push(message.text());
    if (texts.length === 2) setTimeout(() => queue.trySend("3"), 1);
    if (texts.length === 3) setTimeout(() => queue.close(), 1);
  }
  assertEquals(texts, ["1", "2", "3"]);
});

test("MessageQueue as an iterator leaves the rest when the loop is left", async () => {
  using queue = privateQueue();
  for (const text of ["1", "2", "3"]) queue.trySend(text);
  for await (const message of queue) if (message.text() === "2") break;
  assertEquals(queue.length, 1);
});

test("an iterator that was left takes no message any more, though it was waiting", async () => {
  using queue = privateQueue();
  const iterator = queue[Symbol.asyncIterator]();
  const pending = iterator.next();
  await turns();
  assertEquals(await iterator.return!(), { value: undefined, done: true });
  assertEquals(await within("its end", pending), { value: undefined, done: true });
  queue.trySend("stays");
  await turns();
  assertEquals([queue.length, (await iterator.next()).done], [1, true]);
});

test("MessageQueue.messages() ends with the signal's reason, and takes nothing then", async () => {
  using queue = privateQueue();
  const controller = new AbortController(), { signal } = controller;
  const texts: string[] = [];
  const loop = (async () => {
    for await (const message of queue.messages({ signal })) texts.push(message.text());
  })();
  queue.trySend("one");
  await until("it has come", () => texts.length === 1);
  controller.abort("enough");
  queue.trySend("stays");
  assertEquals(await loop.catch((reason) => reason), "enough");
  assertEquals([texts, queue.length], [["one"], 1]);
  const late = queue.messages({ signal }).next();
  assertEquals(await late.catch((reason) => reason), "enough");
  assertThrows(() => queue.messages(5 as never), TypeError);
});

test("MessageQueue.notify() calls back once, in a turn of its own", async () => {
  using queue = privateQueue();
  let calls = 0;
  queue.notify(() => calls++);
  queue.trySend("x");
  assertEquals(calls, 0);
  await until("it was called", () => calls > 0);
  queue.tryReceive();
  queue.trySend("y");
  await turns();
  assertEquals(calls, 1);
});

test("MessageQueue.notify() can be asked again by its own callback", async () => {
  using queue = privateQueue();
  const texts: string[] = [];
  const listen = () => {
    queue.notify(listen);
    for (let next = queue.tryReceive(); next; next = queue.tryReceive()) texts.push(next.text());
  };
  listen();
  for (let i = 0; i < 10; i++) {
    queue.trySend(String(i));
    await until("it was received", () => texts.length === i + 1);
  }
  assertEquals(texts.join(""), "0123456789");
});

test("MessageQueue.notify() throws EBUSY for the second who asks, and lets the first have it", async () => {
  using object = namedQueue();
  using other = MessageQueue.open(object.name);
  let calls = 0;
  object.queue.notify(() => calls++);
  const { code, syscall, target } = refusal(() => other.notify(() => calls += 100));
  assertEquals([code, syscall, target], ["EBUSY", "mq_notify", object.name]);
  assertEquals(refusal(() => object.queue.notify("SIGUSR1")).code, "EBUSY");
  object.queue.trySend("x");
  await until("it was called", () => calls > 0);
  assertEquals(calls, 1);
});

test("MessageQueue.notify() is taken back by its cancel, twice or after the call too", async () => {
  using queue = privateQueue();
  let calls = 0;
  const cancel = queue.notify(() => calls++);
  assertEquals(queue.status().notifyPid > 0, true);
  cancel();
  cancel();
  assertEquals(queue.status().notifyPid, 0);
  const late = queue.notify(() => calls++);
  cancel(); // of the one before
  queue.trySend("x");
  await until("it was called", () => calls > 0);
  late();
  assertEquals(calls, 1);
});

test("MessageQueue.notify() ends with its handle", async () => {
  const queue = privateQueue();
  const cancel = queue.notify(() => {
    throw new Error("called after close()");
  });
  queue.trySend("x");
  queue.close();
  cancel();
  await turns();
});

test("MessageQueue.notify() calls nobody after a cancel or close(), whatever was asked since", async () => {
  const queue = privateQueue();
  const calls: string[] = [];
  const cancelFirst = queue.notify(() => calls.push("first"));
  queue.trySend("x"); // and the kernel has forgotten it
  queue.notify(() => calls.push("second"));
  cancelFirst();
  queue.tryReceive();
  queue.trySend("y");
  queue.close();
  await turns();
  assertEquals(calls, []);
});

test("MessageQueue.notify() is refused for what is neither a signal nor a function", () => {
  using queue = privateQueue();
  const error = assertThrows(() => queue.notify(5 as never), TypeError);
  assertStringIncludes(error.message, "a function");
});

test("MessageQueue.notify() does not call when another handle's close() takes it back", async () => {
  using object = namedQueue();
  const other = MessageQueue.open(object.name);
  object.queue.notify(() => {
    throw new Error("called without a message");
  });
  other.close(); // to the kernel all handles of a process on one queue are one
  assertEquals(object.queue.status().notifyPid, 0);
  await turns(20);
  let calls = 0;
  object.queue.notify(() => calls++);
  object.queue.trySend("x");
  await until("it was called", () => calls > 0);
});

test("MessageQueue.notify() leaves no descriptor", async () => {
  using queue = privateQueue();
  const before = readDirectory("/proc/self/fd").length;
  for (let round = 0; round < 100; round++) {
    let called = false;
    const cancel = queue.notify(() => called = true);
    if (round % 2 === 0) cancel();
    else {
      queue.trySend("x");
      await until("it was called", () => called);
      queue.tryReceive();
    }
  }
  assertEquals(readDirectory("/proc/self/fd").length, before);
});

test("two loops on one queue share its messages", async () => {
  using object = namedQueue();
  using other = MessageQueue.open(object.name);
  const got = new Set<string>();
  const loop = async (queue: MessageQueue) => {
    for await (const message of queue) got.add(message.text());
  };
  const loops = [loop(object.queue), loop(other)];
  for (let i = 0; i < 200; i++) await object.queue.send(String(i));
  await within(
    "all",
    (async () => {
      while (got.size < 200) await turns(1);
    })(),
  );
  object.queue.close();
  other.close();
  await within("the loops' end", Promise.all(loops));
});

test("a queue that always has messages lets timers and other queues have their turn", async () => {
  using busy = privateQueue(), quiet = privateQueue();
  busy.trySend("round");
  let rounds = 0, stop = false;
  const loop = (async () => {
    for await (const message of busy) {
      if (stop) return;
      rounds++;
      busy.trySend(message.data); // never empty
    }
  })();
  let fired = 0;
  const received: string[] = [];
  const other = (async () => {
    for await (const message of quiet) received.push(message.text());
  })();
  for (let i = 0; i < 20; i++) {
    await within("a timer", new Promise<void>((resolve) => setTimeout(resolve, 0)));
    fired++;
    quiet.trySend(String(i));
    await within(
      "the other queue",
      (async () => {
        while (received.length <= i) await turns(1);
      })(),
    );
  }
  stop = true;
  await within("the loop's end", loop);
  quiet.close();
  await other;
  assertEquals([fired, received.length], [20, 20]);
  assertGreaterOrEqual(rounds, 20);
});

test("messages that nobody wants cost no processor time beside a wait that is parked", async () => {
  using full = privateQueue(), other = privateQueue();
  const controller = new AbortController();
  const cancelled = full.receive({ signal: controller.signal }).catch((reason) => reason);
  const parked = other.receive();
  controller.abort("no");
  await cancelled;
  full.trySend("unwanted");
  const start = performance.now(), before = process.cpuUsage();
  while (performance.now() < start + 300) await new Promise((done) => setTimeout(done, 20));
  const { user, system } = process.cpuUsage(before);
  // Woken again and again for it, the thread would have used all of the time.
  assertLess((user + system) / 1000, (performance.now() - start) / 2);
  other.trySend("x");
  assertEquals([textOf(await parked), full.tryReceive()?.text()], ["x", "unwanted"]);
});

test("nothing is taken for a wait that was cancelled, in 100000 races", async () => {
  const seed = 20261123, CANCELS = 100_000;
  using queue = privateQueue({ maxMessages: 4, maxMessageBytes: 8 });
  const random = new Random(seed);
  let sent = 0, received = 0, cancelled = 0;
  for (let round = 0; round < CANCELS; round++) {
    const controller = new AbortController();
    const wait = queue.receive({ signal: controller.signal }).then(
      () => received++,
      (reason) => {
        assertEquals(reason, "cancelled");
        cancelled++;
      },
    );
    // Either comes first, in one turn or in two, or the message does not come at all.
    const steps = [
      () => queue.trySend("x") && sent++,
      () => controller.abort("cancelled"),
    ];
    if (random.oneIn(2)) steps.reverse();
    if (random.oneIn(8)) steps.splice(steps.findIndex((step) => step === steps[0]), 1);
    for (const step of steps) {
      step();
      if (random.oneIn(50)) await turns(1);
      else if (random.oneIn(2)) await Promise.resolve();
    }
    controller.abort("cancelled");
    await wait;
    while (random.oneIn(2) && queue.tryReceive() !== undefined) received++;
  }
  while (queue.tryReceive() !== undefined) received++;
  assertEquals({ seed, received }, { seed, received: sent });
  assertGreaterOrEqual(cancelled, CANCELS / 10);
});
