/** SpscRing: a byte ring from one producer to one consumer, which is a ring of one lane. */

import { LayoutError } from "../errors.ts";
import { checkMaking, checkOptions } from "../sys/mod.ts";
import type { RingConsumer } from "./consumer.ts";
import { TARGET } from "./lane.ts";
import type { RingProducer } from "./producer.ts";
import { maxRecordBytesOf, ringBytesOf } from "./ring_layout.ts";
import { RingMemory } from "./ring_memory.ts";

/** How {@linkcode SpscRing.format} lays a ring out. */
export interface SpscRingOptions {
  /**
   * How many bytes the records can have together, with 8 more for each and what is left at the end:
   * a power of two from 64 to 2^30.
   * @default {the largest that the memory has room for}
   */
  capacityBytes?: number | undefined;
}

/** Only this file has it. */
const MAKING: unique symbol = Symbol("making");

/**
 * A ring of bytes in shared memory, from one producer to one consumer: records of any length, in
 * order, without a system call while neither has to wait. The fastest way between two processes.
 *
 * The two may be in any threads of any processes of one user, and either may be C: the layout is
 * in `src/ring/ring_layout.ts`. {@linkcode SpscRing.producer} and {@linkcode SpscRing.consumer}
 * take the two roles; each is one thread's at a time, and that of a thread that died is free.
 *
 * Positions and lengths in the memory are not trusted: what cannot be is a {@linkcode LayoutError},
 * and nothing outside a record is read or written. Whoever may write the memory can change what is
 * read, though, and is trusted as far as its two locks make that necessary ({@linkcode Mutex}).
 *
 * Close the two ends before the memory: nobody else does that for them.
 *
 * @example From one process to another
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { SharedMemory } from "@postbox/postbox";
 * import { SpscRing } from "@postbox/postbox/ring";
 *
 * using memory = SharedMemory.anonymous({ byteLength: SpscRing.bytesFor(65_536) });
 * const ring = SpscRing.format(memory.bytes); // elsewhere: SpscRing.attach(memory.bytes)
 *
 * using producer = ring.producer();
 * assertEquals(producer.tryPush("hello"), true);
 *
 * using consumer = ring.consumer();
 * assertEquals(new TextDecoder().decode(await consumer.pop()), "hello");
 * ```
 */
export class SpscRing {
  readonly #memory: RingMemory;

  private constructor(making: typeof MAKING, memory: RingMemory) {
    checkMaking(making, MAKING, "an SpscRing", "SpscRing.format or SpscRing.attach");
    this.#memory = memory;
  }

  /** How many bytes of memory a ring takes whose records can have `capacityBytes`. */
  static bytesFor(capacityBytes: number): number {
    return ringBytesOf(1, capacityBytes);
  }

  /**
   * Makes zeroed memory a ring. Others attach to it when this is done.
   *
   * @param memory Of a {@linkcode SharedMemory} (`memory.bytes` or a `subarray` of it); any other
   * Uint8Array of a SharedArrayBuffer is for threads of this process, and there the role of a worker
   * that was terminated stays taken. Begins at a multiple of 64.
   * @throws {LayoutError} If there is something else than zeros in it.
   * @throws {RangeError} If it is too small, or the capacity no power of two.
   * @throws {TypeError} If it is not shared, or that of a read-only handle.
   */
  static format(memory: Uint8Array<SharedArrayBuffer>, options: SpscRingOptions = {}): SpscRing {
    checkOptions(options, "format a ring", "{ capacityBytes: 65536 }");
    const { capacityBytes } = options;
    return new SpscRing(MAKING, RingMemory.format(memory, { lanes: 1, capacityBytes }));
  }

  /**
   * Uses the ring that somebody made.
   *
   * @throws {LayoutError} If there is none, one of another version, or one with more lanes.
   * @throws {TypeError} If the memory is not shared, or that of a read-only handle.
   */
  static attach(memory: Uint8Array<SharedArrayBuffer>): SpscRing {
    const found = RingMemory.attach(memory);
    if (found.lanes === 1) return new SpscRing(MAKING, found);
    const words = { found: `${found.lanes} lanes`, expected: "1 lane, or MpscRing.attach" };
    throw new LayoutError({ action: "attach to", target: TARGET, ...words });
  }

  /** How many bytes the records can have together. */
  get capacityBytes(): number {
    return this.#memory.capacityBytes;
  }

  /** The longest record: half the capacity, less 8 bytes. */
  get maxRecordBytes(): number {
    return maxRecordBytesOf(this.#memory.capacityBytes);
  }

  /**
   * How much of the capacity is in use, as it is now: records and what each takes beside its bytes.
   * How many records that is, nobody counts.
   */
  get usedBytes(): number {
    return this.#memory.usedBytes();
  }

  /**
   * Becomes the producer.
   *
   * @throws {PosixError} `EBUSY` if there is one that lives.
   * @throws {LayoutError} If somebody damaged the ring.
   */
  producer(): RingProducer {
    return this.#memory.producer();
  }

  /**
   * Becomes the consumer.
   *
   * @throws {PosixError} `EBUSY` if there is one that lives.
   * @throws {LayoutError} If somebody damaged the ring.
   */
  consumer(): RingConsumer {
    return this.#memory.consumer();
  }
}
