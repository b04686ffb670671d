/** shm_unlink: the end of a name; what was opened by it lives on. */

import { SharedMemory, uniqueName } from "../../mod.ts";
import { statx } from "../../src/sys/mod.ts";
import { assertEquals, assertMatch, assertNotEquals } from "../assert.ts";
import { memoryName } from "../support/names.ts";
import { children, heard, say } from "./children.ts";
import { assertRefused, codeOf, type Group, ROOT_USER } from "./engine.ts";
import {
  answer,
  becomeUser,
  C,
  c,
  cString,
  Mapped,
  must,
  opened,
  pread,
  pwrite,
  shmOpen,
  shmUnlink,
} from "./raw.ts";

const CREATE = C.O_RDWR | C.O_CREAT | C.O_EXCL;

/** What a child does; see `children.ts`. */
export const programs = {
  /** Holds an object while its name is taken away, and reads and writes it afterwards. */
  async hold(name: string) {
    using memory = SharedMemory.open(name);
    say("holding");
    await heard();
    const text = new TextDecoder().decode(memory.bytes.slice(0, 4));
    memory.write("more", { offset: 4 });
    const all = new TextDecoder().decode(memory.read({ byteLength: 8 }));
    return {
      text,
      all,
      linked: memory.status().linked,
      again: codeOf(() => SharedMemory.open(name)),
    };
  },

  /** Keeps only the mapping: the descriptor is closed before the name is taken away. */
  async holdMapping(name: string) {
    const raw = opened(shmOpen(name, C.O_RDWR));
    using mapped = new Mapped({ fd: raw.fd });
    raw.close();
    say("holding");
    await heard();
    return mapped.text(4);
  },

  /** Makes a new object of a name whose old one somebody still holds. */
  makeAnew(name: string) {
    using memory = SharedMemory.create(name, { byteLength: 4 });
    memory.write("new!");
    using raw = opened(shmOpen(name, C.O_RDONLY));
    return statx(raw.fd, name).inode;
  },

  /** Takes away the name of another user's object. */
  unlinkAsNobody(name: string) {
    becomeUser();
    return { raw: shmUnlink(name), code: codeOf(() => SharedMemory.unlink(name)) };
  },
};

const child = children(import.meta.url, programs);

/** An object of 16 bytes that begins with "kept". */
function keptMemory(mode = 0o600): Disposable & { name: string; memory: SharedMemory } {
  const it = memoryName();
  const mask = must(() => c.umask(0));
  let memory: SharedMemory;
  try {
    memory = SharedMemory.create(it.name, { byteLength: 16, mode });
  } finally {
    c.umask(mask);
  }
  memory.write("kept");
  return {
    name: it.name,
    memory,
    [Symbol.dispose]() {
      memory.close();
      it[Symbol.dispose]();
    },
  };
}

function textOf(memory: SharedMemory): string {
  return new TextDecoder().decode(memory.read({ byteLength: 4 }));
}

