/**
 * CRC-32C (Castagnoli), as in iSCSI, ext4 and the `crc32` instruction of x86-64.
 *
 * Rule: the one place that says which implementation is used.
 *
 * It is that instruction for a long piece, where the native driver is in use, and tables for the rest.
 * Their method is slicing by 8: eight tables, one for each of eight bytes that are taken at a time.
 * M. Kounavis, F. Berry: "A Systematic Approach to Building High Performance Software-based CRC
 * Generators", 2005.
 */

import { crc32cByInstruction } from "../../shm/inside.ts";

/** The polynomial 0x1edc6f41, its bits reversed: the least significant bit goes first. */
const POLYNOMIAL = 0x82f63b78;

/** The tables one after the other, 256 words each; made at the first use. */
let tables: Int32Array | undefined;

function makeTables(): Int32Array {
  const made = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    made[byte] = crc;
  }
  // Table k says what a byte does that k more bytes follow.
  for (let at = 256; at < made.length; at++) {
    const before = made[at - 256]!;
    made[at] = made[before & 0xff]! ^ (before >>> 8);
  }
  return made;
}

/** The checksum of the bytes, by tables. */
function byTables(bytes: Uint8Array, start: number, end: number, seed: number): number {
  const t = tables ??= makeTables();
  let crc = ~seed;
  let at = start;
  for (const last = end - 8; at <= last; at += 8) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    crc = t[1792 | (crc & 0xff)]! ^ t[1536 | ((crc >>> 8) & 0xff)]! ^
      t[1280 | ((crc >>> 16) & 0xff)]! ^ t[1024 | (crc >>> 24)]! ^
      t[768 | bytes[at + 4]!]! ^ t[512 | bytes[at + 5]!]! ^
      t[256 | bytes[at + 6]!]! ^ t[bytes[at + 7]!]!;
  }
  for (; at < end; at++) crc = t[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

/**
 * The checksum of a part of some bytes.
 *
 * @example The check value of the algorithm
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { crc32c } from "./crc32c.ts";
 *
 * const bytes = new TextEncoder().encode("123456789");
 * assertEquals(crc32c(bytes, 0, 9), 0xe306_9283);
 * assertEquals(crc32c(bytes, 4, 9, crc32c(bytes, 0, 4)), 0xe306_9283); // in two parts
 * ```
 *
 * @param start The first byte; within the bytes.
 * @param end Behind the last byte; within the bytes.
 * @param seed The checksum of the bytes that stand before these. @default {0, for none}
 * @returns From 0 to 2^32 - 1.
 */
export function crc32c(bytes: Uint8Array, start: number, end: number, seed = 0): number {
  return crc32cByInstruction(bytes, start, end, seed) ?? byTables(bytes, start, end, seed);
}
