/**
 * The header of the slots of a mailbox: written once, by who makes them, and judged by who opens them.
 *
 * Rule: nobody uses slots whose sizes were not compared with the bytes that there are.
 */

import { LayoutError } from "../../errors.ts";
import type { SharedMemory } from "../../shm/mod.ts";
import {
  FRAME_BYTES_WORD,
  MAGIC,
  MAGIC_LONG,
  MAX_FRAME_BYTES,
  MAX_RECEIVERS,
  MAX_SLOTS_EACH,
  RECEIVERS_WORD,
  rowOffset,
  RUN_LONG,
  slotCount,
  slotOffset,
  SLOTS_EACH_WORD,
  type SlotSizes,
  VERSION,
  VERSION_LONG,
} from "./slot_layout.ts";

/**
 * Writes the header of slots that are formatted, and with it that they are.
 *
 * @param run The run of the system that they are of.
 */
export function formatHeader(memory: SharedMemory, sizes: SlotSizes, run: bigint): void {
  const words = wordsOf(memory), longs = longsOf(memory);
  Atomics.store(words, RECEIVERS_WORD, sizes.receivers);
  Atomics.store(words, SLOTS_EACH_WORD, sizes.slotsEach);
  Atomics.store(words, FRAME_BYTES_WORD, sizes.frameBytes);
  Atomics.store(longs, VERSION_LONG, VERSION);
  Atomics.store(longs, RUN_LONG, run);
  // SYNC: the last; whoever opens it looks for it first.
  Atomics.store(longs, MAGIC_LONG, MAGIC);
}

/**
 * What the header of some memory says.
 *
 * @throws {LayoutError} If it is not of slots, of another run, or not all of it is there.
 */
export function sizesIn(memory: SharedMemory, run: bigint): SlotSizes {
  const refusal = (found: string) =>
    new LayoutError({
      action: "open the slots",
      target: memory.name,
      found,
      expected: `slots of version ${VERSION} of this run of its system`,
    });
  if (memory.byteLength < rowOffset(1)) throw refusal(`${memory.byteLength} bytes`);
  const longs = longsOf(memory);
  const isOurs = Atomics.load(longs, MAGIC_LONG) === MAGIC &&
    Atomics.load(longs, VERSION_LONG) === VERSION && Atomics.load(longs, RUN_LONG) === run;
  if (!isOurs) throw refusal("something else");
  const words = wordsOf(memory);
  const receivers = Atomics.load(words, RECEIVERS_WORD);
  const slotsEach = Atomics.load(words, SLOTS_EACH_WORD);
  const frameBytes = Atomics.load(words, FRAME_BYTES_WORD);
  const isIn = (value: number, most: number) => value >= 1 && value <= most;
  const sizes = { receivers, slotsEach, frameBytes };
  if (
    !isIn(receivers, MAX_RECEIVERS) || !isIn(slotsEach, MAX_SLOTS_EACH) ||
    !isIn(frameBytes, MAX_FRAME_BYTES) ||
    memory.byteLength < slotOffset(sizes, slotCount(sizes))
  ) throw refusal(`${receivers} × ${slotsEach} slots of ${frameBytes} bytes`);
  return sizes;
}

function wordsOf({ buffer }: SharedMemory): Int32Array<SharedArrayBuffer> {
  return new Int32Array(buffer, 0, FRAME_BYTES_WORD + 1);
}

function longsOf({ buffer }: SharedMemory): BigUint64Array<SharedArrayBuffer> {
  return new BigUint64Array(buffer, 0, RUN_LONG + 1);
}
