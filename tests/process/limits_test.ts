/**
 * Refusals that need a prepared process: spent limits, a full /dev/shm, another user, planted names.
 *
 * Rule: each is the documented error with its code and a hint that names the limit behind it, and
 * nothing was made, changed or left.
 */

import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import {
  assert,
  assertEquals,
  assertFalse,
  assertStringIncludes,
  assertThrows,
} from "../assert.ts";
import { test } from "../harness.ts";
import { MessageQueue, PosixError, SharedMemory, uniqueName } from "../../mod.ts";
import "../support/loaded.ts";
import { memoryName, queueName } from "../support/names.ts";
import { Peer } from "../support/peer.ts";
import {
  ATTEMPT,
  type Attempt,
  attemptsOf,
  BECOME_OTHER_USER,
  inNamespaces,
  OTHER_UID,
  rootTest,
  runPrepared,
} from "../support/prepared.ts";
import { Child, run, temporaryFolder } from "../support/process.ts";
import { evalArgs, execPath, FFI_ONLY } from "../support/runtime.ts";
import { within } from "../support/until.ts";

const IMPORTS = `
  import process from "node:process";
  import { MappedFile, MessageQueue, SharedMemory, uniqueName } from "@postbox/postbox";
  const smallQueue = { maxMessages: 1, maxMessageBytes: 64 };
  const [name, other, third] = process.argv.slice(2);
`;

const KIB = 1024;

function assertRefused(
  attempt: Attempt | undefined,
  expected: { code: string; syscall: string; target: string; hint: string[] },
) {
  const { code, syscall, target } = expected;
  assertEquals(
    [attempt?.name, attempt?.code, attempt?.syscall, attempt?.target],
    ["PosixError", code, syscall, target],
  );
  for (const part of expected.hint) assertStringIncludes(attempt?.hint ?? "(no hint)", part);
}

function assertGave(attempt: Attempt | undefined, value: unknown) {
  assertEquals([attempt?.code, attempt?.value], [undefined, value]);
}

rootTest("MessageQueue.create() names RLIMIT_MSGQUEUE when the user's queues fill it", async () => {
  const names = [uniqueName("test"), uniqueName("test"), uniqueName("test")];
  // As a user who has no other queues, and with room for two of 160 bytes.
  const attempts = attemptsOf(
    await runPrepared(
      ["prlimit", "--msgqueue=320:320"],
      `${IMPORTS} ${BECOME_OTHER_USER}
      using first = MessageQueue.create(name, smallQueue);
      using second = MessageQueue.create(other, smallQueue);
      MessageQueue.unlink(name);
      attempt("third", () => MessageQueue.create(third, smallQueue).length);
      attempt("is it there", () => MessageQueue.open(third).length);
      attempt("list", () => MessageQueue.limits().maxUserBytes.soft);
      first.close();
      attempt("after one is gone", () => {
        using queue = MessageQueue.create(third, smallQueue);
        return queue.maxMessages;
      });
      MessageQueue.unlink(other);
      MessageQueue.unlink(third);
      attempt("the default", () => MessageQueue.create(third).length);
      `,
      { args: names },
    ),
  );
  assertRefused(attempts.get("third"), {
    code: "EMFILE",
    syscall: "mq_open",
    target: names[2]!,
    hint: ["160 bytes", "RLIMIT_MSGQUEUE allows 320", "with a name take 160;", "ulimit -q"],
  });
  assertEquals(attempts.get("is it there")?.code, "ENOENT");
  assertGave(attempts.get("list"), 320);
  assertGave(attempts.get("after one is gone"), 1);
  const { defaultMessages, defaultMessageBytes } = MessageQueue.limits();
  assertRefused(attempts.get("the default"), {
    code: "EMFILE",
    syscall: "mq_open",
    target: names[2]!,
    hint: [`${defaultMessages * (defaultMessageBytes + 96)} bytes`, "RLIMIT_MSGQUEUE allows 320"],
  });
});

