/**
 * SharedMemory: a POSIX shared memory object, by name or anonymous, seen as a SharedArrayBuffer.
 *
 * Rule: what is created has its pages at once, what is opened is ours, nothing ever shrinks.
 */

import { ClosedError, LayoutError } from "../errors.ts";
import {
  byteLengthOf,
  C,
  checkMaking,
  checkOwner,
  checkOwnerOption,
  close,
  closeOnExec,
  duplicate,
  getrlimit,
  isCloseOnExec,
  memfdCreate,
  nameHint,
  type Owner,
  permissionBits,
  pread,
  pwrite,
  refuse,
  shmOpen,
  shmUnlink,
  shown,
  statx,
  sys,
  unless,
  wholeNumber,
} from "../sys/mod.ts";
import { listMemory, type MemoryEntry } from "./list.ts";
import { checkSeals, isSealed, type Seal, seal } from "./memfd.ts";
import { growSegment, mapSegment, reserve, type Segment, type SegmentSource } from "./segment.ts";
import { allocate, byteCount, checkFileSizeLimit, spaceHint } from "./space.ts";

/** What a handle may do: read, or read and write. */
export type MemoryAccess = "r" | "rw";

/** How far a handle can grow. */
export interface ReserveOptions {
  /**
   * Bytes of address space to grow into; costs no memory.
   * @default {its length}
   */
  maxByteLength?: number;
}

/** How {@linkcode SharedMemory.open} opens memory. */
export interface OpenMemoryOptions extends ReserveOptions {
  /**
   * `r` opens the object for reading only: writes to the bytes stay in this process.
   * @default {"rw"}
   */
  access?: MemoryAccess;
  /**
   * Who may own the object: `self` refuses that of another user with `EACCES`, which protects
   * against a name that somebody else planted.
   * @default {"self"}
   */
  owner?: Owner;
  /**
   * Allocates pages that the creator left out, as one does that only calls ftruncate: on a full
   * /dev/shm that is `ENOSPC` now instead of SIGBUS at the first touch.
   * @default {false}
   */
  allocate?: boolean;
}

/** How {@linkcode SharedMemory.create} makes memory. */
export interface CreateMemoryOptions extends ReserveOptions {
  /** Its length. May be 0. */
  byteLength: number;
  /**
   * Permission bits, from which the kernel takes those of the process's umask away.
   * @default {0o600}
   */
  mode?: number;
}

/** How {@linkcode SharedMemory.openOrCreate} opens or makes memory. */
export interface OpenOrCreateMemoryOptions extends CreateMemoryOptions {
  /** Who may own one that exists, as in {@linkcode OpenMemoryOptions}. */
  owner?: Owner;
}

/** How {@linkcode SharedMemory.anonymous} makes memory. */
export interface AnonymousMemoryOptions extends ReserveOptions {
  /** Its length. May be 0. */
  byteLength: number;
  /**
   * What nobody may do to it from now on.
   * @default {["shrink"]}
   */
  seal?: readonly Seal[];
  /**
   * What /proc calls it.
   * @default {"postbox"}
   */
  label?: string;
}

/**
 * The descriptors of this thread's handles, and those that it has taken over: what can be known of
 * a descriptor where `seesInherited` of the port is false.
 */
const owned = new Set<number>();

/** How {@linkcode SharedMemory.fromInherited} judges what it was given. */
export interface InheritedMemoryOptions extends ReserveOptions {
  /**
   * How long it is at least.
   * @default {0}
   */
  byteLength?: number;
  /**
   * The seals that it has at least. Without `shrink` a peer could cut it off under us.
   * @default {["shrink"]}
   */
  seal?: readonly Seal[];
  /**
   * `r` for memory that is sealed with `future-write`.
   * @default {"rw"}
   */
  access?: MemoryAccess;
}

/** What {@linkcode SharedMemory.read} reads. */
export interface ReadOptions {
  /**
   * Where to begin, in bytes.
   * @default {0}
   */
  offset?: number;
  /**
   * How many bytes.
   * @default {to the end of what is mapped}
   */
  byteLength?: number;
}

/** Where {@linkcode SharedMemory.write} writes. */
export interface WriteOptions {
  /**
   * Where to begin, in bytes.
   * @default {0}
   */
  offset?: number;
}

