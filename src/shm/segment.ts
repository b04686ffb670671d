/**
 * Segment: a growable SharedArrayBuffer with a kernel object mapped over its bytes.
 *
 * Rule: the address range belongs to the buffer, from its creation to its collection. We only
 * ever replace the pages inside it (MAP_FIXED), never unmap it, so a view that somebody kept can
 * read zeros but cannot crash.
 *
 * ```text
 * reservation   |<------------------------- maxByteLength ------------------------->|
 * SharedArray-  |<-------- byteLength -------->|      (not there for JavaScript)     |
 *   Buffer      |                              |                                     |
 * pages         | of the object, MAP_SHARED or MAP_PRIVATE |  reserved, no access    |
 * after close   | zero pages that belong to nobody         |                         |
 * ```
 */

import { ClosedError } from "../errors.ts";
import { C, type Mapping, mmapFixed, msync, pageBytes, sys } from "../sys/mod.ts";

/** What is laid over the buffer, and how. */
export interface SegmentSource {
  /** The object; its descriptor may be closed once it is mapped, unless it will grow. */
  fd: number;
  /**
   * `shared`: writes reach the object. `private`: a page that is written becomes our own copy;
   * the others follow the object. Private is what a read-only descriptor gets: JavaScript cannot
   * be kept from writing, and a write to a read-only page would end the process.
   */
  sharing: "shared" | "private";
  /** What to call the object in errors. */
  target: string;
}

let construct: (buffer: SharedArrayBuffer, source: SegmentSource | undefined) => Segment;

/**
 * Memory of a kernel object as a SharedArrayBuffer: what {@linkcode SharedMemory} and
 * {@linkcode MappedFile} show, and what a worker attaches to.
 *
 * `postMessage(segment.buffer)` gives a worker the same memory. `close()` of the segment that was
 * mapped puts zero pages in its place, in all threads of the process; `close()` of one that was
 * attached only forgets it.
 *
 * @example In a worker, from the posted buffer
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Segment, SharedMemory } from "@postbox/postbox/shm";
 *
 * using memory = SharedMemory.anonymous({ byteLength: 64 });
 * // onmessage = ({ data }) => { using segment = Segment.attach(data); … }
 * using segment = Segment.attach(memory.buffer);
 * Atomics.store(new Int32Array(segment.buffer, 0, 1), 0, 42);
 * assertEquals(memory.bytes[0], 42);
 * ```
 */
export class Segment implements Disposable {
  #buffer: SharedArrayBuffer | undefined;
  #bytes: Uint8Array<SharedArrayBuffer>;
  readonly #source: SegmentSource | undefined;

  static {
    construct = (buffer, source) => new Segment(buffer, source);
  }

  private constructor(buffer: SharedArrayBuffer, source: SegmentSource | undefined) {
    this.#buffer = buffer;
    this.#source = source;
    this.#bytes = viewOf(buffer);
  }

  /**
   * Attaches to the memory of a segment that another thread of this process posted.
   *
   * @param buffer What `postMessage(segment.buffer)` or `postMessage(memory.buffer)` delivered.
   * @throws {TypeError} If it is no growable SharedArrayBuffer, as the buffer of a segment is.
   */
  static attach(buffer: SharedArrayBuffer): Segment {
    if (!(buffer instanceof SharedArrayBuffer) || !buffer.growable) {
      throw new TypeError(
        "Cannot attach to the buffer: it is no growable SharedArrayBuffer, expected the buffer " +
          "of a segment",
      );
    }
    return new Segment(buffer, undefined);
  }

  /** The memory. The same buffer as long as the segment is open, also when it grows. */
  get buffer(): SharedArrayBuffer {
    return this.#open();
  }

