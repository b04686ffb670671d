/** mq_close and mq_unlink: the end of a handle, and the end of a name. */

import process from "node:process";
import { ClosedError, MessageQueue, uniqueName } from "../../mod.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";
import { privateQueue, queueName } from "../support/names.ts";
import { children, heard, say } from "./children.ts";
import { assertRefused, codeOf, type Group, ROOT_USER } from "./engine.ts";
import {
  answer,
  attributes,
  attributesOf,
  becomeUser,
  C,
  c,
  cString,
  mqOpen,
  mqReceive,
  mqSend,
  rawQueue,
} from "./raw.ts";

const SIZES = { maxMessages: 2, maxMessageBytes: 16 };
const SIGNAL = "SIGURG"; // does nothing to a process without a listener
const hi = new TextEncoder().encode("hi");

/** What a child does; see `children.ts`. */
export const programs = {
  /** Asks to be told, then closes the handle and lives on. */
  async registerAndClose(name: string) {
    const queue = MessageQueue.open(name);
    queue.notify(SIGNAL);
    say("registered");
    await heard();
    queue.close();
    say("closed");
    await heard();
  },

  /** In a process of its own: a second close of a number could end somebody else's descriptor. */
  closeTwice() {
    const raw = rawQueue();
    const first = answer(() => c.mq_close(raw.fd));
    const second = answer(() => c.mq_close(raw.fd));
    return [first, second];
  },

  /** Holds a handle while the name is taken away, and receives through it afterwards. */
  async holdAndReceive(name: string) {
    using queue = MessageQueue.open(name);
    say("holding");
    await heard();
    const message = queue.tryReceive();
    const again = codeOf(() => MessageQueue.open(name));
    return { text: message?.text(), again, length: queue.length };
  },

  /** Takes away the name of another user's queue. */
  unlinkAsNobody(name: string) {
    becomeUser();
    const raw = answer(() => c.mq_unlink(cString(name)));
    return { raw, code: codeOf(() => MessageQueue.unlink(name)) };
  },
};

const child = children(import.meta.url, programs);

export const mqCloseGroup: Group = {
  name: "mq_close",
  rows: [
    {
      number: "c1",
      says: "success is 0",
      kind: "Y",
      linux: "0; the library's close() returns, and may be called again",
      check() {
        const name = uniqueName("test");
        const mqd = mqOpen(name, C.O_RDWR | C.O_CREAT | C.O_EXCL);
        assert(typeof mqd === "number");
        assertEquals(c.mq_unlink(cString(name)), 0);
        assertEquals(c.mq_close(mqd), 0);
        const queue = privateQueue(SIZES);
        queue.close();
        queue.close();
        assertEquals(queue.closed, true);
      },
    },
    {
      number: "c2",
      says: "a registration to be told that was made through the descriptor ends with it",
      kind: "2P",
      linux: "another process can register as soon as the handle is closed",
      async check() {
        using it = queueName();
        using queue = MessageQueue.create(it.name, SIZES);
        await using other = child.start("registerAndClose", it.name);
        assertEquals(await other.line(), "registered");
        assertEquals(codeOf(() => void queue.notify(SIGNAL)), "EBUSY");
        await other.write("go\n");
        assertEquals(await other.line(), "closed");
        const cancel = queue.notify(SIGNAL);
        assertEquals(queue.status().notifyPid, process.pid);
        cancel();
        await other.write("go\n");
        assertEquals((await other.finished()).code, 0);
      },
    },
    {
      number: "c3",
      says: "EBADF: the descriptor is none",
      kind: "raw",
      linux: "EBADF for -1, for a number that was never opened and for the second close; the " +
        "library closes once",
      async check() {
        assertEquals(answer(() => c.mq_close(-1)), "EBADF");
        assertEquals(answer(() => c.mq_close(0x7fff_ffff)), "EBADF");
        assertEquals(await child.run("closeTwice"), [0, "EBADF"]);
      },
    },
    {
      number: "c4",
      says: "the descriptor no longer stands for the queue",
      kind: "Y",
      linux: "C's calls answer EBADF, the library's throw ClosedError",
      check() {
        const raw = rawQueue();
        raw.close();
        assertEquals(answer(() => c.mq_getattr(raw.fd, attributes().bytes)), "EBADF");
        assertEquals(mqSend(raw.fd, hi, 0), "EBADF");
        assertEquals(mqReceive(raw.fd), "EBADF");

        const queue = privateQueue(SIZES);
        queue.close();
        assertThrows(() => queue.trySend("hi"), ClosedError);
        assertThrows(() => queue.sendSync("hi"), ClosedError);
        assertThrows(() => queue.tryReceive(), ClosedError);
        assertThrows(() => queue.receiveSync(), ClosedError);
        assertThrows(() => queue.tryReceiveInto(new Uint8Array(16)), ClosedError);
        assertThrows(() => queue.length, ClosedError);
        assertThrows(() => queue.status(), ClosedError);
        assertThrows(() => queue.notify(SIGNAL), ClosedError);
      },
    },
    {
      number: "c5",
      says: "using a descriptor after its close is undefined",
      kind: "N",
      linux: "open to the system, but promised by the library: a closed handle throws even when " +
        "its number stands for another queue by now",
      check() {
        const closed = privateQueue(SIZES);
        closed.trySend("old");
        closed.close();
        // The lowest free number is given out again, so one of these very probably has it.
        const others = Array.from({ length: 8 }, () => rawQueue());
        try {
          assertThrows(() => closed.trySend("stray"), ClosedError);
          assertThrows(() => closed.tryReceive(), ClosedError);
          closed.close();
          for (const { fd } of others) assertEquals(attributesOf(fd).curmsgs, 0);
        } finally {
          for (const other of others) other.close();
        }
      },
    },
  ],
};

