/** The `mq` commands, each as the child process that a shell would start. */

import "../support/loaded.ts";
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import process from "node:process";
import { MessageQueue } from "../../mod.ts";
import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertMatch,
  assertStringIncludes,
} from "../assert.ts";
import { test } from "../harness.ts";
import { namedQueue, queueName } from "../support/names.ts";
import { rootTest } from "../support/prepared.ts";
import { temporaryFolder } from "../support/process.ts";
import { until } from "../support/until.ts";
import {
  ALL_BYTES,
  command,
  onTerminal,
  POSTBOX,
  postbox,
  postboxReading,
  shell,
  startOnTerminal,
  without,
} from "./postbox.ts";

const UID = process.getuid!(), GID = process.getgid!();

test("mq create makes a queue with these sizes and permissions", async () => {
  using made = queueName();
  const words = ["--max-messages", "3", "--max-bytes", "48", "--mode", "640"];
  const { code, stdout, stderr } = await postbox("mq", "create", made.name, ...words);
  assertEquals([code, stdout, stderr], [0, "", ""]);
  using queue = MessageQueue.open(made.name);
  assertEquals([queue.maxMessages, queue.maxMessageBytes], [3, 48]);
  const entry = MessageQueue.list().queues.find(({ name }) => name === made.name);
  assertEquals(entry?.mode! & ~process.umask(), 0o640 & ~process.umask());
});

test("mq create --json prints the attributes", async () => {
  using made = queueName();
  const words = ["--max-messages", "3", "--max-bytes=48", "--json"];
  const { code, stdout } = await postbox("mq", "create", made.name, ...words);
  const { mode, uid, gid, ...facts } = JSON.parse(stdout);
  assertEquals(code, 0);
  assertEquals(facts, {
    name: made.name,
    length: 0,
    maxMessages: 3,
    maxMessageBytes: 48,
    queuedBytes: 0,
    notify: 0,
    signo: 0,
    notifyPid: 0,
  });
  assertEquals([mode, uid, gid], ["600", UID, GID]);
});

test("mq create exits with 1 when there is one, and leaves it alone with --if-missing", async () => {
  using there = namedQueue();
  there.queue.trySend("kept");
  const refused = await postbox("mq", "create", there.name);
  assertEquals(refused.code, 1);
  assertMatch(refused.stderr, /\(EEXIST\)\nHint: .*--if-missing/);
  const { code } = await postbox("mq", "create", there.name, "--if-missing", "--max-messages", "2");
  assertEquals([code, there.queue.maxMessages, there.queue.length], [0, 4, 1]);
});

test("mq create exits with 1 and names the limit when a size is out of range", async () => {
  using made = queueName();
  const { maxMessages, maxMessageBytes } = MessageQueue.limits();
  const refused: [string[], RegExp][] = [
    [["--max-messages", "0"], /maxMessages is 0, expected 1 to/],
    [["--max-bytes", "0"], /maxMessageBytes is 0, expected 1 to/],
    [["--max-messages", `${maxMessages + 1}`], /msg_max is \d+; raise it/],
    [["--max-bytes", `${maxMessageBytes + 1}`], /msgsize_max is \d+; raise it/],
  ];
  for (const [words, hint] of refused) {
    const { code, stderr } = await postbox("mq", "create", made.name, ...words);
    assertEquals(code, 1, words.join(" "));
    assertMatch(stderr, /\(EINVAL\)\nHint: /);
    assertMatch(stderr, hint);
  }
  assertEquals((await postbox("mq", "stat", made.name)).code, 1, "nothing was made");
});

test("mq create exits with 1 and says what is wrong with the name", async () => {
  const refused: [string, string, string][] = [
    ["no-slash", "EINVAL", "starts with a slash"],
    ["", "EINVAL", "starts with a slash"],
    ["/two/slashes", "EACCES", "one slash"],
    ["/", "ENOENT", "at least one character"],
    [`/${"n".repeat(256)}`, "ENAMETOOLONG", "at most 255 bytes"],
  ];
  for (const [name, code, hint] of refused) {
    const result = await postbox("mq", "create", name);
    assertEquals(result.code, 1, name);
    assertStringIncludes(result.stderr, `(${code})\nHint: `);
    assertStringIncludes(result.stderr, hint);
  }
});

