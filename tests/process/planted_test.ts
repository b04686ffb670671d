/**
 * What others plant and what systems lack: names that are no text, FIFOs, holes without room,
 * control groups, user namespaces, a /proc without limits. Each is an error in words, or an entry.
 */

import process from "node:process";
import "../support/loaded.ts";
import { assertEquals, assertStringIncludes, assertThrows } from "../assert.ts";
import { test } from "../harness.ts";
import { MappedFile, MessageQueue, PosixError, SharedMemory } from "../../mod.ts";
import { compileC, run, temporaryFolder } from "../support/process.ts";
import {
  attemptsOf,
  BECOME_OTHER_USER,
  inNamespaces,
  rootTest,
  runPrepared,
} from "../support/prepared.ts";

const IMPORTS = `
  import process from "node:process";
  import { MappedFile, MessageQueue, SharedMemory } from "@postbox/postbox";
  const small = { maxMessages: 1, maxMessageBytes: 16 };
`;

test("list() shows names that are no UTF-8 or begin with a byte order mark", async () => {
  const id = crypto.randomUUID();
  using program = await compileC(`
    #include <fcntl.h>
    #include <mqueue.h>
    #include <stdio.h>
    #include <string.h>
    #include <sys/mman.h>
    #include <unistd.h>
    int main(int argc, char **argv) {
      static const char *const ends[] = { "\\xff\\xfe", "" };
      static const char *const starts[] = { "", "\\xef\\xbb\\xbf" };
      struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 16 };
      if (argc != 3) return 2;
      for (int i = 0; i < 2; i++) {
        char name[128];
        snprintf(name, sizeof name, "/%s%s%s", starts[i], argv[2], ends[i]);
        if (strcmp(argv[1], "make") == 0) {
          int shm = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
          if (shm < 0 || ftruncate(shm, 5) != 0) return 3;
          if (mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attr) < 0) return 4;
        } else if (shm_unlink(name) != 0 || mq_unlink(name) != 0) {
          return 5;
        }
      }
      return 0;
    }`);
  assertEquals((await run(program.path, { args: ["make", id] })).code, 0);
  try {
    const memory = SharedMemory.list().filter(({ name }) => name.includes(id));
    assertEquals(
      memory.map(({ name, byteLength }) => [name, byteLength]).sort(),
      [
        [`/${id}\ufffd\ufffd`, 5],
        [`/\ufeff${id}`, 5],
      ].sort(),
    );
    const { queues, complete } = MessageQueue.list();
    const names = queues.map(({ name }) => name).filter((name) => name.includes(id));
    // Without a place that shows all queues, nobody has these open any more.
    const expected = complete ? [`/${id}\ufffd\ufffd`, `/\ufeff${id}`].sort() : [];
    assertEquals(names.sort(), expected);
  } finally {
    assertEquals((await run(program.path, { args: ["unlink", id] })).code, 0);
  }
});

