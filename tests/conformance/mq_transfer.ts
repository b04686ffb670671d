/**
 * mq_send, mq_receive, mq_timedsend, mq_timedreceive: one set of checks, run over every way that
 * the library and C have to move a message, so that all of them are held to the same words.
 */

import { MessageQueue } from "../../mod.ts";
import { assert, assertEquals, assertGreaterOrEqual, assertThrows } from "../assert.ts";
import { privateQueue, queueName } from "../support/names.ts";
import { children, say, untilInside } from "./children.ts";
import { codeOf, type Group, type Kind, type Row } from "./engine.ts";
import {
  attributesOf,
  C,
  c,
  cString,
  type Descriptor,
  interruptSoon,
  mqOpen,
  mqReceive,
  mqSend,
  mqTimedsend,
  must,
  opened,
  rawQueue,
  realtime,
  type Received,
  timespec,
  WAITING,
} from "./raw.ts";

const SIZES = { maxMessages: 2, maxMessageBytes: 16 };
const FAR_MS = 600_000;
const encoder = new TextEncoder();

/** What a sending call answered: "sent", or the code that it was refused with. */
type Sent = string;

/** A handle that sends in one particular way. */
interface Sender extends Disposable {
  send(data: Uint8Array, priority: number): Sent;
}

/** A handle that receives in one particular way. */
interface Receiver extends Disposable {
  receive(): Received;
  /** With a buffer of the caller's; `undefined` where the way brings its own. */
  receiveInto?(bufferBytes: number): Received;
}

/** How to open a handle by name: `waits` as C's calls do, or not. */
interface Way<H> {
  label: string;
  /** The system call in which a thread that uses this way waits. */
  waitsIn: number;
  open(name: string, access: "r" | "w" | "rw", waits?: boolean): H;
}

const ACCESS = { r: C.O_RDONLY, w: C.O_WRONLY, rw: C.O_RDWR };

function rawHandle(name: string, access: "r" | "w" | "rw", waits: boolean): Descriptor {
  return opened(mqOpen(name, ACCESS[access] | (waits ? 0 : C.O_NONBLOCK)));
}

/** "sent" for true, `otherwise` for false, and the code of a refusal. */
function sentOr(otherwise: string, run: () => boolean): Sent {
  let sent = false;
  const code = codeOf(() => void (sent = run()));
  return code !== "ok" ? code : sent ? "sent" : otherwise;
}

/** The message, `otherwise` for undefined, and the code of a refusal. */
function receivedOr(
  otherwise: string,
  run: () => { text(): string; priority: number } | undefined,
): Received {
  let received: Received = otherwise;
  const code = codeOf(() => {
    const message = run();
    if (message !== undefined) received = { text: message.text(), priority: message.priority };
  });
  return code === "ok" ? received : code;
}

const sentOf = (result: number | string): Sent => result === 0 ? "sent" : String(result);

const SENDERS = {
  mq_send: [
    {
      label: "trySend(), sendSync()",
      waitsIn: WAITING.poll,
      open(name, access, waits = false) {
        const queue = MessageQueue.open(name, { access });
        return {
          send: (data, priority) =>
            sentOr(
              "EAGAIN",
              () => waits ? queue.sendSync(data, { priority }) : queue.trySend(data, { priority }),
            ),
          [Symbol.dispose]: () => queue.close(),
        };
      },
    },
    {
      label: "mq_send()",
      waitsIn: WAITING.mq_timedsend,
      open(name, access, waits = false) {
        const handle = rawHandle(name, access, waits);
        return {
          send: (data, priority) => sentOf(mqSend(handle.fd, data, priority)),
          [Symbol.dispose]: () => handle.close(),
        };
      },
    },
  ],
  mq_timedsend: [
    {
      label: "sendSync({ timeoutMs })",
      waitsIn: WAITING.poll,
      open(name, access, waits = false) {
        const queue = MessageQueue.open(name, { access });
        const timeoutMs = waits ? FAR_MS : 0;
        return {
          send: (data, priority) =>
            sentOr("EAGAIN", () => queue.sendSync(data, { priority, timeoutMs })),
          [Symbol.dispose]: () => queue.close(),
        };
      },
    },
    {
      label: "mq_timedsend()",
      waitsIn: WAITING.mq_timedsend,
      open(name, access, waits = false) {
        const handle = rawHandle(name, access, waits);
        return {
          send: (data, priority) =>
            sentOf(mqTimedsend(handle.fd, data, priority, realtime(FAR_MS))),
          [Symbol.dispose]: () => handle.close(),
        };
      },
    },
  ],
} satisfies Record<string, Way<Sender>[]>;

