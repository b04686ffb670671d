/** mq_send and mq_timedsend: fourteen rows that are the same for both, and six on the deadline. */

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
import type { Group, Row } from "./engine.ts";
import {
  attributesOf,
  C,
  c,
  cString,
  type Descriptor,
  mqSend,
  mqTimedsend,
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
  fill,
  namedQueue,
  type Sender,
  SENDERS,
  type Sending,
  SIZES,
  type Way,
} from "./transfer_ways.ts";

/** Numbers from 0 to below `bound`, the same for the same seed. */
function randomNumbers(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * bound);
  };
}

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