/** What {@linkcode SharedMemory.status} tells. */
export interface MemoryStatus {
  /** The object's length now; a peer may have grown it beyond what is mapped here. */
  byteLength: number;
  /** What it takes in memory or swap. */
  allocatedBytes: number;
  /** User that owns it. */
  uid: number;
  /** Group that owns it. */
  gid: number;
  /** Permission bits. */
  mode: number;
  /** Whether it still has its name. Anonymous memory never has one. */
  linked: boolean;
}

/** An entry of `stdio` of `node:child_process`. */
export type StdioEntry = "inherit" | "ignore" | "pipe" | "overlapped" | "ipc" | number;

const ACCESS_FLAGS: Record<MemoryAccess, number> = { r: C.O_RDONLY, rw: C.O_RDWR };
const encoder = new TextEncoder();

/** Only the static functions have it. */
const MAKING: unique symbol = Symbol("making");

/** The descriptor of an open handle; the handle keeps it and closes it. For rooms above: inside.ts. */
export let descriptorOf: (memory: SharedMemory) => number;

/** The kernel's own bound on descriptors is far below. */
const MAX_DESCRIPTOR = 2 ** 31 - 1;

/**
 * POSIX shared memory: bytes that every process that opens the name sees, until it is unlinked
 * and the last handle is closed.
 *
 * `buffer` is a real SharedArrayBuffer over the object: loads, stores and operations of Atomics
 * work on it, also against C's atomics in another process (`Atomics.wait` and `notify` only reach
 * the threads of one process). `postMessage(memory.buffer)` gives a worker the same memory, as
 * long as this handle is open: where a worker outlives the block, close it yourself instead of by
 * `using`. `read` and `write` copy through the kernel instead.
 *
 * Somebody who may write the object can also truncate it, and touching bytes that are gone ends
 * the process (SIGBUS); `read` and `write` are safe even then, and anonymous memory is sealed
 * against it. With the native driver (`useNative`) such bytes read as zeros, and the next use of the
 * handle throws a {@linkcode LayoutError}. The same holds for pages that a creator who only calls ftruncate never allocated,
 * on a full /dev/shm: `allocate` of {@linkcode OpenMemoryOptions} is for that.
 *
 * With `access: "r"` the bytes are a private view: it follows the writers, but what is written
 * into it stays in this process, and a page written to follows nobody from then on. In Bun even
 * `Atomics.load()` is such a write, once it is compiled; a read-only `Region` does without it.
 *
 * @example Two handles on one object
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { SharedMemory, uniqueName } from "@postbox/postbox/shm";
 *
 * const name = uniqueName("doc");
 * using memory = SharedMemory.create(name, { byteLength: 64 });
 * try {
 *   using peer = SharedMemory.open(name);
 *   Atomics.add(new Int32Array(memory.buffer, 0, 1), 0, 7);
 *   assertEquals(Atomics.load(new Int32Array(peer.buffer, 0, 1), 0), 7);
 *   assertEquals(peer.read({ byteLength: 1 }), new Uint8Array([7]));
 * } finally {
 *   SharedMemory.unlink(name);
 * }
 * ```
 *
 * @see shm_overview(7)
 */
export class SharedMemory implements Disposable {
  /** The name it was opened by, with its slash; of anonymous memory `memfd:` and its label. */
  readonly name: string;
  /** What this handle may do. */
  readonly access: MemoryAccess;

  #source: SegmentSource | undefined;
  readonly #segment: Segment;

  static {
    descriptorOf = (memory) => memory.#open().fd;
  }

  private constructor(
    making: typeof MAKING,
    name: string,
    access: MemoryAccess,
    source: SegmentSource,
    segment: Segment,
  ) {
    checkMaking(making, MAKING, "SharedMemory", "SharedMemory.create, open or anonymous");
    this.name = name;
    this.access = access;
    this.#source = source;
    this.#segment = segment;
  }