const RECEIVERS = {
  mq_receive: [
    {
      label: "tryReceive(), receiveSync()",
      waitsIn: WAITING.poll,
      open(name, access, waits = false) {
        const queue = MessageQueue.open(name, { access });
        return {
          receive: () =>
            receivedOr("EAGAIN", () => waits ? queue.receiveSync() : queue.tryReceive()),
          [Symbol.dispose]: () => queue.close(),
        };
      },
    },
    {
      label: "tryReceiveInto()",
      waitsIn: WAITING.poll,
      open(name, access) {
        const queue = MessageQueue.open(name, { access });
        const receiveInto = (bufferBytes: number) =>
          receivedOr("EAGAIN", () => {
            const buffer = new Uint8Array(bufferBytes);
            const got = queue.tryReceiveInto(buffer);
            if (got === undefined) return undefined;
            const text = new TextDecoder().decode(buffer.subarray(0, got.byteLength));
            return { text: () => text, priority: got.priority };
          });
        return {
          receive: () => receiveInto(SIZES.maxMessageBytes),
          receiveInto,
          [Symbol.dispose]: () => queue.close(),
        };
      },
    },
    {
      label: "mq_receive()",
      waitsIn: WAITING.mq_timedreceive,
      open(name, access, waits = false) {
        const handle = rawHandle(name, access, waits);
        return {
          receive: () => mqReceive(handle.fd),
          receiveInto: (bufferBytes) => mqReceive(handle.fd, bufferBytes),
          [Symbol.dispose]: () => handle.close(),
        };
      },
    },
  ],
  mq_timedreceive: [
    {
      label: "receiveSync({ timeoutMs })",
      waitsIn: WAITING.poll,
      open(name, access, waits = false) {
        const queue = MessageQueue.open(name, { access });
        const timeoutMs = waits ? FAR_MS : 0;
        return {
          receive: () => receivedOr("EAGAIN", () => queue.receiveSync({ timeoutMs })),
          [Symbol.dispose]: () => queue.close(),
        };
      },
    },
    {
      label: "mq_timedreceive()",
      waitsIn: WAITING.mq_timedreceive,
      open(name, access, waits = false) {
        const handle = rawHandle(name, access, waits);
        return {
          receive: () => mqReceive(handle.fd, SIZES.maxMessageBytes, realtime(FAR_MS)),
          receiveInto: (bufferBytes) => mqReceive(handle.fd, bufferBytes, realtime(FAR_MS)),
          [Symbol.dispose]: () => handle.close(),
        };
      },
    },
  ],
} satisfies Record<string, Way<Receiver>[]>;

type Sending = keyof typeof SENDERS;
type Receiving = keyof typeof RECEIVERS;

/** The ways that wait as C's blocking calls do; tryReceiveInto() never does. */
const waiting = (ways: Way<Receiver>[]) => ways.filter(({ label }) => label !== "tryReceiveInto()");

/** What a child does; see `children.ts`. */
export const programs = {
  /** Sends into a full queue. Says so before and after. */
  sendWaiting(name: string, how: string, way: string) {
    using sender = (SENDERS[how as Sending] as Way<Sender>[])[Number(way)]!.open(name, "w", true);
    say("sending");
    return sender.send(encoder.encode("late"), 7);
  },

  /** Receives from an empty queue. Says so before and after. */
  receiveWaiting(name: string, how: string, way: string) {
    using receiver = (RECEIVERS[how as Receiving] as Way<Receiver>[])[Number(way)]!
      .open(name, "r", true);
    say("receiving");
    return receiver.receive();
  },

  /** Sends into a full queue while signals arrive. */
  sendInterrupted(name: string, how: string, way: string) {
    using sender = (SENDERS[how as Sending] as Way<Sender>[])[Number(way)]!.open(name, "w", true);
    interruptSoon();
    return sender.send(encoder.encode("never"), 7);
  },

  /** Receives from an empty queue while signals arrive. */
  receiveInterrupted(name: string, how: string, way: string) {
    using receiver = (RECEIVERS[how as Receiving] as Way<Receiver>[])[Number(way)]!
      .open(name, "r", true);
    interruptSoon();
    return receiver.receive();
  },
};

const child = children(import.meta.url, programs);

/** A queue with a name, for the ways to open it by. */
function namedQueue(): Disposable & { name: string; queue: MessageQueue } {
  const it = queueName();
  const queue = MessageQueue.create(it.name, SIZES);
  return {
    name: it.name,
    queue,
    [Symbol.dispose]() {
      queue.close();
      it[Symbol.dispose]();
    },
  };
}

function fill(queue: MessageQueue): void {
  while (queue.trySend("full")) assert(queue.length <= queue.maxMessages);
}

/** Everything that waits, in the order in which it comes out: `text@priority`. */
function drain(queue: MessageQueue): string[] {
  const messages: string[] = [];
  for (let message = queue.tryReceive(); message !== undefined; message = queue.tryReceive()) {
    messages.push(`${message.text()}@${message.priority}`);
  }
  return messages;
}

/** Numbers from 0 to below `bound`, the same for the same seed. */
function randomNumbers(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * bound);
  };
}

// --- sending -----------------------------------------------------------------------------------