export const mqUnlinkGroup: Group = {
  name: "mq_unlink",
  rows: [
    {
      number: "u1",
      says: "the name is gone: opening it without creating fails",
      kind: "Y",
      linux: "ENOENT from open()",
      check() {
        using it = queueName();
        using _queue = MessageQueue.create(it.name, SIZES);
        MessageQueue.open(it.name).close();
        MessageQueue.unlink(it.name);
        assertEquals(codeOf(() => MessageQueue.open(it.name)), "ENOENT");
      },
    },
    {
      number: "u2",
      says: "the queue lives until its last descriptor is closed, and the call does not wait for " +
        "that; whether the name can be used again meanwhile is open",
      kind: "2P",
      linux:
        "another process goes on through its handle; the name is free at once, for a queue of " +
        "its own",
      async check() {
        using it = queueName();
        using queue = MessageQueue.create(it.name, SIZES);
        await using holder = child.start("holdAndReceive", it.name);
        assertEquals(await holder.line(), "holding");
        queue.trySend("after all");
        MessageQueue.unlink(it.name);
        queue.close();
        await holder.write("go\n");
        assertEquals(JSON.parse(await holder.line()), {
          text: "after all",
          again: "ENOENT",
          length: 0,
        });

        using old = privateQueue(SIZES);
        old.trySend("old");
        using first = MessageQueue.create(it.name, SIZES);
        first.trySend("first");
        MessageQueue.unlink(it.name);
        using second = MessageQueue.create(it.name, SIZES);
        assertEquals([first.length, second.length], [1, 0]);
      },
    },
    {
      number: "u3",
      says: "success is 0",
      kind: "Y",
      linux: "0, once",
      check() {
        using it = queueName();
        MessageQueue.create(it.name, SIZES).close();
        assertEquals(c.mq_unlink(cString(it.name)), 0);
        assertEquals(c.mq_unlink(cString(it.name)), -1);
      },
    },
    {
      number: "u4",
      says: "failure is -1, and the queue is as it was",
      kind: "Y",
      linux: "a name that is refused takes nothing away",
      check() {
        using it = queueName();
        using queue = MessageQueue.create(it.name, SIZES);
        queue.trySend("kept");
        for (const name of [`${it.name}x`, it.name.slice(1), `${it.name}/x`]) {
          assertEquals(c.mq_unlink(cString(name)), -1);
          assert(codeOf(() => MessageQueue.unlink(name)) !== "ok");
        }
        using again = MessageQueue.open(it.name);
        assertEquals(again.tryReceive()?.text(), "kept");
      },
    },
    {
      number: "u5",
      says: "EACCES: the caller may not take the name away",
      kind: "UID",
      needs: ROOT_USER,
      linux: "EACCES for another user's queue, whatever its mode: the directory is sticky",
      async check() {
        using it = queueName();
        using queue = MessageQueue.create(it.name, { ...SIZES, mode: 0o666 });
        queue.trySend("kept");
        assertEquals(await child.run("unlinkAsNobody", it.name), { raw: "EACCES", code: "EACCES" });
        using again = MessageQueue.open(it.name);
        assertEquals(again.length, 1);
      },
    },
    {
      number: "u6",
      says: "ENAMETOOLONG: the name is longer than a file's may be",
      kind: "Y",
      linux: "256 and 5000 bytes after the slash; 255 are ENOENT when there is none",
      check() {
        const name = uniqueName("test");
        assertEquals(codeOf(() => MessageQueue.unlink(name.padEnd(256, "x"))), "ENOENT");
        for (const length of [257, 5001]) {
          const long = name.padEnd(length, "x");
          assertRefused(() => MessageQueue.unlink(long), {
            code: "ENAMETOOLONG",
            syscall: "mq_unlink",
            target: long,
          });
        }
      },
    },
    {
      number: "u7",
      says: "ENOENT: there is no queue of that name",
      kind: "Y",
      linux: "ENOENT; without a slash at the start EINVAL",
      check() {
        const name = uniqueName("test");
        assertRefused(() => MessageQueue.unlink(name), {
          code: "ENOENT",
          syscall: "mq_unlink",
          target: name,
        });
        assertEquals(answer(() => c.mq_unlink(cString(name.slice(1)))), "EINVAL");
        assertEquals(codeOf(() => MessageQueue.unlink(name.slice(1))), "EINVAL");
      },
    },
  ],
};
