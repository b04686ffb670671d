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
import {
  C,
  checkMaking,
  Guard,
  guardOf,
  isWhole,
  type Mapping,
  markReadOnly,
  mmapFixed,
  msync,
  pageBytes,
  sys,
} from "../sys/mod.ts";

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
  /** What kind of object it is, in errors. */
  kind: "memory" | "file";
  /** What to call the object in errors. */
  target: string;
}

/** Only this file has it. */
const MAKING: unique symbol = Symbol("making");

/** What the engine says of a buffer, whatever properties somebody gave it. */
const intrinsic = (name: "byteLength" | "growable" | "maxByteLength") =>
  Object.getOwnPropertyDescriptor(SharedArrayBuffer.prototype, name)!.get!;
const BYTE_LENGTH = intrinsic("byteLength") as () => number;
const MAX_BYTE_LENGTH = intrinsic("maxByteLength") as () => number;
const GROWABLE = intrinsic("growable") as () => boolean;
const GROW = SharedArrayBuffer.prototype.grow;

let map: typeof mapSegment;

/** Shows more of an object that is long enough already. */
export let growSegment: (segment: Segment, byteLength: number) => void;

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
  /** How much is mapped. The buffer's own length says less: whoever has it may grow it. */
  #mappedBytes = 0;
  /** Where there is one, what a peer cuts off reads as zeros, and the next use says so. */
  #guard: Guard | undefined;

  static {
    map = (reservation, byteLength, source) => {
      const segment = new Segment(MAKING, reservation, source);
      if (source.sharing === "private") markReadOnly(reservation);
      segment.#grow(byteLength);
      return segment;
    };
    growSegment = (segment, byteLength) => segment.#grow(byteLength);
  }

  private constructor(
    making: typeof MAKING,
    buffer: SharedArrayBuffer,
    source: SegmentSource | undefined,
  ) {
    checkMaking(making, MAKING, "a Segment", "Segment.attach, SharedMemory or MappedFile");
    this.#buffer = buffer;
    this.#source = source;
    this.#bytes = new Uint8Array(buffer, 0, 0);
  }

  /**
   * Attaches to the memory of a segment that another thread of this process posted.
   *
   * In Bun it is as long as the memory and the rest of its last page, and while the memory grows a
   * thread can see its new length a moment before the new bytes are there: wait to be told.
   *
   * @param buffer What `postMessage(segment.buffer)` or `postMessage(memory.buffer)` delivered.
   * @throws {TypeError} If it is no growable SharedArrayBuffer, as the buffer of a segment is.
   */
  static attach(buffer: SharedArrayBuffer): Segment {
    if (!isGrowable(buffer)) {
      throw new TypeError(
        "Cannot attach to the buffer: it is no growable SharedArrayBuffer, expected the buffer " +
          "of a segment",
      );
    }
    const segment = new Segment(MAKING, buffer, undefined);
    segment.#guard = guardOf(buffer);
    return segment;
  }

  /** The memory. The same buffer as long as the segment is open, also when it grows. */
  get buffer(): SharedArrayBuffer {
    return this.#open();
  }

  /**
   * A view of all bytes there are now; after growth the getter gives a longer one.
   *
   * A view of an earlier call stays valid with its own length. After `close()` of the memory it
   * reads zeros, or what was written there since, and reaches nobody.
   */
  get bytes(): Uint8Array<SharedArrayBuffer> {
    const buffer = this.#open(), byteLength = this.#lengthOf(buffer);
    // With an explicit length: views that follow the buffer's length are twenty times slower.
    if (this.#bytes.length !== byteLength) this.#bytes = new Uint8Array(buffer, 0, byteLength);
    return this.#bytes;
  }

  /** How many bytes are mapped now. */
  get byteLength(): number {
    return this.#lengthOf(this.#open());
  }

  #lengthOf(buffer: SharedArrayBuffer): number {
    return this.#source === undefined ? BYTE_LENGTH.call(buffer) : this.#mappedBytes;
  }

  /** How many bytes the segment can grow to. */
  get maxByteLength(): number {
    return MAX_BYTE_LENGTH.call(this.#open());
  }

  /**
   * Whether {@linkcode Segment.close} was called on this segment. An attached one does not learn
   * that the memory itself was closed: tell the worker before.
   */
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
    if (this.#source !== undefined && this.#mappedBytes > 0) {
      const zeros = { fd: undefined, flags: C.MAP_PRIVATE | C.MAP_NORESERVE, offset: 0 };
      mmapFixed(addressOf(buffer), this.#mappedBytes, zeros, this.#source.target);
      this.#guard?.end(buffer);
    }
    this.#buffer = undefined;
    this.#bytes = new Uint8Array(new SharedArrayBuffer(0));
  }

  /** The same as {@linkcode Segment.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Lays more of the object, which is long enough, over the buffer. */
  #grow(byteLength: number): void {
    const buffer = this.#open(), source = this.#source!;
    const max = this.maxByteLength;
    if (byteLength > max) {
      // SAFETY: beyond the reservation is memory of somebody else's.
      throw new RangeError(`Cannot map ${byteLength} bytes: expected at most the reserved ${max}`);
    }
    const page = pageBytes();
    // Before the object lies there, or its bytes would be cleared. Whole pages, so that no growth
    // within a page comes after the object.
    const end = Math.min(Math.ceil(byteLength / page) * page, max);
    if (sys().growClears && BYTE_LENGTH.call(buffer) < end) GROW.call(buffer, end);
    // The page that holds the present end is mapped already, and private copies in it must stay.
    const start = Math.ceil(this.#mappedBytes / page) * page;
    if (start < byteLength) {
      const flags = source.sharing === "shared" ? C.MAP_SHARED : C.MAP_PRIVATE | C.MAP_NORESERVE;
      const mapping: Mapping = { fd: source.fd, flags, offset: start };
      const address = addressOf(buffer);
      mmapFixed(address + BigInt(start), byteLength - start, mapping, source.target);
      if (this.#guard === undefined) this.#guard = Guard.over(buffer, address, byteLength);
      else this.#guard.extend(byteLength);
    }
    // After the pages, so that no thread ever sees a length without them, where the engine lets it
    // be so. V8 makes the pages
    // accessible here, which on a mapping without write permission would abort the process.
    if (BYTE_LENGTH.call(buffer) < byteLength) GROW.call(buffer, byteLength);
    this.#mappedBytes = byteLength;
  }

  #open(): SharedArrayBuffer {
    const guard = this.#guard;
    if (this.#buffer !== undefined && isWhole(guard)) return this.#buffer;
    const kind = this.#source?.kind ?? "segment", target = this.#source?.target ?? "attached";
    if (this.#buffer === undefined) throw new ClosedError(kind, target);
    throw guard!.refusal(kind, target);
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
  return map(reservation, byteLength, source);
}

/** msync(2) of everything that is mapped. */
export function flushSegment(segment: Segment, target: string): void {
  if (segment.byteLength > 0) msync(addressOf(segment.buffer), segment.byteLength, target);
}

/**
 * SAFETY: the address stays valid while the buffer is referenced, and the caller holds it; a
 * growable buffer never moves.
 */
function addressOf(buffer: SharedArrayBuffer): bigint {
  return sys().addressOf(new Uint8Array(buffer));
}

function isGrowable(buffer: SharedArrayBuffer): boolean {
  try {
    return GROWABLE.call(buffer);
  } catch (error) {
    if (error instanceof TypeError) return false; // no SharedArrayBuffer, whatever it says
    throw error;
  }
}