function sendingChecks(how: Sending) {
  const ways = SENDERS[how] as Way<Sender>[];
  /** Runs a check over every way, with a fresh queue each. */
  const each = (
    access: "r" | "w" | "rw",
    run: (sender: Sender, queue: MessageQueue, way: Way<Sender>) => void,
  ) =>
  () => {
    for (const way of ways) {
      using it = namedQueue();
      using sender = way.open(it.name, access);
      run(sender, it.queue, way);
    }
  };
  const send = (sender: Sender, text: string, priority = 0) =>
    sender.send(encoder.encode(text), priority);

  return {
    arrives: each("w", (sender, queue) => {
      using other = privateQueue();
      assertEquals(send(sender, "here", 6), "sent");
      assertEquals([queue.length, other.length], [1, 0]);
      assertEquals(drain(queue), ["here@6"]);
    }),

    tooLong: each("w", (sender, queue) => {
      assertEquals(send(sender, "x".repeat(17)), "EMSGSIZE");
      assertEquals(queue.length, 0);
      assertEquals(send(sender, "x".repeat(16)), "sent");
      assertEquals(drain(queue), [`${"x".repeat(16)}@0`]);
    }),

    order() {
      for (const way of ways) {
        const seed = 20_260_101;
        const random = randomNumbers(seed);
        using it = queueName();
        using queue = MessageQueue.create(it.name, { maxMessages: 8, maxMessageBytes: 16 });
        using sender = way.open(it.name, "w");
        const model: { text: string; priority: number }[] = [];
        for (let step = 0; step < 2000; step++) {
          if (model.length < 8 && random(5) > 1) {
            const priority = random(4) === 0 ? random(32_768) : random(3);
            const text = String(step);
            assertEquals(send(sender, text, priority), "sent");
            // The oldest of the highest comes first: before the first that is lower.
            const at = model.findIndex((message) => message.priority < priority);
            model.splice(at === -1 ? model.length : at, 0, { text, priority });
          } else {
            const expected = model.shift();
            const message = queue.tryReceive();
            assertEquals(
              message && { text: message.text(), priority: message.priority },
              expected,
              `${way.label}, seed ${seed}, step ${step}`,
            );
          }
        }
      }
    },

    priorityBound: each("w", (sender, queue) => {
      assertEquals(send(sender, "top", 32_767), "sent");
      assertEquals(send(sender, "over", 32_768), "EINVAL");
      assertEquals(send(sender, "over", 0xffff_ffff), "EINVAL");
      assertEquals(drain(queue), ["top@32767"]);
    }),

    async waits() {
      for (const [index, way] of ways.entries()) {
        using it = namedQueue();
        fill(it.queue);
        await using sending = child.start("sendWaiting", it.name, how, String(index));
        assertEquals(await sending.line(), "sending");
        await untilInside(sending, way.waitsIn);
        assertEquals(it.queue.length, SIZES.maxMessages);
        assertEquals(it.queue.tryReceive()?.text(), "full");
        assertEquals(JSON.parse(await sending.line()), "sent", way.label);
        assertEquals(drain(it.queue), ["late@7", "full@0"]);
      }
    },

    neverWaits: each("w", (sender, queue) => {
      fill(queue);
      assertEquals(send(sender, "more", 9), "EAGAIN");
      assertEquals(drain(queue), ["full@0", "full@0"]);
    }),

    success: each("w", (sender, queue) => {
      assertEquals(send(sender, "ok"), "sent");
      assertEquals(queue.length, 1);
      using raw = rawQueue();
      const data = encoder.encode("ok"), length = BigInt(data.byteLength);
      const result = how === "mq_send"
        ? c.mq_send(raw.fd, data, length, 0)
        : c.mq_timedsend(raw.fd, data, length, 0, realtime(FAR_MS));
      assertEquals(result, 0);
    }),

    failure: each("w", (sender, queue) => {
      queue.trySend("first");
      assertEquals(send(sender, "x".repeat(17), 1), "EMSGSIZE");
      assertEquals(send(sender, "priority", 32_768), "EINVAL");
      assertEquals(drain(queue), ["first@0"]);
      using raw = rawQueue(C.O_RDWR | C.O_NONBLOCK);
      const data = new Uint8Array(17);
      const result = how === "mq_send"
        ? c.mq_send(raw.fd, data, 17n, 0)
        : c.mq_timedsend(raw.fd, data, 17n, 0, realtime(FAR_MS));
      assertEquals(result, -1);
      assertEquals(attributesOf(raw.fd).curmsgs, 0);
    }),

    full: each("rw", (sender, queue) => {
      fill(queue);
      assertEquals(send(sender, "more"), "EAGAIN");
      queue.tryReceive();
      assertEquals(send(sender, "more"), "sent");
    }),

    badDescriptor() {
      each("r", (sender, queue) => {
        assertEquals(send(sender, "hi"), "EBADF");
        assertEquals(queue.length, 0);
      })();
      const data = encoder.encode("hi");
      const onDescriptor = (fd: number) =>
        how === "mq_send" ? mqSend(fd, data, 0) : mqTimedsend(fd, data, 0, realtime(FAR_MS));
      using notQueue = opened(must(() => c.open(cString("/"), C.O_RDONLY, 0)));
      const closed = rawQueue();
      closed.close();
      for (const fd of [-1, notQueue.fd, closed.fd]) assertEquals(onDescriptor(fd), "EBADF");
    },

    async interrupted() {
      for (const [index, way] of ways.entries()) {
        using it = namedQueue();
        fill(it.queue);
        const result = await child.run("sendInterrupted", it.name, how, String(index));
        assertEquals(result, "EINTR", way.label);
        assertEquals(drain(it.queue), ["full@0", "full@0"]);
      }
    },

    sizes: each("w", (sender, queue) => {
      assertEquals(send(sender, "x".repeat(17)), "EMSGSIZE");
      assertEquals(send(sender, "x".repeat(4000)), "EMSGSIZE");
      assertEquals(send(sender, ""), "sent");
      assertEquals(drain(queue), ["@0"]);
    }),
  };
}

