/** MessageQueue in one process: what each call does, and what each says when it cannot. */

import "../support/loaded.ts";
import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "../assert.ts";
import { test } from "../harness.ts";
import { ClosedError, MessageQueue, type SignalName, uniqueName } from "../../mod.ts";
import { privateQueue, queueName } from "../support/names.ts";
import { badNames, refusal } from "../support/refusal.ts";
import { geteuid } from "../../src/sys/mod.ts";

const SMALL = { maxMessages: 2, maxMessageBytes: 16 };

test("MessageQueue.create() makes a queue of the sizes asked for", () => {
  using names = queueName();
  using queue = MessageQueue.create(names.name, { maxMessages: 3, maxMessageBytes: 32 });
  assertEquals(queue.name, names.name);
  assertEquals([queue.maxMessages, queue.maxMessageBytes, queue.length], [3, 32, 0]);
  assertEquals(queue.access, "rw");
});

test("MessageQueue.create() takes the kernel's defaults for what is left out", () => {
  const { defaultMessages, defaultMessageBytes } = MessageQueue.limits();
  using first = queueName();
  using depth = MessageQueue.create(first.name, { maxMessageBytes: 16 });
  assertEquals([depth.maxMessages, depth.maxMessageBytes], [defaultMessages, 16]);
  using second = queueName();
  using width = MessageQueue.create(second.name, { maxMessages: 1 });
  assertEquals([width.maxMessages, width.maxMessageBytes], [1, defaultMessageBytes]);
  width.close();
  using third = queueName();
  using both = MessageQueue.create(third.name);
  assertEquals([both.maxMessages, both.maxMessageBytes], [defaultMessages, defaultMessageBytes]);
});

test("MessageQueue.create() throws EEXIST when there is one, and leaves it alone", () => {
  using names = queueName();
  using queue = MessageQueue.create(names.name, SMALL);
  queue.trySend("kept");
  const error = refusal(() => MessageQueue.create(names.name, { maxMessages: 1 }));
  assertEquals([error.code, error.syscall, error.target], ["EEXIST", "mq_open", names.name]);
  assertEquals([queue.length, queue.maxMessages], [1, 2]);
});

test("MessageQueue.open() throws ENOENT when there is none", () => {
  const name = uniqueName("test");
  const error = refusal(() => MessageQueue.open(name));
  assertEquals([error.code, error.errno, error.syscall, error.target], [
    "ENOENT",
    2,
    "mq_open",
    name,
  ]);
});

test("MessageQueue.openOrCreate() makes one, then opens it with its messages and sizes", () => {
  using names = queueName();
  using made = MessageQueue.openOrCreate(names.name, SMALL);
  made.trySend("kept");
  using opened = MessageQueue.openOrCreate(names.name, { maxMessages: 9, maxMessageBytes: 99 });
  assertEquals([opened.maxMessages, opened.maxMessageBytes, opened.length], [2, 16, 1]);
  assertEquals(opened.tryReceive()?.text(), "kept");
});

test("MessageQueue.unlink() takes the name, and open handles go on", () => {
  using names = queueName();
  using queue = MessageQueue.create(names.name, SMALL);
  MessageQueue.unlink(names.name);
  assertEquals(refusal(() => MessageQueue.open(names.name)).code, "ENOENT");
  assert(queue.trySend("still here"));
  assertEquals(queue.tryReceive()?.text(), "still here");
});

test("MessageQueue.unlink() throws ENOENT when there is none", () => {
  const error = refusal(() => MessageQueue.unlink(uniqueName("test")));
  assertEquals([error.code, error.syscall], ["ENOENT", "mq_unlink"]);
});

for (const bad of badNames({ directory: "ENOENT", twoSlashes: "EACCES" })) {
  for (const verb of ["create", "open", "openOrCreate"] as const) {
    test(`MessageQueue.${verb}() throws ${bad.code} with a hint for the name ${bad.shown}`, () => {
      const error = refusal(() => MessageQueue[verb](bad.name, SMALL));
      assertEquals([error.code, error.syscall, error.target], [bad.code, "mq_open", bad.name]);
      assertStringIncludes(error.hint ?? "", bad.hint);
    });
  }
}