test("an EMFILE names RLIMIT_NOFILE when the process is out of descriptors", async () => {
  using queue = queueName();
  using _queue = MessageQueue.create(queue.name, { maxMessages: 1, maxMessageBytes: 64 });
  using free = queueName();
  using memory = memoryName();
  const attempts = attemptsOf(
    await runPrepared(
      // Node opens all modules of a program at a time.
      ["prlimit", "--nofile=500:500"],
      `${IMPORTS}
      const taken = [];
      attempt("fill", () => {
        for (;;) taken.push(SharedMemory.anonymous({ byteLength: 0 }));
      });
      attempt("create", () => MessageQueue.create(other, smallQueue).length);
      attempt("open", () => MessageQueue.open(name).length);
      attempt("create memory", () => SharedMemory.create(third, { byteLength: 1 }).byteLength);
      taken.pop().close();
      attempt("is it there", () => MessageQueue.open(other).length);
      attempt("is the memory there", () => SharedMemory.open(third).length);
      attempt("open again", () => {
        using queue = MessageQueue.open(name);
        return queue.maxMessages;
      });
      `,
      { args: [queue.name, free.name, memory.name] },
    ),
  );
  const hint = ["RLIMIT_NOFILE allows this process 500 descriptors", "ulimit -n"];
  for (const [label, target] of [["create", free.name], ["open", queue.name]] as const) {
    assertRefused(attempts.get(label), { code: "EMFILE", syscall: "mq_open", target, hint });
    assertFalse(attempts.get(label)!.hint!.includes("MSGQUEUE"));
  }
  const memfd = { code: "EMFILE", syscall: "memfd_create", target: "memfd:postbox", hint };
  assertRefused(attempts.get("fill"), memfd);
  const shm = { code: "EMFILE", syscall: "shm_open", target: memory.name, hint };
  assertRefused(attempts.get("create memory"), shm);
  assertEquals(attempts.get("is it there")?.code, "ENOENT");
  assertEquals(attempts.get("is the memory there")?.code, "ENOENT");
  assertGave(attempts.get("open again"), 1);
});

rootTest(
  "MessageQueue.create() names queues_max when the namespace has no more queues",
  async () => {
    const names = ["/one", "/two", "/three"]; // in a namespace of their own
    const attempts = attemptsOf(
      await runPrepared(
        inNamespaces(["-i"], "echo 2 > /proc/sys/fs/mqueue/queues_max"),
        // Root may have the privilege to pass this limit.
        `${IMPORTS} ${BECOME_OTHER_USER}
      MessageQueue.create(name, smallQueue).close();
      MessageQueue.create(other, smallQueue).close();
      attempt("third", () => MessageQueue.create(third, smallQueue).length);
      attempt("limit", () => MessageQueue.limits().maxQueues);
      attempt("existing", () => MessageQueue.openOrCreate(other, smallQueue).maxMessages);
      MessageQueue.unlink(name);
      attempt("after one is gone", () => MessageQueue.create(third, smallQueue).maxMessages);
      `,
        { args: names },
      ),
    );
    assertRefused(attempts.get("third"), {
      code: "ENOSPC",
      syscall: "mq_open",
      target: "/three",
      hint: ["queues_max allows 2", "fs.mqueue.queues_max"],
    });
    assertGave(attempts.get("limit"), 2);
    assertGave(attempts.get("existing"), 1);
    assertGave(attempts.get("after one is gone"), 1);
  },
);

rootTest("SharedMemory gives ENOSPC and changes nothing when /dev/shm is full", async () => {
  const attempts = attemptsOf(
    await runPrepared(
      inNamespaces(
        ["-m"],
        "mount -t tmpfs -o size=64k tmpfs /dev/shm; truncate -s 1M /dev/shm/sparse",
      ),
      `${IMPORTS}
      const state = (memory) => {
        const { byteLength, allocatedBytes } = memory.status();
        const text = new TextDecoder().decode(memory.read({ byteLength: 4 }));
        return [memory.byteLength, byteLength, allocatedBytes, text];
      };
      const names = () => SharedMemory.list().map(({ name }) => name);
      const much = ${128 * KIB};
      using kept = SharedMemory.create("/kept", { byteLength: 4096, maxByteLength: 2 * much });
      kept.write("kept");

      attempt("create", () => SharedMemory.create("/new", { byteLength: much }).byteLength);
      attempt("openOrCreate, new", () => SharedMemory.openOrCreate("/new", { byteLength: much }).byteLength);
      attempt("openOrCreate, old", () => SharedMemory.openOrCreate("/kept", { byteLength: much }).byteLength);
      attempt("grow", () => kept.grow(much));
      attempt("write", () => kept.write(new Uint8Array(10), { offset: much }));
      attempt("allocate", () => SharedMemory.open("/sparse", { allocate: true }).byteLength);
      attempt("state", () => state(kept));
      attempt("names", names);
      attempt("sparse", () => {
        const { byteLength, allocatedBytes } = SharedMemory.open("/sparse").status();
        return [byteLength, allocatedBytes];
      });
      attempt("what fits", () => {
        kept.grow(16384);
        kept.bytes.fill(1, 4096); // touches every new page
        return state(kept);
      });
      `,
    ),
  );
  const hint = ["df -h /dev/shm", "postbox shm ls", "remount"];
  for (
    const [label, target] of [
      ["create", "/new"],
      ["openOrCreate, new", "/new"],
      ["openOrCreate, old", "/kept"],
      ["grow", "/kept"],
      ["write", "/kept"],
      ["allocate", "/sparse"],
    ] as const
  ) {
    assertRefused(attempts.get(label), {
      code: "ENOSPC",
      syscall: "posix_fallocate",
      target,
      hint,
    });
  }
  assertGave(attempts.get("state"), [4096, 4096, 4096, "kept"]);
  assertGave(attempts.get("names"), ["/kept", "/sparse"]);
  assertGave(attempts.get("sparse"), [KIB * KIB, 0]);
  assertGave(attempts.get("what fits"), [16384, 16384, 16384, "kept"]);
});