/** Rows 1 to 14, which are the same for sending with and without a deadline. */
function sendingRows(how: Sending): Row[] {
  const check = sendingChecks(how);
  const ways = SENDERS[how].map(({ label }) => label).join(" and ");
  const timed = how === "mq_timedsend";
  return [
    {
      number: "1",
      says: "the message is put into the queue that the descriptor stands for",
      kind: "Y",
      linux: `into that one and no other; by ${ways}`,
      check: check.arrives,
    },
    {
      number: "2",
      says: "a message longer than the queue's message size is refused",
      kind: "Y",
      linux: "EMSGSIZE; one of exactly that size is taken",
      check: check.tooLong,
    },
    {
      number: "3",
      says: "messages are kept by priority, and within one in the order of their arrival",
      kind: "Y",
      linux: "2000 seeded random steps give what a sorted list gives",
      check: check.order,
    },
    {
      number: "4",
      says: "a priority is below MQ_PRIO_MAX",
      kind: "Y",
      linux: "32767 is taken, 32768 and 4294967295 are EINVAL",
      check: check.priorityBound,
    },
    {
      number: "5",
      says: `on a full queue a blocking call waits for room, for a signal${
        timed ? " or for its deadline" : ""
      }`,
      kind: "W+SIG",
      linux: "seen to wait in its system call; goes on when a message is taken",
      check: timed
        ? async () => {
          await check.waits();
          checkSendDeadline();
        }
        : check.waits,
    },
    {
      number: "6",
      says: "of several that wait to send, the one of highest priority that waited longest is next",
      kind: "N",
      why: "POSIX asks it only of real-time scheduling, which an ordinary process may not have",
    },
    {
      number: "7",
      says: "on a full queue a nonblocking call fails and queues nothing",
      kind: "Y",
      linux: "EAGAIN in C, false in the library; the queue is as before",
      check: check.neverWaits,
    },
    {
      number: "8",
      says: "success is 0",
      kind: "Y",
      linux: "0 in C, true in the library",
      check: check.success,
    },
    {
      number: "9",
      says: "failure is -1 with an error number, and queues nothing",
      kind: "Y",
      linux: "for a message too long and a priority too high",
      check: check.failure,
    },
    {
      number: "10",
      says: "EAGAIN: the queue is full and the descriptor is nonblocking",
      kind: "Y",
      linux: "EAGAIN until there is room again",
      check: check.full,
    },
    {
      number: "11",
      says: "EBADF: the descriptor is none, or not open for sending",
      kind: "Y",
      linux: "EBADF for -1, a directory, a closed descriptor and a handle that only receives",
      check: check.badDescriptor,
    },
    {
      number: "12",
      says: "EINTR: a signal interrupted the wait",
      kind: "SIG",
      linux: "EINTR when the handler does not restart calls; poll(), in which the library waits, " +
        "never restarts",
      check: check.interrupted,
    },
    {
      number: "13",
      says: "EINVAL: the priority is out of range",
      kind: "Y",
      linux: "EINVAL",
      check: check.priorityBound,
    },
    {
      number: "14",
      says: "EMSGSIZE: the message is too long",
      kind: "Y",
      linux: "EMSGSIZE; a message of no bytes is legal",
      check: check.sizes,
    },
  ];
}

// --- receiving ---------------------------------------------------------------------------------