test("mq send sends the text as UTF-8, without a newline, at the priority", async () => {
  using made = namedQueue();
  const { code, stdout, stderr } = await postbox("mq", "send", made.name, "häh?", "--priority=7");
  assertEquals([code, stdout, stderr], [0, "", ""]);
  const message = made.queue.tryReceive()!;
  assertEquals([message.text(), message.data.byteLength, message.priority], ["häh?", 5, 7]);
});

test("mq send - sends standard input byte for byte, and mq recv gives it back", async () => {
  using made = namedQueue({ maxMessageBytes: 256 });
  assertEquals((await postboxReading(ALL_BYTES, "mq", "send", made.name, "-")).code, 0);
  const { code, bytes, stderr } = await postbox("mq", "recv", made.name);
  assertEquals([code, stderr], [0, ""]);
  assertEquals(bytes, ALL_BYTES);
});

test("mq send - sends an empty message when standard input is empty", async () => {
  using made = namedQueue();
  assertEquals((await postboxReading("", "mq", "send", made.name, "-")).code, 0);
  assertEquals(made.queue.tryReceive()?.data.byteLength, 0);
});

test("mq send - is standard input also after --, as in other tools", async () => {
  using made = namedQueue();
  assertEquals((await postboxReading("in", "mq", "send", made.name, "--", "-")).code, 0);
  assertEquals(made.queue.tryReceive()?.text(), "in");
});

test('mq send "" sends an empty message and leaves standard input alone', async () => {
  using made = namedQueue();
  assertEquals((await postboxReading("input", "mq", "send", made.name, "")).code, 0);
  assertEquals(made.queue.tryReceive()?.data.byteLength, 0);
});

test("mq send without MESSAGE sends standard input", async () => {
  using made = namedQueue();
  const { code, stderr } = await postboxReading("in\0put", "mq", "send", made.name, "--priority=4");
  assertEquals([code, stderr], [0, ""]);
  const message = made.queue.tryReceive();
  assertEquals([message?.text(), message?.priority], ["in\0put", 4]);
});

test("mq send without MESSAGE is wrong usage when standard input is a terminal", async () => {
  using made = namedQueue();
  const { code, stdout } = await onTerminal("mq", "send", made.name);
  assertEquals([code, made.queue.length], [2, 0]);
  assertStringIncludes(stdout, "Missing MESSAGE: standard input is a terminal");
  assertStringIncludes(stdout, 'Run "postbox mq send --help"');
});

test("mq send - sends what is typed on a terminal, to its end", async () => {
  using made = namedQueue();
  await using child = startOnTerminal("mq", "send", made.name, "-");
  await child.write("typed\n");
  assertEquals(await child.line(), "typed\r", "the terminal shows it");
  await child.write("\x04");
  assertEquals((await child.finished()).code, 0);
  assertEquals(made.queue.tryReceive()?.text(), "typed\n");
});

test("mq send - sends a file", async () => {
  using made = namedQueue({ maxMessageBytes: 256 });
  using folder = temporaryFolder();
  writeFileSync(`${folder.path}/message`, ALL_BYTES);
  assertEquals((await shell(`postbox mq send ${made.name} - < ${folder.path}/message`)).code, 0);
  assertEquals(made.queue.tryReceive()?.data, ALL_BYTES);
});

test("mq send goes on waiting when its terminal changes its size", async () => {
  using made = namedQueue({ maxMessages: 1 });
  made.queue.trySend("first");
  await using child = startOnTerminal("mq", "send", made.name, "second");
  const pid = await childOf(child.pid);
  await untilOpen(pid, made.name);
  process.kill(pid, "SIGWINCH");
  made.queue.tryReceive();
  const { code, stdout } = await child.finished();
  assertEquals([code, stdout, made.queue.tryReceive()?.text()], [0, "", "second"]);
});

/** Comes back when the process has the queue open. */
async function untilOpen(pid: number, name: string): Promise<void> {
  const folder = `/proc/${pid}/fd`;
  await until(`process ${pid} has ${name} open`, () =>
    readdirSync(folder).some((fd) => {
      try {
        return readlinkSync(`${folder}/${fd}`) === name;
      } catch {
        return false; // it closed that one just now
      }
    }));
}

