/**
 * mmap. What ends a process happens in a child; the library's own mappings, which are laid over a
 * SharedArrayBuffer, are held to the same words wherever they can be.
 */

import { readdirSync, readFileSync, readlinkSync, rmSync, statSync, utimesSync } from "node:fs";
import { MappedFile, SharedMemory } from "../../mod.ts";
import { geteuid, readText } from "../../src/sys/mod.ts";
import { assert, assertEquals, assertGreater, assertThrows } from "../assert.ts";
import { memoryName } from "../support/names.ts";
import { compileC, run } from "../support/process.ts";
import { children } from "./children.ts";
import { codeOf, DISK, type Group } from "./engine.ts";
import { permissionsAt, temporaryFile } from "./files.ts";
import {
  becomeUser,
  C,
  c,
  cString,
  Descriptor,
  lowerLimit,
  Mapped,
  mmap,
  must,
  NOBODY,
  opened,
  PAGE,
  pread,
  pwrite,
  R,
  rawMemory,
} from "./raw.ts";

const decoder = new TextDecoder();
const GIB = 1 << 30;

/** What a child does; see `children.ts`. */
export const programs = {
  /** Writes to a page that was mapped for reading. */
  writeReadOnly() {
    using object = rawMemory(PAGE);
    using mapped = new Mapped({ fd: object.fd, protection: C.PROT_READ });
    mapped.bytes[0] = 1;
  },

  /** Reads a page that was mapped for nothing. */
  readNothing() {
    using object = rawMemory(PAGE);
    using mapped = new Mapped({ fd: object.fd, protection: R.PROT_NONE });
    return mapped.bytes[0];
  },

  /** Reads a page beyond the last one that the object has. */
  readBeyond() {
    using object = rawMemory(100);
    using mapped = new Mapped({ fd: object.fd, byteLength: 2 * PAGE });
    return mapped.bytes[PAGE];
  },

  /** Writes through a shared mapping. */
  writeShared(name: string) {
    using memory = SharedMemory.open(name);
    const seen = decoder.decode(memory.bytes.slice(0, 4));
    memory.bytes.set(new TextEncoder().encode("back"));
    return seen;
  },

  /** Maps locked pages, more than the limit allows. */
  mapLocked() {
    lowerLimit(R.RLIMIT_MEMLOCK, PAGE);
    becomeNobodyIfRoot(); // root may lock what it likes
    const flags = C.MAP_PRIVATE | C.MAP_ANONYMOUS | R.MAP_LOCKED;
    const one = mmap({ flags });
    return [typeof one, String(mmap({ flags, byteLength: 4 * PAGE }))];
  },

  /** Maps more than the address space that is left. */
  mapTooMuch() {
    const bytes = Number(readText("/proc/self/statm").split(" ")[0]) * PAGE;
    lowerLimit(R.RLIMIT_AS, bytes + (256 << 20));
    const raw = mmap({ flags: C.MAP_PRIVATE | C.MAP_ANONYMOUS, byteLength: GIB });
    let error = "none";
    try {
      SharedMemory.anonymous({ byteLength: 1, maxByteLength: GIB }).close();
    } catch (thrown) {
      error = (thrown as Error).name;
    }
    return [String(raw), error];
  },
};

function becomeNobodyIfRoot(): void {
  if (geteuid() === 0) becomeUser(NOBODY);
}

const child = children(import.meta.url, programs);

/** Runs mapping.c and gives what it printed, by key. */
async function runMapping(what: string): Promise<Record<string, string>> {
  using program = await compileC(new URL("./mapping.c", import.meta.url));
  const { code, stdout, stderr } = await run(program.path, { args: [what] });
  assertEquals([code, stderr], [0, ""]);
  return Object.fromEntries(stdout.trim().split("\n").map((line) => line.split(" ")));
}

/** open(2) of a path. */
function openFile(path: string, flags: number): Descriptor {
  return opened(must(() => c.open(cString(path), flags, 0)));
}