test("SharedMemory gives EFBIG and the process lives when RLIMIT_FSIZE forbids the length", async () => {
  using small = memoryName();
  using large = memoryName();
  using free = memoryName();
  // The limit comes when the program runs: starting up, Deno itself writes files.
  const program = `${IMPORTS} ${ATTEMPT}
    import { once } from "node:events";
    using memory = SharedMemory.create(name, { byteLength: 4096, maxByteLength: ${256 * KIB} });
    using large = SharedMemory.create(other, { byteLength: ${128 * KIB} });
    memory.write("kept");
    console.log("ready");
    await once(process.stdin, "data");
    process.stdin.destroy();

    const much = ${65 * KIB};
    attempt("create", () => SharedMemory.create(third, { byteLength: much }).byteLength);
    attempt("openOrCreate, new", () => SharedMemory.openOrCreate(third, { byteLength: much }).byteLength);
    attempt("openOrCreate, old", () => SharedMemory.openOrCreate(name, { byteLength: much }).byteLength);
    attempt("anonymous", () => SharedMemory.anonymous({ byteLength: much }).byteLength);
    attempt("grow", () => memory.grow(much));
    attempt("write, longer", () => memory.write("x", { offset: much }));
    attempt("write, inside", () => large.write("x", { offset: much }));
    attempt("write, across", () => large.write(new Uint8Array(2), { offset: ${64 * KIB} - 1 }));
    attempt("is it there", () => SharedMemory.open(third).byteLength);
    attempt("kept", () => [memory.byteLength, memory.status().byteLength,
      new TextDecoder().decode(memory.read({ byteLength: 4 }))]);
    attempt("untouched", () => large.bytes.every((byte) => byte === 0));
    attempt("what is allowed", () => {
      memory.grow(${64 * KIB});
      memory.write("x", { offset: ${64 * KIB} - 1 });
      large.write("x", { offset: ${64 * KIB} - 1 });
      return memory.byteLength;
    });
    attempt("open", () => SharedMemory.open(other).byteLength);
  `;
  const args = evalArgs(program, { permissions: [...FFI_ONLY, "--no-code-cache"] });
  await using child = new Child(execPath(), [...args, small.name, large.name, free.name]);
  assertEquals(await within("the program", child.line()), "ready");
  const limit = 64 * KIB;
  const { code, stderr } = await run("prlimit", {
    args: [`--pid=${child.pid}`, `--fsize=${limit}:${limit}`],
  });
  assertEquals([code, stderr], [0, ""]);
  await child.write("go\n");
  const attempts = attemptsOf(await within("the end", child.finished()));

  for (
    const [label, target] of [
      ["create", free.name],
      ["openOrCreate, new", free.name],
      ["openOrCreate, old", small.name],
      ["anonymous", "memfd:postbox"],
      ["grow", small.name],
      ["write, longer", small.name],
      ["write, inside", large.name],
      ["write, across", large.name],
    ] as const
  ) {
    const hint = [`RLIMIT_FSIZE allows files of ${limit} bytes`, "are needed", "ulimit -f"];
    assertRefused(attempts.get(label), { code: "EFBIG", syscall: "getrlimit", target, hint });
  }
  assertEquals(attempts.get("is it there")?.code, "ENOENT");
  assertGave(attempts.get("kept"), [4096, 4096, "kept"]);
  assertGave(attempts.get("untouched"), true);
  assertGave(attempts.get("what is allowed"), limit);
  assertGave(attempts.get("open"), 128 * KIB);
});