test("MessageQueue.open() takes a name of 255 bytes after the slash", () => {
  const name = `/${"n".repeat(255)}`;
  try {
    using queue = MessageQueue.create(name, SMALL);
    assertEquals(queue.name, name);
  } finally {
    MessageQueue.unlink(name);
  }
});

test("MessageQueue.create() throws TypeError for a name that C would read differently", () => {
  assertThrows(() => MessageQueue.create("/nul\0inside", SMALL), TypeError, "NUL");
  assertThrows(() => MessageQueue.create(7 as unknown as string, SMALL), TypeError, "a string");
  assertThrows(() => MessageQueue.create("/\ud800", SMALL), TypeError, "surrogate");
});

for (const option of ["maxMessages", "maxMessageBytes"] as const) {
  const limit = option === "maxMessages" ? "msg_max" : "msgsize_max";

  for (const value of [0, -1]) {
    test(`MessageQueue.create() throws EINVAL with the range for ${option} ${value}`, () => {
      using names = queueName();
      const error = refusal(() => MessageQueue.create(names.name, { ...SMALL, [option]: value }));
      assertEquals([error.code, error.syscall], ["EINVAL", "mq_open"]);
      assertStringIncludes(error.hint ?? "", `${option} is ${value}, expected 1 to`);
      assertEquals(refusal(() => MessageQueue.open(names.name)).code, "ENOENT");
    });
  }

  test(`MessageQueue.create() throws EINVAL and names ${limit} above it`, () => {
    const limits = MessageQueue.limits();
    const max = option === "maxMessages" ? limits.maxMessages : limits.maxMessageBytes;
    // What even a privileged process may not have (mq_overview(7)), and what root could allow.
    const ceiling = option === "maxMessages" ? 65_536 : 16_777_216;
    using names = queueName();
    for (
      const [value, wayOut] of [
        [ceiling + 1, `the kernel allows ${ceiling} at most`],
        [ceiling, `sysctl -w fs.mqueue.${limit}=${ceiling}`],
      ] as const
    ) {
      const error = refusal(() => {
        return MessageQueue.create(names.name, { ...SMALL, [option]: value });
      });
      if (error.code === "EMFILE") continue; // CAP_SYS_RESOURCE: this limit does not bind us
      assertEquals(error.code, "EINVAL");
      for (const part of [limit, String(max), wayOut]) {
        assertStringIncludes(error.hint ?? "", part);
      }
    }
    assertEquals(refusal(() => MessageQueue.open(names.name)).code, "ENOENT");
  });

  for (const value of [1.5, NaN, Infinity, -0.5]) {
    test(`MessageQueue.create() throws RangeError for ${option} ${value}`, () => {
      using names = queueName();
      assertThrows(
        () => MessageQueue.create(names.name, { ...SMALL, [option]: value }),
        RangeError,
      );
      assertEquals(refusal(() => MessageQueue.open(names.name)).code, "ENOENT");
    });
  }
}

test("MessageQueue.open() throws TypeError for an access that is none", () => {
  const access = "x" as "r";
  assertThrows(() => MessageQueue.open("/q", { access }), TypeError, 'expected "r", "w" or "rw"');
});

test("MessageQueue.trySend() and tryReceive() keep bytes, priority and order", () => {
  using queue = privateQueue({ maxMessages: 6, maxMessageBytes: 256 });
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
  assert(queue.trySend(bytes, { priority: 5 }));
  assert(queue.trySend("low", { priority: 0 }));
  assert(queue.trySend("also 5", { priority: 5 }));
  assert(queue.trySend("höchste", { priority: 32767 }));
  assertEquals(queue.length, 4);
  assertEquals(
    [queue.tryReceive(), queue.tryReceive(), queue.tryReceive(), queue.tryReceive()].map((
      message,
    ) => [message?.priority, message?.data.byteLength]),
    [[32767, 8], [5, 256], [5, 6], [0, 3]],
  );
  assertEquals(queue.tryReceive(), undefined);
});

