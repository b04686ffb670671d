/** mq_getattr and mq_setattr. The library never sets flags: its handles are always nonblocking. */

import { ClosedError, MessageQueue } from "../../mod.ts";
import { assertEquals, assertNotEquals, assertThrows } from "../assert.ts";
import { privateQueue, queueName } from "../support/names.ts";
import type { Group } from "./engine.ts";
import {
  answer,
  attributes,
  attributesOf,
  C,
  c,
  cString,
  fieldsOf,
  mqOpen,
  mqReceive,
  mqSend,
  must,
  opened,
  rawQueue,
  realtime,
} from "./raw.ts";

const hi = new TextEncoder().encode("hi");
const SIZES = { maxMessages: 2, maxMessageBytes: 16 };

/** mq_setattr(3), only for its flags: 0 or the name of the error. */
function setFlags(mqd: number, flags: number): number | string {
  return answer(() => c.mq_setattr(mqd, attributes({ flags }).bytes, null));
}

/** A descriptor that stands for no queue. */
function directory() {
  return opened(must(() => c.open(cString("/"), C.O_RDONLY, 0)));
}

export const mqGetattrGroup: Group = {
  name: "mq_getattr",
  rows: [
    {
      number: "1",
      says: "tells the flags, the sizes and the number of waiting messages",
      kind: "Y",
      linux: "all four fields; the library's maxMessages, maxMessageBytes and length are these",
      check() {
        using it = queueName();
        using queue = MessageQueue.create(it.name, SIZES);
        queue.trySend("one");
        using raw = opened(mqOpen(it.name, C.O_RDONLY | C.O_NONBLOCK));
        const found = attributesOf(raw.fd);
        assertEquals(found, { flags: C.O_NONBLOCK, maxmsg: 2, msgsize: 16, curmsgs: 1 });
        assertEquals(
          [queue.maxMessages, queue.maxMessageBytes, queue.length],
          [found.maxmsg, found.msgsize, found.curmsgs],
        );
      },
    },
    {
      number: "2",
      says: "the flags are those of the open call and of later changes",
      kind: "Y",
      linux: "O_NONBLOCK and nothing else",
      check() {
        using waits = rawQueue(C.O_RDWR);
        using never = rawQueue(C.O_RDWR | C.O_NONBLOCK);
        assertEquals(attributesOf(waits.fd).flags, 0);
        assertEquals(attributesOf(never.fd).flags, C.O_NONBLOCK);
        assertEquals(setFlags(waits.fd, C.O_NONBLOCK), 0);
        assertEquals(setFlags(never.fd, 0), 0);
        assertEquals(attributesOf(waits.fd).flags, C.O_NONBLOCK);
        assertEquals(attributesOf(never.fd).flags, 0);
      },
    },
    {
      number: "3",
      says: "the sizes are those that the queue was created with",
      kind: "Y",
      linux: "through every handle, however it was opened",
      check() {
        using it = queueName();
        using queue = MessageQueue.create(it.name, { maxMessages: 3, maxMessageBytes: 17 });
        using again = MessageQueue.open(it.name, { access: "w" });
        for (const { maxMessages, maxMessageBytes } of [queue, again]) {
          assertEquals([maxMessages, maxMessageBytes], [3, 17]);
        }
        using raw = opened(mqOpen(it.name, C.O_RDONLY));
        const { maxmsg, msgsize } = attributesOf(raw.fd);
        assertEquals([maxmsg, msgsize], [3, 17]);
      },
    },
    {
      number: "4",
      says: "the number of messages is that of those waiting now",
      kind: "Y",
      linux: "counted through a walk of sending and receiving",
      check() {
        using queue = privateQueue({ maxMessages: 4, maxMessageBytes: 16 });
        const walk = [1, 1, 1, -1, -1, 1, 1, 1, -1, -1, -1, -1];
        let expected = 0;
        assertEquals(queue.length, 0);
        for (const step of walk) {
          if (step === 1) assertEquals(queue.trySend("m"), true);
          else assertNotEquals(queue.tryReceive(), undefined);
          expected += step;
          assertEquals(queue.length, expected);
        }
      },
    },
    {
      number: "5",
      says: "success is 0",
      kind: "Y",
      linux: "0",
      check() {
        using raw = rawQueue();
        assertEquals(c.mq_getattr(raw.fd, attributes().bytes), 0);
      },
    },
    {
      number: "6",
      says: "failure is -1 with an error number",
      kind: "Y",
      linux: "-1 and EBADF",
      check() {
        assertEquals(c.mq_getattr(-1, attributes().bytes), -1);
        assertEquals(answer(() => c.mq_getattr(-1, attributes().bytes)), "EBADF");
      },
    },
    {
      number: "7",
      says: "EBADF: the descriptor is none of a queue",
      kind: "Y",
      linux: "EBADF for a directory too; a closed handle of the library throws ClosedError",
      check() {
        using notQueue = directory();
        assertEquals(answer(() => c.mq_getattr(notQueue.fd, attributes().bytes)), "EBADF");
        const queue = privateQueue(SIZES);
        queue.close();
        assertThrows(() => queue.length, ClosedError);
      },
    },
  ],
};

