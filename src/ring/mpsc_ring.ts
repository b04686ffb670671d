/** MpscRing: a byte ring from many producers to one consumer, with a lane for each. */

import { checkMaking, checkOptions } from "../sys/mod.ts";
import type { RingConsumer } from "./consumer.ts";
import type { RingProducer } from "./producer.ts";
import { maxRecordBytesOf, ringBytesOf } from "./ring_layout.ts";
import { RingMemory } from "./ring_memory.ts";

/** How {@linkcode MpscRing.format} lays a ring out. */
export interface MpscRingOptions {
  /** How many producers there can be at a time, 1 to 1024. */
  lanes: number;
  /**
   * How many bytes the records of one producer can have together, with 8 more for each and what is
   * left at the end: a power of two from 64 to 2^30.
   * @default {the largest that the memory has room for}
   */
  capacityBytes?: number | undefined;
}

/** Only this file has it. */
const MAKING: unique symbol = Symbol("making");

/**
 * A ring of bytes in shared memory, from many producers to one consumer. Each producer has a lane
 * of its own, so none waits for another, and one that is killed wedges nobody: what it published is
 * read, and its lane is free for the next.
 *
 * The order of each producer's records is kept; between producers there is none. The consumer
 * reads their lanes in turns, so one that never stops does not keep the others waiting.
 *
 * @example Two producers
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { SharedMemory } from "@postbox/postbox";
 * import { MpscRing } from "@postbox/postbox/ring";
 *
 * const shape = { lanes: 2, capacityBytes: 4096 };
 * using memory = SharedMemory.anonymous({ byteLength: MpscRing.bytesFor(shape) });
 * const ring = MpscRing.format(memory.bytes, shape); // elsewhere: MpscRing.attach(memory.bytes)
 *
 * using first = ring.producer();
 * using second = ring.producer();
 * first.tryPush("a");
 * second.tryPush("b");
 *
 * using consumer = ring.consumer();
 * const texts = [await consumer.pop(), await consumer.pop()].map((data) =>
 *   new TextDecoder().decode(data)
 * );
 * assertEquals(texts.sort(), ["a", "b"]);
 * ```
 */
export class MpscRing {
  readonly #memory: RingMemory;

  private constructor(making: typeof MAKING, memory: RingMemory) {
    checkMaking(making, MAKING, "an MpscRing", "MpscRing.format or MpscRing.attach");
    this.#memory = memory;
  }

  /** How many bytes of memory such a ring takes. */
  static bytesFor({ lanes, capacityBytes }: { lanes: number; capacityBytes: number }): number {
    return ringBytesOf(lanes, capacityBytes);
  }

  /**
   * Makes zeroed memory a ring. Others attach to it when this is done.
   *
   * @param memory As for {@linkcode SpscRing.format}.
   * @throws {LayoutError} If there is something else than zeros in it.
   * @throws {RangeError} If it is too small, or the capacity no power of two.
   * @throws {TypeError} If it is not shared, or that of a read-only handle.
   */
  static format(memory: Uint8Array<SharedArrayBuffer>, options: MpscRingOptions): MpscRing {
    checkOptions(options, "format a ring", "{ lanes: 4 }");
    const { lanes, capacityBytes } = options;
    return new MpscRing(MAKING, RingMemory.format(memory, { lanes, capacityBytes }));
  }

  /**
   * Uses the ring that somebody made; one of {@linkcode SpscRing.format} has one lane.
   *
   * @throws {LayoutError} If there is none, or one of another version.
   * @throws {TypeError} If the memory is not shared, or that of a read-only handle.
   */
  static attach(memory: Uint8Array<SharedArrayBuffer>): MpscRing {
    return new MpscRing(MAKING, RingMemory.attach(memory));
  }

  /** How many producers there can be at a time. */
  get lanes(): number {
    return this.#memory.lanes;
  }

  /** How many bytes the records of one producer can have together. */
  get capacityBytes(): number {
    return this.#memory.capacityBytes;
  }

  /** The longest record: half the capacity, less 8 bytes. */
  get maxRecordBytes(): number {
    return maxRecordBytesOf(this.#memory.capacityBytes);
  }

  /**
   * How much of the lanes' capacities is in use, as it is now: records and what each takes beside
   * its bytes. How many records that is, nobody counts.
   */
  get usedBytes(): number {
    return this.#memory.usedBytes();
  }

  /**
   * Becomes a producer, with a lane that nobody has. Records that a predecessor left there are read
   * before its own.
   *
   * @throws {PosixError} `EBUSY` if each lane's producer lives.
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
