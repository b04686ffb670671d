/**
 * Limits of the kernel that a system of actors can hit: each refusal names the limit and leaves
 * nothing, and what most users have is enough for a hundred actors in ten processes.
 *
 * Method: the limits are those of a process, of a user, or of a namespace of its own.
 */

import process from "node:process";
import { Directory } from "../../src/actor/memory/directory.ts";
import mortalActor from "../actor/actors/mortal.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "../assert.ts";
import { test } from "../harness.ts";
import { PosixError } from "../../mod.ts";
import { objectsOf, quietSystem } from "../support/actors.ts";
import {
  attemptsOf,
  inNamespaces,
  type Preparation,
  rootTest,
  runPrepared,
} from "../support/prepared.ts";
import { siblingUrl } from "../support/runtime.ts";

const permissions = ["-A", "--no-prompt", "--quiet"];

const SYSTEM = `
  import { system } from "@postbox/postbox/src/actor/mod.ts";
  import { MessageQueue, SharedMemory } from "@postbox/postbox";
  import mortalActor from ${
  JSON.stringify(siblingUrl("../actor/actors/mortal.ts", import.meta.url))
};

  const name = "test-" + crypto.randomUUID().slice(0, 13);
  const tell = async (label, doing) => {
    let error;
    const value = await Promise.resolve().then(doing).catch((caught) => error = caught);
    attempt(label, () => {
      if (error !== undefined) throw error;
      return value;
    });
  };
  const isThere = (open, name) => {
    try {
      open(name).close();
      return true;
    } catch {
      return false;
    }
  };
  /** What of a system there is, by the parts of the names that are its own. */
  const left = (...names) => names.filter((part) =>
    isThere((name) => MessageQueue.open(name), "/" + name + "." + part) ||
    isThere((name) => SharedMemory.open(name), "/" + name + "." + part)
  );
`;

/** What a user has by default, and nobody else takes from: RLIMIT_MSGQUEUE is a user's. */
const USER_LIMIT: Preparation = process.getuid!() === 0
  ? ["unshare", "-Uri", "prlimit", "--msgqueue=819200:819200"]
  : ["prlimit", "--msgqueue=819200:819200"];

test("100 actors in 10 processes fit a user's RLIMIT_MSGQUEUE, and one too many names it", async () => {
  const finished = await runPrepared(
    USER_LIMIT,
    `${SYSTEM}
    const shop = await system(name, { log: { level: "error" } });
    const actors = await Promise.all([
      ...Array.from({ length: 10 }, () => shop.spawn(mortalActor, { in: "process" })),
      ...Array.from({ length: 90 }, () => shop.spawn(mortalActor)),
    ]);
    await tell("answers", async () => (await Promise.all(actors.map((one) => one.life()))).length);
    let count = 0;
    await tell("refused", async () => {
      for (;; count++) await shop.spawn(mortalActor, { mailbox: "box" + count });
    });
    await tell("left of it", () => left("box" + (count - 1), "box" + count));
    const place = "process";
    await tell("process", () => shop.spawn(mortalActor, { in: place }));
    await tell("answers then", () => actors[0].life().then(({ incarnation }) => incarnation));
    await tell("closed", () => shop.close());
    await tell("left", () => left("0", "1", "11", "box0", "directory"));
  `,
    { permissions },
  );
  const attempts = attemptsOf(finished);
  const value = (label: string) => attempts.get(label)?.value;
  assertEquals([value("answers"), value("answers then"), value("left")], [100, 1, []]);
  assertEquals((value("left of it") as string[]).length, 1); // the last one that was made
  for (const label of ["refused", "process"]) {
    const { code, hint } = attempts.get(label)!;
    assertEquals(code, "EMFILE");
    assertStringIncludes(hint!, "RLIMIT_MSGQUEUE");
  }
});

rootTest("spawn() where no queue can be added names queues_max, and leaves nothing", async () => {
  const finished = await runPrepared(
    inNamespaces(["-Uri"], "echo 2 > /proc/sys/fs/mqueue/queues_max"),
    `${SYSTEM}
    const shop = await system(name, { log: { level: "error" } });
    await shop.spawn(mortalActor, { mailbox: "box" });
    await tell("mailbox", () => shop.spawn(mortalActor, { mailbox: "more" }));
    await tell("process", () => shop.spawn(mortalActor, { in: "process" }));
    await tell("group", () => shop.spawn(mortalActor, { in: "process", size: 2 }));
    await tell("left of them", () => left("more", "1", "2"));
    await shop.close();
    await tell("left", () => left("0", "box", "directory"));
  `,
    { permissions },
  );
  const attempts = attemptsOf(finished);
  for (const label of ["mailbox", "process", "group"]) {
    const { code, hint } = attempts.get(label)!;
    assertEquals(code, "ENOSPC");
    assertStringIncludes(hint!, "queues_max");
  }
  assertEquals([attempts.get("left of them")!.value, attempts.get("left")!.value], [[], []]);
});

rootTest("a full /dev/shm is told, and leaves nothing", async () => {
  const finished = await runPrepared(
    inNamespaces(["-m"], "mount -t tmpfs -o size=192k none /dev/shm"),
    `${SYSTEM}
    const shop = await system(name, { log: { level: "error" } });
    const mortal = await shop.spawn(mortalActor, { mailbox: "box" });
    await tell("large", () => mortal.large(new Uint8Array(100_000)));
    await tell("small", () => mortal.large(new Uint8Array(100)).then(({ length }) => length));
    await tell("ring", () => shop.spawn(mortalActor, { in: "process", carrier: "ring" }));
    await tell("another", () => system(name + "-another"));
    await tell("left of it", () => left("1", "ring-1", "ring-0"));
    await shop.close();
    await tell("left", () => left("0", "box", "directory"));
  `,
    { permissions },
  );
  const attempts = attemptsOf(finished);
  for (const label of ["large", "ring", "another"]) {
    const { code, hint } = attempts.get(label)!;
    assertEquals([label, code], [label, "ENOSPC"]);
    assertStringIncludes(hint!, "/dev/shm");
  }
  assertEquals(attempts.get("small")!.value, 100);
  assertEquals([attempts.get("left of it")!.value, attempts.get("left")!.value], [[], []]);
});

test("a system has 127 workers and processes at most, and says so", async () => {
  await using shop = await quietSystem();
  using directory = Directory.join(shop.name);
  const ids = Array.from({ length: 127 }, () => directory.allocate(0));
  const error = await assertRejects(() => shop.spawn(mortalActor, { in: "worker" }), PosixError);
  assertEquals(error.code, "ENOSPC");
  assertStringIncludes(error.hint!, "127");
  for (const id of ids) directory.free(id);
  assertEquals(objectsOf(shop.name), ["0", "directory"]);
  const mortal = await shop.spawn(mortalActor, { in: "worker" });
  assert((await mortal.life()).pid > 0);
});
