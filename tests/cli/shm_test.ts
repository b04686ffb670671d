/** The `shm` commands, each as the child process that a shell would start. */

import "../support/loaded.ts";
import { chmodSync, chownSync, truncateSync, writeFileSync } from "node:fs";
import process from "node:process";
import { SharedMemory } from "../../mod.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { test } from "../harness.ts";
import { memoryName } from "../support/names.ts";
import { rootTest } from "../support/prepared.ts";
import { temporaryFolder } from "../support/process.ts";
import {
  ALL_BYTES,
  command,
  onTerminal,
  POSTBOX,
  postbox,
  postboxReading,
  shell,
  without,
} from "./postbox.ts";

/** Memory of this test that already exists. */
function testMemory(data: Uint8Array | string, mode = 0o600) {
  const { name, [Symbol.dispose]: unlink } = memoryName();
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  using memory = SharedMemory.create(name, { byteLength: bytes.byteLength, mode });
  memory.write(bytes);
  return { name, [Symbol.dispose]: unlink };
}

function bytesOf(name: string): Uint8Array {
  using memory = SharedMemory.open(name, { access: "r" });
  return memory.read();
}

function textOf(name: string): string {
  return new TextDecoder().decode(bytesOf(name));
}

test("shm create makes zeros of that length with these permissions", async () => {
  using made = memoryName();
  const { code, stdout, stderr } = await postbox("shm", "create", made.name, "4097", "--mode=640");
  assertEquals([code, stdout, stderr], [0, "", ""]);
  assertEquals(bytesOf(made.name), new Uint8Array(4097));
  const entry = SharedMemory.list().find(({ name }) => name === made.name);
  assertEquals(entry?.mode, 0o640 & ~process.umask());
});

test("shm create --json prints the attributes", async () => {
  using made = memoryName();
  const { code, stdout } = await postbox("shm", "create", made.name, "0", "--json");
  assertEquals([code, JSON.parse(stdout)], [0, {
    name: made.name,
    byteLength: 0,
    allocatedBytes: 0,
    mode: "600",
    uid: process.getuid!(),
    gid: process.getgid!(),
    linked: true,
  }]);
});

test("shm create exits with 1 when there is one; --if-missing keeps its bytes and grows it", async () => {
  using there = testMemory("kept");
  const { code, stderr } = await postbox("shm", "create", there.name, "8");
  assertEquals([code, textOf(there.name)], [1, "kept"]);
  assertMatch(stderr, /\(EEXIST\)\nHint: .*--if-missing/);
  assertEquals((await postbox("shm", "create", there.name, "6", "--if-missing")).code, 0);
  assertEquals(textOf(there.name), "kept\0\0");
  assertEquals((await postbox("shm", "create", there.name, "2", "--if-missing")).code, 0);
  assertEquals(textOf(there.name), "kept\0\0", "it never shrinks");
});

test("shm create exits with 2 for what is no length or no mode, and makes nothing", async () => {
  using made = memoryName();
  const wrong = [["-1"], ["1.5"], ["4K"], ["1e3"], [""], [], ["1", "2"], ["8", "--mode", "888"]];
  for (const words of [...wrong, ["8", "--mode", "-600"], ["8", "--mode", "0o600"]]) {
    const { code, stderr } = await postbox("shm", "create", made.name, ...words);
    assertEquals(code, 2, words.join(" "));
    assertStringIncludes(stderr, 'Run "postbox shm create --help"');
  }
  assertEquals((await postbox("shm", "stat", made.name)).code, 1);
});

