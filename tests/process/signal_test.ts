/**
 * Signals and blocked calls: Ctrl-C gets through, a terminated worker lets go, notify() tells once.
 *
 * Rule: whatever ends a blocked call, the queue keeps its messages.
 */

import { readFileSync } from "node:fs";
import process from "node:process";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import { MessageQueue, PosixError } from "../../mod.ts";
import "../support/loaded.ts";
import { queueName } from "../support/names.ts";
import { Peer } from "../support/peer.ts";
import { Child } from "../support/process.ts";
import { evalArgs, execPath, FFI_ONLY } from "../support/runtime.ts";
import { until, untilBlocked, within } from "../support/until.ts";

const SIZE = { maxMessages: 2, maxMessageBytes: 64 };

/** Everything that is in the queue, in its order. */
function contents(queue: MessageQueue): string[] {
  const texts: string[] = [];
  for (let message; (message = queue.tryReceive()) !== undefined;) texts.push(message.text());
  return texts;
}

/** Blocks in a call on the queue. */
const blocking = (call: string) => `
  import process from "node:process";
  import { MessageQueue } from "@postbox/postbox";
  using queue = MessageQueue.open(process.argv[2]);
  console.log("ready");
  console.log("came back:", ${call});
`;

/** The same with a listener for SIGINT, and the call once more when that has run. */
const blockingWithListener = (call: string) => `
  import process from "node:process";
  import { MessageQueue, PosixError } from "@postbox/postbox";
  using queue = MessageQueue.open(process.argv[2]);
  const heard = new Promise((resolve) => process.on("SIGINT", () => resolve("heard")));
  const alive = setInterval(() => {}, 60_000); // a listener alone does not keep the process
  console.log("ready");
  try {
    console.log("came back:", ${call});
  } catch (error) {
    console.log(error instanceof PosixError, error.code, error.syscall, error.target);
    console.log(error.hint);
  }
  console.log(await heard);
  clearInterval(alive);
  console.log("again:", ${call});
`;

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`MessageQueue.receiveSync() lets ${signal} end a program without a listener`, async () => {
    using object = queueName();
    using queue = MessageQueue.create(object.name, SIZE);
    await using child = Child.program(blocking("queue.receiveSync()"), object.name);
    assertEquals(await child.line(), "ready");
    await untilBlocked(child.pid, "poll");
    child.kill(signal);
    const finished = await within("the end of the child", child.finished());
    assertEquals([finished.signal, finished.stdout, finished.stderr], [signal, "", ""]);
    assertEquals(contents(queue), []);
  });
}

test("MessageQueue.sendSync() lets SIGINT end a program without a listener", async () => {
  using object = queueName();
  using queue = MessageQueue.create(object.name, SIZE);
  for (const text of ["one", "two"]) assert(queue.trySend(text));
  await using child = Child.program(blocking('queue.sendSync("three")'), object.name);
  assertEquals(await child.line(), "ready");
  await untilBlocked(child.pid, "poll");
  child.kill("SIGINT");
  const finished = await within("the end of the child", child.finished());
  assertEquals([finished.signal, finished.stdout, finished.stderr], ["SIGINT", "", ""]);
  assertEquals(contents(queue), ["one", "two"]);
});

test("MessageQueue.receiveSync() throws EINTR when the program listens, and works again", async () => {
  using object = queueName();
  using queue = MessageQueue.create(object.name, SIZE);
  await using child = Child.program(
    blockingWithListener("queue.receiveSync().text()"),
    object.name,
  );
  assertEquals(await child.line(), "ready");
  await untilBlocked(child.pid, "poll");
  child.kill("SIGINT");
  assertEquals(await within("the error", child.line()), `true EINTR poll ${object.name}`);
  assertStringIncludes(await child.line(), "let the event loop run its listener");
  assertEquals(await child.line(), "heard");

  assert(queue.trySend("one"));
  assert(queue.trySend("two"));
  const finished = await within("the end of the child", child.finished());
  assertEquals([finished.code, finished.stdout], [0, "again: one\n"]);
  assertEquals(contents(queue), ["two"]);
});

