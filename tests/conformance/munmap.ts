/**
 * munmap and msync. The library never unmaps: it lays zero pages over what it lets go, and a view
 * that somebody kept reads those. C's own call is asked in children and on memory of the test's.
 */

import { readFileSync } from "node:fs";
import { MappedFile, SharedMemory } from "../../mod.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";
import { children } from "./children.ts";
import { DISK, type Group } from "./engine.ts";
import { dirtyKilobytes, kilobytes, permissionsAt, temporaryFile } from "./files.ts";
import {
  answer,
  C,
  c,
  cString,
  Mapped,
  must,
  NOWHERE,
  opened,
  PAGE,
  pread,
  pwrite,
  R,
  rawMemory,
} from "./raw.ts";

const decoder = new TextDecoder();
const LENGTH = BigInt(PAGE);

/** What a child does; see `children.ts`. */
export const programs = {
  /** Reads a page after it was unmapped; the pages beside it are still there. */
  readUnmapped() {
    using object = rawMemory(3 * PAGE);
    const mapped = new Mapped({ fd: object.fd, byteLength: 3 * PAGE });
    const bytes = mapped.bytes;
    bytes.fill(7);
    must(() => c.munmap(mapped.address + LENGTH, 1n)); // one byte takes its whole page along
    if (bytes[0] !== 7 || bytes[3 * PAGE - 1] !== 7) return "the neighbours are gone";
    return bytes[2 * PAGE - 1];
  },
};

const child = children(import.meta.url, programs);

/** msync(2): 0 or the name of the error. */
function msync(address: bigint, byteLength: number, flags: number): number | string {
  return answer(() => c.msync(address, BigInt(byteLength), flags));
}

/** munmap(2): 0 or the name of the error. */
function munmap(address: bigint, byteLength: number | bigint): number | string {
  return answer(() => c.munmap(address, BigInt(byteLength)));
}

/** A file that is open for both. */
function openFile(path: string) {
  return opened(must(() => c.open(cString(path), C.O_RDWR, 0)));
}