test("shm write writes text without a newline, and an object that is too short grows", async () => {
  using made = testMemory("12345");
  assertEquals((await postbox("shm", "write", made.name, "ab")).code, 0);
  assertEquals(textOf(made.name), "ab345");
  assertEquals((await postbox("shm", "write", made.name, "xyz", "--offset", "4")).code, 0);
  assertEquals(textOf(made.name), "ab34xyz");
  assertEquals((await postbox("shm", "write", made.name, "!", "--offset", "9")).code, 0);
  assertEquals(textOf(made.name), "ab34xyz\0\0!");
  assertEquals((await postbox("shm", "write", made.name, "", "--offset", "99")).code, 0);
  assertEquals(textOf(made.name), "ab34xyz\0\0!", "nothing is written, so nothing grows");
  assertEquals((await postbox("shm", "write", made.name, "--", "--")).code, 0);
  assertEquals(textOf(made.name), "--34xyz\0\0!");
});

test("shm write - and shm read pass every byte, also many of them", async () => {
  const large = new Uint8Array(300_001).map((_, i) => (i * 7919) >> 3);
  for (const data of [ALL_BYTES, new Uint8Array(0), large]) {
    using made = testMemory("");
    assertEquals((await postboxReading(data, "shm", "write", made.name, "-")).code, 0);
    const { code, bytes, stderr } = await postbox("shm", "read", made.name);
    assertEquals([code, stderr], [0, ""]);
    assertEquals(bytes, data);
  }
});

test("shm write without DATA writes standard input", async () => {
  using made = testMemory("12345");
  assertEquals((await postboxReading("ab", "shm", "write", made.name, "--offset=2")).code, 0);
  assertEquals(textOf(made.name), "12ab5");
});

test("shm write without DATA is wrong usage when standard input is a terminal", async () => {
  using made = testMemory("kept");
  const { code, stdout } = await onTerminal("shm", "write", made.name);
  assertEquals([code, textOf(made.name)], [2, "kept"]);
  assertStringIncludes(stdout, "Missing DATA: standard input is a terminal");
});

test("shm write exits with 1 when there is no room for all of it, and changes nothing", async () => {
  using made = testMemory("kept");
  // A limit that the runtime's own cache files stay below.
  const script = `ulimit -f ${2 ** 20}; echo x | postbox shm write ${made.name} - ` +
    `--offset ${2 ** 31}`;
  const { code, stderr } = await shell(script);
  assertEquals([code, textOf(made.name)], [1, "kept"]);
  assertMatch(stderr, /\(EFBIG\)\nHint: RLIMIT_FSIZE/);
});

test("shm write writes 100 MiB of standard input byte for byte", async () => {
  using made = testMemory("");
  const { code, stdout, stderr } = await shell(
    `set -o pipefail; input() { seq 20000000 | head -c ${100 * 2 ** 20}; }
     input 2>&- | postbox shm write ${made.name} --offset 3
     postbox shm read ${made.name} --offset 3 | cmp - <(input 2>&-) && echo equal`,
  );
  assertEquals([code, stdout, stderr], [0, "equal\n", ""]);
  using memory = SharedMemory.open(made.name, { access: "r" });
  assertEquals([memory.byteLength, memory.bytes[2]], [3 + 100 * 2 ** 20, 0]);
});

rootTest(
  "shm write stops reading when the machine has no more memory, and changes nothing",
  async () => {
    using made = testMemory("kept");
    // The machine says that it has less than it has; nobody else sees that.
    using folder = temporaryFolder();
    const meminfo = `${folder.path}/meminfo`;
    writeFileSync(meminfo, "MemAvailable:   24576 kB\nSwapFree:   0 kB\n");
    const script = `mount --bind ${meminfo} /proc/meminfo && ` +
      'head -c 300M /dev/zero | "$@"; echo "${PIPESTATUS[*]}"';
    const words = [...POSTBOX, "shm", "write", made.name];
    const { stdout, stderr } = await command([
      "unshare",
      "-m",
      "bash",
      "-c",
      script,
      "bash",
      ...words,
    ]);
    // 141: the writer of the input was still writing (SIGPIPE).
    assertEquals([stdout, textOf(made.name)], ["141 1\n", "kept"]);
    assertMatch(
      stderr,
      /"memfd:standard input": out of memory \(ENOMEM\)\nHint: \d+ bytes are needed/,
    );
  },
);

