/**
 * What happens to messages when `mq recv` cannot go on: signals, readers that went away, full
 * disks. The rule under test: what was taken from the queue was written, or is in the queue again.
 */

import "../support/loaded.ts";
import { MessageQueue } from "../../mod.ts";
import { assert, assertEquals, assertStringIncludes } from "../assert.ts";
import { test } from "../harness.ts";
import { namedQueue } from "../support/names.ts";
import { Child, ROOT } from "../support/process.ts";
import { command, POSTBOX, shell, startPostbox } from "./postbox.ts";

function drain(queue: MessageQueue): string[] {
  const texts: string[] = [];
  for (let m = queue.tryReceive(); m !== undefined; m = queue.tryReceive()) texts.push(m.text());
  return texts;
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
  Deno.kill(Number(await child.line()), "SIGTERM");
  assertEquals(await child.line(), "status 143");
});

test("mq recv --follow loses nothing when it is interrupted in a busy stream", async () => {
  using made = namedQueue();
  // Into a file, for a pipe would be full while this test sends.
  const path = await Deno.makeTempFile({ prefix: "postbox-stream-" });
  using _file = { [Symbol.dispose]: () => Deno.removeSync(path) };
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
      if (!made.queue.sendSync(`${sent}`, { timeoutMs })) break;
      sent++;
    }
    assert(sent < endless, "it went on as long as there were messages");
    const { signal, code, stderr } = await child.finished();
    assert(sent > interruptAt, `nobody received: exit code ${code}, ${stderr}`);
    assertEquals([signal, stderr], ["SIGINT", ""]);
    const received = (await Deno.readTextFile(path)).trimEnd().split("\n");
    seen.push(...received, ...drain(made.queue));
  }
  assertEquals(seen, Array.from({ length: sent }, (_, i) => `${i}`));
});

test("mq recv ends by its signal also when the runtime is slow to answer it", async () => {
  using made = namedQueue();
  // Slow as on a busy machine, where the thread that answers signals has to wait for its turn.
  const code = `import process from "node:process";
    import { run } from ${JSON.stringify(`file://${ROOT}cli/main.ts`)};
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
    import { run } from ${JSON.stringify(`file://${ROOT}cli/main.ts`)};
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
    `set -o pipefail; postbox map cat ${Deno.execPath()} | head -c 4`,
  );
  assertEquals([code, stdout, stderr], [0, "\x7fELF", ""]);
});

test("postbox exits with 1 when its output is full", async () => {
  for (const words of ["limits", "--help", `map cat ${Deno.execPath()}`]) {
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

test("postbox says what it needs when Deno was started without --allow-ffi", async () => {
  const words = POSTBOX.filter((word) => word !== "--allow-ffi");
  const { code, stderr } = await command([...words, "mq", "ls"]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "expected the flag --allow-ffi");
});