export const munmapGroup: Group = {
  name: "munmap",
  rows: [
    {
      number: "1",
      says: "takes away every page of the range; touching one fails from then on",
      kind: "2P",
      linux: "SIGSEGV ends a child that does; in the library a stale view reads zeros and writes " +
        "nowhere",
      async check() {
        const { signal, stdout } = await child.finish("readUnmapped");
        assertEquals([signal, stdout], ["SIGSEGV", ""]);

        const memory = SharedMemory.anonymous({ byteLength: 2 * PAGE });
        const view = memory.bytes;
        view.fill(7);
        memory.close();
        assertEquals(view.every((byte) => byte === 0), true);
        view.fill(9);
        using next = SharedMemory.anonymous({ byteLength: 2 * PAGE });
        assertEquals(next.bytes.every((byte) => byte === 0), true);
      },
    },
    {
      number: "2",
      says: "where nothing is mapped it does nothing",
      kind: "raw",
      linux: "0",
      check() {
        assertEquals(permissionsAt(NOWHERE), undefined);
        assertEquals(munmap(NOWHERE, 4 * PAGE), 0);
        assertEquals(permissionsAt(NOWHERE), undefined);
      },
    },
    {
      number: "3",
      says: "the address is a multiple of the page",
      kind: "raw",
      linux: "another one is EINVAL and leaves the page alone; the length may be any",
      check() {
        using object = rawMemory(PAGE);
        const mapped = new Mapped({ fd: object.fd });
        mapped.write("there");
        assertEquals(munmap(mapped.address + 8n, PAGE), "EINVAL");
        assertEquals(mapped.text(5), "there");
        mapped.unmap();
        const partly = new Mapped({ fd: object.fd });
        assertEquals(munmap(partly.address, 10), 0);
      },
    },
    {
      number: "4",
      says: "what was changed in a private mapping is lost",
      kind: "Y",
      linux: "mapped again, the object is as it was",
      check() {
        using file = temporaryFile("kept");
        const first = MappedFile.open(file.path, { mapping: "private" });
        first.bytes[0] = 0x4b;
        assertEquals(decoder.decode(first.bytes.slice()), "Kept");
        first.close();
        using second = MappedFile.open(file.path, { mapping: "private" });
        assertEquals(decoder.decode(second.bytes.slice()), "kept");
        assertEquals(readFileSync(file.path, "utf8"), "kept");

        using object = rawMemory(PAGE);
        assertEquals(pwrite(object.fd, "kept"), 4);
        const mapped = new Mapped({ fd: object.fd, flags: C.MAP_PRIVATE });
        mapped.write("lost");
        mapped.unmap();
        assertEquals(pread(object.fd, 4), "kept");
      },
    },
    {
      number: "5",
      says: "locks on the pages go with them",
      kind: "N",
      linux: "not a promise to programs, but a robust lock needs it: VmLck of /proc falls again",
      check() {
        const lockedKilobytes = () => kilobytes(readFileSync("/proc/self/status", "utf8"), "VmLck");
        using object = rawMemory(PAGE);
        const mapped = new Mapped({ fd: object.fd });
        const before = lockedKilobytes();
        must(() => c.mlock(mapped.address, LENGTH));
        assertEquals(lockedKilobytes(), before + PAGE / 1024);
        mapped.unmap();
        assertEquals(lockedKilobytes(), before);
      },
    },
    {
      number: "6",
      says: "what it does to mappings of typed memory",
      kind: "N",
      why: "Linux has no typed memory objects",
    },
    {
      number: "7",
      says: "success is 0, failure is -1 with an error number",
      kind: "Y",
      linux: "0 and -1",
      check() {
        using object = rawMemory(PAGE);
        const address = new Mapped({ fd: object.fd }).address;
        assertEquals(c.munmap(address + 1n, LENGTH), -1);
        assertEquals(c.munmap(address, LENGTH), 0);
      },
    },
    {
      number: "8",
      says: "EINVAL: the range lies outside of what a process can address",
      kind: "raw",
      linux: "EINVAL from the kernel's half of the address space on, and when the end wraps around",
      check() {
        assertEquals(munmap(0xffff_8000_0000_0000n, PAGE), "EINVAL");
        assertEquals(munmap(NOWHERE, 0xffff_ffff_ffff_0000n), "EINVAL");
      },
    },
    {
      number: "9",
      says: "EINVAL: the length is 0",
      kind: "raw",
      linux: "EINVAL, and the page stays",
      check() {
        using object = rawMemory(PAGE);
        using mapped = new Mapped({ fd: object.fd });
        assertEquals(munmap(mapped.address, 0), "EINVAL");
        mapped.write("there");
        assertEquals(mapped.text(5), "there");
      },
    },
    {
      number: "10",
      says: "EINVAL: the address is no multiple of the page",
      kind: "raw",
      linux: "EINVAL for every address within a page",
      check() {
        using object = rawMemory(PAGE);
        using mapped = new Mapped({ fd: object.fd });
        for (const into of [1, 8, PAGE / 2, PAGE - 1]) {
          assertEquals(munmap(mapped.address + BigInt(into), PAGE), "EINVAL");
        }
        assertEquals(permissionsAt(mapped.address), "rw-s");
      },
    },
  ],
};