function receivingChecks(how: Receiving) {
  const ways = RECEIVERS[how] as Way<Receiver>[];
  const each = (
    access: "r" | "w" | "rw",
    run: (receiver: Receiver, queue: MessageQueue, way: Way<Receiver>) => void,
  ) =>
  () => {
    for (const way of ways) {
      using it = namedQueue();
      using receiver = way.open(it.name, access);
      run(receiver, it.queue, way);
    }
  };
  const rawReceive = (fd: number, bufferBytes = 16) =>
    how === "mq_receive"
      ? mqReceive(fd, bufferBytes)
      : mqReceive(fd, bufferBytes, realtime(FAR_MS));

  return {
    takes() {
      for (const way of ways) {
        using it = queueName();
        using queue = MessageQueue.create(it.name, { maxMessages: 4, maxMessageBytes: 16 });
        using receiver = way.open(it.name, "r");
        for (const [text, priority] of [["a", 1], ["b", 5], ["c", 5], ["d", 3]] as const) {
          queue.trySend(text, { priority });
        }
        const order = [["b", 5], ["c", 5], ["d", 3], ["a", 1]] as const;
        for (const [index, [text, priority]] of order.entries()) {
          assertEquals(receiver.receive(), { text, priority }, way.label);
          assertEquals(queue.length, 3 - index);
        }
      }
    },

    smallBuffer: each("r", (receiver, queue) => {
      queue.trySend("fits");
      if (receiver.receiveInto !== undefined) {
        assertEquals(receiver.receiveInto(15), "EMSGSIZE");
        assertEquals(receiver.receiveInto(4), "EMSGSIZE");
        assertEquals(queue.length, 1);
        assertEquals(receiver.receiveInto(17), { text: "fits", priority: 0 });
      } else {
        // It brings a buffer of its own, which is always large enough.
        assertEquals(receiver.receive(), { text: "fits", priority: 0 });
      }
    }),

    priority: each("r", (receiver, queue) => {
      for (const priority of [0, 1, 32_767]) {
        queue.trySend("p", { priority });
        assertEquals(receiver.receive(), { text: "p", priority });
      }
    }),

    withoutPriority() {
      using raw = rawQueue();
      assertEquals(mqSend(raw.fd, encoder.encode("p"), 3), 0);
      const into = new Uint8Array(16);
      const length = how === "mq_receive"
        ? c.mq_receive(raw.fd, into, 16n, null)
        : c.mq_timedreceive(raw.fd, into, 16n, null, realtime(FAR_MS));
      assertEquals(length, 1);
    },

    async waits() {
      for (const way of waiting(ways)) {
        using it = namedQueue();
        const index = String(ways.indexOf(way));
        await using receiving = child.start("receiveWaiting", it.name, how, index);
        assertEquals(await receiving.line(), "receiving");
        await untilInside(receiving, way.waitsIn);
        it.queue.trySend("late", { priority: 8 });
        assertEquals(JSON.parse(await receiving.line()), { text: "late", priority: 8 }, way.label);
        assertEquals(it.queue.length, 0);
      }
    },

    neverWaits: each("r", (receiver, queue) => {
      assertEquals(receiver.receive(), "EAGAIN");
      queue.trySend("now");
      assertEquals(receiver.receive(), { text: "now", priority: 0 });
      assertEquals(receiver.receive(), "EAGAIN");
    }),

    length: each("r", (receiver, queue) => {
      for (const text of ["", "x", "x".repeat(16)]) {
        queue.trySend(text);
        assertEquals(receiver.receive(), { text, priority: 0 });
        assertEquals(queue.length, 0);
      }
    }),

    failure: each("w", (receiver, queue) => {
      queue.trySend("stays", { priority: 4 });
      assertEquals(receiver.receive(), "EBADF");
      using raw = rawQueue();
      assertEquals(mqSend(raw.fd, encoder.encode("stays"), 4), 0);
      const small = new Uint8Array(15);
      const result = how === "mq_receive"
        ? c.mq_receive(raw.fd, small, 15n, null)
        : c.mq_timedreceive(raw.fd, small, 15n, null, realtime(FAR_MS));
      assertEquals(result, -1);
      assertEquals(attributesOf(raw.fd).curmsgs, 1);
      assertEquals(drain(queue), ["stays@4"]);
    }),

    badDescriptor() {
      each("w", (receiver, queue) => {
        queue.trySend("stays");
        assertEquals(receiver.receive(), "EBADF");
        assertEquals(queue.length, 1);
      })();
      using notQueue = opened(must(() => c.open(cString("/"), C.O_RDONLY, 0)));
      const closed = rawQueue();
      closed.close();
      for (const fd of [-1, notQueue.fd, closed.fd]) assertEquals(rawReceive(fd), "EBADF");
    },

    async interrupted() {
      for (const way of waiting(ways)) {
        using it = namedQueue();
        const index = String(ways.indexOf(way));
        const result = await child.run("receiveInterrupted", it.name, how, index);
        assertEquals(result, "EINTR", way.label);
        it.queue.trySend("unharmed");
        assertEquals(drain(it.queue), ["unharmed@0"]);
      }
    },
  };
}

// --- deadlines ---------------------------------------------------------------------------------

const WAIT_MS = 40;

/** Runs a call that ends at a deadline of its own; how long it took is a minimum, never a maximum. */
function tookMs(run: () => void): number {
  const started = performance.now();
  run();
  return performance.now() - started;
}

