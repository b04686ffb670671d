/** All fields of a struct as plain values, for people and for logs. */

import type {
  ArrayType,
  BytesType,
  Field,
  Fields,
  FieldType,
  LockType,
  RecordType,
  ScalarKind,
  ScalarType,
  Struct,
  TextType,
  Value,
} from "../layout/mod.ts";
import { lockState } from "../sync/mod.ts";
import type { AtomicArray, AtomicField, FieldArray, PlainField, RecordField } from "./field.ts";
import { isLock } from "./lock_fields.ts";
import { isScalar } from "./scalars.ts";

/** The value of a type in a snapshot; locks are texts. */
export type SnapshotOf<T extends FieldType> = T extends LockType ? string
  : T extends ArrayType<infer E> ? SnapshotOf<E>[]
  : T extends Struct<infer F> ? Snapshot<F>
  : T extends RecordType<infer F> ? Value<Struct<F>>
  : T extends ScalarType<ScalarKind> | TextType | BytesType ? Value<T>
  : never;

/** The values of the fields of a struct. */
export type Snapshot<F extends Fields> = { [N in keyof F]: SnapshotOf<F[N]> };

/** The accessors of a struct, whatever it is. */
type AnyFields = Readonly<Record<string, unknown>>;

/**
 * Reads all fields, one after the other.
 *
 * @param bytes The memory, from which the state of locks is read: they need not be usable.
 */
export function snapshotOf<F extends Fields>(
  struct: Struct<F>,
  fields: AnyFields,
  bytes: Uint8Array<SharedArrayBuffer>,
): Snapshot<F> {
  const values: Record<string, unknown> = Object.create(null);
  for (const { name, type, byteOffset } of Object.values<Field>(struct.fields)) {
    const part = bytes.subarray(byteOffset, byteOffset + type.byteLength);
    values[name] = isLock(type) ? lockState(type.kind, part) : valueOf(type, fields[name], part);
  }
  return values as Snapshot<F>;
}

function valueOf(type: FieldType, field: unknown, bytes: Uint8Array<SharedArrayBuffer>): unknown {
  switch (type.kind) {
    case "struct":
      return snapshotOf(type, field as AnyFields, bytes);
    case "array":
      return arrayOf(type, field, bytes);
    case "text":
    case "bytes":
      return (field as PlainField<unknown>).read();
    case "record":
      return (field as RecordField<unknown>).read();
    default:
      return (field as AtomicField<unknown>).load();
  }
}

function arrayOf(
  { element, length }: ArrayType,
  field: unknown,
  bytes: Uint8Array<SharedArrayBuffer>,
) {
  return Array.from({ length }, (_, index) => {
    const start = index * element.byteLength;
    const part = bytes.subarray(start, start + element.byteLength);
    if (isLock(element)) return lockState(element.kind, part);
    if (isScalar(element)) return (field as AtomicArray<unknown>).load(index);
    return valueOf(element, (field as FieldArray<unknown>).at(index), part);
  });
}
