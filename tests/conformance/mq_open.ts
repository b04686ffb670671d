/** mq_open: opening and creating queues. Sizes are tiny, for all users share the kernel's limits. */

import { once } from "node:events";
import { readlinkSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { MessageQueue, PosixError, uniqueName } from "../../mod.ts";
import { close, geteuid, mountPrivately, readDirectory, statx } from "../../src/sys/mod.ts";
import { assert, assertEquals, assertMatch, assertNotEquals, assertThrows } from "../assert.ts";
import { privateQueue, queueName } from "../support/names.ts";
import { siblingUrl } from "../support/runtime.ts";
import { children } from "./children.ts";
import { ADMIN, assertRefused, codeOf, type Group, ROOT_USER } from "./engine.ts";
import {
  attributes,
  attributesOf,
  becomeUser,
  C,
  c,
  cString,
  lowerLimit,
  mqOpen,
  mqReceive,
  mqSend,
  must,
  opened,
  R,
  realtime,
  timespec,
} from "./raw.ts";
import { assertOneWinnerEach, RACERS, raceThrough } from "./race.ts";

const TINY = { maxMessages: 2, maxMessageBytes: 16 };
const hi = new TextEncoder().encode("hi");
const ROUNDS = 24;

/** What a child does; see `children.ts`. */
export const programs = {
  sendGreeting(name: string) {
    using queue = MessageQueue.open(name);
    return queue.trySend("from the child", { priority: 3 });
  },

  /** What one handle of the given access may do. */
  useWith(name: string, access: string) {
    using queue = MessageQueue.open(name, { access: access as "r" | "w" | "rw" });
    return {
      send: codeOf(() => void queue.trySend("hi")),
      receive: codeOf(() => void queue.tryReceive()),
    };
  },

  /** Tries to create the same names at the same moments as the others; which ones it got. */
  race(prefix: string, gate: string) {
    return raceThrough(gate, ROUNDS, (round) => {
      const attempt = codeOf(() =>
        MessageQueue.create(`${prefix}-${round}`, { maxMessages: 1, maxMessageBytes: 1 })
      );
      if (attempt !== "ok") assertEquals(attempt, "EEXIST");
      return attempt === "ok";
    });
  },

  /** What another user may do with queues of these names: the answers per name and access. */
  openAsNobody(...names: string[]) {
    becomeUser();
    const answers = names.map((name) =>
      (["r", "w", "rw"] as const).map((access) =>
        codeOf(() => MessageQueue.open(name, { access, owner: "any" }))
      )
    );
    const raw = names.map((name) => mqOpen(name, C.O_RDWR));
    return { answers, raw };
  },

  /** What a member of the owning group may do. */
  openAsGroup(name: string, gid: string) {
    becomeUser(65534, Number(gid));
    return (["r", "w"] as const).map((access) =>
      codeOf(() => MessageQueue.open(name, { access, owner: "any" }))
    );
  },

  /** Creates a queue where the file system of queues may not be written. */
  createForbidden() {
    must(() => c.unshare(R.CLONE_NEWIPC));
    const directory = mountPrivately("mqueue");
    must(() => c.fchmod(directory, 0o755));
    becomeUser();
    const name = uniqueName("test");
    const code = codeOf(() => MessageQueue.create(name, TINY));
    const afterwards = codeOf(() => MessageQueue.open(name));
    close(directory, "mqueue");
    return { code, afterwards };
  },

  /** Creates a queue of one message more than anybody without privilege may have. */
  createTooLarge() {
    becomeUser();
    const { maxMessages } = MessageQueue.limits();
    const name = uniqueName("test");
    const sizes = { maxMessages: maxMessages + 1, maxMessageBytes: 1 };
    const { code, hint } = caught(() => MessageQueue.create(name, sizes));
    return { code, hint, afterwards: codeOf(() => MessageQueue.open(name)) };
  },

  /** Opens one queue until no descriptor is left. */
  openMany(name: string, limit: string) {
    lowerLimit(R.RLIMIT_NOFILE, Number(limit));
    let last: number | string = -1, count = 0;
    for (; count <= Number(limit); count++) {
      last = mqOpen(name, C.O_RDWR);
      if (typeof last === "string") break;
    }
    const error = caught(() => MessageQueue.open(name));
    lowerLimit(R.RLIMIT_NOFILE, Number(limit) + 8);
    // The runtime has raised its limit before and may have opened higher ones already.
    const descriptors =
      readDirectory("/proc/self/fd").filter(({ name }) => Number(name) < Number(limit)).length;
    return { last, count, descriptors, code: error.code, hint: error.hint };
  },

  /** Creates a queue where none may take any memory. */
  createWithoutQueueMemory(name: string) {
    lowerLimit(12, /* RLIMIT_MSGQUEUE */ 0);
    const { code, hint } = caught(() => MessageQueue.create(name, TINY));
    return { code, hint };
  },

  /** Creates queues in a namespace of its own until there are as many as may be. */
  createMany() {
    must(() => c.unshare(R.CLONE_NEWIPC));
    becomeUser(); // root with CAP_SYS_RESOURCE may go past the limit
    const { maxQueues } = MessageQueue.limits();
    let created = 0;
    for (;; created++) {
      const error = caughtOrDone(() =>
        MessageQueue.create(uniqueName("test"), { maxMessages: 1, maxMessageBytes: 1 }).close()
      );
      if (error !== undefined) return { created, maxQueues, code: error.code, hint: error.hint };
    }
  },
};

function caught(run: () => unknown): PosixError {
  return assertThrows(run, PosixError);
}

function caughtOrDone(run: () => void): PosixError | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof PosixError) return error;
    throw error;
  }
}