  /**
   * A view of all bytes there are now; after growth the getter gives a longer one.
   *
   * A view of an earlier call stays valid with its own length, and reads zeros after `close()`.
   */
  get bytes(): Uint8Array<SharedArrayBuffer> {
    const buffer = this.#open();
    if (this.#bytes.byteLength !== buffer.byteLength) this.#bytes = viewOf(buffer);
    return this.#bytes;
  }

  /** How many bytes are mapped now. */
  get byteLength(): number {
    return this.#open().byteLength;
  }

  /** How many bytes the segment can grow to. */
  get maxByteLength(): number {
    return this.#open().maxByteLength;
  }

  /** Whether {@linkcode Segment.close} was called. */
  get closed(): boolean {
    return this.#buffer === undefined;
  }

  /**
   * Forgets the memory; a segment that was mapped is replaced by zero pages, for every thread.
   * Closing twice is allowed and does nothing.
   */
  close(): void {
    const buffer = this.#buffer;
    if (buffer === undefined) return;
    if (this.#source !== undefined && buffer.byteLength > 0) {
      const zeros = { fd: undefined, flags: C.MAP_PRIVATE | C.MAP_NORESERVE, offset: 0 };
      mmapFixed(addressOf(buffer), buffer.byteLength, zeros, this.#source.target);
    }
    this.#buffer = undefined;
    this.#bytes = new Uint8Array(new SharedArrayBuffer(0));
  }

  /** The same as {@linkcode Segment.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #open(): SharedArrayBuffer {
    if (this.#buffer !== undefined) return this.#buffer;
    throw new ClosedError("segment", this.#source?.target ?? "attached");
  }
}

/**
 * Reserves address space to lay an object over. Done before anything is created in the kernel,
 * because it can fail.
 *
 * @throws {RangeError} If there is no address range of that length.
 */
export function reserve(maxByteLength: number): SharedArrayBuffer {
  try {
    // A growable buffer has page-aligned memory of its own; a plain one may lie on the heap.
    return new SharedArrayBuffer(0, { maxByteLength });
  } catch (cause) {
    throw new RangeError(
      `Cannot reserve ${maxByteLength} bytes of address space: the runtime refused, expected less`,
      { cause },
    );
  }
}

/** Lays the first `byteLength` bytes of an object over a reservation. */
export function mapSegment(
  reservation: SharedArrayBuffer,
  byteLength: number,
  source: SegmentSource,
): Segment {
  overlay(reservation, byteLength, source);
  return construct(reservation, source);
}

/** Shows more of an object that is long enough already. */
export function growSegment(segment: Segment, byteLength: number, source: SegmentSource): void {
  overlay(segment.buffer, byteLength, source);
}

/** msync(2) of everything that is mapped. */
export function flushSegment(segment: Segment, target: string): void {
  if (segment.byteLength > 0) msync(addressOf(segment.buffer), segment.byteLength, target);
}

function overlay(buffer: SharedArrayBuffer, byteLength: number, source: SegmentSource): void {
  const page = pageBytes();
  // The page that holds the present end is mapped already, and private copies in it must stay.
  const start = Math.ceil(buffer.byteLength / page) * page;
  if (start < byteLength) {
    const flags = source.sharing === "shared" ? C.MAP_SHARED : C.MAP_PRIVATE | C.MAP_NORESERVE;
    const mapping: Mapping = { fd: source.fd, flags, offset: start };
    mmapFixed(addressOf(buffer) + BigInt(start), byteLength - start, mapping, source.target);
  }
  // After the pages, so that no thread ever sees a length without them. V8 makes the pages
  // accessible here, which on a mapping without write permission would abort the process.
  buffer.grow(byteLength);
}

/**
 * SAFETY: the address stays valid while the buffer is referenced, and the caller holds it; a
 * growable buffer never moves.
 */
function addressOf(buffer: SharedArrayBuffer): bigint {
  return sys().addressOf(new Uint8Array(buffer));
}

/** With an explicit length: views that follow the buffer's length are twenty times slower. */
function viewOf(buffer: SharedArrayBuffer): Uint8Array<SharedArrayBuffer> {
  return new Uint8Array(buffer, 0, buffer.byteLength);
}