test("MessageQueue.receiveSync() goes on when a child of the program ends", async () => {
  using object = queueName();
  using queue = MessageQueue.create(object.name, SIZE);
  // Node listens for the end of children by itself.
  const program = evalArgs(
    `
      import { spawn } from "node:child_process";
      import process from "node:process";
      import { MessageQueue } from "@postbox/postbox";
      const queue = MessageQueue.open(process.argv[2]);
      const { pid } = spawn("cat", { stdio: ["pipe", "ignore", "ignore"] });
      console.log(pid);
      console.log(queue.receiveSync().text());
      process.exit(0);
    `,
    { permissions: ["--allow-ffi", "--allow-run", "--allow-env"] },
  );
  await using child = new Child(execPath(), [...program, object.name]);
  const pid = Number(await child.line());
  await untilBlocked(child.pid, "poll");
  process.kill(pid, "SIGKILL");
  await until("it has ended", () => stateOf(pid) === "Z"); // the program blocks, so nobody reaps it
  await untilBlocked(child.pid, "poll");
  assert(queue.trySend("one"));
  assertEquals(await within("the message", child.line()), "one");
});

/** The state of a process as /proc tells it: Z for one that has ended and was not waited for. */
function stateOf(pid: number): string {
  return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]![0]!;
}

test("MessageQueue.sendSync() throws EINTR when the program listens, and sends nothing", async () => {
  using object = queueName();
  using queue = MessageQueue.create(object.name, SIZE);
  for (const text of ["one", "two"]) assert(queue.trySend(text));
  await using child = Child.program(blockingWithListener('queue.sendSync("three")'), object.name);
  assertEquals(await child.line(), "ready");
  await untilBlocked(child.pid, "poll");
  child.kill("SIGINT");
  assertEquals(await within("the error", child.line()), `true EINTR poll ${object.name}`);
  assertStringIncludes(await child.line(), "let the event loop run its listener");
  assertEquals(await child.line(), "heard");

  // It sends once more now, and that one gets in when there is room: once, not twice.
  assertEquals([queue.tryReceive()?.text(), queue.tryReceive()?.text()], ["one", "two"]);
  const finished = await within("the end of the child", child.finished());
  assertEquals([finished.code, finished.stdout], [0, "again: true\n"]);
  assertEquals(contents(queue), ["three"]);
});

/**
 * A program whose worker blocks in receiveSync(); it goes on when it is told to.
 *
 * @param importWorker Where `Worker` comes from; nothing for the global one.
 */
function withBlockedWorker(name: string, importWorker: string, goOn: string): Child {
  const program = `
    import { once } from "node:events";
    import process from "node:process";
    ${importWorker}
    const source = \`
      import { MessageQueue } from "@postbox/postbox";
      const queue = MessageQueue.open(\${JSON.stringify(process.argv[2])});
      console.log("ready");
      queue.receiveSync();
      console.log("came back");
    \`;
    const url = new URL("data:text/javascript," + encodeURIComponent(source));
    const worker = new Worker(url, { type: "module" });
    await once(process.stdin, "data");
    process.stdin.destroy();
    ${goOn}
  `;
  // To read is what the worker's import needs.
  const args = evalArgs(program, { permissions: [...FFI_ONLY, "--allow-read"] });
  return new Child(execPath(), [...args, name]);
}

const WORKER_OF_NODE = 'import { Worker } from "node:worker_threads";';

// Node's terminate() and exit() wait for the call a worker is in, so no call may be long.
test(
  "MessageQueue.receiveSync() blocks in slices",
  { missing: process.arch === "x64" ? undefined : "the slice is behind a pointer on arm64" },
  async () => {
    using object = queueName();
    using _queue = MessageQueue.create(object.name, SIZE);
    await using child = Child.program(blocking("queue.receiveSync()"), object.name);
    assertEquals(await child.line(), "ready");
    const [, , timeoutMs] = await untilBlocked(child.pid, "poll");
    assertEquals(timeoutMs, 100);
  },
);

test("MessageQueue.receiveSync() in a worker lets go when the worker is terminated", async () => {
  using object = queueName();
  using queue = MessageQueue.create(object.name, SIZE);
  await using child = withBlockedWorker(
    object.name,
    WORKER_OF_NODE,
    `await worker.terminate();
    console.log("terminated"); // and the program comes to its natural end`,
  );
  assertEquals(await child.line(), "ready");
  await untilBlocked(child.pid, "poll");
  await child.write("go on\n");
  const finished = await within("the end of the child", child.finished());
  assertEquals([finished.code, finished.signal, finished.stdout], [0, null, "terminated\n"]);
  assert(queue.trySend("nobody takes it"));
  assertEquals(contents(queue), ["nobody takes it"]);
});

