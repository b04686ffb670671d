/**
 * mq_notify. A signal that must not come is never waited for: the registration, which the signal
 * would have ended, is looked at instead.
 */

import process from "node:process";
import { MessageQueue } from "../../mod.ts";
import { assertEquals, assertNotEquals } from "../assert.ts";
import { privateQueue, queueName } from "../support/names.ts";
import { until } from "../support/until.ts";
import { children, heard, say, untilInside } from "./children.ts";
import { codeOf, type Group } from "./engine.ts";
import {
  answer,
  C,
  c,
  cString,
  mqOpen,
  mqReceive,
  must,
  opened,
  R,
  rawQueue,
  sigevent,
  WAITING,
} from "./raw.ts";

const SIZES = { maxMessages: 2, maxMessageBytes: 16 };

/** A registration that nobody is told of. */
const SILENT = sigevent(R.SIGEV_NONE, 0);

/** A signal that does nothing to a process without a listener. */
const SIGNAL = "SIGURG";

/** What a child does; see `children.ts`. */
export const programs = {
  /** Asks to be told, and stays. */
  async register(name: string) {
    using queue = MessageQueue.open(name);
    queue.notify(SIGNAL);
    say("registered");
    await heard();
  },

  /** Waits in mq_receive, as a C program would. */
  receive(name: string) {
    using raw = opened(mqOpen(name, C.O_RDONLY));
    say("receiving");
    return mqReceive(raw.fd);
  },
};

const child = children(import.meta.url, programs);

/** A listener for {@linkcode SIGNAL} that counts, for as long as the scope lasts. */
class Listener implements Disposable {
  #count = 0;
  readonly #listen = () => void this.#count++;