  /**
   * Makes an object that does not exist yet, with all its pages, filled with zeros.
   *
   * A process that is killed in here can leave an object that is shorter than asked, in the
   * extreme empty; {@linkcode SharedMemory.openOrCreate} completes it.
   *
   * @throws {PosixError} `EEXIST` if there is one of that name, `EINVAL` if the name has no slash
   * at its start or one inside, `ENAMETOOLONG` if it has more than 255 bytes, `ENOSPC` if /dev/shm is full, `ENOMEM` if the machine has not that
   * much, `EFBIG` if RLIMIT_FSIZE forbids it.
   * Nothing was made then.
   * @throws {RangeError} If a length is no whole number from 0, no address range is that long, or
   * the mode is not from 0 to 0o777.
   * @see shm_open(3), posix_fallocate(3)
   */
  static create(name: string, options: CreateMemoryOptions): SharedMemory {
    const { byteLength, maxByteLength, mode = 0o600 } = options;
    const reservation = reserveFor(byteLength, maxByteLength);
    const flags = C.O_RDWR | C.O_CREAT | C.O_EXCL;
    const hint = (code: string) => nameHint(name, code) ?? codeHint(code);
    const fd = shmOpen(name, flags, permissionBits(mode), hint);
    try {
      return closingOnError(fd, name, () => {
        allocate(fd, byteLength, name);
        return SharedMemory.#map({ fd, name, access: "rw", reservation, byteLength });
      });
    } catch (error) {
      // O_EXCL proves that it is our own making, unless somebody was quicker to unlink it.
      unless("ENOENT", () => shmUnlink(name, () => undefined));
      throw error;
    }
  }

  /**
   * Opens an object or makes it. One that exists keeps its bytes and grows to `byteLength` if it
   * is shorter.
   *
   * @throws {PosixError} As {@linkcode SharedMemory.create} does, but for `EEXIST`; `EACCES` if it
   * belongs to another user and `owner` is not `any`.
   * @see shm_open(3)
   */
  static openOrCreate(name: string, options: OpenOrCreateMemoryOptions): SharedMemory {
    const { byteLength, mode = 0o600, owner = "self", maxByteLength = byteLength } = options;
    checkOwnerOption(owner);
    // Two steps instead of O_CREAT alone: whoever fails half-way knows whether to take it back.
    for (;;) {
      const made = unless("EEXIST", () => {
        return SharedMemory.create(name, { byteLength, maxByteLength, mode });
      });
      if (made !== undefined) return made;
      const found = unless("ENOENT", () => SharedMemory.open(name, { owner, maxByteLength }));
      if (found === undefined) continue; // unlinked in between
      try {
        found.grow(byteLength);
        return found;
      } catch (error) {
        found.close();
        throw error;
      }
    }
  }

  /**
   * Opens an object that exists, as long as it is now.
   *
   * @throws {PosixError} `ENOENT` if there is none, `EACCES` if it may not be opened like this or
   * belongs to another user and `owner` is not `any`, `ENODEV` if it is no memory.
   * @see shm_open(3)
   */
  static open(name: string, options: OpenMemoryOptions = {}): SharedMemory {
    const { access = "rw", owner = "self", maxByteLength = 0, allocate: whole = false } = options;
    checkAccess(access, name);
    checkOwnerOption(owner);
    byteCount("maxByteLength", maxByteLength);
    // LINUX: O_NONBLOCK, for whoever planted a FIFO there would otherwise make us wait for ever.
    const flags = ACCESS_FLAGS[access] | C.O_NONBLOCK;
    const fd = shmOpen(name, flags, 0, (code) => nameHint(name, code) ?? codeHint(code));
    return closingOnError(fd, name, () => {
      const { byteLength } = checkObject(fd, owner, name);
      if (whole) allocate(fd, byteLength, name);
      const reservation = reserve(Math.max(byteLength, maxByteLength));
      return SharedMemory.#map({ fd, name, access, reservation, byteLength });
    });
  }

  /**
   * Takes an object's name away. The memory itself goes when its last handle is closed.
   *
   * @throws {PosixError} `ENOENT` if there is none, `EACCES` if it belongs to somebody else.
   * @see shm_unlink(3)
   */
  static unlink(name: string): void {
    shmUnlink(name, (code) => nameHint(name, code));
  }