export const mmapGroup: Group = {
  name: "mmap",
  rows: [
    {
      number: "1",
      says: "maps so many bytes of the object from an offset on",
      kind: "Y",
      linux: "of files and of shared memory, from the start and from a later page",
      check() {
        const text = `${"a".repeat(PAGE)}${"b".repeat(PAGE)}tail`;
        using file = temporaryFile(text);
        using fd = openFile(file.path, C.O_RDWR);
        using object = rawMemory(0);
        assertEquals(pwrite(object.fd, text), text.length);
        for (const source of [fd.fd, object.fd]) {
          using all = new Mapped({ fd: source, byteLength: text.length });
          assertEquals(all.text(text.length), text);
          using later = new Mapped({ fd: source, offset: BigInt(PAGE), byteLength: PAGE });
          assertEquals(later.text(PAGE), "b".repeat(PAGE));
        }
        using mapped = MappedFile.open(file.path);
        assertEquals(decoder.decode(mapped.bytes.slice()), text);
      },
    },
    {
      number: "2",
      says: "maps typed memory objects",
      kind: "N",
      why: "Linux has no typed memory objects",
    },
    {
      number: "3",
      says: "takes the place of what was mapped there before",
      kind: "N",
      linux: "not for programs, but the library lives on it: asked of C here, and of close() and " +
        "grow(), which lay other pages over the same buffer",
      check() {
        using object = rawMemory(PAGE);
        assertEquals(pwrite(object.fd, "new"), 3);
        using mapped = new Mapped({ flags: C.MAP_PRIVATE | C.MAP_ANONYMOUS });
        mapped.write("old");
        const flags = C.MAP_SHARED | C.MAP_FIXED;
        assertEquals(mmap({ address: mapped.address, flags, fd: object.fd }), mapped.address);
        assertEquals(mapped.text(3), "new");

        const memory = SharedMemory.anonymous({ byteLength: 8, maxByteLength: 3 * PAGE });
        memory.write("before", {});
        const stale = memory.bytes;
        const { buffer } = memory;
        memory.grow(3 * PAGE);
        memory.write("after", { offset: 2 * PAGE });
        assertEquals(memory.buffer === buffer, true);
        assertEquals(decoder.decode(memory.bytes.slice(2 * PAGE, 2 * PAGE + 5)), "after");
        assertEquals(decoder.decode(stale.slice(0, 6)), "before");
        memory.close();
        assertEquals(decoder.decode(stale.slice(0, 6)), "\0".repeat(6));
      },
    },
    {
      number: "4",
      says: "works for regular files and for shared memory objects",
      kind: "Y",
      linux: "MappedFile, SharedMemory, and anonymous memory as well",
      check() {
        using file = temporaryFile("file");
        using mapped = MappedFile.open(file.path);
        assertEquals(decoder.decode(mapped.bytes.slice()), "file");
        using it = memoryName();
        using memory = SharedMemory.create(it.name, { byteLength: 4 });
        memory.write("name");
        assertEquals(decoder.decode(memory.bytes.slice()), "name");
        using anonymous = SharedMemory.anonymous({ byteLength: 4 });
        anonymous.write("none");
        assertEquals(decoder.decode(anonymous.bytes.slice()), "none");
      },
    },
    {
      number: "5",
      says: "the protection is nothing, or any of reading, writing and executing",
      kind: "Y",
      linux: "/proc shows what was asked for; the library asks for reading and writing only",
      check() {
        using object = rawMemory(PAGE);
        const cases = [
          [R.PROT_NONE, "---s"],
          [C.PROT_READ, "r--s"],
          [C.PROT_WRITE, "-w-s"],
          [C.PROT_READ | C.PROT_WRITE, "rw-s"],
        ] as const;
        for (const [protection, expected] of cases) {
          using mapped = new Mapped({ fd: object.fd, protection });
          assertEquals(permissionsAt(mapped.address), expected);
        }
        const flags = C.MAP_PRIVATE | C.MAP_ANONYMOUS;
        using code = new Mapped({ flags, protection: C.PROT_READ | R.PROT_EXEC });
        assertEquals(permissionsAt(code.address), "r-xp");
      },
    },
    {
      number: "6",
      says: "what the protection does not allow fails; the descriptor must be open for reading",
      kind: "2P",
      linux:
        "SIGSEGV ends a child that writes a page for reading or reads one for nothing; in the " +
        "library such a write is harmless and stays in the process",
      async check() {
        for (const program of ["writeReadOnly", "readNothing"] as const) {
          const { signal, stdout } = await child.finish(program);
          assertEquals([signal, stdout], ["SIGSEGV", ""], program);
        }
        using file = temporaryFile("text");
        using writable = openFile(file.path, C.O_WRONLY);
        assertEquals(mmap({ fd: writable.fd, protection: C.PROT_READ }), "EACCES");
        assertEquals(mmap({ fd: writable.fd, protection: C.PROT_WRITE }), "EACCES");

        using mapped = MappedFile.open(file.path, { mapping: "read" });
        mapped.bytes[0] = 0x54;
        assertEquals(readFileSync(file.path, "utf8"), "text");
      },
    },
    {
      number: "7",
      says:
        "writes to a shared mapping reach the object, those to a private one do not; both kinds " +
        "live on across fork",
      kind: "Y+2P",
      linux: "seen in the file, in another process and on both sides of a fork",
      async check() {
        using file = temporaryFile("0123");
        {
          using shared = MappedFile.open(file.path, { mapping: "shared" });
          using own = MappedFile.open(file.path, { mapping: "private" });
          own.bytes[0] = 0x70;
          shared.bytes[1] = 0x73;
          assertEquals(readFileSync(file.path, "utf8"), "0s23");
          assertEquals(decoder.decode(own.bytes.slice(0, 1)), "p");
        }
        using it = memoryName();
        using memory = SharedMemory.create(it.name, { byteLength: 4 });
        memory.bytes.set(new TextEncoder().encode("here"));
        assertEquals(await child.run("writeShared", it.name), "here");
        assertEquals(decoder.decode(memory.bytes.slice()), "back");

        assertEquals(await runMapping("fork"), {
          child: "0",
          shared: "c",
          private: "p",
          file0: "0",
          file1: "c",
        });
      },
    },
    {
      number: "8",
      says: "maps typed memory objects with their own flags",
      kind: "N",
      why: "Linux has no typed memory objects",
    },
    {
      number: "9",
      says: "a fixed address is used exactly, or the call fails",
      kind: "N",
      linux:
        "not for programs, but the library lives on it: asked of C here, over a mapping of the " +
        "test's own",
      check() {
        using place = new Mapped({
          flags: C.MAP_PRIVATE | C.MAP_ANONYMOUS,
          protection: R.PROT_NONE,
          byteLength: 3 * PAGE,
        });
        using object = rawMemory(PAGE);
        const flags = C.MAP_SHARED | C.MAP_FIXED;
        const middle = place.address + BigInt(PAGE);
        assertEquals(mmap({ address: middle, flags, fd: object.fd }), middle);
        assertEquals(permissionsAt(middle), "rw-s");
        assertEquals(permissionsAt(place.address), "---p");
        assertEquals(mmap({ address: middle + 1n, flags, fd: object.fd }), "EINVAL");
      },
    },
    {
      number: "10",
      says: "otherwise the system chooses an address: not 0, and where nothing is mapped",
      kind: "Y",
      linux: "a suggestion that is taken already is not followed",
      check() {
        using object = rawMemory(2 * PAGE);
        using first = new Mapped({ fd: object.fd, byteLength: 2 * PAGE });
        using second = new Mapped({ fd: object.fd, byteLength: 2 * PAGE });
        using third = new Mapped({
          fd: object.fd,
          byteLength: 2 * PAGE,
          address: first.address,
        });
        const starts = [first, second, third].map(({ address }) => address)
          .sort((a, b) => a < b ? -1 : 1);
        assert(starts.every((address) => address > 0n));
        for (const [index, start] of starts.entries()) {
          const next = starts[index + 1];
          if (next !== undefined) assert(next - start >= BigInt(2 * PAGE));
        }
      },
    },
    {
      number: "11",
      says:
        "the offset is a multiple of the page; what the last page has beyond the object is zero " +
        "and never written back; pages beyond it fail",
      kind: "Y+2P",
      linux:
        "another offset: EINVAL; such a page: SIGBUS in a child; the library's bytes end where " +
        "the object does",
      async check() {
        using file = temporaryFile("x".repeat(100));
        using fd = openFile(file.path, C.O_RDWR);
        assertEquals(mmap({ fd: fd.fd, offset: 1n }), "EINVAL");
        assertEquals(mmap({ fd: fd.fd, offset: BigInt(PAGE / 2) }), "EINVAL");
        {
          using mapped = new Mapped({ fd: fd.fd });
          assertEquals(mapped.bytes.slice(100).every((byte) => byte === 0), true);
          mapped.write("beyond", 200);
          must(() => c.msync(mapped.address, BigInt(PAGE), C.MS_SYNC));
        }
        assertEquals(readFileSync(file.path, "utf8"), "x".repeat(100));
        assertEquals(pread(fd.fd, 6, 200), "");
        using whole = MappedFile.open(file.path);
        assertEquals(whole.bytes.byteLength, 100);

        const { signal, stdout } = await child.finish("readBeyond");
        assertEquals([signal, stdout], ["SIGBUS", ""]);
      },
    },
    {
      number: "12",
      says: "the mapping holds the object after its descriptor is closed",
      kind: "Y",
      linux: "as asserted; MappedFile keeps no descriptor at all",
      check() {
        const object = rawMemory(PAGE);
        using mapped = new Mapped({ fd: object.fd });
        assertEquals(pwrite(object.fd, "held"), 4);
        object.close(); // it had no name either: now only the mapping is left
        assertEquals(mapped.text(4), "held");
        mapped.write("more");
        assertEquals(mapped.text(4), "more");

        using file = temporaryFile("held");
        using mappedFile = MappedFile.open(file.path);
        const targets = readdirSync("/proc/self/fd").map(linkOf);
        assertEquals(targets.includes(file.path), false);
        assertEquals(decoder.decode(mappedFile.bytes.slice()), "held");
      },
    },
    {
      number: "13",
      says: "the time of the last access may change at any time in between",
      kind: "N",
      why: "it may, so no answer would be wrong; mount options such as noatime decide",
    },
    {
      number: "14",
      says: "the times of change are marked between a write to a shared mapping and its flush",
      kind: "Y",
      needs: DISK,
      linux: "on file systems of a disk; tmpfs leaves them alone",
      check() {
        using file = temporaryFile("old");
        const long = new Date("2001-01-01T00:00:00Z");
        utimesSync(file.path, long, long);
        using mapped = MappedFile.open(file.path, { mapping: "shared" });
        assertEquals(statSync(file.path).mtime.getTime(), long.getTime());
        mapped.bytes[0] = 0x4f;
        mapped.flush();
        const { mtime, ctime } = statSync(file.path);
        assertGreater(mtime.getTime(), long.getTime());
        assertGreater(ctime.getTime(), long.getTime());
      },
    },
    {
      number: "15",
      says: "after some failures the range may be unmapped",
      kind: "N",
      why: "POSIX leaves it open; the library maps only over address space that is its own",
    },
    {
      number: "16",
      says: "success is the address, failure is MAP_FAILED with an error number",
      kind: "Y",
      linux: "MAP_FAILED has all bits set; an address is a multiple of the page",
      check() {
        using object = rawMemory(PAGE);
        using mapped = new Mapped({ fd: object.fd });
        assertEquals(mapped.address % BigInt(PAGE), 0n);
        assertEquals(permissionsAt(mapped.address), "rw-s");
        assertEquals(c.mmap(0n, BigInt(PAGE), C.PROT_READ, C.MAP_SHARED, -1, 0n), -1n);
      },
    },
    {
      number: "17",
      says: "EACCES: the descriptor does not read, or is to be written through and does not write",
      kind: "Y",
      linux: "EACCES; a private mapping of a descriptor for reading may be written",
      check() {
        using file = temporaryFile("text");
        using reading = openFile(file.path, C.O_RDONLY);
        using writing = openFile(file.path, C.O_WRONLY);
        assertEquals(mmap({ fd: reading.fd }), "EACCES");
        assertEquals(mmap({ fd: writing.fd, protection: C.PROT_READ }), "EACCES");
        using mapped = new Mapped({ fd: reading.fd, flags: C.MAP_PRIVATE });
        mapped.write("mine");
        assertEquals(pread(reading.fd, 4), "text");
      },
    },
    {
      number: "18",
      says: "EAGAIN: the mapping cannot be locked",
      kind: "LIM",
      linux: "EAGAIN for locked pages beyond RLIMIT_MEMLOCK",
      async check() {
        assertEquals(await child.run("mapLocked"), ["bigint", "EAGAIN"]);
      },
    },
    {
      number: "19",
      says: "EBADF: the descriptor is none",
      kind: "Y",
      linux: "EBADF",
      check() {
        assertEquals(mmap({ fd: -1 }), "EBADF");
        assertEquals(mmap({ fd: 0x7fff_ffff, flags: C.MAP_PRIVATE }), "EBADF");
      },
    },
    {
      number: "20",
      says: "EINVAL: the offset is no multiple of the page",
      kind: "Y",
      linux: "EINVAL",
      check() {
        using object = rawMemory(2 * PAGE);
        for (const offset of [1n, BigInt(PAGE - 1), BigInt(PAGE + 512)]) {
          assertEquals(mmap({ fd: object.fd, offset }), "EINVAL");
        }
        new Mapped({ fd: object.fd, offset: BigInt(PAGE) }).unmap();
      },
    },
    {
      number: "21",
      says: "EINVAL: neither shared nor private",
      kind: "raw",
      linux: "EINVAL; the library always says one of them",
      check() {
        using object = rawMemory(PAGE);
        assertEquals(mmap({ fd: object.fd, flags: 0 }), "EINVAL");
        assertEquals(mmap({ fd: -1, flags: C.MAP_ANONYMOUS }), "EINVAL");
        using file = temporaryFile("text");
        const mapping = "none" as "read";
        assertThrows(() => MappedFile.open(file.path, { mapping }), TypeError);
      },
    },
    {
      number: "22",
      says: "EMFILE: there are too many mappings",
      kind: "LIM",
      linux: "ENOMEM at vm.max_map_count, which a C program runs into",
      async check() {
        const { code, made } = await runMapping("count");
        assertEquals(code, "ENOMEM");
        const limit = Number(readText("/proc/sys/vm/max_map_count"));
        // Its own program and libraries take the rest.
        assertGreater(Number(made), limit - 200);
        assert(Number(made) <= limit, `${made} of ${limit}`);
      },
    },
    {
      number: "23",
      says: "ENODEV: the descriptor is of a kind that cannot be mapped",
      kind: "Y",
      linux:
        "ENODEV for a pipe and for a directory; the library says so of every file that is not " +
        "regular",
      async check() {
        const ends = new Int32Array(2);
        must(() => c.pipe(new Uint8Array(ends.buffer)));
        using reading = new Descriptor(ends[0]!);
        using _writing = new Descriptor(ends[1]!);
        assertEquals(mmap({ fd: reading.fd, flags: C.MAP_PRIVATE }), "ENODEV");
        using directory = openFile("/", C.O_RDONLY);
        const readOnly = { flags: C.MAP_PRIVATE, protection: C.PROT_READ };
        assertEquals(mmap({ fd: directory.fd, ...readOnly }), "ENODEV");

        assertEquals(codeOf(() => MappedFile.open("/")), "ENODEV");
        assertEquals(codeOf(() => MappedFile.open("/dev/null")), "ENODEV");
        using place = temporaryFile("");
        const fifo = `${place.path}-fifo`;
        assertEquals((await run("mkfifo", { args: [fifo] })).code, 0);
        try {
          assertEquals(codeOf(() => MappedFile.open(fifo)), "ENODEV");
        } finally {
          rmSync(fifo);
        }
      },
    },
    {
      number: "24",
      says: "ENOMEM: there is no address space left for it",
      kind: "LIM",
      linux: "ENOMEM under a lowered RLIMIT_AS; the library's reservation fails with RangeError " +
        "before there is anything to map",
      async check() {
        assertEquals(await child.run("mapTooMuch"), ["ENOMEM", "RangeError"]);
      },
    },
    {
      number: "25",
      says: "ENOMEM: what is mapped must be locked, and is more than may be",
      kind: "LIM",
      linux: "mlock() says ENOMEM; mmap() after mlockall() says EAGAIN instead",
      async check() {
        assertEquals(await runMapping("lock"), { mlock: "ENOMEM", mmap: "EAGAIN" });
      },
    },
    {
      number: "26",
      says: "ENOMEM: typed memory is used up",
      kind: "N",
      why: "Linux has no typed memory objects",
    },
    {
      number: "27",
      says: "ENOTSUP: the protection or the kind of mapping is not supported",
      kind: "N",
      why: "Linux supports every kind that POSIX names, so there is nothing to refuse",
    },
    {
      number: "28",
      says: "ENXIO: the object has no such range",
      kind: "N",
      why:
        "Linux maps ranges beyond the end of files and faults at the access (row 11); only some " +
        "devices answer so",
    },
    {
      number: "29",
      says: "ENXIO: a fixed address does not go with the object",
      kind: "N",
      why: "only some devices answer so, and no public call takes an address",
    },
    {
      number: "30",
      says: "ENXIO: typed memory has no such range",
      kind: "N",
      why: "Linux has no typed memory objects",
    },
    {
      number: "31",
      says: "EOVERFLOW: offset and length are more than a file offset can be",
      kind: "Y",
      linux: "EOVERFLOW at the last page of the highest offset",
      check() {
        using object = rawMemory(PAGE);
        const last = (1n << 63n) - BigInt(PAGE);
        const protection = C.PROT_READ;
        const answered = mmap({ fd: object.fd, offset: last, byteLength: 2 * PAGE, protection });
        assertEquals(answered, "EOVERFLOW");
      },
    },
    {
      number: "32",
      says: "EINVAL: the length is 0",
      kind: "Y",
      linux:
        "EINVAL in C; the library maps nothing for an object of 0 bytes, and its bytes are none",
      check() {
        using object = rawMemory(PAGE);
        assertEquals(mmap({ fd: object.fd, byteLength: 0 }), "EINVAL");
        using file = temporaryFile("");
        using mapped = MappedFile.open(file.path);
        assertEquals(mapped.bytes.byteLength, 0);
        using it = memoryName();
        using memory = SharedMemory.create(it.name, { byteLength: 0 });
        assertEquals(memory.bytes.byteLength, 0);
      },
    },
  ],
};

/** What a descriptor of this process stands for; one that is closed by now stands for nothing. */
function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch (error) {
    assertEquals((error as NodeJS.ErrnoException).code, "ENOENT");
    return "";
  }
}