test("MessageQueue.trySend() sends an empty message", () => {
  using queue = privateQueue();
  assert(queue.trySend(new Uint8Array(0), { priority: 1 }));
  assert(queue.trySend(""));
  assertEquals(queue.length, 2);
  assertEquals(queue.tryReceive()?.data.byteLength, 0);
  assertEquals(queue.tryReceiveInto(new Uint8Array(64)), { byteLength: 0, priority: 0 });
});

test("MessageQueue.trySend() sends only the bytes of a view, also of shared memory", () => {
  using queue = privateQueue();
  const bytes = new TextEncoder().encode("--part--");
  queue.trySend(bytes.subarray(2, 6));
  const shared = new Uint8Array(new SharedArrayBuffer(8));
  shared.set(bytes);
  queue.trySend(shared.subarray(2, 6));
  assertEquals([queue.tryReceive()?.text(), queue.tryReceive()?.text()], ["part", "part"]);
});

test("MessageQueue.trySend() gives false when the queue is full, and changes nothing", () => {
  using queue = privateQueue({ maxMessages: 1, maxMessageBytes: 16 });
  assert(queue.trySend("first"));
  assertFalse(queue.trySend("second", { priority: 9 }));
  assertEquals(queue.length, 1);
  assertEquals(queue.tryReceive()?.text(), "first");
});

test("MessageQueue.trySend() throws EMSGSIZE for one byte too many", () => {
  using queue = privateQueue({ maxMessages: 2, maxMessageBytes: 16 });
  assert(queue.trySend("x".repeat(16)));
  const error = refusal(() => queue.trySend("x".repeat(17)));
  assertEquals([error.code, error.syscall, error.target], ["EMSGSIZE", "mq_send", queue.name]);
  assertStringIncludes(error.hint ?? "", "16 bytes");
  assertEquals(queue.length, 1);
});

test("MessageQueue.trySend() throws EINVAL for a priority of 32768", () => {
  using queue = privateQueue();
  const error = refusal(() => queue.trySend("x", { priority: 32768 }));
  assertEquals([error.code, error.syscall], ["EINVAL", "mq_send"]);
  assertStringIncludes(error.hint ?? "", "0 to 32767");
  assertEquals(queue.length, 0);
});

for (const priority of [-1, 1.5, NaN, 2 ** 32, 2 ** 40]) {
  test(`MessageQueue.trySend() throws RangeError for the priority ${priority}`, () => {
    using queue = privateQueue();
    assertThrows(() => queue.trySend("x", { priority }), RangeError, "0 to 32767");
    assertThrows(() => queue.sendSync("x", { priority }), RangeError, "0 to 32767");
    assertEquals(queue.length, 0);
  });
}

test("MessageQueue.trySend() throws TypeError for what are no bytes", () => {
  using queue = privateQueue();
  for (const data of [7, null, undefined, {}, [1, 2], new ArrayBuffer(4), new Uint16Array(2)]) {
    assertThrows(() => queue.trySend(data as unknown as string), TypeError, "a Uint8Array or a");
  }
  assertEquals(queue.length, 0);
});

test("MessageQueue.tryReceiveInto() writes into the caller's buffer", () => {
  using queue = privateQueue({ maxMessages: 2, maxMessageBytes: 8 });
  queue.trySend("hello", { priority: 3 });
  const buffer = new Uint8Array(10).fill(255);
  assertEquals(queue.tryReceiveInto(buffer), { byteLength: 5, priority: 3 });
  assertEquals([...buffer], [...new TextEncoder().encode("hello"), 255, 255, 255, 255, 255]);
  assertEquals(queue.tryReceiveInto(buffer), undefined);
});

