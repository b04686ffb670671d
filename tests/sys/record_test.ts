/**
 * The record of what a thread has open: all that the library opens is in it, and nothing else.
 *
 * Method: the kernel's own list, /proc/self/fd, is the truth. Whatever the library is asked to do,
 * refused calls included, the descriptors that came into being are those that were entered.
 */

import { isOpen } from "../support/descriptors.ts";
import "../support/loaded.ts";
import { assertEquals, assertGreater } from "../assert.ts";
import { test } from "../harness.ts";
import { MappedFile, MessageQueue, SharedMemory, uniqueName } from "../../mod.ts";
import {
  C,
  close,
  closeOnExec,
  type DescriptorRecord,
  descriptorsIn,
  epollCreate,
  forgetDescriptor,
  formatRecord,
  mountPrivately,
  mqClose,
  mqNotifySocket,
  open,
  readDirectory,
  RECORD_BYTES,
  recordIn,
  recordOn,
  watchReadable,
} from "../../src/sys/mod.ts";
import { SYMBOLS } from "../../src/sys/symbols.ts";
import { privateQueue } from "../support/names.ts";
import { type Random, withSeed } from "../support/random.ts";
import { outcome } from "../support/refusal.ts";

function emptyRecord(): DescriptorRecord {
  const record = recordOn(new SharedArrayBuffer(RECORD_BYTES));
  formatRecord(record);
  return record;
}

/** The record of this thread, in memory that can be looked at. */
function thisRecord(): DescriptorRecord {
  const record = emptyRecord();
  recordIn(record);
  return record;
}

/** What the kernel says is open. */
function openNow(): number[] {
  // What the list is read through is in it, and not open any more.
  return readDirectory("/proc/self/fd").map(({ name }) => Number(name)).filter(isOpen)
    .sort((a, b) => a - b);
}

/** What is open now and was not before, by the kernel and by the record. */
function since(record: DescriptorRecord) {
  const before = new Set(openNow()), entered = new Set(descriptorsIn(record));
  return () => ({
    open: openNow().filter((fd) => !before.has(fd)),
    entered: descriptorsIn(record).filter((fd) => !entered.has(fd)),
  });
}

/** Everything that opens a descriptor and keeps it, by what it is. */
const OPENERS: Record<string, () => () => void> = {
  "a queue": () => closing(privateQueue()),
  "a write-only queue with its status": () => {
    const name = uniqueName("test");
    const writer = MessageQueue.create(name, {
      maxMessages: 1,
      maxMessageBytes: 8,
      access: "w",
    });
    MessageQueue.unlink(name);
    writer.status();
    return () => writer.close();
  },
  "a queue with a callback": () => {
    const queue = privateQueue();
    const cancel = queue.notify(() => {});
    return () => {
      cancel();
      queue.close();
    };
  },
  "memory": () => {
    const name = uniqueName("test");
    const memory = SharedMemory.create(name, { byteLength: 10 });
    SharedMemory.unlink(name);
    return () => memory.close();
  },
  "anonymous memory": () => closing(SharedMemory.anonymous({ byteLength: 10 })),
  "an epoll set": () => closingFd(epollCreate("test")),
  "a socket": () => closingFd(mqNotifySocket("test")),
  "a file": () => closingFd(open("/dev/null", C.O_RDONLY)),
  "a watch": () => {
    const set = epollCreate("test");
    const watch = watchReadable(set, () => {}, "test");
    return () => {
      watch.stop();
      close(set, "test");
    };
  },
};

function closing(handle: { close(): void }): () => void {
  return () => handle.close();
}

function closingFd(fd: number): () => void {
  return () => close(fd, "test");
}

// Once: the counts of the guard, which the first memory of a process brings with the native driver.
SharedMemory.anonymous({ byteLength: 1 }).close();

for (const [what, opener] of Object.entries(OPENERS)) {
  test(`the record has the descriptors of ${what} until it is closed`, () => {
    const look = since(thisRecord());
    const closeIt = opener();
    const { open, entered } = look();
    assertGreater(open.length, 0);
    assertEquals(entered, open);
    closeIt();
    assertEquals(look(), { open: [], entered: [] });
  });
}