rootTest("opening gives EACCES to a user without permission", async () => {
  using queue = queueName();
  using memory = memoryName();
  using _queue = MessageQueue.create(queue.name, { maxMessages: 1, maxMessageBytes: 64 });
  using kept = SharedMemory.create(memory.name, { byteLength: 64 });
  using folder = temporaryFolder();
  chmodSync(folder.path, 0o755);
  const file = `${folder.path}/file`;
  writeFileSync(file, "secret", { mode: 0o600 });
  const attempts = attemptsOf(
    await runPrepared(
      ["env"],
      `${IMPORTS} ${BECOME_OTHER_USER}
      for (const access of ["r", "w", "rw"]) {
        attempt("queue " + access, () => MessageQueue.open(name, { access, owner: "any" }).length);
      }
      for (const access of ["r", "rw"]) {
        attempt("memory " + access, () => SharedMemory.open(other, { access, owner: "any" }).length);
      }
      attempt("queue openOrCreate", () => MessageQueue.openOrCreate(name).length);
      attempt("memory openOrCreate", () => SharedMemory.openOrCreate(other, { byteLength: 99 }).length);
      attempt("queue unlink", () => MessageQueue.unlink(name));
      attempt("memory unlink", () => SharedMemory.unlink(other));
      for (const mapping of ["read", "private", "shared"]) {
        attempt("file " + mapping, () => MappedFile.open(third, { mapping }).byteLength);
      }
      `,
      { args: [queue.name, memory.name, file] },
    ),
  );
  const calls: Record<string, [target: string, syscall: string]> = {
    "queue r": [queue.name, "mq_open"],
    "queue w": [queue.name, "mq_open"],
    "queue rw": [queue.name, "mq_open"],
    "queue openOrCreate": [queue.name, "mq_open"],
    "queue unlink": [queue.name, "mq_unlink"],
    "memory r": [memory.name, "shm_open"],
    "memory rw": [memory.name, "shm_open"],
    "memory openOrCreate": [memory.name, "shm_open"],
    "memory unlink": [memory.name, "shm_unlink"],
    "file read": [file, "open"],
    "file private": [file, "open"],
    "file shared": [file, "open"],
  };
  for (const [label, [target, syscall]] of Object.entries(calls)) {
    assertRefused(attempts.get(label), { code: "EACCES", syscall, target, hint: [] });
  }
  assertEquals([attempts.size, kept.status().byteLength], [Object.keys(calls).length, 64]);
  assertEquals(MessageQueue.open(queue.name).closed, false);
});

/** Another user's queue and memory, there as long as the peer. */
const othersObjects = `
  import process from "node:process";
  import { MessageQueue, SharedMemory } from "@postbox/postbox";
  const [queueName, memoryName] = process.argv.slice(2);
  ${BECOME_OTHER_USER}
  const queue = MessageQueue.create(queueName, { maxMessages: 1, maxMessageBytes: 64, mode: 0o666 });
  const memory = SharedMemory.create(memoryName, { byteLength: 64, mode: 0o666 });
  queue.trySend("planted");
  memory.write("planted");
  console.log("ready");
  for await (const _ of process.stdin) { /* until the test ends */ }
`;

rootTest(
  "MessageQueue.open() refuses another user's queue with EACCES unless owner is any",
  async () => {
    using object = queueName();
    using memory = memoryName();
    await using peer = new Peer(execPath(), [
      ...evalArgs(othersObjects),
      object.name,
      memory.name,
    ]);
    assertEquals(await within("the other user", peer.line()), "ready");

    const size = { maxMessages: 1, maxMessageBytes: 64 };
    for (
      const open of [
        () => MessageQueue.open(object.name),
        () => MessageQueue.open(object.name, { access: "r" }),
        () => MessageQueue.open(object.name, { owner: "self" }),
        () => MessageQueue.openOrCreate(object.name, size),
      ]
    ) {
      const error = assertThrows(open, PosixError);
      assertEquals([error.code, error.syscall, error.target], ["EACCES", "statx", object.name]);
      assertStringIncludes(error.hint ?? "", `user ${OTHER_UID} and you are user 0`);
      assertStringIncludes(error.hint ?? "", 'owner: "any"');
    }
    using queue = MessageQueue.open(object.name, { owner: "any" });
    assertEquals(queue.tryReceive()?.text(), "planted");
    using same = MessageQueue.openOrCreate(object.name, { ...size, owner: "any" });
    assertEquals(same.length, 0);
  },
);

