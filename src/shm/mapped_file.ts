/** MappedFile: a regular file seen as memory. */

import {
  C,
  checkMaking,
  close,
  type FileStatus,
  open,
  pread,
  refuse,
  shown,
  statfs,
  statx,
} from "../sys/mod.ts";
import { flushSegment, mapSegment, reserve, type Segment, type SegmentSource } from "./segment.ts";

/**
 * How a file is mapped.
 *
 * ```text
 *            file is opened   a write to the bytes             flush()
 * private    for reading      stays in this process            TypeError
 * shared     for both         reaches the file and everybody   waits until it is on the disk
 * read       for reading      is not meant to happen; if it    TypeError
 *                             does, it stays in this process
 * ```
 */
export type MappingKind = "private" | "shared" | "read";

/** Only {@linkcode MappedFile.open} has it. */
const MAKING: unique symbol = Symbol("making");

/** How {@linkcode MappedFile.open} maps a file. */
export interface MappedFileOptions {
  /**
   * What happens to writes.
   * @default {"read"}
   */
  mapping?: MappingKind;
}

/**
 * A regular file as memory: read by the kernel page by page, as its bytes are touched.
 *
 * Whoever may write the file can truncate it, and touching bytes that are gone ends the process
 * (SIGBUS); with the native driver (`useNative`) they read as zeros, and the next use of the file
 * throws a `LayoutError`. A hole does the same at its first touch, on a file system that is full by
 * then: in a sparse file on a tmpfs, or in a `shared` mapping anywhere, for the touch makes it a page.
 * Its length is the file's when it was opened.
 *
 * @example Counting the lines of a file
 * ```ts
 * import { assert } from "@std/assert";
 * import { MappedFile } from "@postbox/postbox/shm";
 *
 * using file = MappedFile.open("/etc/passwd");
 * let lines = 0;
 * for (const byte of file.bytes) if (byte === 10) lines++;
 * assert(lines > 0);
 * ```
 *
 * @see mmap(2)
 */
export class MappedFile implements Disposable {
  /** The path it was opened by. */
  readonly path: string;
  /** What happens to writes. */
  readonly mapping: MappingKind;
  readonly #segment: Segment;

  private constructor(
    making: typeof MAKING,
    path: string,
    mapping: MappingKind,
    segment: Segment,
  ) {
    checkMaking(making, MAKING, "a MappedFile", "MappedFile.open");
    this.path = path;
    this.mapping = mapping;
    this.#segment = segment;
  }

  /**
   * Maps all of a file.
   *
   * @throws {PosixError} `ENOENT` or `EACCES` as open(2) does, `ENODEV` if it is no regular file
   * or one of those (in /proc) that have bytes but no length, `ENOSPC` if it has holes and lies on
   * a tmpfs without room for them.
   * @throws {RangeError} If no address range is as long as the file.
   */
  static open(path: string, options: MappedFileOptions = {}): MappedFile {
    const { mapping = "read" } = options;
    if (mapping !== "private" && mapping !== "shared" && mapping !== "read") {
      throw new TypeError(
        `Cannot map ${shown(path)}: mapping is ${shown(mapping)}, expected ` +
          '"private", "shared" or "read"',
      );
    }
    const sharing = mapping === "shared" ? "shared" : "private";
    // LINUX: O_NONBLOCK, or the open of a FIFO would wait for its other end.
    const flags = (sharing === "shared" ? C.O_RDWR : C.O_RDONLY) | C.O_NONBLOCK;
    const fd = open(path, flags);
    try {
      const status = statx(fd, path);
      checkMappable(fd, status, path);
      checkHoles(fd, status, path);
      const source: SegmentSource = { fd, sharing, kind: "file", target: path };
      const segment = mapSegment(reserve(status.byteLength), status.byteLength, source);
      return new MappedFile(MAKING, path, mapping, segment);
    } finally {
      close(fd, path); // the mapping holds the file
    }
  }

  /** A view of the whole file. It reads zeros after `close()`. */
  get bytes(): Uint8Array<SharedArrayBuffer> {
    return this.#segment.bytes;
  }

  /** The file's length when it was opened. */
  get byteLength(): number {
    return this.#segment.byteLength;
  }

  /** Whether {@linkcode MappedFile.close} was called. */
  get closed(): boolean {
    return this.#segment.closed;
  }

  /**
   * Writes what was changed to the disk, and comes back when it is there.
   *
   * @throws {TypeError} If the mapping is not `shared`.
   * @see msync(2)
   */
  flush(): void {
    if (this.mapping !== "shared") {
      throw new TypeError(
        `Cannot flush ${JSON.stringify(this.path)}: it is mapped "${this.mapping}", expected ` +
          '"shared"',
      );
    }
    flushSegment(this.#segment, this.path);
  }

  /** Closes the file; its views read zeros. Closing twice is allowed and does nothing. */
  close(): void {
    this.#segment.close();
  }

  /** The same as {@linkcode MappedFile.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}

function checkMappable(fd: number, { isFile, byteLength }: FileStatus, path: string): void {
  const refusal = (hint: string) => refuse("ENODEV", "mmap", "map file", path, hint);
  if (!isFile) throw refusal("only regular files can be mapped");
  if (byteLength === 0 && pread(fd, new Uint8Array(1), 0, path) > 0) {
    throw refusal("it has bytes but no length, as files of /proc do; read it instead");
  }
}

/**
 * Refuses a file whose holes could not become pages.
 *
 * LINUX: on a tmpfs even reading a hole through a mapping allocates a page, and where there is no
 * room that is SIGBUS, which nobody can catch.
 */
function checkHoles(fd: number, { byteLength, allocatedBytes }: FileStatus, path: string): void {
  const missing = byteLength - allocatedBytes;
  if (missing <= 0) return;
  const { type, availableBytes } = statfs(`/proc/self/fd/${fd}`, path);
  if (type !== C.TMPFS_MAGIC || missing <= availableBytes) return;
  throw refuse(
    "ENOSPC",
    "mmap",
    "map file",
    path,
    `it has holes of ${missing} bytes, each of which takes memory when it is touched, and its ` +
      `file system has ${availableBytes} left; read it instead`,
  );
}
