/**
 * What happens to messages when `mq recv` cannot go on: signals, readers that went away, full
 * disks. The rule under test: what was taken from the queue was written, or is in the queue again.
 */

import "../support/loaded.ts";
import { readFileSync } from "node:fs";
import process from "node:process";
import { MessageQueue, PosixError } from "../../mod.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { test } from "../harness.ts";
import { memoryName, namedQueue } from "../support/names.ts";
import { Child, runProgram, temporaryFolder } from "../support/process.ts";
import { execPath } from "../support/runtime.ts";
import { command, POSTBOX, shell, startOnTerminal, startPostbox } from "./postbox.ts";

function drain(queue: MessageQueue): string[] {
  const texts: string[] = [];
  for (let m = queue.tryReceive(); m !== undefined; m = queue.tryReceive()) texts.push(m.text());
  return texts;
}

/** Sends, also when the end of a child interrupts the wait: Node listens for that. */
function send(queue: MessageQueue, text: string, timeoutMs: number): boolean {
  for (;;) {
    try {
      return queue.sendSync(text, { timeoutMs });
    } catch (error) {
      if (!(error instanceof PosixError) || error.code !== "EINTR") throw error;
    }
  }
}

test("mq recv --follow writes each message as it comes", async () => {
  using made = namedQueue();
  await using child = startPostbox("mq", "recv", made.name, "--follow", "--separator", "newline");
  for (const text of ["one", "two", "three"]) {
    made.queue.sendSync(text);
    assertEquals(await child.line(), text);
  }
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`mq recv --follow ends by ${signal} while it waits`, async () => {
    using made = namedQueue();
    await using child = startPostbox("mq", "recv", made.name, "--follow", "--json");
    made.queue.sendSync("one");
    assertEquals(JSON.parse(await child.line()).text, "one");
    child.kill(signal);
    const { signal: endedBy, stdout, stderr } = await child.finished();
    assertEquals([endedBy, stdout, stderr], [signal, "", ""]);
  });
}

test("mq recv ends by Ctrl-C while it waits for one message", async () => {
  using made = namedQueue();
  const words = [...POSTBOX, "mq", "recv", made.name].join(" ");
  // The shell says when the child is past its start: it has the queue open.
  await using child = new Child("bash", [
    "-c",
    `${words} & until ls -l /proc/$!/fd 2>&- | grep -q "${made.name}"; do :; done
     echo $!; wait $!; echo "status $?"`,
  ]);
  process.kill(Number(await child.line()), "SIGTERM");
  assertEquals(await child.line(), "status 143");
});

test("mq recv --follow ends by Ctrl-C on a terminal", async () => {
  using made = namedQueue();
  await using child = startOnTerminal("mq", "recv", made.name, "--follow");
  made.queue.sendSync("one");
  assertEquals(await child.line(), "one\r");
  await child.write("\x03");
  const { code, stdout } = await child.finished();
  assertEquals([code, stdout, made.queue.length], [130, "^C", 0]);
});

test("mq recv --follow loses nothing when it is interrupted in a busy stream", async () => {
  using made = namedQueue();
  // Into a file, for a pipe would be full while this test sends.
  using folder = temporaryFolder();
  const path = `${folder.path}/received`;
  const receive = `${POSTBOX.join(" ")} mq recv ${made.name} --follow --separator newline`;
  let sent = 0;
  const seen: string[] = [];
  for (let round = 0; round < 6; round++) {
    await using child = new Child("bash", ["-c", `exec ${receive} > ${path}`]);
    // Whoever is interrupted has a message in hand most of the time. And the messages go on: it
    // has to hear the signal between them.
    const interruptAt = sent + 40 + 25 * round, endless = interruptAt + 1_000_000;
    while (sent < endless) {
      if (sent === interruptAt) child.kill("SIGINT");
      const timeoutMs = sent < interruptAt ? 60_000 : 100;
      if (!send(made.queue, `${sent}`, timeoutMs)) break;
      sent++;
    }
    assert(sent < endless, "it went on as long as there were messages");
    const { signal, code, stderr } = await child.finished();
    assert(sent >= interruptAt, `nobody received: exit code ${code}, ${stderr}`);
    assertEquals([signal, stderr], ["SIGINT", ""]);
    const received = readFileSync(path, "utf8").trimEnd().split("\n");
    seen.push(...received, ...drain(made.queue));
  }
  assertEquals(seen, Array.from({ length: sent }, (_, i) => `${i}`));
});