function fullRawQueue(): Descriptor {
  const mqd = rawQueue();
  for (let sent = 0; sent < SIZES.maxMessages; sent++) {
    assertEquals(mqSend(mqd.fd, encoder.encode("full"), 0), 0);
  }
  return mqd;
}

function checkSendDeadline(): void {
  using raw = fullRawQueue();
  // CLOCK_REALTIME is read in whole milliseconds here, so one of them may already have gone by.
  assertGreaterOrEqual(
    tookMs(() =>
      assertEquals(
        mqTimedsend(raw.fd, encoder.encode("late"), 0, realtime(WAIT_MS)),
        "ETIMEDOUT",
      )
    ),
    WAIT_MS - 1,
  );
  assertEquals(attributesOf(raw.fd).curmsgs, SIZES.maxMessages);
  using queue = privateQueue(SIZES);
  fill(queue);
  assertGreaterOrEqual(
    tookMs(() => assertEquals(queue.sendSync("late", { timeoutMs: WAIT_MS }), false)),
    WAIT_MS,
  );
  assertEquals(queue.length, SIZES.maxMessages);
}

function checkReceiveDeadline(): void {
  using raw = rawQueue();
  assertGreaterOrEqual(
    tookMs(() => assertEquals(mqReceive(raw.fd, 16, realtime(WAIT_MS)), "ETIMEDOUT")),
    WAIT_MS - 1,
  );
  using queue = privateQueue(SIZES);
  assertGreaterOrEqual(
    tookMs(() => assertEquals(queue.receiveSync({ timeoutMs: WAIT_MS }), undefined)),
    WAIT_MS,
  );
}

/** Long past on CLOCK_REALTIME, an hour ahead on CLOCK_MONOTONIC: tells the two clocks apart. */
function hourAheadOfMonotonic(): Uint8Array {
  const uptimeSeconds = Number(Deno.readTextFileSync("/proc/uptime").split(" ")[0]);
  return timespec(Math.ceil(uptimeSeconds) + 3600, 0);
}

const PAST = timespec(1, 0);
const BAD_NANOSECONDS = [-1, 1_000_000_000, 2 ** 40];

/** A deadline in the far future with nanoseconds that are none. */
function badDeadline(nanoseconds: number): Uint8Array {
  return timespec(Math.ceil(Date.now() / 1000) + 600, nanoseconds);
}

const CLOCK_RESOLUTION: Omit<Extract<Row, { why: string }>, "number"> = {
  says: "the resolution of the deadline is that of its clock",
  kind: "N",
  why: "one nanosecond on Linux, which no call can observe",
};

export const mqSendGroup: Group = { name: "mq_send", rows: sendingRows("mq_send") };

export const mqTimedsendGroup: Group = {
  name: "mq_timedsend",
  rows: [
    ...sendingRows("mq_timedsend"),
    {
      number: "15",
      says: "a deadline that has passed ends the wait at once",
      kind: "Y",
      linux: "ETIMEDOUT; the library's timeoutMs of 0 tries once",
      check() {
        using raw = fullRawQueue();
        assertEquals(mqTimedsend(raw.fd, encoder.encode("late"), 0, PAST), "ETIMEDOUT");
        using queue = privateQueue(SIZES);
        fill(queue);
        assertEquals(queue.sendSync("late", { timeoutMs: 0 }), false);
        assertThrows(() => queue.sendSync("late", { timeoutMs: -1 }), RangeError);
      },
    },
    {
      number: "16",
      says: "the deadline is a time of CLOCK_REALTIME",
      kind: "W",
      linux: "not before that time; an hour ahead on CLOCK_MONOTONIC is long past",
      check() {
        using raw = fullRawQueue();
        const deadlineMs = Date.now() + WAIT_MS;
        const deadline = timespec(Math.floor(deadlineMs / 1000), (deadlineMs % 1000) * 1e6);
        const late = encoder.encode("late");
        assertEquals(mqTimedsend(raw.fd, late, 0, deadline), "ETIMEDOUT");
        assertGreaterOrEqual(Date.now(), deadlineMs);
        assertEquals(mqTimedsend(raw.fd, late, 0, hourAheadOfMonotonic()), "ETIMEDOUT");
      },
    },
    { number: "17", ...CLOCK_RESOLUTION },
    {
      number: "18",
      says: "with room in the queue it never times out, and the deadline need not even be valid",
      kind: "Y",
      linux: "a past deadline does no harm; nanoseconds out of range are EINVAL all the same, " +
        "which POSIX allows",
      check() {
        using raw = rawQueue();
        assertEquals(mqTimedsend(raw.fd, encoder.encode("room"), 0, PAST), 0);
        for (const nanoseconds of BAD_NANOSECONDS) {
          const data = encoder.encode("room");
          assertEquals(mqTimedsend(raw.fd, data, 0, badDeadline(nanoseconds)), "EINVAL");
        }
        assertEquals(attributesOf(raw.fd).curmsgs, 1);
        using queue = privateQueue(SIZES);
        assertEquals(queue.sendSync("room", { timeoutMs: 0 }), true);
      },
    },
    {
      number: "19",
      says: "EINVAL: it would have to wait, and the nanoseconds of the deadline are out of range",
      kind: "raw",
      linux: "EINVAL below 0 and from a thousand million; the library makes no such deadline",
      check() {
        using raw = fullRawQueue();
        for (const nanoseconds of BAD_NANOSECONDS) {
          const data = encoder.encode("late");
          assertEquals(mqTimedsend(raw.fd, data, 0, badDeadline(nanoseconds)), "EINVAL");
        }
        using queue = privateQueue(SIZES);
        fill(queue);
        assertThrows(() => queue.sendSync("late", { timeoutMs: Number.NaN }), RangeError);
        assertEquals(queue.sendSync("late", { timeoutMs: 0.5 }), false);
      },
    },
    {
      number: "20",
      says: "ETIMEDOUT: the deadline passed before there was room",
      kind: "W",
      linux: "ETIMEDOUT in C, false in the library, not earlier than the deadline",
      check: checkSendDeadline,
    },
  ],
};