export const shmUnlinkGroup: Group = {
  name: "shm_unlink",
  rows: [
    {
      number: "1",
      says: "takes the object's name away",
      kind: "Y",
      linux: "list() no longer shows it, status() says that it is not linked",
      check() {
        using it = keptMemory();
        const listed = () => SharedMemory.list().some(({ name }) => name === it.name);
        assertEquals([listed(), it.memory.status().linked], [true, true]);
        SharedMemory.unlink(it.name);
        assertEquals([listed(), it.memory.status().linked], [false, false]);
      },
    },
    {
      number: "2",
      says: "the name is gone when the call returns, even if the object is in use",
      kind: "2P",
      linux: "ENOENT here and in the process that uses it",
      async check() {
        using it = keptMemory();
        await using holder = child.start("hold", it.name);
        assertEquals(await holder.line(), "holding");
        SharedMemory.unlink(it.name);
        assertEquals(codeOf(() => SharedMemory.open(it.name)), "ENOENT");
        await holder.write("go\n");
        assertEquals(JSON.parse(await holder.line()).again, "ENOENT");
      },
    },
    {
      number: "3",
      says: "the bytes live until the last descriptor and mapping is gone",
      kind: "2P",
      linux: "another process reads and writes on, also when it kept only the mapping",
      async check() {
        using it = keptMemory();
        await using holder = child.start("hold", it.name);
        await using mapper = child.start("holdMapping", it.name);
        assertEquals([await holder.line(), await mapper.line()], ["holding", "holding"]);
        SharedMemory.unlink(it.name);
        it.memory.close();
        await holder.write("go\n");
        const { text, all, linked } = JSON.parse(await holder.line());
        assertEquals({ text, all, linked }, { text: "kept", all: "keptmore", linked: false });
        await mapper.write("go\n");
        assertEquals(JSON.parse(await mapper.line()), "kept");
      },
    },
    {
      number: "4",
      says: "opening the name without creating fails from then on",
      kind: "Y",
      linux: "ENOENT from open()",
      check() {
        using it = keptMemory();
        SharedMemory.open(it.name).close();
        SharedMemory.unlink(it.name);
        assertEquals(codeOf(() => SharedMemory.open(it.name)), "ENOENT");
        assertEquals(shmOpen(it.name, C.O_RDWR), "ENOENT");
      },
    },
    {
      number: "5",
      says: "creating the name from then on makes a new object",
      kind: "2P",
      linux: "another inode with other bytes, while the old one lives on here",
      async check() {
        using it = keptMemory();
        using old = opened(shmOpen(it.name, C.O_RDWR));
        SharedMemory.unlink(it.name);
        const inode = await child.run("makeAnew", it.name);
        assertNotEquals(inode, statx(old.fd, it.name).inode);
        assertEquals(textOf(it.memory), "kept");
        using fresh = SharedMemory.open(it.name);
        assertEquals(textOf(fresh), "new!");
      },
    },
    {
      number: "6",
      says: "success is 0",
      kind: "Y",
      linux: "0, once",
      check() {
        using it = keptMemory();
        assertEquals(c.shm_unlink(cString(it.name)), 0);
        assertEquals(c.shm_unlink(cString(it.name)), -1);
      },
    },
    {
      number: "7",
      says: "failure is -1 with an error number",
      kind: "Y",
      linux: "-1 and ENOENT; for a name that no object can have glibc says ENOENT, musl EINVAL",
      check() {
        const name = uniqueName("test");
        assertEquals(c.shm_unlink(cString(name)), -1);
        assertEquals(shmUnlink(name), "ENOENT");
        assertEquals(c.shm_unlink(cString(`${name}/x`)), -1);
        assertMatch(String(shmUnlink(`${name}/x`)), /^(ENOENT|EINVAL)$/);
      },
    },
    {
      number: "8",
      says: "failure leaves the object as it was",
      kind: "UID",
      needs: ROOT_USER,
      linux: "another user's attempt changes neither name nor bytes",
      async check() {
        using it = keptMemory(0o666);
        assertNotEquals((await child.run("unlinkAsNobody", it.name)).raw, 0);
        using again = SharedMemory.open(it.name);
        assertEquals([textOf(again), again.status().linked], ["kept", true]);
      },
    },
    {
      number: "9",
      says: "EACCES: the caller may not take the name away",
      kind: "UID",
      needs: ROOT_USER,
      linux: "EACCES for another user's object, whatever its mode: the directory is sticky",
      async check() {
        using it = keptMemory(0o666);
        assertEquals(await child.run("unlinkAsNobody", it.name), { raw: "EACCES", code: "EACCES" });
      },
    },
    {
      number: "10",
      says: "ENAMETOOLONG: the name is longer than a file's may be",
      kind: "Y",
      linux: "ENAMETOOLONG for 256 bytes after the slash, ENOENT for 255; past the longest path " +
        "glibc says ENOENT, musl ENAMETOOLONG",
      check() {
        const name = uniqueName("test");
        assertEquals(codeOf(() => SharedMemory.unlink(name.padEnd(256, "x"))), "ENOENT");
        const long = name.padEnd(257, "x");
        assertRefused(() => SharedMemory.unlink(long), {
          code: "ENAMETOOLONG",
          syscall: "shm_unlink",
          target: long,
        });
        const beyond = codeOf(() => SharedMemory.unlink(name.padEnd(5001, "x")));
        assertMatch(beyond, /^(ENOENT|ENAMETOOLONG)$/);
      },
    },
    {
      number: "11",
      says: "ENOENT: there is no object of that name",
      kind: "Y",
      linux: "ENOENT, also for one that is unlinked but in use",
      check() {
        using it = memoryName();
        const refusal = { code: "ENOENT", syscall: "shm_unlink", target: it.name };
        assertRefused(() => SharedMemory.unlink(it.name), refusal);
        using raw = opened(shmOpen(it.name, CREATE));
        assertEquals(answer(() => c.shm_unlink(cString(it.name))), 0);
        assertRefused(() => SharedMemory.unlink(it.name), refusal);
        assertEquals(pwrite(raw.fd, "used"), 4);
        assertEquals(pread(raw.fd, 4), "used");
      },
    },
  ],
};