test("mq recv ends by its signal also when the runtime is slow to answer it", async () => {
  using made = namedQueue();
  // Slow as on a busy machine, where the thread that answers signals has to wait for its turn.
  const code = `import process from "node:process";
    import { run } from "@postbox/postbox/cli/main.ts";
    const kill = process.kill;
    process.kill = (...args) => void setTimeout(() => kill.apply(process, args), 300);
    process.exit(await run(["mq", "recv", "${made.name}", "--follow", "--separator", "newline"]));`;
  await using child = Child.program(code);
  made.queue.sendSync("one");
  assertEquals(await child.line(), "one");
  child.kill("SIGTERM");
  const { signal, stderr } = await child.finished();
  assertEquals([signal, stderr], ["SIGTERM", ""]);
});

test("run() of mq recv gives the exit code of a signal that the program itself listens to", async () => {
  using made = namedQueue();
  const code = `import process from "node:process";
    import { run } from "@postbox/postbox/cli/main.ts";
    process.on("SIGTERM", () => {});
    console.log(await run(["mq", "recv", "${made.name}", "--follow", "--separator", "newline"]));
    process.exit();`;
  await using child = Child.program(code);
  made.queue.sendSync("one");
  assertEquals(await child.line(), "one");
  child.kill("SIGTERM");
  assertEquals(await child.line(), "143");
});

/** `mq recv --follow` into a reader that takes a line and goes; then the exit code of the former. */
function startWithShortReader(name: string): Child {
  const receive = `${POSTBOX.join(" ")} mq recv ${name} --follow --separator newline`;
  return new Child("bash", [
    "-c",
    `${receive} | { read -r line; exec <&-; echo "$line"; }; echo "status \${PIPESTATUS[0]}"`,
  ]);
}

test("mq recv puts a message back when the reader of its output is gone, and exits with 0", async () => {
  using made = namedQueue();
  await using child = startWithShortReader(made.name);
  made.queue.trySend("one");
  assertEquals(await child.line(), "one");
  made.queue.trySend("two", { priority: 5 });
  assertEquals(await child.line(), "status 0");
  const message = made.queue.tryReceive();
  assertEquals([message?.text(), message?.priority, made.queue.length], ["two", 5, 0]);
  assertEquals((await child.finished()).stderr, "");
});

test("mq recv puts the message back and exits with 1 when its output is full", async () => {
  using made = namedQueue();
  made.queue.trySend("kept", { priority: 3 });
  const { code, stderr } = await shell(`postbox mq recv ${made.name} > /dev/full`);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "Cannot write to standard output");
  assertStringIncludes(stderr, "ENOSPC");
  const message = made.queue.tryReceive();
  assertEquals([message?.text(), message?.priority], ["kept", 3]);
});

test("mq recv says that a message is lost when it can be neither written nor put back", async () => {
  using made = namedQueue();
  await using child = startWithShortReader(made.name);
  made.queue.trySend("one");
  assertEquals(await child.line(), "one");
  MessageQueue.unlink(made.name);
  made.queue.trySend("two");
  assertEquals(await child.line(), "status 1");
  assertStringIncludes((await child.finished()).stderr, "it is lost");
});

test("postbox ends quietly with 0 when nobody reads what it prints", async () => {
  using made = namedQueue();
  for (
    const words of ["--help", "mq ls", `mq stat ${made.name}`, "limits --json", "shm ls --json"]
  ) {
    const { code, stderr } = await shell(
      // The reader is gone before the first byte: the write end opens, the read end closes.
      `exec 3> >(exec <&-; echo gone >&2); wait $!; postbox ${words} >&3; echo "status $?" >&2`,
    );
    const lines = stderr.trimEnd().split("\n").filter((line) => !line.includes("found by"));
    assertEquals([code, lines.at(-1)], [0, "status 0"], words);
    assert(!stderr.includes("Error"), stderr);
  }
});

