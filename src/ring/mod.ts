/**
 * Byte rings in shared memory: from one producer, or from many, to one consumer.
 *
 * @example Records between two processes
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { SharedMemory } from "@postbox/postbox";
 * import { SpscRing } from "@postbox/postbox/ring";
 *
 * using memory = SharedMemory.anonymous({ byteLength: SpscRing.bytesFor(4096) });
 * const ring = SpscRing.format(memory.bytes);
 * using producer = ring.producer();
 * using consumer = ring.consumer();
 *
 * producer.batch(() => {
 *   for (const text of ["one", "two"]) producer.tryPush(text);
 * });
 * const texts: string[] = [];
 * consumer.tryDrain((view, byteOffset, byteLength) => {
 *   texts.push(new TextDecoder().decode(view.subarray(byteOffset, byteOffset + byteLength)));
 * });
 * assertEquals(texts, ["one", "two"]);
 * ```
 *
 * @module
 */

export { ClosedError, LayoutError, type LayoutErrorInit, PosixError } from "../errors.ts";
export { type DrainOptions, type RecordReader, RingConsumer } from "./consumer.ts";
export { MpscRing, type MpscRingOptions } from "./mpsc_ring.ts";
export { type RingAwaitOptions, type RingBlockOptions } from "./options.ts";
export { RingProducer } from "./producer.ts";
export { SpscRing, type SpscRingOptions } from "./spsc_ring.ts";
