/**
 * Help, usage and the shape of the program: every command explains itself with examples that run,
 * a wrong word is answered with the right one, and nothing is loaded before it is needed.
 */

import "../support/loaded.ts";
import { readFileSync } from "node:fs";
import { MessageQueue, Region, SharedMemory, struct, u32, u64, uniqueName } from "../../mod.ts";
import { Directory } from "../../src/actor/memory/directory.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { test } from "../harness.ts";
import { Child, runProgram } from "../support/process.ts";
import { moduleUrl, ROOT } from "../support/runtime.ts";
import { scaled } from "../support/scale.ts";
import { POSTBOX, postbox, shell } from "./postbox.ts";

const { version } = JSON.parse(readFileSync(`${ROOT}deno.json`, "utf8"));

/** Every level of commands, and what its examples need beforehand. */
const LEVELS: Record<string, string[]> = {
  "": [],
  "mq": [],
  "mq create": [],
  "mq send": ["mq create /jobs --max-messages 8 --max-bytes 64"],
  "mq recv": [
    "mq create /jobs --max-messages 8 --max-bytes 64",
    ...["one", "two", "three", "four", "five"].map((text) => `mq send /jobs ${text}`),
  ],
  "mq tail": ["/jobs", "/log", "/metrics"].flatMap((name) => [
    `mq create ${name} --max-messages 2 --max-bytes 8`,
    `mq send ${name} first`,
  ]),
  "mq ls": [],
  "mq stat": ["mq create /jobs --max-messages 2 --max-bytes 64"],
  "mq unlink": ["/jobs", "/log", "/metrics"].map((name) =>
    `mq create ${name} --max-messages 1 --max-bytes 8`
  ),
  "shm": [],
  "shm create": [],
  "shm write": ["shm create /table 0"],
  "shm read": ["shm create /table 16"],
  "shm ls": [],
  "shm stat": ["shm create /table 16"],
  "shm dump": [],
  "shm unlink": ["/table", "/inbox", "/outbox"].map((name) => `shm create ${name} 1`),
  "map": [],
  "map cat": [],
  "limits": [],
  "gc": [],
};

/** Those whose examples are run. The programs are the same everywhere, but for how they start. */
const RUN = new Set(
  Object.keys(LEVELS).filter((_, index, { length }) =>
    index % Math.round(length / scaled(length)) === 0
  ),
);

const STATS = struct("stats", { hits: u64, ready: u32 });

async function examplesOf(level: string): Promise<string[]> {
  const { code, stdout, stderr } = await postbox(...level.split(" ").filter(Boolean), "--help");
  assertEquals([code, stderr], [0, ""]);
  const [usage, examples] = stdout.split("\nEXAMPLES\n");
  assertStringIncludes(usage!, "USAGE\n");
  assertStringIncludes(usage!, "--help");
  return examples?.trimEnd().split("\n").map((line) => line.trim()) ?? [];
}

for (const [level, before] of Object.entries(LEVELS)) {
  test(`postbox ${level} --help shows examples${RUN.has(level) ? ", and they run" : ""}`, async () => {
    const examples = await examplesOf(level);
    assert(examples.length > 0);
    if (!RUN.has(level)) return;
    // Names are for one test; files are themselves.
    const names = new Map<string, string>();
    const system = uniqueName("test").slice(1);
    const own = (line: string) =>
      line.replace(/\bshop$/, system).replace(
        /(?<= )\/(jobs|log|metrics|table|stats|inbox|outbox)\b/g,
        (name) => {
          if (!names.has(name)) names.set(name, uniqueName("test"));
          return names.get(name)!;
        },
      );
    try {
      // No command makes a region: that takes a schema.
      if (level === "shm dump") Region.create(own(" /stats").trim(), STATS).close();
      // And none a system that has died.
      if (level === "gc") Directory.create(system).close();
      for (const line of [...before.map((words) => `postbox ${words}`), ...examples]) {
        if (line.includes("--follow") || line.includes("mq tail")) {
          await interruptAfterALine(own(line));
          continue;
        }
        const { code, stderr } = await shell(`set -o pipefail; ${own(line)}`);
        assertEquals(code, 0, `${line}\n${stderr}`);
      }
    } finally {
      const queues = MessageQueue.list().queues.map(({ name }) => name);
      const objects = SharedMemory.list().map(({ name }) => name);
      for (const name of names.values()) {
        if (queues.includes(name)) MessageQueue.unlink(name);
        if (objects.includes(name)) SharedMemory.unlink(name);
      }
    }
  });
}

