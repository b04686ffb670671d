/** Watching descriptors in the event loop: what arrives is told, what cannot be watched refused. */

import "../support/loaded.ts";
import { assertEquals, assertGreaterOrEqual } from "../assert.ts";
import { test, type TestOptions } from "../harness.ts";
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
  sys,
  watchReadable,
} from "../../src/sys/mod.ts";
import { uniqueName } from "../../mod.ts";
import { refusal } from "../support/refusal.ts";
import { until } from "../support/until.ts";

/** Where the event loop watches none of our descriptors. */
const NODE_ONLY: TestOptions = {
  not: {
    deno: "Deno's event loop watches no descriptor of ours",
    bun: "Bun ends the process in uv_poll, which it does not have",
  },
};

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

const descriptors = () => readDirectory("/proc/self/fd").length;

test("watchReadable() is undefined where the event loop watches nothing", () => {
  using object = queue();
  const watch = watchReadable(object.mqd, () => {}, "/watch");
  assertEquals(watch === undefined, sys().watch === undefined);
  watch?.stop();
});

test("watchReadable() calls back for each message, until stop()", NODE_ONLY, async () => {
  using object = queue();
  const got: string[] = [];
  const watch = watchReadable(object.mqd, () => got.push(receive(object.mqd)!), "/watch")!;
  send(object.mqd, "one");
  send(object.mqd, "two");
  await until("both were received", () => got.length === 2);
  send(object.mqd, "three");
  await until("the third was received", () => got.length === 3);
  watch.stop();
  watch.stop();
  send(object.mqd, "four");
  await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals([got, receive(object.mqd)], [["one", "two", "three"], "four"]);
});

test("watchReadable() lets promises go on that its callback resolves", NODE_ONLY, async () => {
  using object = queue();
  const { promise, resolve } = withResolvers();
  const watch = watchReadable(object.mqd, () => {
    watch.stop();
    resolve();
  }, "/watch")!;
  send(object.mqd, "go");
  await promise; // hangs in Node 26 when it is resolved in libuv's own callback
  assertEquals(receive(object.mqd), "go");
});

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((done) => resolve = done);
  return { promise, resolve };
}

test("watchReadable() watches one descriptor twice", NODE_ONLY, async () => {
  using object = queue();
  let first = 0, second = 0;
  const a = watchReadable(object.mqd, () => first++, "/watch")!;
  const b = watchReadable(object.mqd, () => second++, "/watch")!;
  send(object.mqd, "x");
  await until("both were told", () => first > 0 && second > 0);
  a.stop();
  const told = second;
  await until("the other goes on", () => second > told);
  b.stop();
});

test("watchReadable() goes on when the descriptor itself is closed", NODE_ONLY, async () => {
  let told = 0;
  let watch;
  {
    using object = queue();
    send(object.mqd, "x");
    watch = watchReadable(object.mqd, () => told++, "/watch")!;
  }
  await until("it was told", () => told > 0);
  watch.stop();
});

test("watchReadable() throws EBADF for a closed descriptor", NODE_ONLY, () => {
  const fd = open("/dev/null", C.O_RDONLY);
  close(fd, "/dev/null");
  for (const bad of [fd, -1, 1_000_000]) {
    const { code, syscall, target } = refusal(() => watchReadable(bad, () => {}, "nothing"));
    assertEquals([code, syscall, target], ["EBADF", "fcntl", "nothing"]);
  }
});

test("watchReadable() throws EPERM for what cannot be polled", NODE_ONLY, () => {
  const before = descriptors();
  for (const path of ["/proc/self/exe", "/"]) {
    const fd = open(path, C.O_RDONLY);
    const { code, syscall, target } = refusal(() => watchReadable(fd, () => {}, path));
    assertEquals([code, syscall, target], ["EPERM", "epoll_ctl", path]);
    close(fd, path);
  }
  assertEquals(descriptors(), before);
});

test("watchReadable() leaves no descriptor after 1000 watches", NODE_ONLY, async () => {
  using object = queue();
  send(object.mqd, "x");
  const before = descriptors();
  for (let round = 0; round < 1000; round++) {
    let told = false;
    const watch = watchReadable(object.mqd, () => told = true, "/watch")!;
    if (round % 100 === 0) await until("it was told", () => told);
    watch.stop();
  }
  assertEquals(descriptors(), before);
});

test("watchReadable() tells a busy program often", NODE_ONLY, async () => {
  using object = queue();
  let got = 0;
  const watch = watchReadable(object.mqd, () => {
    while (receive(object.mqd) !== undefined) got++;
  }, "/watch")!;
  for (let sent = 0; sent < 1000; sent++) {
    send(object.mqd, "x");
    if (sent % 4 === 3) await until("it was emptied", () => got === sent + 1);
  }
  watch.stop();
  assertGreaterOrEqual(got, 1000);
});
