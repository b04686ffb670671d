/** shm_open: opening and creating shared memory objects. */

import { PosixError, SharedMemory, uniqueName } from "../../mod.ts";
import { geteuid, readDirectory, statPath, statx } from "../../src/sys/mod.ts";
import { assert, assertEquals, assertMatch, assertThrows } from "../assert.ts";
import { memoryName } from "../support/names.ts";
import { compileC, run } from "../support/process.ts";
import { children, heard, say } from "./children.ts";
import { ADMIN, assertRefused, codeOf, type Group, ROOT_USER } from "./engine.ts";
import {
  answer,
  becomeUser,
  C,
  c,
  cString,
  lowerLimit,
  Mapped,
  mmap,
  mountOwnShm,
  must,
  opened,
  pread,
  pwrite,
  R,
  shmOpen,
  shmUnlink,
} from "./raw.ts";
import { assertOneWinnerEach, RACERS, raceThrough } from "./race.ts";

const CREATE = C.O_RDWR | C.O_CREAT | C.O_EXCL;
const ROUNDS = 40;

/** Where a descriptor stands in its file. */
function offset(fd: number): number {
  return Number(must(() => c.lseek(fd, 0n, R.SEEK_CUR)));
}

/** What a child does; see `children.ts`. */
export const programs = {
  readText(name: string, byteLength: string) {
    using memory = SharedMemory.open(name);
    return new TextDecoder().decode(memory.read({ byteLength: Number(byteLength) }));
  },

  openCode(name: string) {
    return codeOf(() => SharedMemory.open(name));
  },

  /** Makes an object that outlives the process. */
  leaveBehind(name: string) {
    using memory = SharedMemory.create(name, { byteLength: 64 });
    memory.write("left behind");
  },

  /** Where a fresh descriptor of the same object stands, and where it is moved to. */
  moveOffset(name: string) {
    using raw = opened(shmOpen(name, C.O_RDWR));
    const before = offset(raw.fd);
    must(() => c.lseek(raw.fd, 100n, R.SEEK_SET));
    return [before, offset(raw.fd)];
  },

  /** Tries to create the same names at the same moments as the others; which ones it got. */
  race(prefix: string, gate: string) {
    return raceThrough(gate, ROUNDS, (round) => {
      const attempt = codeOf(() => SharedMemory.create(`${prefix}-${round}`, { byteLength: 0 }));
      if (attempt !== "ok") assertEquals(attempt, "EEXIST");
      return attempt === "ok";
    });
  },

  /** Holds an object whose name is taken away meanwhile. */
  async hold(name: string) {
    using memory = SharedMemory.open(name);
    say("holding");
    await heard();
    const reopened = codeOf(() => SharedMemory.open(name));
    return { text: new TextDecoder().decode(memory.bytes.slice(0, 4)), reopened };
  },

  /** What another user may do with objects of these names. */
  openAsNobody(...names: string[]) {
    becomeUser();
    return names.map((name) => ({
      read: codeOf(() => SharedMemory.open(name, { access: "r", owner: "any" })),
      write: codeOf(() => SharedMemory.open(name, { access: "rw", owner: "any" })),
      raw: shmOpen(name, C.O_RDWR),
      truncate: shmOpen(name, C.O_RDWR | R.O_TRUNC),
    }));
  },

  /** Creates where only root may. */
  createForbidden() {
    mountOwnShm("size=64k,mode=0755");
    becomeUser();
    const name = uniqueName("test");
    const raw = shmOpen(name, CREATE);
    const code = codeOf(() => SharedMemory.create(name, { byteLength: 16 }));
    return { raw, code, afterwards: codeOf(() => SharedMemory.open(name)) };
  },

  /** Opens where no descriptor is left. */
  openWithoutDescriptors(name: string) {
    lowerLimit(R.RLIMIT_NOFILE, 3);
    const raw = shmOpen(name, C.O_RDWR);
    return { raw, code: codeOf(() => SharedMemory.open(name)) };
  },

  /** Creates where there is room for one file of 64 KiB. */
  createWithoutRoom() {
    mountOwnShm("size=64k,nr_inodes=3");
    const name = uniqueName("test");
    const error = assertThrows(
      () => SharedMemory.create(name, { byteLength: 1 << 20 }),
      PosixError,
    );
    const names = readDirectory("/dev/shm").map((entry) => entry.name);
    // Two inodes are left beside that of the directory.
    const inodes = [1, 2, 3].map((number) => {
      const result = shmOpen(`/small-${number}`, CREATE);
      return typeof result === "number" ? "ok" : result;
    });
    const { code, syscall, hint } = error;
    return { code, syscall, hint, names, inodes };
  },
};