rootTest(
  "shm write changes nothing when standard input is more than /dev/shm has room for",
  async () => {
    const script = 'mount -t tmpfs -o size=1m none /dev/shm && "$@" create /small 4 && ' +
      '"$@" write /small kept && head -c 3M /dev/zero | "$@" write /small -; echo $?; ' +
      "cat /dev/shm/small";
    const words = ["bash", "-c", script, "bash", ...POSTBOX, "shm"];
    const { stdout, stderr } = await command(["unshare", "-m", ...words]);
    assertEquals(stdout, "1\nkept");
    assertMatch(stderr, /"\/small": .*\(ENOSPC\)\nHint: /);
  },
);

rootTest("shm create exits with 1 when /dev/shm is full, and makes nothing", async () => {
  using made = memoryName();
  const words = [...POSTBOX, "shm", "create", made.name, "1000000"];
  const script = 'mount -t tmpfs -o size=64k none /dev/shm && "$@"; echo $?; ls /dev/shm';
  const { stdout, stderr } = await command(["unshare", "-m", "sh", "-c", script, "sh", ...words]);
  assertEquals(stdout, "1\n");
  assertMatch(stderr, /\(ENOSPC\)\nHint: /);
});

test("shm read gives the part that was asked for, and less where the object ends", async () => {
  using made = testMemory("0123456789");
  const parts: [string[], string][] = [
    [["--offset", "3"], "3456789"],
    [["--length", "4"], "0123"],
    [["--offset=3", "--length=4"], "3456"],
    [["--offset", "8", "--length", "100"], "89"],
    [["--offset", "10"], ""],
    [["--offset", "9007199254740991"], ""],
    [["--length", "0"], ""],
  ];
  for (const [words, expected] of parts) {
    const { code, stdout } = await postbox("shm", "read", made.name, ...words);
    assertEquals([code, stdout], [0, expected], words.join(" "));
  }
});

test("shm read exits with 2 for what is no offset or length", async () => {
  using made = testMemory("x");
  for (const words of [["--offset", "-1"], ["--length", "all"], ["--offset"], ["--count", "1"]]) {
    const { code, stdout } = await postbox("shm", "read", made.name, ...words);
    assertEquals([code, stdout], [2, ""], words.join(" "));
  }
});

test("shm commands exit with 1 for an object that no address space can hold", async () => {
  using made = testMemory("");
  // Sparse: it takes no memory.
  truncateSync(`/dev/shm${made.name}`, 100 * 2 ** 40);
  const refused = [
    ["read", made.name, "--length", "1"],
    ["stat", made.name],
    ["write", made.name, "x"],
    ["create", made.name, "1", "--if-missing"],
  ];
  for (const words of refused) {
    const { code, stdout, stderr } = await postbox("shm", ...words);
    assertEquals([code, stdout], [1, ""], words[0]!);
    assertStringIncludes(stderr, "address space");
    assert(!stderr.includes("--help"), stderr);
  }
  assertEquals((await postbox("shm", "unlink", made.name)).code, 0);
});

test("shm create and write exit with 1 for more than the machine has, however much it is", async () => {
  using missing = memoryName();
  using made = testMemory("kept");
  for (const bytes of [2 ** 50, Number.MAX_SAFE_INTEGER]) {
    const created = await postbox("shm", "create", missing.name, `${bytes}`);
    const written = await postbox("shm", "write", made.name, "x", "--offset", `${bytes - 1}`);
    assertEquals([created.code, written.code, textOf(made.name)], [1, 1, "kept"]);
  }
  // Here the words alone are wrong: no such number of bytes can be told.
  const largest = `${Number.MAX_SAFE_INTEGER}`;
  const { code, stderr } = await postbox("shm", "write", made.name, "x", "--offset", largest);
  assertEquals([code, textOf(made.name)], [2, "kept"]);
  assertStringIncludes(stderr, `Cannot use --offset "${largest}"`);
});