const child = children(import.meta.url, programs);

/** The answers of one access, here through the library and in another process, and twice over. */
async function checkAccess(
  access: "r" | "w" | "rw",
  expected: { send: string; receive: string },
): Promise<void> {
  using it = queueName();
  using queue = MessageQueue.create(it.name, TINY);
  queue.trySend("there");
  using first = MessageQueue.open(it.name, { access });
  using second = MessageQueue.open(it.name, { access });
  for (const handle of [first, second]) {
    assertEquals(codeOf(() => void handle.trySend("hi")), expected.send);
    assertEquals(codeOf(() => void handle.tryReceive()), expected.receive);
  }
  const flags = { r: C.O_RDONLY, w: C.O_WRONLY, rw: C.O_RDWR }[access] | C.O_NONBLOCK;
  using raw = opened(mqOpen(it.name, flags));
  assertEquals(mqSend(raw.fd, hi, 0) === "EBADF", expected.send === "EBADF");
  assertEquals(mqReceive(raw.fd) === "EBADF", expected.receive === "EBADF");
  assertEquals(await child.run("useWith", it.name, access), expected);
}

export const mqOpenGroup: Group = {
  name: "mq_open",
  rows: [
    {
      number: "1",
      says: "gives a descriptor that the other calls take and that stands for the named queue",
      kind: "Y",
      linux: "send, receive and attributes work through it; a second handle sees the same queue",
      check() {
        using it = queueName();
        using queue = MessageQueue.create(it.name, TINY);
        using again = MessageQueue.open(it.name);
        queue.trySend("one", { priority: 4 });
        assertEquals(again.length, 1);
        const message = again.tryReceive();
        assertEquals([message?.text(), message?.priority], ["one", 4]);

        using raw = opened(mqOpen(it.name, C.O_RDWR));
        assertEquals(mqSend(raw.fd, hi, 1), 0);
        assertEquals(attributesOf(raw.fd).curmsgs, 1);
        assertEquals(mqReceive(raw.fd), { text: "hi", priority: 1 });
      },
    },
    {
      number: "2",
      says:
        "a name with one slash at its start means one queue to every process; other names are " +
        "up to the system",
      kind: "Y+2P",
      linux: "no slash: EINVAL; a second slash: EACCES; the slash alone: ENOENT; empty: EINVAL",
      async check() {
        using it = queueName();
        using queue = MessageQueue.create(it.name, TINY);
        assertEquals(await child.run("sendGreeting", it.name), true);
        assertEquals(queue.tryReceive()?.text(), "from the child");

        const bare = it.name.slice(1);
        const odd = { [bare]: "EINVAL", [`/${bare}/b`]: "EACCES", "/": "ENOENT", "": "EINVAL" };
        for (const [name, code] of Object.entries(odd)) {
          assertEquals(mqOpen(name, C.O_RDWR | C.O_CREAT), code, `raw ${name}`);
          assertRefused(() => MessageQueue.openOrCreate(name, TINY), {
            code,
            syscall: "mq_open",
            target: name,
          });
        }
      },
    },
    {
      number: "3",
      says: "without the flag to create, a name that nobody made is an error",
      kind: "Y",
      linux: "ENOENT from open()",
      check() {
        using it = queueName();
        assertEquals(codeOf(() => MessageQueue.open(it.name)), "ENOENT");
        assertEquals(mqOpen(it.name, C.O_RDWR), "ENOENT");
      },
    },
    {
      number: "4",
      says: "where descriptors of queues are file descriptors, a process may have as many files " +
        "and queues open as its limit on open files says",
      kind: "LIM",
      linux: "they are; the process reaches exactly its RLIMIT_NOFILE",
      async check() {
        using it = queueName();
        using _queue = MessageQueue.create(it.name, TINY);
        const { last, count, descriptors } = await child.run("openMany", it.name, "96");
        assertEquals(last, "EMFILE");
        assertEquals(descriptors, 96);
        assert(count > 32, `only ${count} of 96 descriptors were left for queues`);
      },
    },
    {
      number: "5",
      says: "whether a queue may be opened follows from owner, group and mode as for a file",
      kind: "UID",
      needs: ROOT_USER,
      linux: "0644: others may receive; 0622: others may send; 0640: the group may receive",
      async check() {
        const group = 54321;
        using readable = queueName();
        using writable = queueName();
        using shared = queueName();
        const mask = must(() => c.umask(0));
        try {
          MessageQueue.create(readable.name, { ...TINY, mode: 0o644 }).close();
          MessageQueue.create(writable.name, { ...TINY, mode: 0o622 }).close();
          must(() => c.setresgid(0xffffffff, group, 0xffffffff));
          MessageQueue.create(shared.name, { ...TINY, mode: 0o640 }).close();
        } finally {
          must(() => c.setresgid(0xffffffff, 0, 0xffffffff));
          c.umask(mask);
        }
        const { answers } = await child.run(
          "openAsNobody",
          readable.name,
          writable.name,
          shared.name,
        );
        assertEquals(answers, [
          ["ok", "EACCES", "EACCES"],
          ["EACCES", "ok", "EACCES"],
          ["EACCES", "EACCES", "EACCES"],
        ]);
        assertEquals(await child.run("openAsGroup", shared.name, String(group)), ["ok", "EACCES"]);
      },
    },
    {
      number: "6",
      says:
        "exactly one of receive, send or both is asked for, with any of create, exclusive and " +
        "nonblocking",
      kind: "Y",
      linux: "each combination keeps its access and its blocking; two accesses at once: EINVAL",
      check() {
        using it = queueName();
        for (const access of [C.O_RDONLY, C.O_WRONLY, C.O_RDWR]) {
          for (const creation of [C.O_CREAT | C.O_EXCL, C.O_CREAT, 0]) {
            for (const nonblock of [0, C.O_NONBLOCK]) {
              if (creation & C.O_EXCL) MessageQueue.openOrCreate(it.name, TINY).close();
              if (creation & C.O_EXCL) MessageQueue.unlink(it.name);
              using mqd = opened(mqOpen(it.name, access | creation | nonblock));
              const flags = must(() => c.fcntl(mqd.fd, R.F_GETFL, 0));
              assertEquals(flags & (R.O_ACCMODE | C.O_NONBLOCK), access | nonblock);
            }
          }
        }
        assertEquals(mqOpen(it.name, C.O_WRONLY | C.O_RDWR), "EINVAL");
        assertThrows(() => MessageQueue.open(it.name, { access: "x" as "r" }), TypeError);
      },
    },
    {
      number: "7",
      says: "opened for receiving: receives, does not send, as often and by as many as like",
      kind: "Y+2P",
      linux: "sending: EBADF",
      check: () => checkAccess("r", { send: "EBADF", receive: "ok" }),
    },
    {
      number: "8",
      says: "opened for sending: sends, does not receive, as often and by as many as like",
      kind: "Y+2P",
      linux: "receiving: EBADF",
      check: () => checkAccess("w", { send: "ok", receive: "EBADF" }),
    },
    {
      number: "9",
      says: "opened for both: sends and receives, as often and by as many as like",
      kind: "Y+2P",
      linux: "neither is refused",
      check: () => checkAccess("rw", { send: "ok", receive: "ok" }),
    },
    {
      number: "10",
      says: "what is created is empty, belongs to the caller's user and group, and has the mode " +
        "that was asked for, less the umask",
      kind: "Y",
      linux: "as asserted, seen by looking at the descriptor",
      check() {
        using it = queueName();
        const mask = must(() => c.umask(0o027));
        try {
          using queue = MessageQueue.create(it.name, { ...TINY, mode: 0o666 });
          assertEquals(queue.length, 0);
          assertEquals(queue.tryReceive(), undefined);
        } finally {
          c.umask(mask);
        }
        using raw = opened(mqOpen(it.name, C.O_RDONLY));
        const { mode, uid, gid } = statx(raw.fd, it.name);
        assertEquals([mode, uid, gid], [0o640, geteuid(), must(() => c.getegid())]);
      },
    },
    {
      number: "11",
      says: "creating a queue that is there already changes nothing about it",
      kind: "Y",
      linux: "sizes, mode and messages stay",
      check() {
        using it = queueName();
        using queue = MessageQueue.create(it.name, { ...TINY, mode: 0o600 });
        queue.trySend("kept", { priority: 2 });
        using again = MessageQueue.openOrCreate(it.name, {
          maxMessages: 4,
          maxMessageBytes: 64,
          mode: 0o644,
        });
        assertEquals([again.maxMessages, again.maxMessageBytes, again.length], [2, 16, 1]);
        using raw = opened(mqOpen(it.name, C.O_RDWR | C.O_CREAT, { mode: 0o644 }));
        assertEquals(statx(raw.fd, it.name).mode, 0o600);
        assertEquals(mqReceive(raw.fd), { text: "kept", priority: 2 });
      },
    },
    {
      number: "12",
      says: "created without attributes, a queue gets the system's defaults",
      kind: "Y",
      linux: "msg_default and msgsize_default of /proc/sys/fs/mqueue",
      check() {
        using it = queueName();
        using queue = MessageQueue.create(it.name);
        const { defaultMessages, defaultMessageBytes } = MessageQueue.limits();
        assertEquals(
          [queue.maxMessages, queue.maxMessageBytes],
          [defaultMessages, defaultMessageBytes],
        );
        MessageQueue.unlink(it.name);
        queue.close(); // before the next one: two of this size are a good part of a user's limit
        using raw = opened(mqOpen(it.name, C.O_RDWR | C.O_CREAT, { attr: null }));
        const { maxmsg, msgsize } = attributesOf(raw.fd);
        assertEquals([maxmsg, msgsize], [defaultMessages, defaultMessageBytes]);
      },
    },
    {
      number: "13",
      says: "created with attributes, a queue has the depth and the message size they say",
      kind: "Y",
      linux: "exactly those",
      check() {
        for (const [maxMessages, maxMessageBytes] of [[1, 1], [3, 17], [4, 64]] as const) {
          using queue = privateQueue({ maxMessages, maxMessageBytes });
          assertEquals([queue.maxMessages, queue.maxMessageBytes], [maxMessages, maxMessageBytes]);
          const message = new Uint8Array(maxMessageBytes);
          for (let sent = 0; sent < maxMessages; sent++) assert(queue.trySend(message));
          assertEquals(queue.trySend(message), false);
        }
      },
    },
    {
      number: "14",
      says: "creating with attributes but without the privilege fails and creates nothing",
      kind: "UID",
      needs: ADMIN,
      linux: "no right to create in the queue file system: EACCES; sizes above msg_max: EINVAL",
      async check() {
        assertEquals(await child.run("createForbidden"), { code: "EACCES", afterwards: "ENOENT" });
        const { code, hint, afterwards } = await child.run("createTooLarge");
        assertEquals([code, afterwards], ["EINVAL", "ENOENT"]);
        assertMatch(hint ?? "", /msg_max/);
      },
    },
    {
      number: "15",
      says: "exclusive creation fails when the name is taken",
      kind: "Y",
      linux: "EEXIST from create(), and the queue that is there stays",
      check() {
        using it = queueName();
        using queue = MessageQueue.create(it.name, TINY);
        queue.trySend("kept");
        assertEquals(codeOf(() => MessageQueue.create(it.name, TINY)), "EEXIST");
        assertEquals(queue.tryReceive()?.text(), "kept");
      },
    },
    {
      number: "16",
      says: "of many processes that create exclusively at once, one gets the queue",
      kind: "2P",
      linux: `one winner in each of ${ROUNDS} rounds among ${RACERS} processes`,
      async check() {
        const prefix = uniqueName("test");
        try {
          await assertOneWinnerEach(ROUNDS, (gate) => child.run("race", prefix, gate));
        } finally {
          for (let round = 0; round < ROUNDS; round++) {
            c.mq_unlink(cString(`${prefix}-${round}`)); // not there when the race broke
          }
        }
      },
    },
    {
      number: "17",
      says: "exclusive without create is undefined",
      kind: "N",
      why: "POSIX leaves it undefined, and the API cannot say it: create() means both flags",
    },
    {
      number: "18",
      says: "whether sending and receiving wait is decided by the nonblocking flag",
      kind: "Y",
      linux: "with it EAGAIN at once; without it the call waits, here until a deadline",
      check() {
        using it = queueName();
        using queue = MessageQueue.create(it.name, { maxMessages: 1, maxMessageBytes: 16 });
        using never = opened(mqOpen(it.name, C.O_RDWR | C.O_NONBLOCK));
        using waits = opened(mqOpen(it.name, C.O_RDWR));
        assertEquals(mqReceive(never.fd), "EAGAIN");
        assertEquals(mqReceive(waits.fd, 16, realtime(20)), "ETIMEDOUT");
        assertEquals(queue.tryReceive(), undefined);
        queue.trySend("full");
        assertEquals(mqSend(never.fd, hi, 0), "EAGAIN");
        assertEquals(queue.trySend("hi"), false);
        const past = timespec(1, 0);
        assertEquals(mqReceive(waits.fd, 16, past), { text: "full", priority: 0 });
      },
    },
    {
      number: "19",
      says: "opening a queue neither adds a message nor takes one",
      kind: "Y",
      linux: "length and order are as before, whatever the access",
      check() {
        using it = queueName();
        using queue = MessageQueue.create(it.name, TINY);
        queue.trySend("a", { priority: 1 });
        queue.trySend("b", { priority: 2 });
        for (const access of ["r", "w", "rw"] as const) {
          MessageQueue.open(it.name, { access }).close();
          MessageQueue.openOrCreate(it.name, { access }).close();
        }
        assertEquals(queue.length, 2);
        assertEquals([queue.tryReceive()?.text(), queue.tryReceive()?.text()], ["b", "a"]);
      },
    },
    {
      number: "20",
      says: "success is a descriptor",
      kind: "Y",
      linux: "a file descriptor, not negative, that /proc shows under the queue's name",
      check() {
        using it = queueName();
        const mqd = mqOpen(it.name, C.O_RDWR | C.O_CREAT | C.O_EXCL);
        assert(typeof mqd === "number" && mqd >= 0, String(mqd));
        using raw = opened(mqd);
        assertEquals(readlinkSync(`/proc/self/fd/${raw.fd}`), it.name);
        using queue = MessageQueue.open(it.name);
        assertEquals(queue.closed, false);
      },
    },
    {
      number: "21",
      says: "failure is -1 and an error number",
      kind: "Y",
      linux: "read on the same thread: two threads that fail differently each see their own",
      async check() {
        assertEquals(c.mq_open(cString("no slash"), C.O_RDWR, 0, null), -1);
        const worker = new Worker(new URL(siblingUrl("./errno_worker.ts", import.meta.url)));
        try {
          const answered = once(worker, "message"); // rejects when the worker fails
          worker.postMessage(uniqueName("test"));
          let here = 0;
          let theirs: { calls: number; codes: string[] } | undefined;
          answered.then(([data]) => theirs = data, () => {});
          while (theirs === undefined) {
            for (let call = 0; call < 1000; call++, here++) {
              if (codeOf(() => MessageQueue.open("no slash")) !== "EINVAL") throw new Error("code");
              const raw = mqOpen("/", C.O_RDWR);
              if (raw !== "ENOENT") throw new Error(`${raw} instead of ENOENT`);
            }
            await new Promise((resolve) => setTimeout(resolve, 0));
            await Promise.race([answered, Promise.resolve()]);
          }
          assert(here > 0);
          assertEquals(theirs, { calls: 4000, codes: ["ENAMETOOLONG"] });
        } finally {
          await worker.terminate();
        }
      },
    },
    {
      number: "22",
      says: "EACCES: the queue's mode does not allow the access, or creating is not allowed",
      kind: "UID",
      needs: ADMIN,
      linux: "EACCES for another user's 0600 queue, and where the file system may not be written",
      async check() {
        using it = queueName();
        using _queue = MessageQueue.create(it.name, { ...TINY, mode: 0o600 });
        const { answers, raw } = await child.run("openAsNobody", it.name);
        assertEquals(answers, [["EACCES", "EACCES", "EACCES"]]);
        assertEquals(raw, ["EACCES"]);
        assertEquals((await child.run("createForbidden")).code, "EACCES");
      },
    },
    {
      number: "23",
      says: "EEXIST: exclusive creation of a name that is taken",
      kind: "Y",
      linux: "EEXIST, and the hint names the ways out",
      check() {
        using it = queueName();
        using _queue = MessageQueue.create(it.name, TINY);
        assertEquals(mqOpen(it.name, C.O_RDWR | C.O_CREAT | C.O_EXCL), "EEXIST");
        assertRefused(() => MessageQueue.create(it.name, TINY), {
          code: "EEXIST",
          syscall: "mq_open",
          target: it.name,
        });
      },
    },
    {
      number: "24",
      says: "EINTR: a signal interrupted it",
      kind: "N",
      why: "mq_open of Linux does not wait, so there is nothing that a signal could interrupt",
    },
    {
      number: "25",
      says: "EINVAL: the name is not supported, or a size is 0 or less",
      kind: "Y",
      linux:
        "EINVAL for a name without slash, sizes of 0 and below, and depths above the highest " +
        "that anybody may have",
      check() {
        using it = queueName();
        assertEquals(mqOpen(it.name.slice(1), C.O_RDWR | C.O_CREAT), "EINVAL");
        const bad = [
          { maxmsg: 0, msgsize: 16 },
          { maxmsg: -1, msgsize: 16 },
          { maxmsg: 2, msgsize: 0 },
          { maxmsg: 2, msgsize: -1 },
          { maxmsg: 65_537, msgsize: 16 },
        ];
        for (const { maxmsg, msgsize } of bad) {
          const attr = attributes({ maxmsg, msgsize });
          assertEquals(mqOpen(it.name, C.O_RDWR | C.O_CREAT, { attr }), "EINVAL");
          const sizes = { maxMessages: maxmsg, maxMessageBytes: msgsize };
          assertRefused(() => MessageQueue.create(it.name, sizes), {
            code: "EINVAL",
            syscall: "mq_open",
            target: it.name,
          });
          assertEquals(codeOf(() => MessageQueue.open(it.name)), "ENOENT");
        }
      },
    },
    {
      number: "26",
      says: "EMFILE: the process has too many descriptors",
      kind: "LIM",
      linux: "EMFILE; the same for a spent RLIMIT_MSGQUEUE: the hint tells which limit it was",
      async check() {
        using it = queueName();
        using _queue = MessageQueue.create(it.name, TINY);
        const descriptors = await child.run("openMany", it.name, "96");
        assertEquals([descriptors.last, descriptors.code], ["EMFILE", "EMFILE"]);
        assertMatch(descriptors.hint ?? "", /RLIMIT_NOFILE/);

        using other = queueName();
        const memory = await child.run("createWithoutQueueMemory", other.name);
        assertEquals(memory.code, "EMFILE");
        assertMatch(memory.hint ?? "", /RLIMIT_MSGQUEUE allows 0/);
        assertEquals(codeOf(() => MessageQueue.open(other.name)), "ENOENT");
      },
    },
    {
      number: "27",
      says: "ENAMETOOLONG: the name is longer than a file's may be",
      kind: "Y",
      linux: "255 bytes after the slash are taken, 256 and 5000 are ENAMETOOLONG",
      check() {
        const longest = uniqueName("test").padEnd(256, "x");
        try {
          MessageQueue.create(longest, TINY).close();
          MessageQueue.open(longest).close();
        } finally {
          c.mq_unlink(cString(longest));
        }
        for (const length of [257, 5001]) {
          const name = longest.padEnd(length, "x");
          assertEquals(mqOpen(name, C.O_RDWR | C.O_CREAT), "ENAMETOOLONG");
          assertRefused(() => MessageQueue.create(name, TINY), {
            code: "ENAMETOOLONG",
            syscall: "mq_open",
            target: name,
          });
        }
      },
    },
    {
      number: "28",
      says: "ENFILE: the system has too many descriptors",
      kind: "N",
      why: "filling the table of open files of the whole system would take every process down",
    },
    {
      number: "29",
      says: "ENOENT: no queue of that name, and none is to be made",
      kind: "Y",
      linux: "ENOENT, also after an unlink",
      check() {
        using it = queueName();
        assertRefused(() => MessageQueue.open(it.name), {
          code: "ENOENT",
          syscall: "mq_open",
          target: it.name,
        });
        using queue = MessageQueue.create(it.name, TINY);
        MessageQueue.unlink(it.name);
        assertEquals(codeOf(() => MessageQueue.open(it.name)), "ENOENT");
        assertNotEquals(queue.length, undefined);
      },
    },
    {
      number: "30",
      says: "ENOSPC: there is no room for one more queue",
      kind: "LIM",
      needs: ADMIN,
      linux: "ENOSPC at queues_max; the hint names it",
      async check() {
        const { created, maxQueues, code, hint } = await child.run("createMany");
        assertEquals([created, code], [maxQueues, "ENOSPC"]);
        assertMatch(hint ?? "", /queues_max/);
      },
    },
  ],
};