/** The only child of a process, as soon as it has one. */
async function childOf(pid: number): Promise<number> {
  let child = 0;
  await until(`process ${pid} has a child`, () => {
    child = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8"));
    return child !== 0;
  });
  return child;
}

test("mq send sends what begins with a dash after --, and a negative number as it is", async () => {
  using made = namedQueue();
  for (const words of [["--", "--priority"], ["--", "--"], ["--", "-x"], ["-5"]]) {
    assertEquals((await postbox("mq", "send", made.name, ...words)).code, 0);
    assertEquals(made.queue.tryReceive()?.text(), words.at(-1));
  }
});

test("mq send refuses what begins with a dash and is no flag, and sends nothing", async () => {
  using made = namedQueue();
  for (const word of ["--p", "--priority=", "-x", "--bad", "--with space", "-ü", "---", "-p\n"]) {
    const { code, stderr } = await postbox("mq", "send", made.name, word);
    assertEquals([code, made.queue.length], [2, 0], word);
    assertStringIncludes(stderr, '"--"');
  }
});

test("mq send exits with 1 when the message is a byte too long, and sends nothing", async () => {
  using made = namedQueue({ maxMessageBytes: 16 });
  const results = [
    await postbox("mq", "send", made.name, "x".repeat(17)),
    await postboxReading(new Uint8Array(17), "mq", "send", made.name, "-"),
  ];
  for (const { code, stderr } of results) {
    assertEquals([code, made.queue.length], [1, 0]);
    assertMatch(stderr, /\(EMSGSIZE\)\nHint: .*at most 16 bytes/);
  }
  assertEquals((await postboxReading(new Uint8Array(16), "mq", "send", made.name, "-")).code, 0);
});

test("mq send - reads no more than a byte too much from an endless input", async () => {
  using made = namedQueue();
  const { code, stderr } = await shell(`yes | postbox mq send ${made.name} -`);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "EMSGSIZE");
});

test("mq send exits with 3 when the queue stays full, at the deadline or at once", async () => {
  using made = namedQueue({ maxMessages: 1 });
  made.queue.trySend("first");
  const nonblock = await postbox("mq", "send", made.name, "second", "--nonblock");
  assertEquals([nonblock.code, nonblock.stdout], [3, ""]);
  assertStringIncludes(nonblock.stderr, "No room");
  const start = performance.now();
  const timeout = await postbox("mq", "send", made.name, "second", "--timeout", "300");
  assertGreaterOrEqual(performance.now() - start, 300);
  assertEquals(timeout.code, 3);
  assertStringIncludes(timeout.stderr, "within 300 ms");
  assertEquals([made.queue.length, made.queue.tryReceive()?.text()], [1, "first"]);
});

test("mq send exits with 1 for priority 32768 and with 2 for what is no priority", async () => {
  using made = namedQueue();
  const above = await postbox("mq", "send", made.name, "x", "--priority", "32768");
  assertEquals(above.code, 1);
  assertStringIncludes(above.stderr, "(EINVAL)\nHint: a priority goes from 0 to 32767");
  for (const priority of ["-1", "1.5", "1e3", "0x10", "ten", " 1"]) {
    const { code, stderr } = await postbox("mq", "send", made.name, "x", "--priority", priority);
    assertEquals(code, 2, priority);
    assertStringIncludes(
      stderr,
      `Cannot use --priority ${JSON.stringify(priority)}: expected a whole number from 0\n`,
    );
  }
  assertEquals(made.queue.length, 0);
});

test("mq recv writes the bytes of one message and nothing else", async () => {
  using made = namedQueue();
  made.queue.trySend("one");
  made.queue.trySend("two");
  const { code, stdout, stderr } = await postbox("mq", "recv", made.name);
  assertEquals([code, stdout, stderr, made.queue.length], [0, "one", "", 1]);
});

test("mq recv waits for a message", async () => {
  using made = namedQueue();
  const receiving = postbox("mq", "recv", made.name, "--timeout", "60000");
  made.queue.sendSync("late");
  const { code, stdout } = await receiving;
  assertEquals([code, stdout], [0, "late"]);
});