test("shm stat prints length, pages, permissions and owner", async () => {
  using made = testMemory("12345");
  const { code, stdout } = await postbox("shm", "stat", made.name);
  assertEquals(code, 0);
  const lines = stdout.trimEnd().split("\n").map((line) => line.split(/ +/));
  assertEquals(lines.map(([key]) => key), ["bytes", "allocated", "mode", "owner"]);
  assertEquals([lines[0]![1], lines[2]![1]], ["5", "600"]);
  const facts = JSON.parse((await postbox("shm", "stat", made.name, "--json")).stdout);
  assertEquals([facts.byteLength, facts.uid, facts.gid], [5, process.getuid!(), process.getgid!()]);
});

test("shm ls shows each object, as a table and as JSON", async () => {
  using made = testMemory("12345");
  const { code, stdout, stderr } = await postbox("shm", "ls");
  const line = stdout.split("\n").find((line) => line.startsWith(`${made.name} `));
  assertEquals(code, 0);
  assertMatch(stdout, /^NAME +BYTES +ALLOCATED +MODE +UID\n/);
  const cells = line!.split(/ +/);
  assertEquals([cells[1], cells[3], cells[4]], ["5", "600", `${process.getuid!()}`]);
  assertMatch(stderr, /^\d+ objects? in \/dev\/shm\n$/);
  const { objects } = JSON.parse((await postbox("shm", "ls", "--json")).stdout);
  const found = objects.find(({ name }: { name: string }) => name === made.name);
  assertEquals([found.byteLength, found.mode], [5, "600"]);
});

test("shm read, write and unlink exit with 1 when there is no such object", async () => {
  for (const words of [["read", "/none"], ["write", "/none", "x"], ["unlink", "/none"]]) {
    const { code, stderr } = await postbox("shm", ...words);
    assertEquals(code, 1);
    assertMatch(stderr, /"\/none": it does not exist \(ENOENT\)\nHint: postbox shm ls shows/);
  }
});

test("shm write - does not wait for its input when the name is refused", async () => {
  const { code, stdout } = await shell("yes | postbox shm write /none -; echo $?");
  assertEquals([code, stdout], [0, "1\n"]);
});

test("shm read and write exit with 1 when the permissions forbid it", async () => {
  using made = testMemory("kept", 0o600);
  chmodSync(`/dev/shm${made.name}`, 0);
  const unprivileged = [...without("dac_override", "dac_read_search"), ...POSTBOX, "shm"];
  for (const words of [["read", made.name], ["write", made.name, "x"]]) {
    const { code, stderr } = await command([...unprivileged, ...words]);
    assertEquals(code, 1, words[0]!);
    assertMatch(stderr, /permission denied \(EACCES\)\nHint: postbox shm ls shows/);
  }
});

rootTest("shm read and write use another user's object only with --owner any", async () => {
  using made = testMemory("kept");
  chownSync(`/dev/shm${made.name}`, 65534, 65534);
  for (const words of [["read", made.name], ["write", made.name, "more"]]) {
    const refused = await postbox("shm", ...words);
    assertEquals([refused.code, refused.stdout], [1, ""]);
    assertMatch(refused.stderr, /\(EACCES\)\nHint: .*--owner any/);
    assertEquals((await postbox("shm", ...words, "--owner", "any")).code, 0);
  }
  // Looking is not trusting.
  assertEquals(JSON.parse((await postbox("shm", "stat", made.name, "--json")).stdout).uid, 65534);
});

test("shm unlink takes several names, and reports those it cannot", async () => {
  using one = testMemory("1");
  using two = testMemory("2");
  const { code, stderr } = await postbox("shm", "unlink", one.name, "/none", two.name);
  assertEquals([code, stderr.match(/ENOENT/g)?.length], [1, 1]);
  const names = SharedMemory.list().map(({ name }) => name);
  assert(!names.includes(one.name) && !names.includes(two.name));
});