const child = children(import.meta.url, programs);

/** An object of 64 bytes with a name. */
function namedMemory(byteLength = 64): Disposable & { name: string; memory: SharedMemory } {
  const it = memoryName();
  const memory = SharedMemory.create(it.name, { byteLength });
  return {
    name: it.name,
    memory,
    [Symbol.dispose]() {
      memory.close();
      it[Symbol.dispose]();
    },
  };
}

async function checkLowestDescriptor(): Promise<void> {
  using program = await compileC(new URL("./lowest_fd.c", import.meta.url));
  using it = namedMemory();
  const { code, stdout, stderr } = await run(program.path, { args: [it.name] });
  assertEquals([code, stderr], [0, ""]);
  assertEquals(stdout, "4 6 7\n");
}

export const shmOpenGroup: Group = {
  name: "shm_open",
  rows: [
    {
      number: "1",
      says: "connects a shared memory object with a file descriptor",
      kind: "Y",
      linux: "the descriptor and the name are one file, and bytes go both ways",
      check() {
        using it = namedMemory();
        using raw = opened(shmOpen(it.name, C.O_RDWR));
        const { inode, device } = statx(raw.fd, it.name);
        const { inode: named, device: there } = statPath(`/dev/shm${it.name}`);
        assertEquals([inode, device], [named, there]);
        assertEquals(pwrite(raw.fd, "there"), 5);
        assertEquals(new TextDecoder().decode(it.memory.read({ byteLength: 5 })), "there");
        it.memory.write("back!");
        assertEquals(pread(raw.fd, 5), "back!");
      },
    },
    {
      number: "2",
      says: "makes a new open file description",
      kind: "Y",
      linux: "two opens have two offsets",
      check() {
        using it = namedMemory();
        using first = opened(shmOpen(it.name, C.O_RDWR));
        using second = opened(shmOpen(it.name, C.O_RDWR));
        must(() => c.lseek(first.fd, 40n, R.SEEK_SET));
        assertEquals([offset(first.fd), offset(second.fd)], [40, 0]);
      },
    },
    {
      number: "3",
      says: "whether the name shows in the file system is open",
      kind: "N",
      why: "POSIX leaves it open; on Linux the names are files of /dev/shm, which list() reads",
    },
    {
      number: "4",
      says: "the name is made like a path",
      kind: "Y",
      linux: "one slash and then any bytes but slash and NUL",
      check() {
        for (const end of ["plain", "with space", "dots..and.", "größe", "-dash"]) {
          const name = uniqueName(`test-${end}`);
          const memory = SharedMemory.create(name, { byteLength: 1 });
          try {
            const names = readDirectory("/dev/shm").map((entry) => `/${entry.name}`);
            assert(names.includes(name), name);
            SharedMemory.open(name).close();
          } finally {
            memory.close();
            SharedMemory.unlink(name);
          }
          assertEquals(codeOf(() => SharedMemory.open(name)), "ENOENT");
        }
      },
    },
    {
      number: "5",
      says: "a name with a slash at its start is one object for every process until it is unlinked",
      kind: "2P",
      linux: "another process reads what is written here; after unlink() it finds nothing",
      async check() {
        using it = namedMemory();
        it.memory.write("for both");
        assertEquals(await child.run("readText", it.name, "8"), "for both");
        SharedMemory.unlink(it.name);
        assertEquals(await child.run("openCode", it.name), "ENOENT");
      },
    },
    {
      number: "6",
      says: "what a name without a slash at its start means is up to the system",
      kind: "Y",
      linux: "the C library takes it for the name with one; ours refuses it with EINVAL, so that " +
        "every system answers alike",
      check() {
        using it = namedMemory();
        it.memory.write("same");
        const bare = it.name.slice(1);
        using raw = opened(shmOpen(bare, C.O_RDWR));
        assertEquals(pread(raw.fd, 4), "same");
        assertRefused(() => SharedMemory.open(bare), {
          code: "EINVAL",
          syscall: "shm_open",
          target: bare,
        });
      },
    },
    {
      number: "7",
      says: "what more slashes mean is up to the system",
      kind: "Y",
      linux: "EINVAL, and so for the slash alone and for nothing; the names of directories are " +
        "EINVAL to open and EEXIST to create",
      check() {
        for (const name of ["/a/b", "/", "//a/", "/a/", ""]) {
          assertEquals(shmOpen(name, CREATE), "EINVAL", name);
          const create = () => SharedMemory.create(name, { byteLength: 1 });
          assertEquals(codeOf(create), "EINVAL", name);
        }
        for (const name of ["/.", "/.."]) {
          assertEquals(codeOf(() => SharedMemory.open(name)), "EINVAL", name);
          assertEquals(shmOpen(name, CREATE), "EEXIST", name);
        }
      },
    },
    {
      number: "8",
      says: "gives the lowest number that is free",
      kind: "partial",
      linux: "seen in a C program: the runtime opens descriptors of its own at any time",
      check: checkLowestDescriptor,
    },
    {
      number: "9",
      says: "the open file description is shared with no other process",
      kind: "2P",
      linux: "another process has an offset of its own",
      async check() {
        using it = namedMemory();
        using raw = opened(shmOpen(it.name, C.O_RDWR));
        must(() => c.lseek(raw.fd, 7n, R.SEEK_SET));
        assertEquals(await child.run("moveOffset", it.name), [0, 100]);
        assertEquals(offset(raw.fd), 7);
      },
    },
    {
      number: "10",
      says: "the offset after opening is open",
      kind: "N",
      why: "POSIX leaves it open, and the library reads and writes at offsets that it is given",
    },
    {
      number: "11",
      says: "the descriptor is closed in programs that the process starts",
      kind: "2P",
      linux: "FD_CLOEXEC is set; a child has the descriptor only after the flag was cleared",
      check() {
        using it = namedMemory();
        using raw = opened(shmOpen(it.name, C.O_RDWR));
        assertEquals(must(() => c.fcntl(raw.fd, R.F_GETFD, 0)), C.FD_CLOEXEC);
        // By C: a runtime may close what its children would get.
        const command = cString(`ls -l /proc/$$/fd | grep -qF '/dev/shm${it.name}'`);
        const isInChild = () => must(() => c.system(command)) === 0;
        assertEquals(isInChild(), false);
        must(() => c.fcntl(raw.fd, C.F_SETFD, 0));
        assertEquals(isInChild(), true);
      },
    },
    {
      number: "12",
      says: "exactly one of reading or both is asked for",
      kind: "Y",
      linux: "the descriptor has that access; the library knows no other",
      check() {
        using it = namedMemory();
        for (const access of [C.O_RDONLY, C.O_RDWR]) {
          using raw = opened(shmOpen(it.name, access));
          assertEquals(must(() => c.fcntl(raw.fd, R.F_GETFL, 0)) & R.O_ACCMODE, access);
        }
        for (const access of ["r", "rw"] as const) {
          using memory = SharedMemory.open(it.name, { access });
          assertEquals(memory.access, access);
        }
        assertThrows(() => SharedMemory.open(it.name, { access: "w" as "r" }), TypeError);
      },
    },
    {
      number: "13",
      says: "opened for reading, it reads and does not write",
      kind: "Y",
      linux: "write: EBADF; mapping it for shared writing: EACCES; in the library a write to the " +
        "bytes stays in the process",
      check() {
        using it = namedMemory();
        it.memory.write("read me");
        using raw = opened(shmOpen(it.name, C.O_RDONLY));
        assertEquals(pread(raw.fd, 7), "read me");
        assertEquals(pwrite(raw.fd, "x"), "EBADF");
        assertEquals(answer(() => c.ftruncate(raw.fd, 0n)), "EINVAL");
        assertEquals(mmap({ fd: raw.fd }), "EACCES");
        using mapped = new Mapped({ fd: raw.fd, protection: C.PROT_READ });
        assertEquals(mapped.text(7), "read me");

        using reader = SharedMemory.open(it.name, { access: "r" });
        assertEquals(codeOf(() => reader.write("x")), "EBADF");
        reader.bytes[0] = 0x58;
        assertEquals(pread(raw.fd, 7), "read me");
      },
    },
    {
      number: "14",
      says: "opened for both, it reads and writes",
      kind: "Y",
      linux: "by descriptor and by mapping",
      check() {
        using it = namedMemory();
        using raw = opened(shmOpen(it.name, C.O_RDWR));
        assertEquals(pwrite(raw.fd, "by hand"), 7);
        assertEquals(pread(raw.fd, 7), "by hand");
        using mapped = new Mapped({ fd: raw.fd });
        mapped.write("by page");
        assertEquals(pread(raw.fd, 7), "by page");
        using memory = SharedMemory.open(it.name);
        memory.bytes[0] = 0x42;
        assertEquals(mapped.text(7), "By page");
      },
    },
    {
      number: "15",
      says: "with create, an object that is not there is made",
      kind: "Y",
      linux: "as asserted; without it ENOENT",
      check() {
        using it = memoryName();
        assertEquals(codeOf(() => SharedMemory.open(it.name)), "ENOENT");
        SharedMemory.openOrCreate(it.name, { byteLength: 8 }).close();
        using memory = SharedMemory.open(it.name);
        assertEquals(memory.byteLength, 8);
        SharedMemory.unlink(it.name);
        using raw = opened(shmOpen(it.name, C.O_RDWR | C.O_CREAT));
        assertEquals(statx(raw.fd, it.name).linkCount, 1);
      },
    },
    {
      number: "16",
      says: "what is made belongs to the caller's effective user",
      kind: "Y",
      linux: "as status() tells",
      check() {
        using it = namedMemory();
        assertEquals(it.memory.status().uid, geteuid());
      },
    },
    {
      number: "17",
      says: "what is made belongs to the caller's effective group, or to one that the system chose",
      kind: "Y",
      linux: "the effective group",
      check() {
        using it = namedMemory();
        assertEquals(it.memory.status().gid, must(() => c.getegid()));
      },
    },
    {
      number: "18",
      says: "the mode is the one that was asked for, less the umask",
      kind: "Y",
      linux: "0666 under a umask of 022 is 0644, under 077 it is 0600",
      check() {
        for (const [mask, expected] of [[0o022, 0o644], [0o077, 0o600], [0, 0o666]] as const) {
          using it = memoryName();
          const before = must(() => c.umask(mask));
          try {
            using memory = SharedMemory.create(it.name, { byteLength: 1, mode: 0o666 });
            assertEquals(memory.status().mode, expected);
          } finally {
            c.umask(before);
          }
        }
      },
    },
    {
      number: "19",
      says: "what other bits of the mode do is open",
      kind: "N",
      why: "POSIX leaves it open, and no use of shared memory needs them",
    },
    {
      number: "20",
      says: "the mode does not bind the call that creates",
      kind: "Y",
      linux: "an object of mode 0400 or 0000 is written through the handle that made it",
      check() {
        for (const mode of [0o400, 0o000]) {
          using it = memoryName();
          using memory = SharedMemory.create(it.name, { byteLength: 16, mode });
          memory.write("written");
          memory.bytes[0] = 0x57;
          assertEquals(memory.status().mode, mode);
          assertEquals(new TextDecoder().decode(memory.read({ byteLength: 7 })), "Written");
        }
      },
    },
    {
      number: "21",
      says: "what is made is 0 bytes long",
      kind: "Y",
      linux: "0 bytes; the library gives it the length that was asked for, 0 included",
      check() {
        using it = memoryName();
        using raw = opened(shmOpen(it.name, CREATE));
        assertEquals(statx(raw.fd, it.name).byteLength, 0);
        SharedMemory.unlink(it.name);
        using memory = SharedMemory.create(it.name, { byteLength: 0 });
        assertEquals([memory.byteLength, memory.status().byteLength], [0, 0]);
      },
    },
    {
      number: "22",
      says: "exclusive creation fails when the name is taken",
      kind: "Y",
      linux: "EEXIST from create(), and the object that is there stays",
      check() {
        using it = namedMemory();
        it.memory.write("kept");
        assertEquals(codeOf(() => SharedMemory.create(it.name, { byteLength: 1 })), "EEXIST");
        assertEquals(new TextDecoder().decode(it.memory.read({ byteLength: 4 })), "kept");
        assertEquals(it.memory.status().linked, true);
      },
    },
    {
      number: "23",
      says: "of many processes that create exclusively at once, one gets the object",
      kind: "2P",
      linux: `one winner in each of ${ROUNDS} rounds among ${RACERS} processes`,
      async check() {
        const prefix = uniqueName("test");
        try {
          await assertOneWinnerEach(ROUNDS, (gate) => child.run("race", prefix, gate));
        } finally {
          for (let round = 0; round < ROUNDS; round++) {
            shmUnlink(`${prefix}-${round}`); // not there when the race broke
          }
        }
      },
    },
    {
      number: "24",
      says: "exclusive without create is undefined",
      kind: "N",
      why: "POSIX leaves it undefined, and the API cannot say it: create() means both flags",
    },
    {
      number: "25",
      says: "with truncate and both accesses, an object that is there becomes 0 bytes long",
      kind: "Y",
      linux: "as asserted; the library never truncates, for that kills whoever has it mapped",
      check() {
        using it = memoryName();
        using first = opened(shmOpen(it.name, CREATE));
        assertEquals(pwrite(first.fd, "gone"), 4);
        using second = opened(shmOpen(it.name, C.O_RDWR | R.O_TRUNC));
        assertEquals(statx(first.fd, it.name).byteLength, 0);
        assertEquals(pread(second.fd, 4), "");

        assertEquals(pwrite(first.fd, "stays"), 5);
        using memory = SharedMemory.openOrCreate(it.name, { byteLength: 2 });
        assertEquals(memory.byteLength, 5);
        assertEquals(pread(first.fd, 5), "stays");
      },
    },
    {
      number: "26",
      says: "truncating leaves mode and owner alone",
      kind: "Y",
      linux: "also when another mode is passed along",
      check() {
        using it = memoryName();
        using first = opened(shmOpen(it.name, CREATE, 0o640));
        const before = statx(first.fd, it.name);
        using _second = opened(shmOpen(it.name, C.O_RDWR | C.O_CREAT | R.O_TRUNC, 0o600));
        const { mode, uid, gid } = statx(first.fd, it.name);
        assertEquals({ mode, uid, gid }, { mode: before.mode, uid: before.uid, gid: before.gid });
      },
    },
    {
      number: "27",
      says: "truncate with reading only is undefined",
      kind: "N",
      why: "POSIX leaves it undefined, and the library never truncates",
    },
    {
      number: "28",
      says: "an object and its bytes stay until it is unlinked and nobody has it any more",
      kind: "2P",
      linux: "it outlives the process that made it, and its name as long as there is a handle",
      async check() {
        using it = memoryName();
        await child.run("leaveBehind", it.name);
        assertEquals(await child.run("readText", it.name, "11"), "left behind");
        using memory = SharedMemory.open(it.name);
        SharedMemory.unlink(it.name);
        assertEquals(new TextDecoder().decode(memory.bytes.slice(0, 11)), "left behind");
        assertEquals(memory.status().linked, false);
        assertEquals(await child.run("openCode", it.name), "ENOENT");
      },
    },
    {
      number: "29",
      says: "whether it outlives a restart of the system is open",
      kind: "N",
      why: "POSIX leaves it open, and a test cannot restart the machine; on Linux it does not",
    },
    {
      number: "30",
      says: "success is a descriptor, not negative and the lowest free one",
      kind: "Y",
      linux: "0 or more; that it is the lowest is seen in a C program",
      async check() {
        using it = namedMemory();
        const fd = shmOpen(it.name, C.O_RDWR);
        assert(typeof fd === "number" && fd >= 0, String(fd));
        opened(fd).close();
        await checkLowestDescriptor();
      },
    },
    {
      number: "31",
      says: "failure is -1 with an error number",
      kind: "Y",
      linux: "-1 and ENOENT",
      check() {
        using it = memoryName();
        const bytes = new TextEncoder().encode(`${it.name}\0`);
        assertEquals(c.shm_open(bytes, C.O_RDWR, 0), -1);
        assertEquals(shmOpen(it.name, C.O_RDWR), "ENOENT");
      },
    },
    {
      number: "32",
      says: "EACCES: the object's mode does not allow the access",
      kind: "UID",
      needs: ROOT_USER,
      linux: "another user reads 0644 and does not write it; 0600 gives nothing",
      async check() {
        using secret = memoryName();
        using readable = memoryName();
        const mask = must(() => c.umask(0));
        try {
          SharedMemory.create(secret.name, { byteLength: 16, mode: 0o600 }).close();
          SharedMemory.create(readable.name, { byteLength: 16, mode: 0o644 }).close();
        } finally {
          c.umask(mask);
        }
        const [first, second] = await child.run("openAsNobody", secret.name, readable.name);
        assertEquals([first!.read, first!.write, first!.raw], ["EACCES", "EACCES", "EACCES"]);
        assertEquals([second!.read, second!.write, second!.raw], ["ok", "EACCES", "EACCES"]);
      },
    },
    {
      number: "33",
      says: "EACCES: the caller may not create here",
      kind: "UID",
      needs: ADMIN,
      linux: "EACCES in a /dev/shm that only root may write; nothing is made",
      async check() {
        assertEquals(await child.run("createForbidden"), {
          raw: "EACCES",
          code: "EACCES",
          afterwards: "ENOENT",
        });
      },
    },
    {
      number: "34",
      says: "EACCES: truncating an object that the caller may not write",
      kind: "UID",
      needs: ROOT_USER,
      linux: "EACCES, and the bytes are all there",
      async check() {
        using it = memoryName();
        const mask = must(() => c.umask(0));
        let memory: SharedMemory;
        try {
          memory = SharedMemory.create(it.name, { byteLength: 16, mode: 0o644 });
        } finally {
          c.umask(mask);
        }
        using _memory = memory;
        memory.write("kept");
        const [answers] = await child.run("openAsNobody", it.name);
        assertEquals(answers!.truncate, "EACCES");
        assertEquals(memory.status().byteLength, 16);
        assertEquals(new TextDecoder().decode(memory.read({ byteLength: 4 })), "kept");
      },
    },
    {
      number: "35",
      says: "EEXIST: exclusive creation of a name that is taken",
      kind: "Y",
      linux: "EEXIST, and the hint names the ways out",
      check() {
        using it = namedMemory();
        assertEquals(shmOpen(it.name, CREATE), "EEXIST");
        assertRefused(() => SharedMemory.create(it.name, { byteLength: 1 }), {
          code: "EEXIST",
          syscall: "shm_open",
          target: it.name,
        });
      },
    },
    {
      number: "36",
      says: "EINTR: a signal interrupted it",
      kind: "N",
      why: "shm_open of Linux does not wait, so there is nothing that a signal could interrupt",
    },
    {
      number: "37",
      says: "EINVAL: the name is not supported",
      kind: "Y",
      linux: "EINVAL for slashes inside and for names that no file can have",
      check() {
        for (const name of ["/a/b", "/", "/.."]) {
          assertEquals(shmOpen(name, C.O_RDWR), "EINVAL");
          assertRefused(() => SharedMemory.open(name), {
            code: "EINVAL",
            syscall: "shm_open",
            target: name,
          });
        }
      },
    },
    {
      number: "38",
      says: "EMFILE: the process has too many descriptors",
      kind: "LIM",
      linux: "EMFILE under a lowered RLIMIT_NOFILE",
      async check() {
        using it = namedMemory();
        assertEquals(await child.run("openWithoutDescriptors", it.name), {
          raw: "EMFILE",
          code: "EMFILE",
        });
      },
    },
    {
      number: "39",
      says: "ENAMETOOLONG: the name is longer than a file's may be",
      kind: "Y",
      linux: "255 bytes after the slash are taken, 256 are ENAMETOOLONG; past the longest path " +
        "glibc says EINVAL, musl ENAMETOOLONG",
      check() {
        const longest = uniqueName("test").padEnd(256, "x");
        try {
          SharedMemory.create(longest, { byteLength: 1 }).close();
          SharedMemory.open(longest).close();
        } finally {
          shmUnlink(longest);
        }
        const name = longest.padEnd(257, "x");
        assertEquals(shmOpen(name, CREATE), "ENAMETOOLONG");
        assertRefused(() => SharedMemory.create(name, { byteLength: 1 }), {
          code: "ENAMETOOLONG",
          syscall: "shm_open",
          target: name,
        });
        const beyond = codeOf(() =>
          SharedMemory.openOrCreate(name.padEnd(5001), { byteLength: 1 })
        );
        assertMatch(beyond, /^(EINVAL|ENAMETOOLONG)$/);
      },
    },
    {
      number: "40",
      says: "ENFILE: the system has too many descriptors",
      kind: "N",
      why: "filling the table of open files of the whole system would take every process down",
    },
    {
      number: "41",
      says: "ENOENT: no object of that name, and none is to be made",
      kind: "Y",
      linux: "ENOENT",
      check() {
        using it = memoryName();
        assertRefused(() => SharedMemory.open(it.name), {
          code: "ENOENT",
          syscall: "shm_open",
          target: it.name,
        });
      },
    },
    {
      number: "42",
      says: "ENOSPC: there is no room for one more object",
      kind: "LIM",
      needs: ADMIN,
      linux: "ENOSPC when the file system has no inode left; when it has no memory left, the " +
        "library answers it at creation, where C gets SIGBUS at the first touch",
      async check() {
        const { code, syscall, hint, names, inodes } = await child.run("createWithoutRoom");
        assertEquals([code, syscall], ["ENOSPC", "posix_fallocate"]);
        assertMatch(hint ?? "", /\/dev\/shm/);
        assertEquals(names, []);
        assertEquals(inodes, ["ok", "ok", "ENOSPC"]);
      },
    },
  ],
};
