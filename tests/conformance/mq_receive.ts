/** mq_receive and mq_timedreceive: the rows of both run over one set of checks. */

import { MessageQueue } from "../../mod.ts";
import { assertEquals, assertGreaterOrEqual, assertThrows } from "../assert.ts";
import { privateQueue, queueName } from "../support/names.ts";
import { untilInside } from "./children.ts";
import {
  BAD_NANOSECONDS,
  badDeadline,
  CLOCK_RESOLUTION,
  hourAheadOfMonotonic,
  PAST,
  tookMs,
  WAIT_MS,
} from "./deadlines.ts";
import type { Group, Kind, Row } from "./engine.ts";
import {
  attributesOf,
  C,
  c,
  cString,
  mqReceive,
  mqSend,
  must,
  opened,
  rawQueue,
  realtime,
  timespec,
} from "./raw.ts";
import {
  child,
  drain,
  encoder,
  FAR_MS,
  namedQueue,
  type Receiver,
  RECEIVERS,
  type Receiving,
  SIZES,
  type Way,
} from "./transfer_ways.ts";

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
      for (const way of ways) {
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
      for (const way of ways) {
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
