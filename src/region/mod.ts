/**
 * Shared memory with a schema: typed fields that threads, processes and C share.
 *
 * A schema is a `struct` of numbers, texts, arrays, records and locks; a {@linkcode Region} is a
 * kernel object with such a struct in it. Numbers are shared one by one, a `record` as a whole.
 *
 * @example A counter that others wait for
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { array, Region, struct, u32, u64 } from "@postbox/postbox/region";
 * import { uniqueName } from "@postbox/postbox/shm";
 *
 * const Stats = struct("stats", { hits: u64, ready: u32, histogram: array(u32, 16) });
 * const name = uniqueName("doc");
 * using region = Region.create(name, Stats);
 * Region.unlink(name); // other processes open it by its name before that
 * const { hits, ready, histogram } = region.fields;
 *
 * const waited = ready.waitFor((value) => value >= 1, { timeoutMs: 1000 });
 * hits.add(1n);
 * histogram.add(7, 1);
 * ready.store(1);
 * await waited;
 * assertEquals([hits.load(), histogram.load(7)], [1n, 1]);
 * ```
 *
 * @module
 */

export {
  ClosedError,
  LayoutError,
  type LayoutErrorInit,
  PosixError,
  type PosixErrorInit,
} from "../errors.ts";
export {
  array,
  type ArrayType,
  barrier,
  bool,
  bytes,
  type BytesType,
  CACHE_LINE_BYTES,
  type ContentFields,
  type ContentType,
  event,
  f32,
  f64,
  type Field,
  type Fields,
  type FieldType,
  i16,
  i32,
  i64,
  i8,
  type LockKind,
  type LockType,
  mutex,
  record,
  type RecordType,
  rwLock,
  type ScalarKind,
  type ScalarType,
  type ScalarValue,
  schemaText,
  semaphore,
  type Sized,
  type Struct,
  struct,
  type StructAlign,
  type StructOptions,
  text,
  type TextType,
  u16,
  u32,
  u64,
  u8,
  type Value,
} from "../layout/mod.ts";
export type { StdioEntry } from "../shm/mod.ts";
export {
  Barrier,
  Event,
  type LockOptions,
  type LockSyncOptions,
  Mutex,
  MutexGuard,
  ReadGuard,
  RwLock,
  Semaphore,
  type WithLockOptions,
  type WithLockSyncOptions,
} from "../sync/mod.ts";
export type { Owner } from "../sys/mod.ts";
export { toCHeader } from "./c_header.ts";
export {
  type AtomicArray,
  type AtomicField,
  type Expected,
  type FieldArray,
  type FloatArray,
  type FloatField,
  type IntegerArray,
  type IntegerField,
  type PlainField,
  type RecordField,
  type UpdateAsyncOptions,
  type UpdateOptions,
  type WaitForOptions,
  type WaitForSyncOptions,
} from "./field.ts";
export {
  type Draft,
  type FieldOf,
  type FieldsOf,
  type ScalarArrayOf,
  type ScalarFieldOf,
} from "./fields.ts";
export {
  fieldsAt,
  type FieldsAtOptions,
  formatFieldsAt,
  type FormatFieldsAtOptions,
} from "./fields_at.ts";
export {
  type InspectOptions,
  type ReadyRegionStatus,
  type RegionStatus,
  type UnreadyRegionStatus,
} from "./inspect.ts";
export { type Locks, type LockSettings, type LocksSettings } from "./lock_fields.ts";
export {
  type AnonymousRegionOptions,
  type AttachRegionOptions,
  type CreateRegionOptions,
  type OpenOrCreateRegionOptions,
  type OpenRegionOptions,
  Region,
  type RegionAccess,
  type TrustOptions,
} from "./region.ts";
export { type Snapshot, type SnapshotOf } from "./snapshot.ts";
