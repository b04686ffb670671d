/** CRC-32C by the processor's instruction, where the native driver is in use. */

import { byteLengthOf } from "./bytes.ts";
import { nativeInUse } from "./load.ts";

/** The library counts in 32 bits. */
const MAX_END = 2 ** 32 - 1;

/** Fewer bytes are summed by tables in less time than the call takes (bench/checksum_bench.ts). */
const MIN_BYTES = 256;

/**
 * The checksum of the bytes from `start` to `end`, behind others whose checksum is `seed`.
 *
 * @returns `undefined` where tables are faster, or there is no native driver.
 */
export function crc32cByInstruction(
  bytes: Uint8Array,
  start: number,
  end: number,
  seed: number,
): number | undefined {
  if (end - start < MIN_BYTES) return undefined;
  const native = nativeInUse();
  // SAFETY: the engine says how long the view is, and C reads nothing behind that.
  if (native === undefined || !(start >= 0 && end <= Math.min(byteLengthOf(bytes), MAX_END))) {
    return undefined;
  }
  return native.crc32c(bytes, start, end, seed);
}
