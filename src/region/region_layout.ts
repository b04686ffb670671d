/**
 * The layout of a region, version 1: a header of two cache lines, the fields of its struct, the
 * text of its schema. All numbers are little-endian.
 *
 * ```text
 * byte 0          8         12        16          24          32        36        40        44
 *      +----------+---------+---------+-----------+-----------+---------+---------+---------+
 *      | magic    | version | order   | hash      | bytes     | fields  | text    | text    |
 *      |          |         |         |           |           | bytes   | offset  | bytes   |
 *      +----------+---------+---------+-----------+-----------+---------+---------+---------+
 *
 * byte 44         60        64                  128          128 + fields bytes, up to 64
 *      +----------+---------+-------------------+------------+------------------+
 *      | 0        | ready   | changes           | fields     | text of schema   |
 *      +----------+---------+-------------------+------------+------------------+
 * written           last      an event count      by anybody
 * ```
 *
 * - `order` reads as {@linkcode BYTE_ORDER} for who has the byte order of its writer.
 * - `hash` is of the schema and of what locks are on the machine: who has the same one sees the
 *   same fields at the same places.
 * - `bytes` is the whole region; the object may be longer. `text offset` and `text bytes` are 0
 *   where the schema is left out.
 * - `changes` is what `waitFor` waits for: who changes a field looks there whether anybody waits.
 *
 * A region comes to be in this order, under a lock of its open object (`opening.ts`): all zeros;
 * `magic`; the rest, in any order; `ready`. So without `ready` it is one that somebody is making,
 * or did not live to make: all zeros, or with a magic. Anything else is no region.
 */

/** The size of the header, and where the fields begin. */
export const HEADER_BYTES = 128, FIELDS_OFFSET = HEADER_BYTES;

/** What the offset of the fields and of the schema's text is a multiple of. */
export const REGION_ALIGN_BYTES = 64;

/** "POSTBOXR" in memory. */
export const MAGIC = 0x52584f4254534f50n;

/** The version of this layout. */
export const FORMAT_VERSION = 1;

/** In the byte order of the machine. */
export const BYTE_ORDER = 0x01020304;

/** "DONE" in memory: the region may be used. */
export const READY_MARK = 0x454e4f44;

/** Offsets in the header, in bytes. */
export const MAGIC_OFFSET = 0,
  VERSION_OFFSET = 8,
  BYTE_ORDER_OFFSET = 12,
  HASH_OFFSET = 16,
  BYTES_OFFSET = 24,
  FIELDS_BYTES_OFFSET = 32,
  TEXT_OFFSET_OFFSET = 36,
  TEXT_BYTES_OFFSET = 40,
  READY_OFFSET = 60,
  CHANGES_OFFSET = 64;

/** So much of a schema's text is looked at. None is longer: a struct has at most 4096 fields. */
export const MAX_TEXT_BYTES = 1024 * 1024;

/** Where what each part of a region is, for a struct and a text of so many bytes. */
export interface RegionPlan {
  fieldsBytes: number;
  /** 0 where there is no text. */
  textOffset: number;
  textBytes: number;
  /** All of it. */
  byteLength: number;
}

/** Places the parts of a region. */
export function planRegion(fieldsBytes: number, textBytes: number): RegionPlan {
  const endOffset = alignUp(FIELDS_OFFSET + fieldsBytes);
  const textOffset = textBytes === 0 ? 0 : endOffset;
  return { fieldsBytes, textOffset, textBytes, byteLength: endOffset + textBytes };
}

function alignUp(offset: number): number {
  return Math.ceil(offset / REGION_ALIGN_BYTES) * REGION_ALIGN_BYTES;
}