test("mq recv --count writes so many messages, framed as asked", async () => {
  using made = namedQueue();
  const framed: [string[], string][] = [
    [[], "onetwo"],
    [["--separator", "none"], "onetwo"],
    [["--separator", "newline"], "one\ntwo\n"],
    [["--separator", "nul"], "one\0two\0"],
  ];
  for (const [words, expected] of framed) {
    for (const text of ["one", "two", "three"]) made.queue.trySend(text);
    const { code, stdout } = await postbox("mq", "recv", made.name, "--count", "2", ...words);
    assertEquals([code, stdout, made.queue.tryReceive()?.text()], [0, expected, "three"]);
  }
});

test("mq recv writes a newline after a message when standard output is a terminal", async () => {
  using made = namedQueue();
  made.queue.trySend("one");
  made.queue.trySend("two");
  const { code, stdout } = await onTerminal("mq", "recv", made.name, "--count", "2");
  assertEquals([code, stdout], [0, "one\r\ntwo\r\n"]);
});

test("mq recv --json writes an object a line, with text where the bytes are UTF-8", async () => {
  using made = namedQueue({ maxMessageBytes: 256 });
  made.queue.trySend("\u{feff}zwölf\n", { priority: 3 });
  made.queue.trySend(ALL_BYTES, { priority: 2 });
  made.queue.trySend("");
  const { code, stdout } = await postbox("mq", "recv", made.name, "--count", "3", "--json");
  const lines = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(code, 0);
  assertEquals(lines[0], {
    bytes: 10,
    priority: 3,
    base64: "77u/enfDtmxmCg==",
    text: "\u{feff}zwölf\n",
  });
  assertEquals([lines[1].bytes, lines[1].priority, lines[1].text], [256, 2, null]);
  assertEquals(Uint8Array.from(atob(lines[1].base64), (c) => c.charCodeAt(0)), ALL_BYTES);
  assertEquals(lines[2], { bytes: 0, priority: 0, base64: "", text: "" });
});

test("mq recv --hex writes what hexdump -C would", async () => {
  using made = namedQueue();
  const data = ALL_BYTES.subarray(20, 41);
  made.queue.trySend(data);
  made.queue.trySend("");
  const { code, stdout } = await postbox("mq", "recv", made.name, "--hex", "--count", "2");
  assertEquals(code, 0);
  assertEquals(
    stdout,
    '00000000  14 15 16 17 18 19 1a 1b  1c 1d 1e 1f 20 21 22 23  |............ !"#|\n' +
      "00000010  24 25 26 27 28                                    |$%&'(|\n" +
      "00000015\n" +
      "00000000\n",
  );
});

test("mq recv exits with 3 when nothing came, at once or at the deadline, also after some", async () => {
  using made = namedQueue();
  const nonblock = await postbox("mq", "recv", made.name, "--nonblock");
  assertEquals([nonblock.code, nonblock.stdout], [3, ""]);
  assertStringIncludes(nonblock.stderr, "No message in queue");
  const start = performance.now();
  assertEquals((await postbox("mq", "recv", made.name, "--timeout", "300.5")).code, 3);
  assertGreaterOrEqual(performance.now() - start, 300);
  for (const words of [["--count", "3", "--timeout", "1"], ["--follow", "--nonblock"]]) {
    made.queue.trySend("a");
    made.queue.trySend("b");
    const { code, stdout, stderr } = await postbox("mq", "recv", made.name, ...words);
    assertEquals([code, stdout], [3, "ab"]);
    assertStringIncludes(stderr, "(after 2)");
  }
});

test("mq recv refuses flags that exclude each other and bad numbers, and takes nothing", async () => {
  using made = namedQueue();
  made.queue.trySend("kept");
  const wrong = [
    ["--follow", "--count", "2"],
    ["--nonblock", "--timeout", "5"],
    ["--json", "--hex"],
    ["--json", "--separator", "nul"],
    ["--count", "0"],
    ["--count", "1.5"],
    ["--count"],
    ["--timeout", "-1"],
    ["--timeout", "soon"],
    ["--separator", "comma"],
    ["--owner", "me"],
    ["--constructor", "x"],
    ["-v", "-v"],
    ["and-another"],
  ];
  for (const words of wrong) {
    const { code, stdout, stderr } = await postbox("mq", "recv", made.name, ...words);
    assertEquals([code, stdout, made.queue.length], [2, "", 1], words.join(" "));
    assertStringIncludes(stderr, 'Run "postbox mq recv --help"');
  }
});