test("MessageQueue.tryReceiveInto() throws EMSGSIZE for a small buffer, message kept", () => {
  using queue = privateQueue({ maxMessages: 2, maxMessageBytes: 8 });
  queue.trySend("hi");
  for (const length of [0, 7]) {
    const error = refusal(() => queue.tryReceiveInto(new Uint8Array(length)));
    assertEquals([error.code, error.syscall], ["EMSGSIZE", "mq_receive"]);
    assertStringIncludes(error.hint ?? "", "at most 8 bytes");
  }
  assertThrows(() => queue.tryReceiveInto({} as Uint8Array), TypeError);
  assertEquals(queue.tryReceive()?.text(), "hi");
});

test("MessageQueue.tryReceive() gives bytes that later messages do not change", () => {
  using queue = privateQueue();
  queue.trySend("one");
  const first = queue.tryReceive();
  queue.trySend("two");
  queue.tryReceive();
  assertEquals(first?.text(), "one");
});

test("MessageQueue.open() with access r or w refuses the other with EBADF", () => {
  using names = queueName();
  using owner = MessageQueue.create(names.name, SMALL);
  using reader = MessageQueue.open(names.name, { access: "r" });
  using writer = MessageQueue.open(names.name, { access: "w" });
  const sending = refusal(() => reader.trySend("x"));
  assertEquals([sending.code, sending.syscall], ["EBADF", "mq_send"]);
  assertStringIncludes(sending.hint ?? "", 'access: "r"');
  assertEquals(refusal(() => reader.sendSync("x")).code, "EBADF");
  assertEquals(refusal(() => writer.tryReceive()).code, "EBADF");
  assertEquals(refusal(() => writer.receiveSync()).code, "EBADF");
  assert(writer.trySend("x"));
  assertEquals(owner.length, 1);
  assertEquals(reader.tryReceive()?.text(), "x");
});

test("MessageQueue.sendSync() gives false at the deadline of a full queue", () => {
  using queue = privateQueue({ maxMessages: 1, maxMessageBytes: 16 });
  assert(queue.sendSync("first"));
  const start = performance.now();
  assertFalse(queue.sendSync("second", { timeoutMs: 30 }));
  assert(performance.now() - start >= 30);
  assertFalse(queue.sendSync("second", { timeoutMs: 0 }));
  assertEquals(queue.length, 1);
});

test("MessageQueue.receiveSync() gives undefined at the deadline of an empty queue", () => {
  using queue = privateQueue();
  const start = performance.now();
  assertEquals(queue.receiveSync({ timeoutMs: 30.5 }), undefined);
  assert(performance.now() - start >= 30.5);
  assertEquals(queue.receiveSync({ timeoutMs: 0 }), undefined);
});

test("MessageQueue.receiveSync() takes what is there, whatever the deadline", () => {
  using queue = privateQueue();
  for (const timeoutMs of [0, 0.1, 1e9, Infinity]) {
    queue.trySend("x");
    assertEquals(queue.receiveSync({ timeoutMs })?.text(), "x");
  }
});

test("MessageQueue.receiveSync() throws for a deadline that is none", () => {
  using queue = privateQueue();
  queue.trySend("kept");
  for (const timeoutMs of [-1, NaN, -Infinity]) {
    assertThrows(() => queue.receiveSync({ timeoutMs }), RangeError, "expected 0 or more");
    assertThrows(() => queue.sendSync("x", { timeoutMs }), RangeError, "expected 0 or more");
  }
  assertThrows(() => queue.receiveSync({ timeoutMs: "1" as unknown as number }), TypeError);
  assertEquals(queue.length, 1);
});

test("MessageQueue.status() shows what the kernel shows, on every kind of handle", () => {
  using names = queueName();
  using queue = MessageQueue.create(names.name, SMALL);
  queue.trySend("12345");
  queue.trySend("123");
  const { uid, gid } = queue.status();
  const expected = { queuedBytes: 8, notify: 0, signo: 0, notifyPid: 0, uid, gid, mode: 0o600 };
  assertEquals(uid, geteuid());
  for (const access of ["r", "w", "rw"] as const) {
    using handle = MessageQueue.open(names.name, { access });
    assertEquals(handle.status(), expected);
    assertEquals(handle.length, 2);
  }
});