export const msyncGroup: Group = {
  name: "msync",
  rows: [
    {
      number: "msync01",
      says: "syncing all or a part of a mapped file works, and the file then has the bytes",
      kind: "Y",
      linux: "0; flush() syncs all",
      check() {
        using file = temporaryFile("-".repeat(2 * PAGE));
        {
          using fd = openFile(file.path);
          using mapped = new Mapped({ fd: fd.fd, byteLength: 2 * PAGE });
          mapped.write("first");
          mapped.write("second", PAGE);
          assertEquals(msync(mapped.address + LENGTH, PAGE, C.MS_SYNC), 0);
          assertEquals(readFileSync(file.path, "utf8").slice(PAGE, PAGE + 6), "second");
          assertEquals(msync(mapped.address, 2 * PAGE, C.MS_SYNC), 0);
          assertEquals(msync(mapped.address, 2 * PAGE, R.MS_ASYNC), 0);
        }
        assertEquals(readFileSync(file.path, "utf8").slice(0, 5), "first");

        using mapped = MappedFile.open(file.path, { mapping: "shared" });
        mapped.bytes.set(new TextEncoder().encode("third"));
        mapped.flush();
        assertEquals(readFileSync(file.path, "utf8").slice(0, 5), "third");
        using reader = MappedFile.open(file.path);
        assertThrows(() => reader.flush(), TypeError);
      },
    },
    {
      number: "msync02",
      says: "other copies of a shared mapping can be made to follow",
      kind: "Y",
      linux: "MS_INVALIDATE is 0, and every mapping shows the same bytes",
      check() {
        using object = rawMemory(PAGE);
        using first = new Mapped({ fd: object.fd });
        using second = new Mapped({ fd: object.fd });
        first.write("both");
        assertEquals(msync(first.address, PAGE, C.MS_SYNC | R.MS_INVALIDATE), 0);
        assertEquals(msync(second.address, PAGE, R.MS_INVALIDATE), 0);
        assertEquals(second.text(4), "both");
      },
    },
    {
      number: "msync03a",
      says: "EBUSY: locked pages cannot be invalidated",
      kind: "LIM",
      linux: "EBUSY after mlock(), and 0 without the flag",
      check() {
        using object = rawMemory(PAGE);
        using mapped = new Mapped({ fd: object.fd });
        must(() => c.mlock(mapped.address, LENGTH));
        assertEquals(msync(mapped.address, PAGE, C.MS_SYNC | R.MS_INVALIDATE), "EBUSY");
        assertEquals(msync(mapped.address, PAGE, C.MS_SYNC), 0);
      },
    },
    {
      number: "msync03b",
      says: "EINVAL: the address is no multiple of the page, or the flags make no sense",
      kind: "raw",
      linux: "EINVAL for an address within a page, an unknown flag, and both kinds of sync at once",
      check() {
        using object = rawMemory(PAGE);
        using mapped = new Mapped({ fd: object.fd });
        assertEquals(msync(mapped.address + 1n, PAGE, C.MS_SYNC), "EINVAL");
        assertEquals(msync(mapped.address, PAGE, 0x100), "EINVAL");
        assertEquals(msync(mapped.address, PAGE, C.MS_SYNC | R.MS_ASYNC), "EINVAL");
      },
    },
    {
      number: "msync03c",
      says: "ENOMEM: nothing is mapped there",
      kind: "raw",
      linux: "ENOMEM",
      check() {
        assertEquals(permissionsAt(NOWHERE), undefined);
        assertEquals(msync(NOWHERE, PAGE, C.MS_SYNC), "ENOMEM");
      },
    },
    {
      number: "msync04",
      says: "a page that was written is clean after its sync, and its bytes are in the file",
      kind: "Y",
      needs: DISK,
      linux: "/proc counts it as dirty before and not after; read back through another descriptor",
      check() {
        using file = temporaryFile("-".repeat(PAGE));
        {
          using fd = openFile(file.path);
          using mapped = new Mapped({ fd: fd.fd });
          must(() => c.msync(mapped.address, LENGTH, C.MS_SYNC));
          mapped.write("written");
          assertEquals(dirtyKilobytes(file.path), PAGE / 1024);
          assertEquals(msync(mapped.address, PAGE, C.MS_SYNC), 0);
          assertEquals(dirtyKilobytes(file.path), 0);
        }
        assert(readFileSync(file.path, "utf8").startsWith("written"));

        using mapped = MappedFile.open(file.path, { mapping: "shared" });
        mapped.bytes.set(new TextEncoder().encode("flushed"));
        assertEquals(dirtyKilobytes(file.path), PAGE / 1024);
        mapped.flush();
        assertEquals(dirtyKilobytes(file.path), 0);
        assert(readFileSync(file.path, "utf8").startsWith("flushed"));
      },
    },
  ],
};
