/** The two sessions that the project set out from, word for word, each with its own name. */

import "../support/loaded.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { test } from "../harness.ts";
import { memoryName, queueName } from "../support/names.ts";
import { postbox } from "./postbox.ts";

async function done(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await postbox(...args);
  assertEquals([code, stderr], [0, ""], `postbox ${args.join(" ")}`);
  return stdout;
}

test("postbox does the transcript of the queue /QWE", async () => {
  using queue = queueName();
  const { name } = queue;
  await done("mq", "create", name, "--max-messages", "10", "--max-bytes", "2048");
  await done("mq", "send", name, "QkrQ-V", "--priority", "5");
  await done("mq", "send", name, "QkrQ-X", "--priority", "10");
  await done("mq", "send", name, "QkrQ-V-II", "--priority", "5");
  await done("mq", "send", name, "QkrQ-III", "--priority", "3");
  await done("mq", "send", name, "QkrQ-VII", "--priority", "7");

  const [status, attributes] = (await done("mq", "stat", name)).split("\n");
  assertEquals(status, "QSIZE:37 NOTIFY:0 SIGNO:0 NOTIFY_PID:0");
  assertEquals(attributes, "messages  5 of 10, of at most 2048 bytes");

  const expected: [string, string][] = [
    ["QkrQ-X", "Read 6 bytes; priority = 10\n"],
    ["QkrQ-VII", "Read 8 bytes; priority = 7\n"],
    ["QkrQ-V", "Read 6 bytes; priority = 5\n"],
    ["QkrQ-V-II", "Read 9 bytes; priority = 5\n"],
    ["QkrQ-III", "Read 8 bytes; priority = 3\n"],
  ];
  for (const [message, note] of expected) {
    const { code, stdout, stderr } = await postbox("mq", "recv", name, "-v");
    assertEquals([code, stdout, stderr], [0, message, note]);
  }

  await done("mq", "unlink", name);
  const gone = await postbox("mq", "stat", name);
  assertEquals(gone.code, 1);
  assertStringIncludes(gone.stderr, "ENOENT");
});

test("postbox does the transcript of the memory /shmem", async () => {
  using memory = memoryName();
  const { name } = memory;
  const lengthNow = async () => JSON.parse(await done("shm", "stat", name, "--json")).byteLength;

  await done("shm", "create", name, "0");
  assertEquals(await lengthNow(), 0);
  await done("shm", "write", name, "Qkrq!");
  assertEquals(await lengthNow(), 5);
  assert((await done("shm", "stat", name)).startsWith("bytes      5\n"));
  assertEquals(await done("shm", "read", name), "Qkrq!");
  await done("shm", "unlink", name);
  const gone = await postbox("shm", "read", name);
  assertEquals(gone.code, 1);
  assertStringIncludes(gone.stderr, "ENOENT");
});