test("MessageQueue.notify() throws TypeError for a signal that is none", () => {
  using queue = privateQueue();
  for (const signal of ["SIGNOPE", "toString", ""]) {
    assertThrows(() => queue.notify(signal as SignalName), TypeError, "SIGUSR1");
  }
});

test("MessageQueue.notify() registers once per queue until it is cancelled", () => {
  using queue = privateQueue();
  const cancel = queue.notify("SIGCONT");
  assertEquals(queue.status().signo, 18);
  assert(queue.status().notifyPid > 0);
  const error = refusal(() => queue.notify("SIGCONT"));
  assertEquals([error.code, error.syscall], ["EBUSY", "mq_notify"]);
  cancel();
  cancel();
  assertEquals(queue.status().notifyPid, 0);
  const again = queue.notify("SIGWINCH");
  cancel(); // an old cancel leaves a new registration alone
  assertEquals(queue.status().signo, 28);
  again();
});

test("MessageQueue.close() ends everything but itself", () => {
  const queue = privateQueue();
  const cancel = queue.notify("SIGCONT");
  assertFalse(queue.closed);
  queue.close();
  queue.close();
  queue[Symbol.dispose]();
  assert(queue.closed);
  cancel();
  const uses: (() => unknown)[] = [
    () => queue.trySend("x"),
    () => queue.sendSync("x"),
    () => queue.tryReceive(),
    () => queue.receiveSync(),
    () => queue.tryReceiveInto(new Uint8Array(64)),
    () => queue.length,
    () => queue.status(),
    () => queue.notify("SIGCONT"),
  ];
  for (const use of uses) {
    assertEquals(assertThrows(use, ClosedError).target, queue.name);
  }
  assertEquals([queue.maxMessages, queue.access], [4, "rw"]);
});

test("MessageQueue.close() leaves a recycled descriptor alone", () => {
  const closed = privateQueue();
  closed.close();
  using queue = privateQueue(); // gets the descriptor that was just given back
  closed.close();
  assert(queue.trySend("x"));
});

test("MessageQueue.list() shows a queue with its sizes", () => {
  using names = queueName();
  using queue = MessageQueue.create(names.name, { ...SMALL, mode: 0o640 });
  queue.trySend("x");
  const { queues, source, userBytes } = MessageQueue.list();
  const entry = queues.find(({ name }) => name === names.name);
  assertEquals([entry?.maxMessages, entry?.maxMessageBytes, entry?.length], [2, 16, 1]);
  assert(["/dev/mqueue", "private mount", "processes"].includes(source));
  assert(userBytes >= 2 * (16 + 96));
  MessageQueue.unlink(names.name);
  assertFalse(MessageQueue.list().queues.some(({ name }) => name === names.name));
});

test("MessageQueue.limits() gives the kernel's limits", () => {
  const limits = MessageQueue.limits();
  assert(limits.maxMessages >= 1 && limits.maxMessageBytes >= 1 && limits.maxQueues >= 0);
  assert(limits.defaultMessages <= limits.maxMessages);
  assert(limits.maxUserBytes.soft <= limits.maxUserBytes.hard);
});

test("MessageQueue.trySend() sends with priority -0 as with 0", () => {
  using queue = privateQueue();
  assert(queue.trySend("x", { priority: -0 }));
  assertEquals(queue.tryReceive()?.priority, 0);
  assertThrows(() => queue.trySend("x", { priority: "5" as unknown as number }), TypeError, '"5"');
});

test("MessageQueue.create() throws RangeError for a mode that is no permission bits", () => {
  for (const mode of [-1, 0o1000, 600, 2 ** 32, 1.5]) {
    assertThrows(() => MessageQueue.create(uniqueName("test"), { ...SMALL, mode }), RangeError);
  }
});

test("MessageQueue.open() throws TypeError for an owner that is none", () => {
  const owner = "everybody" as "any";
  assertThrows(() => MessageQueue.open("/q", { owner }), TypeError, '"self" or "any"');
});