test("mq recv exits with 1 when there is no such queue, or not any more", async () => {
  const made = namedQueue();
  assertEquals((await postbox("mq", "stat", made.name)).code, 0);
  made[Symbol.dispose]();
  for (const words of [["recv"], ["send"], ["stat"], ["unlink"]]) {
    const message = words[0] === "send" ? ["x"] : [];
    const { code, stderr } = await postbox("mq", ...words, made.name, ...message);
    assertEquals(code, 1);
    assertStringIncludes(
      stderr,
      `${JSON.stringify(made.name)}: it does not exist (ENOENT)\nHint: `,
    );
  }
});

test("mq send, recv and unlink exit with 1 when the permissions forbid it", async () => {
  using made = namedQueue({ mode: 0 });
  const unprivileged = [...without("dac_override", "dac_read_search"), ...POSTBOX, "mq"];
  for (const words of [["send", made.name, "x"], ["recv", made.name], ["stat", made.name]]) {
    const { code, stderr } = await command([...unprivileged, ...words]);
    assertEquals(code, 1, words[0]!);
    assertMatch(stderr, /permission denied \(EACCES\)\nHint: as root, postbox mq ls shows/);
  }
  assertEquals(made.queue.length, 0);
});

rootTest("mq send and recv use another user's queue only with --owner any", async () => {
  using made = namedQueue();
  await giveAway(made.name);
  for (const words of [["send", made.name, "x"], ["recv", made.name, "--nonblock"]]) {
    const refused = await postbox("mq", ...words);
    assertEquals(refused.code, 1);
    assertMatch(refused.stderr, /\(EACCES\)\nHint: .*--owner any/);
    assertEquals((await postbox("mq", ...words, "--owner", "any")).code, 0);
  }
  // Looking is not trusting.
  const { uid, gid } = JSON.parse((await postbox("mq", "stat", made.name, "--json")).stdout);
  assertEquals([uid, gid], [65534, 65534]);
});

/** Makes the queue belong to nobody. */
async function giveAway(name: string) {
  const script = "import ctypes, os, sys\n" +
    "rt = ctypes.CDLL('librt.so.1', use_errno=True)\n" +
    "mqd = rt.mq_open(sys.argv[1].encode(), os.O_RDWR)\n" +
    "assert mqd >= 0, ctypes.get_errno()\n" +
    "os.fchown(mqd, 65534, 65534)\n";
  const { code, stderr } = await command(["python3", "-c", script, name]);
  assertEquals([code, stderr], [0, ""]);
}

test("mq ls shows each queue, and says on standard error where it looked", async () => {
  using made = namedQueue();
  made.queue.trySend("x");
  const { code, stdout, stderr } = await postbox("mq", "ls");
  const line = stdout.split("\n").find((line) => line.startsWith(`${made.name} `));
  assertEquals(code, 0);
  assertMatch(stdout, /^NAME +LENGTH +MAX MESSAGES +MAX BYTES +MODE +UID\n/);
  assertEquals(line?.split(/ +/), [made.name, "1", "4", "64", "600", `${UID}`]);
  assertMatch(stderr, /^\d+ queues?, found by (reading|mounting|looking)/);
});

test("mq ls --json prints the queues, the place, and whether that shows all", async () => {
  using made = namedQueue();
  const { code, stdout } = await postbox("mq", "ls", "--json");
  const { queues, source, complete, userBytes } = JSON.parse(stdout);
  assertEquals(code, 0);
  assertEquals(queues.find(({ name }: { name: string }) => name === made.name), {
    name: made.name,
    length: 0,
    maxMessages: 4,
    maxMessageBytes: 64,
    mode: "600",
    uid: UID,
  });
  const here = MessageQueue.list();
  assertEquals([source, complete], [here.source, here.complete]);
  assertGreaterOrEqual(userBytes, 4 * (64 + 96));
});

test("mq ls says when it does not see all queues", async () => {
  using made = namedQueue();
  // Without the right to mount, and where nobody else has mounted it.
  const outside = UID === 0
    ? ["unshare", "-m", "sh", "-c", 'umount -A /dev/mqueue 2>&-; exec "$@"', "sh"]
    : [];
  const list = [...outside, ...without("sys_admin"), ...POSTBOX, "mq", "ls"];
  const { stdout, stderr } = await command(list);
  const facts = JSON.parse((await command([...list, "--json"])).stdout);
  assertStringIncludes(stdout, made.name);
  assertEquals(facts.complete, facts.source !== "processes");
  assertEquals(stderr.includes("Incomplete: "), !facts.complete);
  if (UID === 0) assertEquals(facts.source, "processes");
});