async function assertExits(importWorker: string, exit: string) {
  using object = queueName();
  using queue = MessageQueue.create(object.name, SIZE);
  await using child = withBlockedWorker(object.name, importWorker, exit);
  assertEquals(await child.line(), "ready");
  await untilBlocked(child.pid, "poll");
  await child.write("go on\n");
  const finished = await within("the end of the child", child.finished());
  assertEquals([finished.code, finished.signal, finished.stdout], [7, null, ""]);
  assert(queue.trySend("nobody takes it"));
  assertEquals(contents(queue), ["nobody takes it"]);
}

test("MessageQueue.receiveSync() in a worker does not hold up process.exit()", async () => {
  await assertExits(WORKER_OF_NODE, "process.exit(7);");
});

// Deno's own Worker cannot be terminated while it runs JavaScript at all, `for (;;) {}` included:
// the program then hangs at its natural end, whatever the worker does. An explicit end works.
test(
  "MessageQueue.receiveSync() in a global Worker does not hold up process.exit()",
  { not: { node: "it has no global Worker" } },
  () => assertExits("", "worker.terminate(); process.exit(7);"),
);

/** Asks for SIGUSR1 and obeys its standard input; prints what happens. */
const notified = `
  import process from "node:process";
  import { MessageQueue } from "@postbox/postbox";
  using queue = MessageQueue.open(process.argv[2]);
  using second = MessageQueue.open(process.argv[2]);
  using outbox = MessageQueue.open(process.argv[2], { access: "w" });
  let signals = 0;
  const cancels = [];
  process.on("SIGUSR1", () => console.log("signal", ++signals));
  const commands = {
    notify: () => void cancels.push(queue.notify("SIGUSR1")),
    secondNotify: () => void second.notify("SIGUSR1"),
    cancelFirst: () => cancels[0](),
    outboxStatus: () => outbox.status().notifyPid,
    list: () => void MessageQueue.list(),
    close: () => queue.close(),
    receive: () => queue.tryReceive().text(),
    signals: () => signals,
  };
  console.log("ready");
  const decoder = new TextDecoder();
  for await (const chunk of process.stdin) {
    for (const command of decoder.decode(chunk).trim().split("\\n")) {
      try {
        console.log(command, commands[command]() ?? "done");
      } catch (error) {
        console.log(command, error.code, error.syscall);
      }
    }
  }
`;

async function listening(name: string): Promise<Peer> {
  const peer = new Peer(execPath(), [...evalArgs(notified), name]);
  assertEquals(await peer.line(), "ready");
  return peer;
}

test("MessageQueue.notify() gives one signal for the first message in the empty queue", async () => {
  using object = queueName();
  using queue = MessageQueue.create(object.name, SIZE);
  await using peer = await listening(object.name);
  assertEquals(await peer.ask("notify"), "notify done");
  const { uid: _uid, gid: _gid, mode: _mode, ...line } = queue.status();
  assertEquals(line, {
    queuedBytes: 0,
    notify: 0,
    signo: 10, // SIGUSR1
    notifyPid: peer.pid,
  });

  assert(queue.trySend("one"));
  assertEquals(await within("the signal", peer.line()), "signal 1");
  assertEquals(queue.status().notifyPid, 0);
  assert(queue.trySend("two")); // not empty, and nobody asks
  assertEquals(contents(queue), ["one", "two"]);
  assert(queue.trySend("three")); // empty, but nobody asks
  assertEquals(contents(queue), ["three"]);

  assertEquals(await peer.ask("notify"), "notify done");
  assert(queue.trySend("four"));
  // Had one come in between, this would be the third.
  assertEquals(await within("the signal", peer.line()), "signal 2");
  assertEquals(await peer.ask("signals"), "signals 2");
});

test("MessageQueue.notify() does not tell of messages while some are waiting", async () => {
  using object = queueName();
  using queue = MessageQueue.create(object.name, SIZE);
  assert(queue.trySend("there already"));
  await using peer = await listening(object.name);
  assertEquals(await peer.ask("notify"), "notify done");
  assert(queue.trySend("one more"));
  assertEquals(queue.status().notifyPid, peer.pid); // still asked for, so not told
  assertEquals(contents(queue), ["there already", "one more"]);
  assert(queue.trySend("first again"));
  assertEquals(await within("the signal", peer.line()), "signal 1");
});

