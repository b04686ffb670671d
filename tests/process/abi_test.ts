/**
 * Every number of C that Postbox relies on, compared with what a C compiler says.
 *
 * Goal: no constant, offset, error number, signal or system call number is believed. Method: a C
 * program is made from the tables themselves, so a new entry is compared without a change here,
 * and one that no header knows fails to compile. Two things have no header, and say where they
 * are looked up instead.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { assert, assertEquals, assertGreater } from "../assert.ts";
import { test } from "../harness.ts";
import { uniqueName } from "../../mod.ts";
import { C, type MachineAbi, MACHINES, STRUCTS } from "../../src/sys/abi.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { architecture } from "../../src/sys/load.ts";
import { SIGNALS } from "../../src/sys/signal.ts";
import { fromHex } from "../support/peer.ts";
import { compileC, run, temporaryFolder } from "../support/process.ts";

// Not <linux/stat.h> and not <sys/mount.h>: the first defines struct statx again, the second
// clashes with <linux/mount.h> in glibc 2.36, and older ones lack the fsopen family.
const HEADERS = `
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>
`;

/** What no public header has, and so is measured on the kernel, each in a test below. */
const MEASURED = ["MQUEUE_MAGIC"];

/** The name that C knows a struct by, where it is not the table's. */
const C_STRUCT: Readonly<Record<string, string>> = {
  // The kernel keeps linux_dirent64 to itself; glibc promises the same layout in its dirent64
  // (getdents64(3)), and a test below reads records that the kernel wrote.
  linux_dirent64: "struct dirent64",
  pthread_mutex_t: "pthread_mutex_t",
  pthread_mutexattr_t: "pthread_mutexattr_t",
  sem_t: "sem_t",
};

type Machine = keyof typeof MACHINES;

/** Every number of the tables, by the C expression that should give it. */
function expectedNumbers(machine: MachineAbi): Map<string, bigint> {
  const numbers = new Map<string, bigint>();
  const add = (expression: string, value: number | bigint) => {
    assert(!numbers.has(expression), `${expression} is in the tables twice`);
    numbers.set(expression, BigInt(value));
  };
  const { epoll_event, pthread_mutex_t, pthread_mutexattr_t, ...numbersOfMachine } = machine;
  const structs = { ...STRUCTS, epoll_event, pthread_mutex_t, pthread_mutexattr_t };
  for (const table of [C, ERRNO, SIGNALS, numbersOfMachine]) {
    for (const [name, value] of Object.entries(table)) {
      if (!MEASURED.includes(name)) add(name, value);
    }
  }
  for (const [name, fields] of Object.entries(structs)) {
    const type = C_STRUCT[name] ?? `struct ${name}`;
    for (const [field, value] of Object.entries(fields)) {
      add(field === "bytes" ? `sizeof(${type})` : `offsetof(${type}, ${field})`, value);
    }
  }
  assertGreater(numbers.size, 100); // the tables were really walked
  return numbers;
}