  /**
   * Lists the objects in /dev/shm, sorted by name; named semaphores are left out.
   *
   * @throws {PosixError} `ENOENT` if there is no /dev/shm.
   */
  static list(): MemoryEntry[] {
    return listMemory();
  }

  /**
   * Makes memory without a name, for this process, its workers, and children that inherit it.
   *
   * @throws {PosixError} `ENOMEM` if the machine has not that much, `EFBIG` if RLIMIT_FSIZE forbids it.
   * @throws {RangeError} If a length is no whole number from 0, or no address range is that long.
   * @see memfd_create(2)
   */
  static anonymous(options: AnonymousMemoryOptions): SharedMemory {
    const { byteLength, maxByteLength, label = "postbox", seal: seals = ["shrink"] } = options;
    const reservation = reserveFor(byteLength, maxByteLength);
    const name = `memfd:${label}`;
    const fd = memfdCreate(label, C.MFD_CLOEXEC | C.MFD_ALLOW_SEALING, name);
    return closingOnError(fd, name, () => {
      allocate(fd, byteLength, name);
      // Mapped before it is sealed: future-write forbids new mappings, not this one.
      const memory = SharedMemory.#map({ fd, name, access: "rw", reservation, byteLength });
      seal(fd, seals, name);
      return memory;
    });
  }

  /**
   * Takes over the memory that a parent handed to this process by {@linkcode
   * SharedMemory.inheritAs}.
   *
   * In Deno the handle owns the descriptor from then on and closes it. Node and Bun do not tell
   * inherited descriptors from others: there the handle has a duplicate, and the descriptor itself
   * stays open as long as the process runs.
   *
   * @param descriptor The number that the parent chose.
   * @throws {LayoutError} If it is no memfd, was not inherited or is taken over already, lacks a
   * seal, or is too short. It stays open then.
   * @throws {PosixError} `EBADF` if there is no such descriptor.
   */
  static fromInherited(descriptor: number, options: InheritedMemoryOptions = {}): SharedMemory {
    const { access = "rw", seal: seals = ["shrink"], byteLength: least = 0, maxByteLength = 0 } =
      options;
    byteCount("byteLength", least);
    const fd = wholeNumber(descriptor, { name: "descriptor", min: 0, max: MAX_DESCRIPTOR });
    const name = `descriptor ${fd}`;
    checkAccess(access, name);
    checkSeals(fd, seals, name);
    const action = "adopt memory", target = name;
    if (sys().seesInherited ? isCloseOnExec(fd, name) : owned.has(fd)) {
      const expected = "one that was inherited and is nobody's yet";
      throw new LayoutError({ action, target, found: "a descriptor of our own", expected });
    }
    const { byteLength } = statx(fd, name);
    if (byteLength < least) {
      const expected = `at least ${least} bytes`;
      throw new LayoutError({ action, target, found: `${byteLength} bytes`, expected });
    }
    const reservation = reserve(Math.max(byteLength, byteCount("maxByteLength", maxByteLength)));
    const map = (fd: number) => SharedMemory.#map({ fd, name, access, reservation, byteLength });
    if (sys().seesInherited) {
      closeOnExec(fd, name);
      return map(fd);
    }
    // It may be the descriptor of another thread's handle, which must not be closed by this one.
    const own = duplicate(fd, action, target);
    const memory = closingOnError(own, name, () => map(own));
    owned.add(fd);
    return memory;
  }