async function interruptAfterALine(line: string): Promise<void> {
  await using child = new Child("bash", ["-c", line.replace(/^postbox/, POSTBOX.join(" "))]);
  await child.line();
  child.kill("SIGINT");
  assertEquals((await child.finished()).stderr, "");
}

test("postbox --help lists every command, and each group its own", async () => {
  for (const level of ["", "mq", "shm", "map"]) {
    const { stdout } = await postbox(...level.split(" ").filter(Boolean), "--help");
    const listed = stdout.split("\nCOMMANDS\n")[1]!.split("\n\n")[0]!.split("\n")
      .map((line) => `${level} ${line.trim().split(" ")[0]}`.trim());
    const known = Object.keys(LEVELS).filter((known) =>
      known !== level && known.split(" ").slice(0, -1).join(" ") === level
    );
    assertEquals(listed.filter((name) => name !== ""), known);
  }
});

test("postbox -h is --help, at every level, also after arguments", async () => {
  for (const words of [[], ["mq"], ["mq", "send"], ["limits"]]) {
    const { stdout } = await postbox(...words, "--help");
    assertEquals((await postbox(...words, "-h")).stdout, stdout);
  }
  const { code, stdout } = await postbox("mq", "recv", "/none", "--count", "2", "--help");
  assertEquals([code, stdout.startsWith("USAGE\n  postbox mq recv ")], [0, true]);
});

test("postbox --version prints the version of deno.json", async () => {
  const { code, stdout, stderr } = await postbox("--version");
  assertEquals([code, stdout, stderr], [0, `${version}\n`, ""]);
});

test("postbox without a command exits with 2 and shows the commands on standard error", async () => {
  for (const words of [[], ["mq"], ["shm"], ["map"]]) {
    const { code, stdout, stderr } = await postbox(...words);
    assertEquals([code, stdout], [2, ""]);
    assertStringIncludes(stderr, "postbox: Missing command\n");
    assertStringIncludes(stderr, "\nCOMMANDS\n");
  }
});

test("postbox exits with 2 for a wrong word and says what was meant", async () => {
  const wrong: [string, RegExp][] = [
    ["mq snd /x y", /Unknown command "snd": did you mean "postbox mq send"\?/],
    ["send /x y", /Unknown command "send": did you mean "postbox mq send"\?/],
    ["ls", /did you mean "postbox mq ls" or "postbox shm ls"\?/],
    ["limts", /did you mean "postbox limits"\?/],
    ["mq", /Missing command/],
    ["frobnicate", /Unknown command "frobnicate"\n.*postbox --help/],
    ["constructor", /Unknown command "constructor"/],
    ["mq __proto__", /Unknown command "__proto__"/],
    ["--json mq ls", /Unknown flag "--json": flags come after the command/],
    ["mq ls --jsn", /Unknown flag "--jsn": did you mean --json\?/],
    ["mq ls --no-json", /Unknown flag "--no-json": did you mean --json\?/],
    ["mq ls --constructor", /Unknown flag "--constructor"/],
    ["mq ls --to-string", /Unknown flag "--to-string"/],
    ["mq ls -x", /Unknown flag "-x"/],
    ["mq ls extra", /Unexpected argument "extra": expected none/],
    ["mq recv /x --cuont 3", /did you mean --count\?/],
    ["mq create", /Missing NAME: the queue, with its slash/],
    ["mq create /x --mode 8", /Cannot use --mode "8": expected octal permission bits like 600/],
    [
      "mq create /x --max-messages 1.5",
      /Cannot use --max-messages "1\.5": expected a whole number/,
    ],
    ["mq create /x --mode 600 --mode 644", /--mode is given twice/],
    ["limits now", /Unexpected argument "now"/],
  ];
  for (const [words, message] of wrong) {
    const { code, stdout, stderr } = await postbox(...words.split(" "));
    assertEquals([code, stdout], [2, ""], words);
    assertMatch(stderr, message);
    assertMatch(stderr, /^postbox: /);
  }
});