const receive = receivingChecks("mq_receive");
const waysOf = (how: Receiving) =>
  RECEIVERS[how].map(({ label }) => label).join(how === "mq_receive" ? ", " : " and ");

const SSIZE_MAX: Omit<Extract<Row, { why: string }>, "number"> = {
  says: "what a buffer longer than SSIZE_MAX does is up to the system",
  kind: "N",
  why: "implementation-defined, and no buffer of JavaScript is that long",
};
const WAKE_ORDER: Omit<Extract<Row, { why: string }>, "number"> = {
  says: "of several that wait to receive, the one of highest priority that waited longest is next",
  kind: "N",
  why: "POSIX asks it only of real-time scheduling, which an ordinary process may not have",
};
const CORRUPTED: Omit<Extract<Row, { why: string }>, "number"> = {
  says: "EBADMSG: the queue's data are damaged",
  kind: "N",
  why: "Linux never answers it: messages are kernel memory, which no program can damage",
};

/** A row whose words are the same for both receiving calls. */
function row(
  number: string,
  says: string,
  kind: Kind,
  linux: string,
  check: () => void | Promise<void>,
): Row {
  return { number, says, kind, linux, check };
}

export const mqReceiveGroup: Group = {
  name: "mq_receive",
  rows: [
    row(
      "1",
      "takes the oldest message of the highest priority, copies it out and removes it",
      "Y",
      `by ${waysOf("mq_receive")}`,
      receive.takes,
    ),
    row(
      "2",
      "a buffer shorter than the queue's message size is refused",
      "Y",
      "EMSGSIZE even if the message would fit; it stays in the queue",
      receive.smallBuffer,
    ),
    { number: "3", ...SSIZE_MAX },
    row("4", "the priority is stored where asked", "Y", "and need not be asked for", () => {
      receive.priority();
      receive.withoutPriority();
    }),
    row(
      "5",
      "on an empty queue a blocking call waits for a message or for a signal",
      "W+SIG",
      "seen to wait in its system call; goes on when a message arrives",
      receive.waits,
    ),
    { number: "6", ...WAKE_ORDER },
    row(
      "7",
      "on an empty queue a nonblocking call fails",
      "Y",
      "EAGAIN in C, undefined in the library",
      receive.neverWaits,
    ),
    row(
      "8",
      "success is the message's length, and the message is gone",
      "Y",
      "0 for an empty message, and up to the message size",
      receive.length,
    ),
    row(
      "9",
      "failure is -1 with an error number, and removes nothing",
      "Y",
      "for a short buffer and for a handle that only sends",
      receive.failure,
    ),
    row(
      "10",
      "EAGAIN: the queue is empty and the descriptor is nonblocking",
      "Y",
      "EAGAIN until there is a message",
      receive.neverWaits,
    ),
    row(
      "11",
      "EBADF: the descriptor is none, or not open for receiving",
      "Y",
      "EBADF for -1, a directory, a closed descriptor and a handle that only sends",
      receive.badDescriptor,
    ),
    row(
      "12",
      "EMSGSIZE: the buffer is shorter than the message size",
      "Y",
      "EMSGSIZE",
      receive.smallBuffer,
    ),
    row(
      "13",
      "EINTR: a signal interrupted the wait",
      "SIG",
      "EINTR when the handler does not restart calls; poll(), in which the library waits, never " +
        "restarts",
      receive.interrupted,
    ),
    { number: "14", ...CORRUPTED },
  ],
};

const timed = receivingChecks("mq_timedreceive");