test("mq ls escapes the control characters of a name", async () => {
  const name = `/test-\x1b[2J-${crypto.randomUUID()}`;
  using _queue = MessageQueue.create(name, { maxMessages: 1, maxMessageBytes: 8 });
  try {
    const { stdout } = await postbox("mq", "ls");
    assert(!stdout.includes("\x1b"));
    assertStringIncludes(stdout, name.replace("\x1b", "\\u{1b}"));
    const { queues } = JSON.parse((await postbox("mq", "ls", "--json")).stdout);
    assert(queues.some((queue: { name: string }) => queue.name === name));
  } finally {
    MessageQueue.unlink(name);
  }
});

test("postbox escapes the control and bidi characters of names on standard error", async () => {
  const name = "/none\x1b[2J\u{9b}2J\u{202e}\u{2028}\nHint: x";
  const bad = ["\x1b", "\u{9b}", "\u{202e}", "\u{2028}"];
  const lines: [string[], number][] = [
    [["mq", "recv", name], 2],
    [["mq", "recv", name.slice(1)], 2], // the hint has the name too
    [["shm", "unlink", name], 2],
    [["map", "cat", name], 1],
    [["mq", name], 2],
    [["mq", "ls", `--${name}`], 2],
    [["mq", "ls", name], 2],
  ];
  for (const [words, count] of lines) {
    const { code, stderr } = await postbox(...words);
    assert(code !== 0 && !bad.some((character) => stderr.includes(character)), stderr);
    assertStringIncludes(stderr, "\\u{202e}");
    assertEquals(stderr.trimEnd().split("\n").length, count, stderr);
  }
  using made = queueName();
  const strange = `${made.name}\u{202e}`;
  using queue = MessageQueue.create(strange, { maxMessages: 1, maxMessageBytes: 8 });
  try {
    queue.trySend("x");
    const full = await postbox("mq", "send", strange, "x", "--nonblock");
    queue.tryReceive();
    const empty = await postbox("mq", "recv", strange, "--nonblock");
    assertEquals([full.code, empty.code], [3, 3]);
    for (const { stderr } of [full, empty]) assertStringIncludes(stderr, '\\u{202e}" now');
  } finally {
    MessageQueue.unlink(strange);
  }
});

test("mq stat prints the line of the kernel, sizes, permissions and owner", async () => {
  using made = namedQueue({ mode: 0o400 });
  made.queue.trySend("12345");
  const { code, stdout } = await postbox("mq", "stat", made.name);
  assertEquals(code, 0);
  assertEquals(
    stdout,
    "QSIZE:5 NOTIFY:0 SIGNO:0 NOTIFY_PID:0\n" +
      "messages  1 of 4, of at most 64 bytes\n" +
      "mode      400\n" +
      `owner     ${UID}:${GID}\n`,
  );
});

test("mq stat shows who asked to be notified", async () => {
  using made = namedQueue();
  using _asked = { [Symbol.dispose]: made.queue.notify("SIGUSR1") };
  const { stdout } = await postbox("mq", "stat", made.name);
  assertEquals(stdout.split("\n")[0], `QSIZE:0 NOTIFY:0 SIGNO:10 NOTIFY_PID:${process.pid}`);
  const facts = JSON.parse((await postbox("mq", "stat", made.name, "--json")).stdout);
  assertEquals([facts.signo, facts.notifyPid, facts.mode], [10, process.pid, "600"]);
});

test("mq unlink takes several names, and reports those it cannot", async () => {
  using one = namedQueue();
  using two = namedQueue();
  const { code, stderr } = await postbox("mq", "unlink", one.name, "/no-such-queue", two.name);
  assertEquals(code, 1);
  assertMatch(
    stderr,
    /^postbox: Cannot unlink queue "\/no-such-queue": .*\(ENOENT\)\nHint: [^\n]*\n$/,
  );
  assertEquals((await postbox("mq", "stat", one.name)).code, 1);
  assertEquals((await postbox("mq", "stat", two.name)).code, 1);
});
