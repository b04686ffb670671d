/** `mq tail`: several queues at once, nothing lost. */

import type { MessageQueue } from "../../mod.ts";
import { assertEquals, assertStringIncludes } from "../assert.ts";
import { test } from "../harness.ts";
import { namedQueue, queueName } from "../support/names.ts";
import { hex, Peer } from "../support/peer.ts";
import { compileC, temporaryFolder } from "../support/process.ts";
import { untilBlocked } from "../support/until.ts";
import { POSTBOX, postbox, shell, startPostbox } from "./postbox.ts";

test("mq tail writes name and priority before the messages of several queues", async () => {
  using first = namedQueue(), second = namedQueue();
  await using child = startPostbox("mq", "tail", first.name, second.name);
  first.queue.trySend("one", { priority: 9 });
  assertEquals(await child.line(), `${first.name} 9 one`);
  second.queue.trySend("two");
  assertEquals(await child.line(), `${second.name} 0 two`);
  first.queue.trySend("");
  assertEquals(await child.line(), `${first.name} 0 `);
});

test("mq tail --json writes an object a line", async () => {
  using made = namedQueue();
  await using child = startPostbox("mq", "tail", made.name, "--json");
  made.queue.trySend(Uint8Array.of(0xff), { priority: 1 });
  assertEquals(JSON.parse(await child.line()), {
    queue: made.name,
    bytes: 1,
    priority: 1,
    base64: "/w==",
    text: null,
  });
});

test("mq tail --hex writes a head and a hexdump, --separator nul ends with a NUL", async () => {
  using made = namedQueue();
  {
    await using child = startPostbox("mq", "tail", made.name, "--hex");
    made.queue.trySend("hi");
    assertEquals(await child.line(), `${made.name} 0`);
    assertStringIncludes(await child.line(), "68 69");
    assertEquals(await child.line(), "00000002");
  }
  await using child = startPostbox("mq", "tail", made.name, "--separator", "nul");
  made.queue.trySend("a\nb");
  assertEquals(await child.line(), `${made.name} 0 a`);
  made.queue.trySend("c\n");
  assertEquals(await child.line(), `b\0${made.name} 0 c`);
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`mq tail ends by ${signal}, and what it has not written is in its queue`, async () => {
    using first = namedQueue(), second = namedQueue();
    await using child = startPostbox("mq", "tail", first.name, second.name);
    first.queue.trySend("one");
    await child.line();
    child.kill(signal);
    const { signal: endedBy, stdout, stderr } = await child.finished();
    assertEquals([endedBy, stdout, stderr], [signal, "", ""]);
    second.queue.trySend("later");
    assertEquals(second.queue.length, 1);
  });
}

test("mq tail takes nothing when one of its queues is missing", async () => {
  using made = namedQueue(), missing = queueName();
  made.queue.trySend("stays");
  const { code, stdout, stderr } = await postbox("mq", "tail", made.name, missing.name);
  assertEquals([code, stdout, made.queue.length], [1, "", 1]);
  assertStringIncludes(stderr, "ENOENT");
});

test("mq tail gives back what it cannot write", async () => {
  using first = namedQueue(), second = namedQueue();
  for (const { queue } of [first, second]) {
    for (const text of ["1", "2", "3"]) queue.trySend(text);
  }
  const words = `${POSTBOX.join(" ")} mq tail ${first.name} ${second.name}`;
  const { stderr, stdout } = await shell(`${words} > /dev/full; echo $?`);
  assertEquals(stdout, "1\n");
  assertStringIncludes(stderr, "ENOSPC");
  const texts = ({ queue }: { queue: MessageQueue }) =>
    Array.from({ length: 3 }, () => queue.tryReceive()?.text()).sort();
  assertEquals([texts(first), texts(second)], [["1", "2", "3"], ["1", "2", "3"]]);
});

test("mq tail tells of each message that it can neither write nor give back", async () => {
  using first = namedQueue({ maxMessages: 1 }), second = namedQueue({ maxMessages: 1 });
  for (const { queue } of [first, second]) queue.trySend("lost");
  // The kernel gives the place to who is blocked in mq_send, in the moment in which it is free.
  using program = await compileC(new URL("../process/queue_peer.c", import.meta.url));
  await using one = new Peer(program.path, [first.name]);
  await using other = new Peer(program.path, [second.name]);
  for (const sender of [one, other]) {
    assertEquals(await sender.ask("open"), "ok");
    await sender.tell(`send 0 ${hex("next")}`);
    await untilBlocked(sender.pid, "mq_timedsend");
  }
  const words = `${POSTBOX.join(" ")} mq tail ${first.name} ${second.name}`;
  const { stderr, stdout } = await shell(`${words} > /dev/full; echo $?`);
  assertEquals(stdout, "1\n");
  for (const { name, queue } of [first, second]) {
    assertStringIncludes(
      stderr,
      `back into queue "${name}" after it could not be written: it is lost`,
    );
    assertEquals([queue.tryReceive()?.text(), queue.length], ["next", 0]);
  }
});

test("mq tail ends quietly when its reader goes, and loses nothing", async () => {
  using made = namedQueue({ maxMessages: 8 });
  using folder = temporaryFolder();
  for (let i = 0; i < 8; i++) made.queue.trySend(String(i));
  const words = `${POSTBOX.join(" ")} mq tail ${made.name}`;
  const script = `{ ${words}; echo $? > ${folder.path}/code; } | head -1; cat ${folder.path}/code`;
  let isOver = false;
  const running = shell(script).finally(() => isOver = true);
  // The reader is gone after a line, whenever that is; what comes then cannot be written any more.
  while (!isOver) {
    if (made.queue.length === 0) made.queue.trySend("more"); // there is room to give it back
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const { stdout, stderr } = await running;
  assertEquals([stdout, stderr], [`${made.name} 0 0\n0\n`, ""]);
});

test("mq tail refuses a queue that is named twice, and flags that exclude each other", async () => {
  using made = namedQueue();
  for (const words of [[made.name], ["--json", "--hex"], ["--json", "--separator", "nul"]]) {
    const { code, stderr } = await postbox("mq", "tail", made.name, ...words);
    assertEquals(code, 2, stderr);
  }
});