test("MappedFile.open() throws ENODEV for a FIFO, and does not wait for its other end", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/fifo`;
  assertEquals((await run("mkfifo", { args: [path] })).code, 0);
  for (const mapping of ["read", "private", "shared"] as const) {
    const error = assertThrows(() => MappedFile.open(path, { mapping }), PosixError);
    assertEquals([error.code, error.target], ["ENODEV", path]);
  }
});

rootTest(
  "MappedFile.open() throws ENOSPC for holes that a full tmpfs has no room for",
  async () => {
    const attempts = attemptsOf(
      await runPrepared(
        inNamespaces(
          ["-m"],
          "mount -t tmpfs -o size=1m tmpfs /mnt; truncate -s 10M /mnt/sparse; truncate -s 64K /mnt/fits",
        ),
        `${IMPORTS}
      for (const mapping of ["read", "private", "shared"]) {
        attempt(mapping, () => MappedFile.open("/mnt/sparse", { mapping }).byteLength);
      }
      attempt("fits", () => MappedFile.open("/mnt/fits").bytes.every((byte) => byte === 0));
      `,
      ),
    );
    for (const mapping of ["read", "private", "shared"]) {
      const { code, target, hint } = attempts.get(mapping)!;
      assertEquals([code, target], ["ENOSPC", "/mnt/sparse"]);
      assertStringIncludes(hint ?? "", "holes of 10485760 bytes");
    }
    assertEquals(attempts.get("fits")?.value, true);
  },
);

/** Where a control group for memory can be made, and what its limit is called there. */
async function memoryGroups(): Promise<{ parent: string; limit: string } | undefined> {
  const candidates = [
    { parent: "/sys/fs/cgroup/memory", limit: "memory.limit_in_bytes" },
    { parent: "/sys/fs/cgroup", limit: "memory.max" },
  ];
  for (const candidate of candidates) {
    const probe = `${candidate.parent}/postbox-probe-${crypto.randomUUID()}`;
    const made = await run("mkdir", { args: [probe] });
    if (made.code !== 0) continue;
    const { code } = await run("test", { args: ["-w", `${probe}/${candidate.limit}`] });
    await run("rmdir", { args: [probe] });
    if (code === 0) return candidate;
  }
  return undefined;
}

const groups = process.getuid!() === 0 ? await memoryGroups() : undefined;

test(
  "SharedMemory throws ENOMEM for more than its control group may have",
  {
    missing: groups === undefined ? "no control group for memory can be made here" : undefined,
  },
  async () => {
    const folder = `${groups!.parent}/postbox-${crypto.randomUUID()}`;
    const limit = 200 * 1024 * 1024;
    try {
      const attempts = attemptsOf(
        await runPrepared(
          [
            "sh",
            "-ec",
            `mkdir "$1"; echo ${limit} > "$1/$2"; echo $$ > "$1/cgroup.procs"; shift 2; exec "$@"`,
            "sh",
            folder,
            groups!.limit,
          ],
          `${IMPORTS}
          attempt("too much", () => SharedMemory.anonymous({ byteLength: 400 << 20 }).byteLength);
          attempt("fits", () => SharedMemory.anonymous({ byteLength: 32 << 20 }).byteLength);
          `,
        ),
      );
      assertEquals(attempts.get("too much")?.code, "ENOMEM");
      assertStringIncludes(attempts.get("too much")?.hint ?? "", "control group");
      assertEquals(attempts.get("fits")?.value, 32 << 20);
    } finally {
      await run("rmdir", { args: [folder] });
    }
  },
);

rootTest(
  "open() refuses an object whose owner the user namespace does not tell apart",
  async () => {
    const name = `/test-${crypto.randomUUID()}`;
    using _queue = MessageQueue.create(name, { maxMessages: 1, maxMessageBytes: 16 });
    using _memory = SharedMemory.create(name, { byteLength: 8 });
    try {
      // Nobody is mapped there: every user, the caller too, reads as the overflow uid.
      const attempts = attemptsOf(
        await runPrepared(
          ["unshare", "-U"],
          `${IMPORTS}
        attempt("queue", () => MessageQueue.open(process.argv[2]).length);
        attempt("memory", () => SharedMemory.open(process.argv[2]).byteLength);
        attempt("any queue", () => MessageQueue.open(process.argv[2], { owner: "any" }).length);
        attempt("any memory", () => SharedMemory.open(process.argv[2], { owner: "any" }).byteLength);
        `,
          { args: [name] },
        ),
      );
      for (const label of ["queue", "memory"]) {
        const { code, target, hint } = attempts.get(label)!;
        assertEquals([code, target], ["EACCES", name]);
        assertStringIncludes(hint ?? "", "user namespace");
      }
      assertEquals([attempts.get("any queue")?.value, attempts.get("any memory")?.value], [0, 8]);
    } finally {
      MessageQueue.unlink(name);
      SharedMemory.unlink(name);
    }
  },
);

rootTest("create() tells the kernel's refusal where /proc does not tell the limits", async () => {
  const attempts = attemptsOf(
    await runPrepared(
      inNamespaces(["-m", "-i"], "mount -t tmpfs none /proc/sys/fs"),
      `${IMPORTS}
      attempt("too deep", () => MessageQueue.create("/deep", { maxMessages: 50000 }).length);
      attempt("one size", () => MessageQueue.create("/one", { maxMessages: 2 }).maxMessageBytes);
      `,
    ),
  );
  assertEquals(attempts.get("too deep")?.code, "EINVAL");
  assertEquals(attempts.get("one size")?.value, 8192);
});

rootTest("open() closes what it refuses for its owner", async () => {
  const attempts = attemptsOf(
    await runPrepared(
      inNamespaces(["-i"], "true"),
      `${IMPORTS}
      import { readDirectory } from "@postbox/postbox/src/sys/file.ts";
      import { bind } from "@postbox/postbox/src/sys/load.ts";
      const open = () => readDirectory("/proc/self/fd").length;
      ${BECOME_OTHER_USER.replace("c.setresuid(id, id, id)", "c.setresuid(0, id, 0)")}
      MessageQueue.create("/foreign", small).close();
      const { c } = bind({
        setresuid: { parameters: ["u32 ruid", "u32 euid", "u32 suid"], result: "i32" },
      });
      if (c.setresuid(0, 0, 0) !== 0) throw new Error("cannot become root again");
      console.log(JSON.stringify({ label: "standard output is open" })); // Node 20 then has one more
      const before = open();
      for (let i = 0; i < 10; i++) {
        attempt("refused", () => MessageQueue.open("/foreign").length);
      }
      attempt("left open", () => open() - before);
      MessageQueue.unlink("/foreign");
      `,
    ),
  );
  assertEquals(attempts.get("refused")?.code, "EACCES");
  assertEquals(attempts.get("left open")?.value, 0);
});