rootTest(
  "SharedMemory.open() refuses another user's memory with EACCES unless owner is any",
  async () => {
    using queue = queueName();
    using object = memoryName();
    await using peer = new Peer(execPath(), [
      ...evalArgs(othersObjects),
      queue.name,
      object.name,
    ]);
    assertEquals(await within("the other user", peer.line()), "ready");

    for (
      const open of [
        () => SharedMemory.open(object.name),
        () => SharedMemory.open(object.name, { access: "r" }),
        () => SharedMemory.open(object.name, { owner: "self" }),
        () => SharedMemory.open(object.name, { allocate: true }),
      ]
    ) {
      const error = assertThrows(open, PosixError);
      assertEquals([error.code, error.syscall, error.target], ["EACCES", "statx", object.name]);
      assertStringIncludes(error.hint ?? "", `user ${OTHER_UID} and you are user 0`);
      assertStringIncludes(error.hint ?? "", 'owner: "any"');
    }
    // LINUX: where fs.protected_regular is set, the kernel refuses this itself, with the same code.
    const create = () => SharedMemory.openOrCreate(object.name, { byteLength: 8192 });
    assertEquals(assertThrows(create, PosixError).code, "EACCES");

    using memory = SharedMemory.open(object.name, { owner: "any" });
    assertEquals(memory.byteLength, 64); // openOrCreate made it no longer
    assertEquals(new TextDecoder().decode(memory.read({ byteLength: 7 })), "planted");
  },
);

/** Tries every way to open or make memory of one name, in a child that is killed if it hangs. */
async function tryToOpen(name: string): Promise<Map<string, Attempt>> {
  const code = `${IMPORTS} ${ATTEMPT}
    attempt("open r", () => SharedMemory.open(name, { access: "r" }).byteLength);
    attempt("open rw", () => SharedMemory.open(name).byteLength);
    attempt("open any", () => SharedMemory.open(name, { owner: "any" }).byteLength);
    attempt("openOrCreate", () => SharedMemory.openOrCreate(name, { byteLength: 9 }).byteLength);
    attempt("create", () => SharedMemory.create(name, { byteLength: 9 }).byteLength);
    attempt("listed", () => SharedMemory.list().some((entry) => entry.name === name));
  `;
  await using child = Child.program(code, name);
  return attemptsOf(await within("the program", child.finished()));
}

function assertAllRefused(
  attempts: Map<string, Attempt>,
  target: string,
  { code, syscall }: { code: string; syscall: string },
) {
  for (const label of ["open r", "open rw", "open any", "openOrCreate"]) {
    assertRefused(attempts.get(label), { code, syscall, target, hint: [] });
  }
  assertRefused(attempts.get("create"), {
    code: "EEXIST",
    syscall: "shm_open",
    target,
    hint: ["openOrCreate"],
  });
  assertGave(attempts.get("listed"), false);
}

test("SharedMemory.open() refuses a planted symbolic link and does not touch its target", async () => {
  const name = uniqueName("test");
  using folder = temporaryFolder();
  const target = `${folder.path}/target`;
  writeFileSync(target, "precious");
  symlinkSync(target, `/dev/shm${name}`);
  try {
    assertAllRefused(await tryToOpen(name), name, { code: "ELOOP", syscall: "shm_open" });
    assertEquals(readFileSync(target, "utf8"), "precious");
  } finally {
    rmSync(`/dev/shm${name}`);
  }
});

test("SharedMemory.open() refuses a dangling symbolic link and makes no target", async () => {
  const name = uniqueName("test");
  const target = `/dev/shm${uniqueName("test")}`;
  symlinkSync(target, `/dev/shm${name}`);
  try {
    assertAllRefused(await tryToOpen(name), name, { code: "ELOOP", syscall: "shm_open" });
    assertEquals(lstatSync(target, { throwIfNoEntry: false }), undefined);
  } finally {
    rmSync(`/dev/shm${name}`);
  }
});

test("SharedMemory.open() refuses a planted FIFO and does not wait for its other end", async () => {
  const name = uniqueName("test");
  assertEquals((await run("mkfifo", { args: ["-m", "600", `/dev/shm${name}`] })).code, 0);
  try {
    const attempts = await tryToOpen(name);
    assertAllRefused(attempts, name, { code: "ENODEV", syscall: "statx" });
    assertStringIncludes(attempts.get("open r")?.hint ?? "", "no shared memory");
  } finally {
    rmSync(`/dev/shm${name}`);
  }
});

