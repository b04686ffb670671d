/**
 * Structs as values: the types of their fields, where each lies, and how C declares them.
 *
 * A schema is made of types and needs no memory. What it says is the layout that a C compiler would
 * give the same struct, so a C program can share the memory by the header that is made of it.
 *
 * @example A schema
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { array, f64, i64, mutex, record, struct, text, u32, u64 } from "@postbox/postbox/region";
 *
 * const Stats = struct("stats", {
 *   hits: u64,
 *   hist: array(u32, 256),
 *   lock: mutex,
 *   last: record({ ratio: f64, at: i64, tag: text(16) }),
 * });
 * assertEquals(Stats.fields.hist.byteOffset, 8);
 * assertEquals(Stats.alignBytes, 64);
 * ```
 *
 * @module
 */

export { type CHeaderOptions, toCHeader } from "./c_header.ts";
export { layoutDiff } from "./layout_diff.ts";
export {
  barrier,
  event,
  isLock,
  LOCK_ALIGN_BYTES,
  LOCK_BYTES,
  mutex,
  rwLock,
  semaphore,
} from "./lock_fields.ts";
export { parseSchema } from "./parse_schema.ts";
export { readValue } from "./read_value.ts";
export {
  RECORD_ALIGN_BYTES,
  RECORD_BEGUN_OFFSET,
  RECORD_COPIES_OFFSET,
  RECORD_MUTEX_OFFSET,
  RECORD_SEQUENCE_OFFSET,
  recordStrideBytes,
} from "./record_layout.ts";
export { checkContent, record } from "./record.ts";
export { schemaHash } from "./schema_hash.ts";
export { schemaText } from "./schema_text.ts";
export { checkAmount, shown } from "./shown.ts";
export {
  CACHE_LINE_BYTES,
  type Field,
  type Struct,
  struct,
  type StructAlign,
  type StructOptions,
} from "./struct.ts";
export {
  array,
  type ArrayType,
  bool,
  bytes,
  type BytesType,
  type ContentFields,
  type ContentType,
  f32,
  f64,
  type Fields,
  type FieldType,
  i16,
  i32,
  i64,
  i8,
  type LockKind,
  type LockType,
  PREFIX_BYTES,
  type RecordType,
  type ScalarKind,
  type ScalarType,
  type ScalarValue,
  type Sized,
  text,
  type TextType,
  u16,
  u32,
  u64,
  u8,
  type Value,
} from "./types.ts";
export { writeValue } from "./write_value.ts";
