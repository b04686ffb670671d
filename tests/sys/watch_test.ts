/** Watching descriptors in the event loop: what arrives is told, what cannot be watched refused. */

import "../support/loaded.ts";
import { assertEquals, assertGreaterOrEqual } from "../assert.ts";
import { test } from "../harness.ts";
import {
  C,
  close,
  mqClose,
  mqOpen,
  mqReceive,
  mqSend,
  mqUnlink,
  open,
  readDirectory,
  type Watch,
  watchReadable,
} from "../../src/sys/mod.ts";
import { uniqueName } from "../../mod.ts";
import { refusal } from "../support/refusal.ts";
import { until } from "../support/until.ts";

const none = () => undefined;

/** A queue's descriptor, closed at the end of the scope. */
function queue(): Disposable & { mqd: number } {
  const name = uniqueName("watch");
  const flags = C.O_CREAT | C.O_EXCL | C.O_RDWR | C.O_NONBLOCK | C.O_CLOEXEC;
  const mqd = mqOpen(name, flags, 0o600, { maxMessages: 4, maxMessageBytes: 8 }, none);
  mqUnlink(name, none);
  return { mqd, [Symbol.dispose]: () => mqClose(mqd, name) };
}

function send(mqd: number, text: string): void {
  mqSend(mqd, new TextEncoder().encode(text), 0, "/watch", none);
}

function receive(mqd: number): string | undefined {
  const bytes = new Uint8Array(8);
  const length = mqReceive(mqd, bytes, "/watch", none);
  return length === -1 ? undefined : new TextDecoder().decode(bytes.subarray(0, length));
}

/** A watch that has begun. */
function watching(fd: number, onReadable: () => void): Watch {
  const watch = watchReadable(fd, onReadable, "/watch");
  watch.resume();
  return watch;
}

/** Stops a watch; comes back when no call waits for it any more. */
async function stopped(watch: Watch): Promise<void> {
  watch.stop();
  await until("its call is back", () => !watch.isParked());
}

const descriptors = () => readDirectory("/proc/self/fd").length;

test("watchReadable() calls back for each message, until stop()", async () => {
  using object = queue();
  const got: string[] = [];
  const watch = watching(object.mqd, () => got.push(receive(object.mqd)!));
  send(object.mqd, "one");
  send(object.mqd, "two");
  await until("both were received", () => got.length === 2);
  send(object.mqd, "three");
  await until("the third was received", () => got.length === 3);
  await stopped(watch);
  await stopped(watch);
  send(object.mqd, "four");
  await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals([got, receive(object.mqd)], [["one", "two", "three"], "four"]);
});

test("watchReadable() lets promises go on that its callback resolves", async () => {
  using object = queue();
  const { promise, resolve } = withResolvers();
  const watch = watching(object.mqd, () => {
    watch.stop();
    resolve();
  });
  send(object.mqd, "go");
  await promise; // hangs in Node 26 when it is resolved in libuv's own callback
  assertEquals(receive(object.mqd), "go");
});

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((done) => resolve = done);
  return { promise, resolve };
}

test("watchReadable() watches one descriptor twice", async () => {
  using object = queue();
  let first = 0, second = 0;
  const a = watching(object.mqd, () => first++);
  const b = watching(object.mqd, () => second++);
  send(object.mqd, "x");
  await until("both were told", () => first > 0 && second > 0);
  await stopped(a);
  const told = second;
  await until("the other goes on", () => second > told);
  await stopped(b);
});

test("watchReadable() goes on when the descriptor itself is closed", async () => {
  let told = 0;
  let watch;
  {
    using object = queue();
    send(object.mqd, "x");
    watch = watching(object.mqd, () => told++);
  }
  await until("it was told", () => told > 0);
  await stopped(watch);
});

test("watchReadable() does not call back while it is paused", async () => {
  using object = queue();
  let told = 0;
  const watch = watching(object.mqd, () => told++);
  watch.pause();
  await new Promise((resolve) => setTimeout(resolve, 5));
  const before = told; // it may have been called a last time
  send(object.mqd, "x");
  watch.resume();
  await until("it was told", () => told > before);
  await stopped(watch);
});

test("watchReadable() throws EBADF for a closed descriptor", () => {
  const fd = open("/dev/null", C.O_RDONLY);
  close(fd, "/dev/null");
  for (const bad of [fd, -1, 1_000_000]) {
    const { code, syscall, target } = refusal(() => watchReadable(bad, () => {}, "nothing"));
    assertEquals([code, syscall, target], ["EBADF", "fcntl", "nothing"]);
  }
});

test("watchReadable() throws EPERM for what cannot be polled", () => {
  const before = descriptors();
  for (const path of ["/proc/self/exe", "/"]) {
    const fd = open(path, C.O_RDONLY);
    const { code, syscall, target } = refusal(() => watchReadable(fd, () => {}, path));
    assertEquals([code, syscall, target], ["EPERM", "epoll_ctl", path]);
    close(fd, path);
  }
  assertEquals(descriptors(), before);
});

test("watchReadable() leaves no descriptor after 1000 watches", async () => {
  using object = queue();
  send(object.mqd, "x");
  const before = descriptors();
  for (let round = 0; round < 1000; round++) {
    let told = false;
    const watch = watching(object.mqd, () => told = true);
    if (round % 100 === 0) await until("it was told", () => told);
    watch.stop();
  }
  await until("all are closed", () => descriptors() === before);
});

test("watchReadable() tells a busy program often", async () => {
  using object = queue();
  let got = 0;
  const watch = watching(object.mqd, () => {
    while (receive(object.mqd) !== undefined) got++;
  });
  for (let sent = 0; sent < 1000; sent++) {
    send(object.mqd, "x");
    if (sent % 4 === 3) await until("it was emptied", () => got === sent + 1);
  }
  await stopped(watch);
  assertGreaterOrEqual(got, 1000);
});