test("SharedMemory.open() refuses a directory", async () => {
  const name = uniqueName("test");
  mkdirSync(`/dev/shm${name}`);
  try {
    const attempts = await tryToOpen(name);
    assertRefused(attempts.get("open r"), {
      code: "ENODEV",
      syscall: "statx",
      target: name,
      hint: ["no shared memory"],
    });
    for (const label of ["open rw", "openOrCreate"]) {
      // The kernel says EISDIR; glibc makes EINVAL of it, musl does not.
      const code = attempts.get(label)?.code ?? "none";
      assert(["EISDIR", "EINVAL"].includes(code), code);
    }
    assertGave(attempts.get("listed"), false);
    assert(statSync(`/dev/shm${name}`).isDirectory());
  } finally {
    rmdirSync(`/dev/shm${name}`);
  }
});

/** Three queues: one that is held, one that nobody has open, one that is unlinked but held. */
const THREE_QUEUES = `
  using held = MessageQueue.create("/held", smallQueue);
  MessageQueue.create("/closed", smallQueue).close();
  using unlinked = MessageQueue.create("/unlinked", smallQueue);
  MessageQueue.unlink("/unlinked");
  held.trySend("x");
`;

/** A /dev of its own, with nothing in it but what is said here. */
const ownDev = (more: string) =>
  inNamespaces(["-m", "-i"], `mount -t tmpfs tmpfs /dev; mkdir /dev/shm; ${more}`);

const entry = (name: string, length = 0) => ({
  name,
  uid: OTHER_UID,
  mode: 0o600,
  maxMessages: 1,
  maxMessageBytes: 64,
  length,
});

rootTest(
  "MessageQueue.list() reads /dev/mqueue where it is mounted, and shows what ls shows",
  async () => {
    const attempts = attemptsOf(
      await runPrepared(
        ownDev("mkdir /dev/mqueue; mount -t mqueue mqueue /dev/mqueue"),
        `${IMPORTS}
      import { spawnSync } from "node:child_process";
      MessageQueue.create("/of-root", smallQueue).close();
      ${BECOME_OTHER_USER} ${THREE_QUEUES}
      attempt("list", () => MessageQueue.list());
      attempt("ls", () => {
        const stdio = ["inherit", "pipe", "inherit"]; // there is no /dev/null for it
        // From the root: there may be no way into this folder.
        const { stdout } = spawnSync("ls", ["/dev/mqueue"], { cwd: "/", stdio });
        return stdout.toString().trim().split("\\n").map((name) => "/" + name);
      });
      `,
        { permissions: [...FFI_ONLY, "--allow-run", "--allow-env"] },
      ),
    );
    // What belongs to root is seen, but may not be looked into.
    const queues = [entry("/closed"), entry("/held", 1), { name: "/of-root" }];
    assertGave(attempts.get("list"), {
      queues,
      source: "/dev/mqueue",
      complete: true,
      userBytes: 2 * (64 + 96),
    });
    assertGave(attempts.get("ls"), queues.map(({ name }) => name));
  },
);

rootTest("MessageQueue.list() mounts privately for root where /dev/mqueue is not", async () => {
  const attempts = attemptsOf(
    await runPrepared(
      ownDev("true"),
      `${IMPORTS} ${THREE_QUEUES}
      import { readFileSync } from "node:fs";
      attempt("list", () => MessageQueue.list());
      attempt("mounts", () => readFileSync("/proc/self/mounts", "utf8").includes("mqueue"));
      `,
      { permissions: ["--allow-all", "--quiet"] },
    ),
  );
  const ofRoot = { uid: 0 };
  assertGave(attempts.get("list"), {
    queues: [{ ...entry("/closed"), ...ofRoot }, { ...entry("/held", 1), ...ofRoot }],
    source: "private mount",
    complete: true,
    userBytes: 2 * (64 + 96),
  });
  assertGave(attempts.get("mounts"), false); // nobody else sees it, and it is gone
});

rootTest("MessageQueue.list() asks the processes without privileges, and says so", async () => {
  const attempts = attemptsOf(
    await runPrepared(
      ownDev("true"),
      `${IMPORTS}
      MessageQueue.create("/of-root", smallQueue).close();
      ${BECOME_OTHER_USER} ${THREE_QUEUES}
      attempt("list", () => MessageQueue.list());
      `,
    ),
  );
  assertGave(attempts.get("list"), {
    queues: [entry("/held", 1)],
    source: "processes",
    complete: false,
    userBytes: 64 + 96,
  });
});