test("MessageQueue believes the engine, not a view, how long it is", () => {
  using queue = privateQueue({ maxMessages: 2, maxMessageBytes: 4096 });
  class Longer extends Uint8Array {
    override get byteLength(): number {
      return 4096;
    }
  }
  const own = new Uint8Array(4);
  Object.defineProperty(own, "byteLength", { value: 4096 });
  for (const forged of [new Longer(4), own]) {
    assert(queue.trySend(forged));
    assertEquals(queue.tryReceive()?.data.byteLength, 4);
    queue.trySend("x");
    assertEquals(refusal(() => queue.tryReceiveInto(forged)).code, "EMSGSIZE");
    assertEquals(queue.tryReceive()?.text(), "x");
  }
});

test("MessageQueue.trySend() throws TypeError for bytes that are gone", () => {
  using queue = privateQueue();
  const detached = new Uint8Array(4);
  structuredClone(detached, { transfer: [detached.buffer] });
  const buffer = new ArrayBuffer(8, { maxByteLength: 8 });
  const outside = new Uint8Array(buffer, 4, 4);
  buffer.resize(2);
  for (const gone of [detached, outside, new Proxy(new Uint8Array(4), {})]) {
    assertThrows(() => queue.trySend(gone), TypeError);
    assertThrows(() => queue.tryReceiveInto(gone), TypeError);
  }
  assertEquals(queue.length, 0);
});

test("MessageQueue throws ClosedError when an argument closes it", () => {
  for (
    const use of [
      (queue, close) =>
        queue.trySend("x", {
          get priority() {
            return close();
          },
        }),
      (queue, close) =>
        queue.sendSync("x", {
          get priority() {
            return close();
          },
        }),
      (queue, close) =>
        queue.sendSync("x", {
          get timeoutMs() {
            return close();
          },
        }),
      (queue, close) =>
        queue.receiveSync({
          get timeoutMs() {
            return close();
          },
        }),
    ] as ((queue: MessageQueue, close: () => number) => unknown)[]
  ) {
    const queue = privateQueue();
    let other: MessageQueue | undefined;
    const close = () => {
      queue.close();
      other = privateQueue(); // gets the descriptor that was just given back
      return 0;
    };
    assertThrows(() => use(queue, close), ClosedError);
    assertEquals(other?.length, 0);
    other?.close();
  }
});

test("MessageQueue cannot be made by new", () => {
  const Loose = MessageQueue as unknown as new (...values: unknown[]) => MessageQueue;
  for (const values of [[], [0, "/x", "rw"], [Symbol(), 0, "/x", "rw"]]) {
    assertThrows(() => new Loose(...values), TypeError, "MessageQueue.create");
  }
});

test("Message.text() gives back a byte order mark", () => {
  using queue = privateQueue();
  queue.trySend("\ufeffbom");
  assertEquals(queue.tryReceive()?.text(), "\ufeffbom");
});

test("uniqueName() gives names that no other call gives", () => {
  const names = new Set(Array.from({ length: 1000 }, () => uniqueName("n")));
  assertEquals(names.size, 1000);
  for (const name of names) assert(name.startsWith("/n-"));
});

test("MessageQueue throws TypeError for options that are none", async () => {
  using queue = privateQueue();
  const wrong = 9 as never, nothing = null as never;
  for (const options of [wrong, nothing]) {
    assertThrows(() => queue.trySend("x", options), TypeError, "expected an object");
    assertThrows(() => queue.sendSync("x", options), TypeError, "expected an object");
    assertThrows(() => queue.receiveSync(options), TypeError, "expected an object");
    assertThrows(() => MessageQueue.open("/x", options), TypeError, "expected an object");
    assertThrows(() => MessageQueue.create("/x", options), TypeError, "expected an object");
    await assertRejects(() => queue.send("x", options), TypeError, "expected an object");
    await assertRejects(() => queue.receive(options), TypeError, "expected an object");
  }
  assertEquals(queue.length, 0);
});