export const mqTimedreceiveGroup: Group = {
  name: "mq_timedreceive",
  rows: [
    row(
      "1",
      "takes the oldest message of the highest priority, copies it out and removes it",
      "Y",
      `by ${waysOf("mq_timedreceive")}`,
      timed.takes,
    ),
    row(
      "2",
      "a buffer shorter than the queue's message size is refused",
      "Y",
      "EMSGSIZE even if the message would fit; it stays in the queue",
      timed.smallBuffer,
    ),
    { number: "3", ...SSIZE_MAX },
    row("4", "the priority is stored where asked", "Y", "and need not be asked for", () => {
      timed.priority();
      timed.withoutPriority();
    }),
    row(
      "5",
      "on an empty queue a blocking call waits for a message, a signal or its deadline",
      "W+SIG",
      "seen to wait in its system call; goes on when a message arrives, ends at the deadline",
      async () => {
        await timed.waits();
        checkReceiveDeadline();
      },
    ),
    { number: "6", ...WAKE_ORDER },
    row(
      "7",
      "on an empty queue a nonblocking call fails",
      "Y",
      "EAGAIN in C, undefined in the library with a timeoutMs of 0",
      timed.neverWaits,
    ),
    row(
      "8",
      "the deadline is a time of CLOCK_REALTIME",
      "W",
      "not before that time; an hour ahead on CLOCK_MONOTONIC is long past",
      () => {
        using raw = rawQueue();
        const deadlineMs = Date.now() + WAIT_MS;
        const deadline = timespec(Math.floor(deadlineMs / 1000), (deadlineMs % 1000) * 1e6);
        assertEquals(mqReceive(raw.fd, 16, deadline), "ETIMEDOUT");
        assertGreaterOrEqual(Date.now(), deadlineMs);
        assertEquals(mqReceive(raw.fd, 16, hourAheadOfMonotonic()), "ETIMEDOUT");
      },
    ),
    { number: "9", ...CLOCK_RESOLUTION },
    row(
      "10",
      "with a message in the queue it never times out, and the deadline need not even be valid",
      "Y",
      "a past deadline does no harm; nanoseconds out of range are EINVAL all the same, which " +
        "POSIX allows",
      () => {
        using raw = rawQueue();
        assertEquals(mqSend(raw.fd, encoder.encode("there"), 2), 0);
        for (const nanoseconds of BAD_NANOSECONDS) {
          assertEquals(mqReceive(raw.fd, 16, badDeadline(nanoseconds)), "EINVAL");
        }
        assertEquals(mqReceive(raw.fd, 16, PAST), { text: "there", priority: 2 });
        using queue = privateQueue(SIZES);
        queue.trySend("there");
        assertEquals(queue.receiveSync({ timeoutMs: 0 })?.text(), "there");
      },
    ),
    row(
      "11",
      "success is the message's length, and the message is gone",
      "Y",
      "0 for an empty message, and up to the message size",
      timed.length,
    ),
    row(
      "12",
      "failure is -1 with an error number, and removes nothing",
      "Y",
      "for a short buffer and for a handle that only sends",
      timed.failure,
    ),
    row(
      "13",
      "EAGAIN: the queue is empty and the descriptor is nonblocking",
      "Y",
      "EAGAIN until there is a message, whatever the deadline",
      timed.neverWaits,
    ),
    row(
      "14",
      "EBADF: the descriptor is none, or not open for receiving",
      "Y",
      "EBADF for -1, a directory, a closed descriptor and a handle that only sends",
      timed.badDescriptor,
    ),
    row(
      "15",
      "EMSGSIZE: the buffer is shorter than the message size",
      "Y",
      "EMSGSIZE",
      timed.smallBuffer,
    ),
    row(
      "16",
      "EINTR: a signal interrupted the wait",
      "SIG",
      "EINTR when the handler does not restart calls; poll(), in which the library waits, never " +
        "restarts",
      timed.interrupted,
    ),
    row(
      "17",
      "EINVAL: it would have to wait, and the nanoseconds of the deadline are out of range",
      "raw",
      "EINVAL below 0 and from a thousand million; the library makes no such deadline",
      () => {
        using raw = rawQueue();
        for (const nanoseconds of BAD_NANOSECONDS) {
          assertEquals(mqReceive(raw.fd, 16, badDeadline(nanoseconds)), "EINVAL");
        }
        using queue = privateQueue(SIZES);
        assertThrows(() => queue.receiveSync({ timeoutMs: Number.NaN }), RangeError);
        assertEquals(queue.receiveSync({ timeoutMs: 0.5 }), undefined);
      },
    ),
    row(
      "18",
      "ETIMEDOUT: the deadline passed before there was a message",
      "W",
      "ETIMEDOUT in C, undefined in the library; not earlier than a deadline to come, at once " +
        "after one that has passed",
      () => {
        checkReceiveDeadline();
        using raw = rawQueue();
        assertEquals(mqReceive(raw.fd, 16, PAST), "ETIMEDOUT");
      },
    ),
    { number: "19", ...CORRUPTED },
  ],
};