export const mqSetattrGroup: Group = {
  name: "mq_setattr",
  rows: [
    {
      number: "1",
      says: "changes the nonblocking flag and nothing else",
      kind: "Y",
      linux: "sizes and length that are passed do not count; flags that are unknown are EINVAL",
      check() {
        using raw = rawQueue();
        assertEquals(mqSend(raw.fd, hi, 0), 0);
        const other = attributes({ flags: C.O_NONBLOCK, maxmsg: 4, msgsize: 99, curmsgs: 7 });
        assertEquals(c.mq_setattr(raw.fd, other.bytes, null), 0);
        assertEquals(attributesOf(raw.fd), {
          flags: C.O_NONBLOCK,
          maxmsg: 2,
          msgsize: 16,
          curmsgs: 1,
        });
        assertEquals(setFlags(raw.fd, 1), "EINVAL");
        assertEquals(setFlags(raw.fd, C.O_NONBLOCK | C.O_CREAT), "EINVAL");
      },
    },
    {
      number: "2",
      says: "gives the attributes from before the change when asked for them",
      kind: "Y",
      linux: "as mq_getattr would have",
      check() {
        using raw = rawQueue();
        assertEquals(mqSend(raw.fd, hi, 0), 0);
        const before = attributes({ maxmsg: 0, msgsize: 0 });
        const after = attributes({ flags: C.O_NONBLOCK });
        assertEquals(c.mq_setattr(raw.fd, after.bytes, before.bytes), 0);
        assertEquals(fieldsOf(before), { flags: 0, maxmsg: 2, msgsize: 16, curmsgs: 1 });
        assertEquals(c.mq_setattr(raw.fd, attributes().bytes, before.bytes), 0);
        assertEquals(fieldsOf(before).flags, C.O_NONBLOCK);
      },
    },
    {
      number: "3",
      says: "success is 0, and calls behave as the new flag says",
      kind: "Y",
      linux: "the flag is of the open description: another open of the same queue keeps its own",
      check() {
        using it = queueName();
        using first = opened(mqOpen(it.name, C.O_RDWR | C.O_CREAT | C.O_EXCL));
        using second = opened(mqOpen(it.name, C.O_RDWR));
        assertEquals(setFlags(first.fd, C.O_NONBLOCK), 0);
        assertEquals(mqReceive(first.fd), "EAGAIN");
        assertEquals(mqReceive(second.fd, 16, realtime(20)), "ETIMEDOUT");
        assertEquals(attributesOf(second.fd).flags, 0);
      },
    },
    {
      number: "4",
      says: "failure is -1 with an error number, and changes nothing",
      kind: "Y",
      linux: "after EINVAL the attributes are what they were",
      check() {
        using raw = rawQueue();
        const before = attributesOf(raw.fd);
        assertEquals(c.mq_setattr(raw.fd, attributes({ flags: 1 }).bytes, null), -1);
        assertEquals(attributesOf(raw.fd), before);
      },
    },
    {
      number: "5",
      says: "EBADF: the descriptor is none of a queue",
      kind: "Y",
      linux: "EBADF",
      check() {
        using notQueue = directory();
        for (const fd of [-1, notQueue.fd]) assertEquals(setFlags(fd, 0), "EBADF");
      },
    },
  ],
};