/** Reads lines of `expression=number`. */
function numbersIn(text: string): Map<string, bigint> {
  const numbers = new Map<string, bigint>();
  for (const [, expression, value] of text.matchAll(/([^\n"]+)=(-?\d+)/g)) {
    numbers.set(expression!, BigInt(value!));
  }
  return numbers;
}

const thisMachine: Machine = architecture();

test("the tables say what the C compiler of this machine says", async () => {
  const expected = expectedNumbers(MACHINES[thisMachine]);
  const lines = [...expected.keys()].map((expression) =>
    `  printf("%s=%lld\\n", "${expression}", (long long)(${expression}));`
  );
  using program = await compileC(`${HEADERS}\nint main(void) {\n${lines.join("\n")}\n}\n`);
  const { code, stdout, stderr } = await run(program.path);
  assertEquals([code, stderr], [0, ""]);
  assertEquals(numbersIn(stdout), expected);
});

const CROSS_COMPILER = "aarch64-linux-gnu-gcc";
const otherMachine = thisMachine === "aarch64" ? undefined : "aarch64";
const reasonNotToCross = await whyNoCrossCompiler();

async function whyNoCrossCompiler(): Promise<string | undefined> {
  if (otherMachine === undefined) return "this machine is arm64, the test above compared it";
  const { code } = await run("sh", { args: ["-c", `command -v ${CROSS_COMPILER}`] });
  if (code === 0) return undefined;
  return `there is no ${CROSS_COMPILER}; Debian has it as gcc-aarch64-linux-gnu with ` +
    "libc6-dev-arm64-cross";
}

test(
  "the tables say what a C compiler for arm64 says",
  { missing: reasonNotToCross },
  async () => {
    const expected = expectedNumbers(MACHINES.aarch64);
    // Nothing can run here, so each number is written into the assembler text.
    const lines = [...expected.keys()].map((expression) =>
      `  __asm__("\\n.ascii \\"${expression}=%c0\\"" : : "i"((long)(${expression})));`
    );
    const source = `${HEADERS}\nvoid numbers(void) {\n${lines.join("\n")}\n}\n`;
    const { code, stdout, stderr } = await run(CROSS_COMPILER, {
      args: ["-S", "-O1", "-Wall", "-Wextra", "-Werror", "-x", "c", "-o", "-", "-"],
      stdin: source,
    });
    assertEquals([code, stderr], [0, ""]);
    assertEquals(numbersIn(stdout.replaceAll('.ascii "', "\n")), expected);
  },
);

test("MQUEUE_MAGIC is what fstatfs(2) says of a real queue", async () => {
  using program = await compileC(`${HEADERS}
int main(int argc, char **argv) {
  struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 1 };
  mqd_t mqd = mq_open(argv[argc - 1], O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
  struct statfs status;
  if (mqd == -1 || mq_unlink(argv[argc - 1]) == -1 || fstatfs(mqd, &status) == -1) {
    perror("queue");
    return 1;
  }
  printf("%lld\\n", (long long)status.f_type);
}
`);
  const { code, stdout, stderr } = await run(program.path, { args: [uniqueName("test")] });
  assertEquals([code, stderr], [0, ""]);
  assertEquals(Number(stdout), C.MQUEUE_MAGIC);
});

test("linux_dirent64 is what getdents64(2) writes", async () => {
  using folder = temporaryFolder();
  const longName = "n".repeat(255);
  mkdirSync(`${folder.path}/${longName}`);
  writeFileSync(`${folder.path}/f`, "");
  using program = await compileC(`${HEADERS}
int main(int argc, char **argv) {
  static unsigned char records[32768];
  int fd = open(argv[argc - 1], O_RDONLY | O_DIRECTORY);
  long length = syscall(SYS_getdents64, fd, records, sizeof records);
  for (long i = 0; i < length; i++) printf("%02x", records[i]);
  return length < 0;
}
`);
  const { code, stdout, stderr } = await run(program.path, { args: [folder.path] });
  assertEquals([code, stderr], [0, ""]);
  assertEquals(
    entriesIn(fromHex(stdout)),
    new Map([[".", DT_DIR], ["..", DT_DIR], [longName, DT_DIR], ["f", DT_REG]]),
  );
});

const DT_DIR = 4, DT_REG = 8; // readdir(3)

function entriesIn(records: Uint8Array): Map<string, number> {
  const { d_reclen, d_type, d_name } = STRUCTS.linux_dirent64;
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
  const entries = new Map<string, number>();
  let at = 0;
  while (at < records.byteLength) {
    const start = at + d_name;
    const name = records.subarray(start, records.indexOf(0, start));
    entries.set(new TextDecoder().decode(name), records[at + d_type]!);
    const length = view.getUint16(at + d_reclen, true);
    assertGreater(length, d_name);
    at += length;
  }
  assertEquals(at, records.byteLength); // the last record ends where the kernel stopped
  return entries;
}