  static #map(parts: {
    fd: number;
    name: string;
    access: MemoryAccess;
    reservation: SharedArrayBuffer;
    byteLength: number;
  }): SharedMemory {
    const { fd, name, access, reservation, byteLength } = parts;
    const source: SegmentSource = {
      fd,
      sharing: access === "rw" ? "shared" : "private",
      kind: "memory",
      target: name,
    };
    const segment = mapSegment(reservation, byteLength, source);
    owned.add(fd);
    return new SharedMemory(MAKING, name, access, source, segment);
  }

  /**
   * The memory; the same buffer as long as the handle is open, also when it grows. Grow it by
   * {@linkcode SharedMemory.grow} only: `buffer.grow()` adds bytes that reach nobody.
   */
  get buffer(): SharedArrayBuffer {
    this.#open();
    return this.#segment.buffer;
  }

  /**
   * A view of all bytes that are mapped now; after growth the getter gives a longer one.
   *
   * A view of an earlier call stays valid with its own length. After `close()` it reads zeros, or
   * what was written there since, and reaches nobody.
   */
  get bytes(): Uint8Array<SharedArrayBuffer> {
    this.#open();
    return this.#segment.bytes;
  }

  /** How many bytes are mapped now. */
  get byteLength(): number {
    this.#open();
    return this.#segment.byteLength;
  }

  /** How many bytes this handle can grow to. */
  get maxByteLength(): number {
    this.#open();
    return this.#segment.maxByteLength;
  }

  /** Whether {@linkcode SharedMemory.close} was called. */
  get closed(): boolean {
    return this.#source === undefined;
  }

  /**
   * Makes the memory longer, with its pages, or maps what a peer has added. Never shrinks: a
   * length that is mapped already changes nothing.
   *
   * @throws {RangeError} If `byteLength` is above `maxByteLength` or no whole number.
   * @throws {PosixError} `ENOSPC` or `ENOMEM` if there is no room, `EPERM` if it is sealed, `EBADF` if the
   * handle is read-only and the object is not that long. Nothing has changed then.
   * @see posix_fallocate(3)
   */
  grow(byteLength: number): void {
    const source = this.#open();
    byteCount("byteLength", byteLength);
    if (byteLength > this.maxByteLength) {
      throw new RangeError(
        `Cannot grow memory ${
          JSON.stringify(this.name)
        } to ${byteLength} bytes: expected at most ` +
          `its maxByteLength ${this.maxByteLength}`,
      );
    }
    if (byteLength <= this.byteLength) return;
    if (statx(source.fd, this.name).byteLength < byteLength) {
      // Mapping more for writing would be refused after the object has grown: ask before.
      if (isSealed(source.fd, "future-write", this.name)) {
        throw refuse("EPERM", "posix_fallocate", "grow memory", this.name, spaceHint("EPERM"));
      }
      allocate(source.fd, byteLength, this.name);
    }
    growSegment(this.#segment, byteLength);
  }

  /**
   * Copies bytes out of the object through the kernel: safe even when a peer truncates it.
   *
   * @returns The bytes, fewer than asked where the object ends.
   * @throws {RangeError} If an offset or a length is no whole number from 0.
   * @see pread(2)
   */
  read(options: ReadOptions = {}): Uint8Array<ArrayBuffer> {
    const { offset = 0, byteLength } = options;
    byteCount("offset", offset);
    if (byteLength !== undefined) byteCount("byteLength", byteLength);
    // After everything of the caller's: a getter among the options may close the handle.
    const { fd } = this.#open();
    const into = new Uint8Array(byteLength ?? Math.max(0, this.#segment.byteLength - offset));
    const length = pread(fd, into, offset, this.name);
    return length === into.byteLength ? into : into.slice(0, length);
  }

  /**
   * Copies bytes into the object through the kernel: safe even when a peer truncates it. What
   * reaches past the end makes the memory longer, as far as `maxByteLength`.
   *
   * @param data The bytes, or a text that is written as UTF-8.
   * @throws {PosixError} `EBADF` if the handle is read-only, `ENOSPC` or `ENOMEM` if there is no
   * room, `EPERM` if it is sealed.
   * @throws {RangeError} If it would reach past `maxByteLength`. Nothing was written then.
   * @see pwrite(2)
   */
  write(data: Uint8Array | string, options: WriteOptions = {}): void {
    const { offset = 0 } = options;
    byteCount("offset", offset);
    const bytes = typeof data === "string" ? encoder.encode(data) : data;
    if (!(bytes instanceof Uint8Array)) {
      throw new TypeError(`Cannot write ${shown(bytes)}: expected a Uint8Array or a string`);
    }
    const byteLength = byteLengthOf(bytes);
    // After everything of the caller's: a getter among the options may close the handle.
    const { fd } = this.#open();
    if (this.access === "r") {
      throw refuse("EBADF", "pwrite", "write to memory", this.name, spaceHint("EBADF"));
    }
    if (byteLength === 0) return; // write(2) of nothing grows nothing
    const endOffset = offset + byteLength;
    if (endOffset > this.byteLength) this.grow(endOffset);
    checkFileSizeLimit(endOffset, "write to memory", this.name);
    pwrite(fd, bytes, offset, this.name, spaceHint);
  }

  /**
   * Hands the memory to a child: the `stdio` to start it with by `node:child_process` (`Deno.Command`
   * has no such option), in which the memory is descriptor `descriptor`. The child takes it over
   * by {@linkcode SharedMemory.fromInherited}. Starting a child needs `--allow-run` and
   * `--allow-env` in Deno.
   *
   * @example Memory for a child
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { SharedMemory } from "@postbox/postbox/shm";
   *
   * using memory = SharedMemory.anonymous({ byteLength: 64, seal: ["shrink", "grow", "seal"] });
   * const stdio = memory.inheritAs(3);
   * // spawn(command, args, { stdio }), and there: SharedMemory.fromInherited(3)
   * assertEquals(stdio.slice(0, 3), ["inherit", "inherit", "inherit"]);
   * ```
   *
   * @param descriptor From 3.
   * @param stdio What the other descriptors are, as `node:child_process` takes it.
   * @returns A new array: `stdio`, filled up with `ignore`, and the memory at its place.
   * @throws {RangeError} If `descriptor` is no whole number from 3 below RLIMIT_NOFILE.
   */
  inheritAs(
    descriptor: number,
    stdio: readonly StdioEntry[] = ["inherit", "inherit", "inherit"],
  ): StdioEntry[] {
    const { soft } = getrlimit(C.RLIMIT_NOFILE);
    const max = Math.min(soft - 1, MAX_DESCRIPTOR);
    const index = wholeNumber(descriptor, { name: "descriptor", min: 3, max });
    const entries: StdioEntry[] = [...stdio];
    while (entries.length < index) entries.push("ignore");
    entries[index] = this.#open().fd;
    return entries;
  }

  /** What the kernel says of the object now. */
  status(): MemoryStatus {
    const { byteLength, allocatedBytes, uid, gid, mode, linkCount } = statx(
      this.#open().fd,
      this.name,
    );
    return { byteLength, allocatedBytes, uid, gid, mode, linked: linkCount > 0 };
  }

  /**
   * Closes the handle; the object stays. Views that were taken, also by workers, see zero pages
   * from then on, and what is written there is lost. Closing twice is allowed and does nothing.
   */
  close(): void {
    if (this.#source === undefined) return;
    const { fd } = this.#source;
    this.#segment.close();
    this.#source = undefined;
    owned.delete(fd);
    close(fd, this.name);
  }

  /** The same as {@linkcode SharedMemory.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #open(): SegmentSource {
    if (this.#source === undefined) throw new ClosedError("memory", this.name);
    return this.#source;
  }
}

/** Takes values, not options: a getter that answers twice may answer differently. */
function reserveFor(byteLength: number, maxByteLength = byteLength): SharedArrayBuffer {
  byteCount("byteLength", byteLength);
  byteCount("maxByteLength", maxByteLength);
  if (maxByteLength < byteLength) {
    throw new RangeError(
      `Cannot use maxByteLength ${maxByteLength}: expected at least byteLength ${byteLength}`,
    );
  }
  return reserve(maxByteLength);
}

function checkAccess(access: MemoryAccess, name: string): void {
  if (access === "r" || access === "rw") return;
  throw new TypeError(
    `Cannot open memory ${shown(name)}: access is ${shown(access)}, expected "r" or "rw"`,
  );
}

/** What was opened by name is memory and belongs to who may own it. */
function checkObject(fd: number, owner: Owner, name: string) {
  const status = checkOwner(fd, owner, "memory", name);
  if (status.isFile) return status;
  throw refuse("ENODEV", "statx", "open memory", name, "what has that name is no shared memory");
}

function codeHint(code: string): string | undefined {
  if (code === "EEXIST") return "open it, unlink it first, or use openOrCreate";
  return code === "ENOENT" ? "openOrCreate makes it" : undefined;
}

function closingOnError<T>(fd: number, name: string, use: () => T): T {
  try {
    return use();
  } catch (error) {
    close(fd, name);
    throw error;
  }
}
