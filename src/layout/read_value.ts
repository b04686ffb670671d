/**
 * readValue(): bytes of memory as a JavaScript value.
 *
 * Rule: any bytes give a value. A length is read once and bounded before it is used, and what a
 * writer changes meanwhile makes a wrong value at most.
 */

import type { Struct } from "./struct.ts";
import {
  type ArrayType,
  type ContentType,
  type FieldType,
  PREFIX_BYTES,
  type ScalarKind,
  type Value,
} from "./types.ts";

/** Keeps a byte order mark: it is what was written. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * The value at a place in memory.
 *
 * Nothing in it refers to the memory. Bytes that are no UTF-8 become U+FFFD, as in TextDecoder; a
 * length that is too large counts as the largest; any byte but 0 is true.
 *
 * @param view Private memory or shared; then nobody may write there, or the caller looks afterwards
 *   whether somebody did, as the readers of records do.
 * @throws {RangeError} If the type does not fit between `byteOffset` and the end of the view.
 */
export function readValue<T extends ContentType>(
  type: T,
  view: DataView,
  byteOffset: number,
): Value<T> {
  checkPlace(type, view, byteOffset);
  return read(type, view, byteOffset) as Value<T>;
}

/**
 * @throws {RangeError} If the type does not fit there.
 */
export function checkPlace(type: FieldType, view: DataView, byteOffset: number): void {
  if (byteOffset >= 0 && byteOffset + type.byteLength <= view.byteLength) return;
  throw new RangeError(
    `Cannot use ${type.byteLength} bytes at byte ${byteOffset}: the view has ${view.byteLength}`,
  );
}

function read(type: ContentType, view: DataView, at: number): unknown {
  switch (type.kind) {
    case "text":
      return decoder.decode(prefixedBytes(view, at, type.maxBytes));
    case "bytes":
      return prefixedBytes(view, at, type.maxBytes);
    case "array":
      return readArray(type, view, at);
    case "struct":
      return readStruct(type, view, at);
    default:
      return readScalar(type.kind, view, at);
  }
}

function readScalar(kind: ScalarKind, view: DataView, at: number): number | bigint | boolean {
  switch (kind) {
    case "u8":
      return view.getUint8(at);
    case "u16":
      return view.getUint16(at, true);
    case "u32":
      return view.getUint32(at, true);
    case "u64":
      return view.getBigUint64(at, true);
    case "i8":
      return view.getInt8(at);
    case "i16":
      return view.getInt16(at, true);
    case "i32":
      return view.getInt32(at, true);
    case "i64":
      return view.getBigInt64(at, true);
    case "f32":
      return view.getFloat32(at, true);
    case "f64":
      return view.getFloat64(at, true);
    case "bool":
      return view.getUint8(at) !== 0;
  }
}

/** A copy, which nobody changes while it is decoded. */
function prefixedBytes(view: DataView, at: number, maxBytes: number): Uint8Array {
  const length = Math.min(view.getUint32(at, true), maxBytes);
  return new Uint8Array(view.buffer, view.byteOffset + at + PREFIX_BYTES, length).slice();
}

function readArray({ element, length }: ArrayType, view: DataView, at: number): unknown[] {
  const values: unknown[] = [];
  for (let index = 0; index < length; index++) {
    values.push(read(element as ContentType, view, at + index * element.byteLength));
  }
  return values;
}

function readStruct(struct: Struct, view: DataView, at: number): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (const { name, type, byteOffset } of Object.values(struct.fields)) {
    value[name] = read(type as ContentType, view, at + byteOffset);
  }
  return value;
}