  constructor() {
    process.on(SIGNAL, this.#listen);
  }

  get count(): number {
    return this.#count;
  }

  /** Waits until the signal has come so many times. */
  async until(count: number): Promise<void> {
    await until(`${SIGNAL} has come ${count} times`, () => this.#count >= count);
  }

  [Symbol.dispose](): void {
    process.off(SIGNAL, this.#listen);
  }
}

export const mqNotifyGroup: Group = {
  name: "mq_notify",
  rows: [
    {
      number: "1",
      says: "whoever registers is told when a message arrives in the empty queue",
      kind: "partial",
      linux:
        "told by signal, and only of the step from empty to not empty; being told by a thread " +
        "of C's own is not for JavaScript",
      async check() {
        using listener = new Listener();
        using queue = privateQueue(SIZES);
        queue.trySend("already there");
        queue.notify(SIGNAL);
        queue.trySend("second");
        // Not empty before, so nobody was told and the registration stands.
        assertEquals(queue.status().notifyPid, process.pid);
        queue.tryReceive();
        queue.tryReceive();
        assertEquals([listener.count, queue.status().notifyPid], [0, process.pid]);
        queue.trySend("first");
        await listener.until(1);
        assertEquals(queue.status().notifyPid, 0);
      },
    },
    {
      number: "2",
      says: "one process at a time can be registered",
      kind: "2P",
      linux: "EBUSY while another process is; status() tells which",
      async check() {
        using it = queueName();
        using queue = MessageQueue.create(it.name, SIZES);
        await using other = child.start("register", it.name);
        assertEquals(await other.line(), "registered");
        assertEquals(queue.status().notifyPid, other.pid);
        assertEquals(codeOf(() => void queue.notify(SIGNAL)), "EBUSY");
        await other.write("go\n");
        assertEquals((await other.finished()).code, 0);
        // Its end was the end of its registration.
        const cancel = queue.notify(SIGNAL);
        assertEquals(queue.status().notifyPid, process.pid);
        cancel();
      },
    },
    {
      number: "3",
      says: "a null registration takes the caller's own back",
      kind: "Y",
      linux: "0 also when there is none; the library's cancel does it",
      check() {
        using raw = rawQueue();
        assertEquals(answer(() => c.mq_notify(raw.fd, null)), 0);
        assertEquals(answer(() => c.mq_notify(raw.fd, SILENT)), 0);
        assertEquals(answer(() => c.mq_notify(raw.fd, null)), 0);
        assertEquals(answer(() => c.mq_notify(raw.fd, SILENT)), 0);

        using queue = privateQueue(SIZES);
        const cancel = queue.notify(SIGNAL);
        assertEquals(queue.status().notifyPid, process.pid);
        cancel();
        assertEquals(queue.status().notifyPid, 0);
        cancel();
        queue.notify(SIGNAL)();
      },
    },
    {
      number: "4",
      says: "being told ends the registration",
      kind: "Y",
      linux: "one signal for one registration; registering again works each time",
      async check() {
        using listener = new Listener();
        using queue = privateQueue(SIZES);
        for (let round = 1; round <= 3; round++) {
          queue.notify(SIGNAL);
          assertEquals(queue.status().notifyPid, process.pid);
          queue.trySend("m");
          await listener.until(round);
          assertEquals(queue.status().notifyPid, 0);
          queue.tryReceive();
          queue.trySend("nobody is told");
          queue.tryReceive();
        }
        assertEquals(listener.count, 3);
      },
    },
    {
      number: "5",
      says: "a receiver that waits gets the message, and nobody is told",
      kind: "W+2P",
      linux: "the registration stands until a message finds nobody waiting",
      async check() {
        using listener = new Listener();
        using it = queueName();
        using queue = MessageQueue.create(it.name, SIZES);
        await using receiver = child.start("receive", it.name);
        assertEquals(await receiver.line(), "receiving");
        await untilInside(receiver, WAITING.mq_timedreceive);
        queue.notify(SIGNAL);
        queue.trySend("for the waiter", { priority: 3 });
        const message = { text: "for the waiter", priority: 3 };
        assertEquals(JSON.parse(await receiver.line()), message);
        assertEquals([listener.count, queue.status().notifyPid], [0, process.pid]);
        queue.trySend("for nobody");
        await listener.until(1);
        assertEquals([listener.count, queue.status().notifyPid], [1, 0]);
      },
    },
    {
      number: "6",
      says: "success is 0",
      kind: "Y",
      linux: "0, and the registration shows",
      check() {
        using raw = rawQueue();
        assertEquals(c.mq_notify(raw.fd, SILENT), 0);
        assertEquals(answer(() => c.mq_notify(raw.fd, SILENT)), "EBUSY");
      },
    },
    {
      number: "7",
      says: "failure is -1 with an error number",
      kind: "Y",
      linux: "-1; a signal that is none is EINVAL",
      check() {
        using raw = rawQueue();
        assertEquals(c.mq_notify(-1, SILENT), -1);
        assertEquals(answer(() => c.mq_notify(raw.fd, sigevent(C.SIGEV_SIGNAL, 999))), "EINVAL");
        assertEquals(answer(() => c.mq_notify(raw.fd, SILENT)), 0);
      },
    },
    {
      number: "8",
      says: "EBADF: the descriptor is none of a queue",
      kind: "Y",
      linux: "EBADF",
      check() {
        using notQueue = opened(must(() => c.open(cString("/"), C.O_RDONLY, 0)));
        for (const fd of [-1, notQueue.fd]) {
          assertEquals(answer(() => c.mq_notify(fd, SILENT)), "EBADF");
          assertEquals(answer(() => c.mq_notify(fd, null)), "EBADF");
        }
      },
    },
    {
      number: "9",
      says: "EBUSY: somebody is registered",
      kind: "Y",
      linux: "EBUSY even if it is the caller itself",
      check() {
        using queue = privateQueue(SIZES);
        const cancel = queue.notify(SIGNAL);
        assertEquals(codeOf(() => void queue.notify(SIGNAL)), "EBUSY");
        assertEquals(queue.status().notifyPid, process.pid);
        cancel();
        queue.notify(SIGNAL)();
        assertNotEquals(queue.status().notifyPid, process.pid);
      },
    },
  ],
};