test("postbox limits shows the limits, what is used and how to raise them", async () => {
  const { code, stdout } = await postbox("limits");
  assertEquals(code, 0);
  assertMatch(stdout, /^LIMIT +ON +USED +ALLOWED +TO RAISE IT\n/);
  for (const name of ["msg_max", "msgsize_max", "queues_max"]) {
    assertMatch(stdout, new RegExp(`^${name} .*sysctl -w fs\\.mqueue\\.${name}=N$`, "m"));
  }
  assertMatch(stdout, /^RLIMIT_MSGQUEUE .*ulimit -q/m);
  assertMatch(stdout, /^\/dev\/shm .*remount,size=N/m);
});

test("postbox limits --json has the kernel's numbers, and what is used grows by a queue", async () => {
  const name = uniqueName("test");
  using _queue = MessageQueue.create(name, { maxMessages: 2, maxMessageBytes: 32 });
  try {
    const { limits, complete } = JSON.parse((await postbox("limits", "--json")).stdout);
    const here = MessageQueue.limits();
    assertEquals(limits.msg_max.value, here.maxMessages);
    assertEquals(limits.msgsize_max.value, here.maxMessageBytes);
    assertEquals(limits.queues_max.value, here.maxQueues);
    const { soft } = here.maxUserBytes;
    assertEquals(limits.RLIMIT_MSGQUEUE.value, soft === Infinity ? null : soft);
    assert(limits.RLIMIT_MSGQUEUE.used >= 2 * (32 + 96) && limits.queues_max.used >= 1);
    assertEquals(complete, MessageQueue.list().complete);
  } finally {
    MessageQueue.unlink(name);
  }
});

test("postbox limits follows the limits of its process", async () => {
  const { stdout } = await shell("ulimit -S -q 12345; postbox limits --json");
  const { value, hard } = JSON.parse(stdout).limits.RLIMIT_MSGQUEUE;
  assertEquals(value, 12345);
  assert(hard === null || hard >= 12345);
});

test("run() does nothing on import, and then what the arguments say", async () => {
  const code = `import { run } from "@postbox/postbox/cli/main.ts";
    console.log("imported");
    console.log(await run(["--version"]), await run(["no-such-command"]));`;
  const { stdout, stderr } = await runProgram(code, { args: ["mq", "ls"] });
  assertEquals(stdout, `imported\n${version}\n0 2\n`);
  assertStringIncludes(stderr, 'Unknown command "no-such-command"');
});

/** What is loaded with a module: URLs of files, and the rest as it is written there. */
function loadedWith(url: string): string[] {
  const loaded = new Set([url]);
  const statements =
    /(?:^|\*\/ )(?:import\s+(?!type\s)(?:[^;"]*\sfrom\s+)?|export\s+[*{][^;"]*\sfrom\s+)"([^"]+)"/gm;
  for (const module of loaded) {
    if (!module.startsWith("file:")) continue;
    for (const [, specifier] of readFileSync(new URL(module), "utf8").matchAll(statements)) {
      loaded.add(specifier!.startsWith(".") ? new URL(specifier!, module).href : specifier!);
    }
  }
  return [...loaded];
}

test("cli/main.ts loads neither node: modules nor the library before a command asks for them", () => {
  const loaded = loadedWith(moduleUrl("cli/main.ts"));
  assert(loaded.includes(moduleUrl("cli/commands/mq.ts")), "the commands are declared");
  assert(loaded.some((name) => name.includes("@stricli/core")), "the parser is there");
  const names = loaded.map((name) => name.replace(moduleUrl(""), ""));
  assertEquals(names.filter((name) => name.startsWith("node:") || name.startsWith("src/")), []);
  assertEquals(names.filter((name) => name.includes("_") && name.startsWith("cli/")), []);
});