test("the record has nothing of what opens and closes, refused calls included", () => {
  const look = since(thisRecord());
  MessageQueue.list();
  SharedMemory.list();
  MessageQueue.limits();
  MappedFile.open("/etc/passwd").close();
  outcome(() => MappedFile.open("/no/such/file"));
  outcome(() => MappedFile.open("/"));
  outcome(() => MessageQueue.open("/no-such-queue"));
  outcome(() => MessageQueue.create(uniqueName("test"), { maxMessages: 1e9 }));
  outcome(() => SharedMemory.open("/no-such-memory"));
  outcome(() => SharedMemory.anonymous({ byteLength: 2 ** 42 }));
  outcome(() => mqClose(-1, "test"));
  outcome(() => close(1_000_000, "test"));
  outcome(() => close(2 ** 31 - 1, "test"));
  assertEquals(look(), { open: [], entered: [] });
});

test("the record has a descriptor that was inherited and is ours now", () => {
  const record = thisRecord();
  const fd = open("/dev/null", C.O_RDONLY);
  forgetDescriptor(record, fd); // as if somebody else had opened it
  closeOnExec(fd, "test");
  assertEquals(descriptorsIn(record).includes(fd), true);
  close(fd, "test");
});

test("the record has the mount of another file system", () => {
  const look = since(thisRecord());
  const fd = outcome(() => mountPrivately("mqueue"));
  if (typeof fd === "string") {
    assertEquals([fd, look()], ["EPERM", { open: [], entered: [] }]); // only root may
    return;
  }
  assertEquals(look(), { open: [fd], entered: [fd] });
  close(fd, "mqueue");
});

test("recordIn() enters what was open before", () => {
  const first = thisRecord();
  const look = since(first);
  using queue = privateQueue();
  const { entered } = look();
  const second = thisRecord();
  assertEquals(descriptorsIn(second), descriptorsIn(first));
  queue.close();
  // The first is nobody's any more: what was in it stays.
  assertEquals(look().entered, entered);
  assertEquals(entered.filter((fd) => descriptorsIn(second).includes(fd)), []);
});

test("descriptorsIn() gives every number that was entered, and forgetDescriptor() takes one", () => {
  const record = emptyRecord();
  const BITS = 6 * 32; // where descriptor 0 is
  const numbers = [0, 1, 30, 31, 32, 63, 1000, 2 ** 20 - 32, 2 ** 20 - 1];
  for (const fd of numbers) record.words[(BITS + fd) >>> 5]! |= 1 << fd;
  assertEquals(descriptorsIn(record), numbers);
  while (numbers.length > 0) {
    forgetDescriptor(record, numbers.splice(numbers.length >>> 1, 1)[0]!);
    assertEquals(descriptorsIn(record), numbers);
  }
});

test("the record is right after any order of opening and closing", () => {
  const look = since(thisRecord());
  const seed = Math.floor(Math.random() * 2 ** 32);
  const held: (() => void)[] = [];
  withSeed(seed, 400, (random: Random) => {
    if (held.length < 12 && !random.oneIn(3)) {
      held.push(random.pick(Object.values(OPENERS))());
    } else held.splice(random.below(held.length), 1)[0]?.();
    const { open, entered } = look();
    assertEquals(entered, open);
  });
  for (const closeIt of held) closeIt();
  assertEquals(look(), { open: [], entered: [] });
});

test("the table of C functions says which of them open a descriptor", () => {
  const opening = /open|creat|socket|dup|accept|pipe|mount|(event|pid|mem|timer|signal)fd/;
  // sem_open(3) maps its file and closes it.
  const others = ["eventfd_read", "eventfd_write", "sem_open", "sem_close", "pidfd_send_signal"];
  for (const [key, row] of Object.entries(SYMBOLS)) {
    assertEquals("opens" in row, opening.test(key) && !others.includes(key), key);
    assertEquals("closes" in row, /close/.test(key) && !others.includes(key), key);
  }
});