test("map cat ends quietly with 0 when its reader has enough", async () => {
  const { code, stdout, stderr } = await shell(
    `set -o pipefail; postbox map cat ${execPath()} | head -c 4`,
  );
  assertEquals([code, stdout, stderr], [0, "\x7fELF", ""]);
});

test("postbox waits where somebody made its standard streams nonblocking", async () => {
  using memory = memoryName();
  const prepared = "import os, sys\n" +
    "for fd in (0, 1, 2): os.set_blocking(fd, False)\n" +
    "os.execvp(sys.argv[1], sys.argv[1:])";
  const { code, stdout, stderr } = await shell(
    `set -o pipefail; shared() { python3 -c '${prepared}' ${POSTBOX.join(" ")} "$@"; }
     postbox shm create ${memory.name} 0
     seq 1000000 | shared shm write ${memory.name}
     shared shm read ${memory.name} | cmp - <(seq 1000000) && echo equal`,
  );
  assertEquals([code, stdout, stderr], [0, "equal\n", ""]);
});

test("run() leaves standard input and output as they are for whoever shares them", async () => {
  using made = namedQueue();
  made.queue.trySend("one");
  const code = `import { readFileSync } from "node:fs";
    import { run } from "@postbox/postbox/cli/main.ts";
    const flags = () => [0, 1].map((fd) =>
      readFileSync("/proc/self/fdinfo/" + fd, "utf8").match(/^flags:.*/m)[0]);
    const before = flags();
    const codes = [
      await run(["mq", "recv", "${made.name}", "-v"]),
      await run(["mq", "send", "${made.name}", "-"]),
      await run(["mq", "recv", "/none"]),
    ];
    const after = flags();
    console.log(JSON.stringify({ codes, before, after }));`;
  const { stdout } = await runProgram(code, { permissions: ["-A"], stdin: "two" });
  const { codes, before, after } = JSON.parse(stdout.slice("one".length));
  assertEquals([codes, after], [[0, 0, 1], before]);
});

test("postbox exits with 1 when its output is full", async () => {
  for (const words of ["limits", "--help", `map cat ${execPath()}`]) {
    const { code, stderr } = await shell(`postbox ${words} > /dev/full`);
    assertEquals(code, 1, words);
    assertStringIncludes(stderr, "Cannot write to standard output");
  }
});

test("postbox does the same when its notes cannot be written", async () => {
  using made = namedQueue();
  made.queue.trySend("one");
  made.queue.trySend("two");
  const does: [string, number, string][] = [
    [`mq recv ${made.name} -v --count 2`, 0, "onetwo"],
    [`mq recv ${made.name} --nonblock`, 3, ""],
    ["mq recv", 2, ""],
    ["mq unlink /none /none", 1, ""],
    [`mq send ${made.name} a`, 0, ""],
    [`mq send ${made.name} b`, 0, ""],
    [`mq send ${made.name} c`, 0, ""],
    [`mq send ${made.name} d`, 0, ""],
    [`mq send ${made.name} e --nonblock`, 3, ""],
  ];
  for (const to of ["/dev/full", ">(exec <&-)"]) {
    for (const [words, exitCode, output] of does) {
      const { code, stdout } = await shell(`postbox ${words} 2> ${to}`);
      assertEquals([code, stdout], [exitCode, output], `${words} 2> ${to}`);
    }
    drain(made.queue);
    made.queue.trySend("one");
    made.queue.trySend("two");
  }
});

test("mq send says what is wrong with its standard input", async () => {
  using made = namedQueue();
  const { code, stderr } = await shell(`postbox mq send ${made.name} - < /`);
  assertEquals([code, made.queue.length], [1, 0]);
  assertStringIncludes(stderr, "Cannot read standard input");
  assertStringIncludes(stderr, "EISDIR");
});

const ONLY_DENO = "it has no permissions to lack";

test("postbox says what it needs when Deno was started without --allow-ffi", {
  not: { node: ONLY_DENO, bun: ONLY_DENO },
}, async () => {
  // One permission at least: node:child_process gives all to a Deno that is given none.
  const words = POSTBOX.map((word) => word === "--allow-ffi" ? "--allow-env" : word);
  const { code, stderr } = await command([...words, "mq", "ls"]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "expected the flag --allow-ffi");
});