test("MessageQueue.notify() throws EBUSY with a hint when another process asks already", async () => {
  using object = queueName();
  using queue = MessageQueue.create(object.name, SIZE);
  await using peer = await listening(object.name);
  assertEquals(await peer.ask("notify"), "notify done");

  const error = assertThrows(() => queue.notify("SIGUSR1"), PosixError);
  assertEquals([error.code, error.syscall, error.target], ["EBUSY", "mq_notify", object.name]);
  assertStringIncludes(error.hint ?? "", "one process at a time");
  assertEquals(await peer.ask("notify"), "notify EBUSY mq_notify"); // nor may itself, twice
  assertEquals(queue.status().notifyPid, peer.pid);
});

test("MessageQueue.notify() returns a cancel that takes it back, once", async () => {
  using object = queueName();
  using queue = MessageQueue.create(object.name, SIZE);
  await using peer = await listening(object.name);
  assertEquals(await peer.ask("notify"), "notify done");
  assertEquals(await peer.ask("cancelFirst"), "cancelFirst done");
  assertEquals(queue.status().notifyPid, 0);
  assert(queue.trySend("unnoticed"));
  assertEquals(contents(queue), ["unnoticed"]);

  await using other = await listening(object.name);
  assertEquals(await other.ask("notify"), "notify done");
  assertEquals(await peer.ask("cancelFirst"), "cancelFirst done"); // not the other's
  assertEquals(queue.status().notifyPid, other.pid);
  assertEquals(await peer.ask("signals"), "signals 0");
});

test("MessageQueue.notify() returns a cancel that does nothing after the signal", async () => {
  using object = queueName();
  using queue = MessageQueue.create(object.name, SIZE);
  await using peer = await listening(object.name);
  assertEquals(await peer.ask("notify"), "notify done");
  assert(queue.trySend("one"));
  assertEquals(await within("the signal", peer.line()), "signal 1");
  assertEquals(contents(queue), ["one"]);

  assertEquals(await peer.ask("notify"), "notify done");
  assertEquals(await peer.ask("cancelFirst"), "cancelFirst done");
  assertEquals(queue.status().notifyPid, peer.pid); // what was asked for later stands
  assert(queue.trySend("two"));
  assertEquals(await within("the signal", peer.line()), "signal 2");
  assertEquals(contents(queue), ["two"]);

  await using other = await listening(object.name);
  assertEquals(await other.ask("notify"), "notify done");
  assertEquals(await peer.ask("cancelFirst"), "cancelFirst done");
  assertEquals(queue.status().notifyPid, other.pid);
});

test("MessageQueue.list() leaves alone what this process asked to be told", async () => {
  using object = queueName();
  using queue = MessageQueue.create(object.name, SIZE);
  await using peer = await listening(object.name);
  assertEquals(await peer.ask("notify"), "notify done");
  assertEquals(await peer.ask("list"), "list done");
  assertEquals(queue.status().notifyPid, peer.pid);
  assert(queue.trySend("one"));
  assertEquals(await within("the signal", peer.line()), "signal 1");
});

test("MessageQueue.status() of a write-only handle leaves alone what was asked for", async () => {
  using object = queueName();
  using queue = MessageQueue.create(object.name, SIZE);
  await using peer = await listening(object.name);
  assertEquals(await peer.ask("notify"), "notify done");
  for (let i = 0; i < 2; i++) {
    assertEquals(await peer.ask("outboxStatus"), `outboxStatus ${peer.pid}`);
  }
  assert(queue.trySend("one"));
  assertEquals(await within("the signal", peer.line()), "signal 1");
});

test("MessageQueue.close() takes back what the handle asked for, and so does the end", async () => {
  using object = queueName();
  using queue = MessageQueue.create(object.name, SIZE);
  await using peer = await listening(object.name);
  assertEquals(await peer.ask("notify"), "notify done");
  assertEquals(await peer.ask("close"), "close done");
  assertEquals(queue.status().notifyPid, 0);
  assertEquals(await peer.ask("cancelFirst"), "cancelFirst done");

  assertEquals(await peer.ask("secondNotify"), "secondNotify done");
  assertEquals(queue.status().notifyPid, peer.pid);
  peer.kill("SIGKILL");
  await peer.finished();
  await until("the kernel has cleaned up", () => queue.status().notifyPid === 0);
});
