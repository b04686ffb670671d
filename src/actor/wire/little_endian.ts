/**
 * Little-endian numbers in bytes.
 *
 * A DataView does the same, and to make one for each frame takes longer than to read all its fields
 * like this.
 */

/** The u16 at an index. */
export function u16At(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8);
}

/** The u32 at an index. */
export function u32At(bytes: Uint8Array, at: number): number {
  return (u16At(bytes, at) | (u16At(bytes, at + 2) << 16)) >>> 0;
}

/** The u64 at an index; inexact above 2^53. */
export function u64At(bytes: Uint8Array, at: number): number {
  return u32At(bytes, at) + u32At(bytes, at + 4) * 2 ** 32;
}

/** Writes a number, modulo 2^16. */
export function putU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
}

/** Writes a number, modulo 2^32. */
export function putU32(bytes: Uint8Array, at: number, value: number): void {
  putU16(bytes, at, value);
  putU16(bytes, at + 2, value >>> 16);
}

/** Writes a whole number from 0 to 2^53. */
export function putU64(bytes: Uint8Array, at: number, value: number): void {
  putU32(bytes, at, value);
  putU32(bytes, at + 4, value / 2 ** 32);
}
