/** The fields of a struct over shared memory: each type's accessor, at its place. */

import type {
  ArrayType,
  BytesType,
  Field,
  Fields,
  FieldType,
  LockKind,
  LockType,
  RecordType,
  ScalarKind,
  ScalarType,
  Struct,
  TextType,
  Value,
} from "../layout/mod.ts";
import { AtomicBools, AtomicFloats, AtomicIntegers, type Place } from "./atomic_array.ts";
import { AtomicFloat, AtomicInteger, AtomicValue } from "./atomic_field.ts";
import type {
  AtomicArray,
  AtomicField,
  FieldArray,
  FloatArray,
  FloatField,
  IntegerArray,
  IntegerField,
  PlainField,
  RecordField,
} from "./field.ts";
import { LazyFields } from "./field_array.ts";
import type { FieldMemory } from "./field_memory.ts";
import { attachLock, isLock, type Locks } from "./lock_fields.ts";
import { PlainBytes } from "./plain_field.ts";
import { SharedRecord } from "./record_field.ts";
import { BOOL, FLOATS, INTEGERS, isScalar } from "./scalars.ts";

/** What a field of a scalar type is. */
export type ScalarFieldOf<K extends ScalarKind> = K extends "u64" | "i64" ? IntegerField<bigint>
  : K extends "f32" | "f64" ? FloatField
  : K extends "bool" ? AtomicField<boolean>
  : IntegerField<number>;

/** What an array of scalars is. */
export type ScalarArrayOf<K extends ScalarKind> = K extends "u64" | "i64" ? IntegerArray<bigint>
  : K extends "f32" | "f64" ? FloatArray
  : K extends "bool" ? AtomicArray<boolean>
  : IntegerArray<number>;

/** A value of a record that can be changed: its members can be assigned to. */
export type Draft<V> = V extends Uint8Array ? V
  : V extends readonly (infer E)[] ? Draft<E>[]
  : V extends object ? { -readonly [K in keyof V]: Draft<V[K]> }
  : V;

/** What a field of a type is. */
export type FieldOf<T extends FieldType> = T extends ScalarType<infer K> ? ScalarFieldOf<K>
  : T extends TextType ? PlainField<string>
  : T extends BytesType ? PlainField<Uint8Array>
  : T extends ArrayType<ScalarType<infer K>> ? ScalarArrayOf<K>
  : T extends ArrayType<infer E> ? FieldArray<FieldOf<E>>
  : T extends Struct<infer F> ? FieldsOf<F>
  : T extends RecordType<infer F> ? RecordField<Value<Struct<F>>, Draft<Value<Struct<F>>>>
  : T extends LockType<infer K> ? Locks[K]
  : never;

/** The fields of a struct, by name. */
export type FieldsOf<F extends Fields> = { readonly [N in keyof F]: FieldOf<F[N]> };

/** Where a field lies, and what errors call it: `slots.hits`. */
interface FieldPlace {
  memory: FieldMemory;
  byteOffset: number;
  path: string;
}

/**
 * Makes the fields of a struct; its own path is empty.
 *
 * A lock is attached when it is first asked for: what a peer may have written there is judged then,
 * and read-only memory has none that can be used.
 */
export function makeFields<F extends Fields>(
  struct: Struct<F>,
  { memory, byteOffset, path }: FieldPlace,
): FieldsOf<F> {
  const fields: Record<string, unknown> = Object.create(null);
  for (const { name, type, byteOffset: offset } of Object.values<Field>(struct.fields)) {
    const place: FieldPlace = {
      memory,
      byteOffset: byteOffset + offset,
      path: path === "" ? name : `${path}.${name}`,
    };
    if (isLock(type)) {
      let lock: Locks[LockKind] | undefined;
      const get = () => lock ??= attach(type, place);
      Object.defineProperty(fields, name, { enumerable: true, get });
    } else {
      fields[name] = makeField(type, place);
    }
  }
  return Object.freeze(fields) as FieldsOf<F>;
}

function makeField(type: FieldType, place: FieldPlace): unknown {
  const { memory, byteOffset, path } = place;
  switch (type.kind) {
    case "struct":
      return makeFields(type, place);
    case "array":
      return makeArray(type, place);
    case "text":
    case "bytes":
      return new PlainBytes(type, memory, byteOffset, path);
    case "record":
      return new SharedRecord(type, memory, byteOffset, path);
    case "mutex":
    case "rwLock":
    case "semaphore":
    case "event":
    case "barrier":
      return attach(type, place);
    default:
      return makeScalar(type, place);
  }
}

function makeArray({ element, length }: ArrayType, place: FieldPlace): unknown {
  if (isScalar(element)) return makeScalars(element, { ...place, length });
  const { memory, byteOffset, path } = place;
  return new LazyFields(length, path, (index) =>
    makeField(element, {
      memory,
      byteOffset: byteOffset + index * element.byteLength,
      path: `${path}[${index}]`,
    }));
}

function makeScalar(type: ScalarType, place: FieldPlace) {
  const one = makeScalars(type, { ...place, length: 1 });
  if (one instanceof AtomicFloats) return new AtomicFloat(one);
  if (one instanceof AtomicIntegers) return new AtomicInteger(one as IntegerArray<number | bigint>);
  return new AtomicValue(one);
}

function makeScalars({ kind }: ScalarType, place: Place) {
  switch (kind) {
    case "bool":
      return new AtomicBools(BOOL, place);
    case "f32":
      return new AtomicFloats(FLOATS.f32, place);
    case "f64":
      return new AtomicFloats(FLOATS.f64, place);
    case "u64":
    case "i64":
      return new AtomicIntegers<bigint>(INTEGERS[kind], place);
    default:
      return new AtomicIntegers<number>(INTEGERS[kind], place);
  }
}

function attach({ kind }: LockType, place: FieldPlace): Locks[LockKind] {
  const { memory, byteOffset, path } = place;
  memory.checkWritable(path);
  const lock = attachLock(kind, memory.buffer, byteOffset, `${memory.target} ${path}`);
  memory.add(lock);
  return lock;
}
