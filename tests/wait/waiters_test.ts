/** The reactor below the queues: many descriptors, closed ones, ones whose number is used again. */

import "../support/loaded.ts";
import process from "node:process";
import { assert, assertEquals, assertLess, assertRejects } from "../assert.ts";
import { test } from "../harness.ts";
import { PosixError } from "../../mod.ts";
import { C, close, getrlimit } from "../../src/sys/mod.ts";
import { bind } from "../../src/sys/load.ts";
import { Waiters } from "../../src/wait/mod.ts";
import { within } from "../support/until.ts";

const { c } = bind({
  eventfd: { parameters: ["u32 count", "i32 flags"], result: "i32" },
  eventfd_write: { parameters: ["i32 fd", "i64 value"], result: "i32" },
  eventfd_read: { parameters: ["i32 fd", "buffer value"], result: "i32" },
  dup: { parameters: ["i32 fd"], result: "i32" },
  dup2: { parameters: ["i32 oldfd", "i32 newfd"], result: "i32" },
});

/** A counter of the kernel, with those who wait until it is not zero. */
class Counter implements Disposable {
  readonly fd: number = c.eventfd(0, C.EFD_CLOEXEC | C.EFD_NONBLOCK);
  readonly waiters: Waiters = new Waiters(this.fd, "counter", false);
  #open = true;

  add(value = 1n): void {
    assertEquals(c.eventfd_write(this.fd, value), 0);
  }

  /** Takes the count. */
  readonly take = (): bigint | undefined => {
    const value = new Uint8Array(8);
    if (c.eventfd_read(this.fd, value) !== 0) return undefined;
    return new DataView(value.buffer).getBigUint64(0, true);
  };

  wait(options: { signal?: AbortSignal } = {}): Promise<bigint> {
    return this.waiters.wait("readable", this.take, options);
  }

  /** Closes the descriptor behind the back of those who wait. */
  closeBehind(): void {
    close(this.fd, "counter");
    this.#open = false;
  }

  [Symbol.dispose](): void {
    this.waiters.end(new Error("the test is over"));
    if (this.#open) close(this.fd, "counter");
  }
}

/** As many as the process may open, at most 4000. */
const MANY = Math.min(4000, getrlimit(C.RLIMIT_NOFILE).soft - 300);

test(`${MANY} descriptors are waited for at once, and each gets what is its own`, async () => {
  assert(MANY >= 500, `the limit on descriptors leaves ${MANY} for this test`);
  const counters = Array.from({ length: MANY }, () => new Counter());
  const waits = counters.map((counter) => counter.wait());
  // From the last to the first, so that the order of waiting is not that of being ready.
  for (let index = MANY - 1; index >= 0; index--) counters[index]!.add(BigInt(index + 1));
  const values = await within("all", Promise.all(waits));
  for (const counter of counters) counter[Symbol.dispose]();
  assertEquals(values.every((value, index) => value === BigInt(index + 1)), true);
});

test("a wait that was cancelled and one that is new do not disturb the others", async () => {
  using first = new Counter(), second = new Counter();
  const controller = new AbortController();
  const cancelled = first.wait({ signal: controller.signal }).catch((reason) => reason);
  const waiting = second.wait();
  controller.abort("no");
  const renewed = first.wait();
  first.add(5n);
  second.add(7n);
  assertEquals(
    await within("all", Promise.all([cancelled, renewed, waiting])),
    ["no", 5n, 7n],
  );
});

test("waiting for a descriptor that is closed rejects with EBADF", async () => {
  using counter = new Counter();
  counter.closeBehind();
  const error = await assertRejects(
    () => counter.waiters.wait("readable", () => undefined, {}),
    PosixError,
  );
  assertEquals([error.code, error.syscall, error.target], ["EBADF", "epoll_ctl", "counter"]);
});

test("a descriptor that is closed behind its waiters leaves the others served", async () => {
  using gone = new Counter(), other = new Counter();
  const controller = new AbortController();
  const lost = gone.wait({ signal: controller.signal }).catch((reason) => reason);
  const waiting = other.wait();
  gone.closeBehind();
  other.add();
  assertEquals(await within("the other", waiting), 1n);
  controller.abort("given up");
  assertEquals(await within("the cancelled", lost), "given up");
});

test("a descriptor that is closed behind its waiters keeps nothing busy through a duplicate", async () => {
  using gone = new Counter(), other = new Counter();
  const lost = gone.wait().catch((error) => error.message);
  const copy = c.dup(gone.fd);
  gone.closeBehind();
  gone.waiters.end(new Error("the handle was closed"));
  assertEquals(await lost, "the handle was closed");
  assertEquals(c.eventfd_write(copy, 1n), 0); // the set tells of it, and can take it out no more
  const waiting = other.wait();
  const before = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, 200));
  const { user, system } = process.cpuUsage(before);
  assertLess(user + system, 100_000);
  other.add();
  assertEquals(await within("the other", waiting), 1n);
  close(copy, "the duplicate");
});

test("a descriptor whose number another one had is waited for as itself", async () => {
  using old = new Counter(), other = new Counter();
  old.wait().catch(() => {});
  const number = old.fd;
  old.closeBehind();
  assertEquals(c.dup2(other.fd, number), number);
  const waiters = new Waiters(number, "the new one", false);
  const waiting = waiters.wait("readable", other.take, {});
  other.add(9n);
  assertEquals(await within("the new one", waiting), 9n);
  waiters.end(new Error("the test is over"));
  close(number, "the new one");
});

test("an attempt that throws rejects its own wait and serves those behind it", async () => {
  using counter = new Counter();
  const bad = counter.waiters.wait("readable", throwLater(), {}).catch((error) => error.message);
  const good = counter.wait();
  counter.add(3n);
  assertEquals(await within("both", Promise.all([bad, good])), ["broken", 3n]);
});

/** Has to wait at first, and throws when it is tried again. */
function throwLater(): () => undefined {
  let tried = false;
  return () => {
    if (tried) throw new Error("broken");
    tried = true;
    return undefined;
  };
}

test("Waiters.end() rejects who waits with the error that it is given, once", async () => {
  using counter = new Counter();
  const waits = [counter.wait(), counter.wait()].map((wait) => wait.catch((error) => error));
  const error = new Error("over");
  counter.waiters.end(error);
  counter.waiters.end(new Error("too late"));
  assertEquals(await Promise.all(waits), [error, error]);
});
