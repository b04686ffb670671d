/**
 * The types of fields: values that know their size, and TypeScript types of what they hold.
 *
 * Rule: a type is plain frozen data, told apart by its `kind`. All fields are little-endian.
 */

import { checkBounds, MAX_BYTES } from "./bounds.ts";
import { checkAmount, shown } from "./shown.ts";
import type { Struct } from "./struct.ts";

/** Numbers and truth values. */
export type ScalarKind =
  | "u8"
  | "u16"
  | "u32"
  | "u64"
  | "i8"
  | "i16"
  | "i32"
  | "i64"
  | "f32"
  | "f64"
  | "bool";

/** Locks. */
export type LockKind = "mutex" | "rwLock" | "semaphore" | "event" | "barrier";

/** What every type of a field tells. */
export interface Sized {
  /** How many bytes it takes, a multiple of {@linkcode Sized.alignBytes}. */
  readonly byteLength: number;
  /** What its byte offset is a multiple of. */
  readonly alignBytes: number;
}

/** A number or a truth value. */
export interface ScalarType<K extends ScalarKind = ScalarKind> extends Sized {
  /** Which. */
  readonly kind: K;
}

/** A text of bounded length: its length in bytes as a u32, then UTF-8. */
export interface TextType extends Sized {
  /** `text` */
  readonly kind: "text";
  /** The most bytes of UTF-8 that it holds. */
  readonly maxBytes: number;
}

/** Bytes of bounded number: how many as a u32, then the bytes. */
export interface BytesType extends Sized {
  /** `bytes` */
  readonly kind: "bytes";
  /** The most bytes that it holds. */
  readonly maxBytes: number;
}

/** A fixed number of values of one type. */
export interface ArrayType<E extends FieldType = FieldType> extends Sized {
  /** `array` */
  readonly kind: "array";
  /** The type of each value; the next is {@linkcode Sized.byteLength} of it further. */
  readonly element: E;
  /** How many there are. */
  readonly length: number;
}

/** A struct that is read and updated as a whole: two copies of it, of which one is in force. */
export interface RecordType<F extends ContentFields = ContentFields> extends Sized {
  /** `record` */
  readonly kind: "record";
  /** What is in it; its name is empty where it was given none. */
  readonly content: Struct<F>;
}

/** A lock. */
export interface LockType<K extends LockKind = LockKind> extends Sized {
  /** Which. */
  readonly kind: K;
}

/** Whatever a record may hold: all but locks and records. */
export type ContentType =
  | ScalarType
  | TextType
  | BytesType
  | ArrayType<ContentType>
  | Struct<ContentFields>;

/** Whatever a struct may hold. */
export type FieldType =
  | ScalarType
  | TextType
  | BytesType
  | ArrayType
  | Struct
  | RecordType
  | LockType;

/** The fields of a struct, in order, by name. */
export interface Fields {
  /** The type of the field with that name. */
  readonly [name: string]: FieldType;
}

/** The fields of what a record may hold. */
export interface ContentFields {
  /** The type of the member with that name. */
  readonly [name: string]: ContentType;
}

/** What a scalar of a kind is in JavaScript. */
export type ScalarValue<K extends ScalarKind> = K extends "u64" | "i64" ? bigint
  : K extends "bool" ? boolean
  : number;

/**
 * What a type holds, as JavaScript has it: 64-bit integers are BigInts, other numbers Numbers.
 *
 * Locks and records hold no value of their own: theirs is `never`.
 */
export type Value<T extends FieldType> = T extends ScalarType<infer K> ? ScalarValue<K>
  : T extends TextType ? string
  : T extends BytesType ? Uint8Array
  : T extends ArrayType<infer E> ? readonly Value<E>[]
  : T extends Struct<infer F> ? { [N in keyof F]: Value<F[N]> }
  : never;

function scalar<K extends ScalarKind>(kind: K, byteLength: number): ScalarType<K> {
  return Object.freeze({ kind, byteLength, alignBytes: byteLength });
}

/** 0 to 255; C: `uint8_t`. */
export const u8: ScalarType<"u8"> = scalar("u8", 1);
/** 0 to 65 535; C: `uint16_t`. */
export const u16: ScalarType<"u16"> = scalar("u16", 2);
/** 0 to 2^32 - 1; C: `uint32_t`. */
export const u32: ScalarType<"u32"> = scalar("u32", 4);
/** 0 to 2^64 - 1, as a BigInt; C: `uint64_t`. */
export const u64: ScalarType<"u64"> = scalar("u64", 8);
/** -128 to 127; C: `int8_t`. */
export const i8: ScalarType<"i8"> = scalar("i8", 1);
/** -32 768 to 32 767; C: `int16_t`. */
export const i16: ScalarType<"i16"> = scalar("i16", 2);
/** -2^31 to 2^31 - 1; C: `int32_t`. */
export const i32: ScalarType<"i32"> = scalar("i32", 4);
/** -2^63 to 2^63 - 1, as a BigInt; C: `int64_t`. */
export const i64: ScalarType<"i64"> = scalar("i64", 8);
/** A number of single precision; C: `float`. */
export const f32: ScalarType<"f32"> = scalar("f32", 4);
/** A Number; C: `double`. */
export const f64: ScalarType<"f64"> = scalar("f64", 8);
/** True or false, in a byte; C: `uint8_t`, 0 for false. */
export const bool: ScalarType<"bool"> = scalar("bool", 1);

/** Where the bytes of a text or of bytes begin, behind their number. */
export const PREFIX_BYTES = 4;

/**
 * A text of at most so many bytes of UTF-8; C: `struct { uint32_t length; char text[maxBytes]; }`.
 *
 * @throws {TypeError} If `maxBytes` is no number.
 * @throws {RangeError} If it is no whole number from 1 on.
 */
export function text(maxBytes: number): TextType {
  return prefixed("text", maxBytes);
}

/**
 * At most so many bytes; C: `struct { uint32_t length; uint8_t bytes[maxBytes]; }`.
 *
 * @throws {TypeError} If `maxBytes` is no number.
 * @throws {RangeError} If it is no whole number from 1 on.
 */
export function bytes(maxBytes: number): BytesType {
  return prefixed("bytes", maxBytes);
}

function prefixed<K extends "text" | "bytes">(kind: K, maxBytes: number) {
  // So that prefix and padding still fit into the largest struct.
  checkAmount(maxBytes, `maxBytes of ${kind}()`, MAX_BYTES - 2 * PREFIX_BYTES);
  const byteLength = roundUp(PREFIX_BYTES + maxBytes, PREFIX_BYTES);
  return Object.freeze({ kind, maxBytes, byteLength, alignBytes: PREFIX_BYTES });
}

/**
 * A fixed number of values of one type, one behind the other; C: `element name[length]`.
 *
 * @param element The type of each: any, locks and records too.
 * @throws {TypeError} If `element` is no type, or `length` no number.
 * @throws {RangeError} If `length` is no whole number from 1 on, or the array becomes too large.
 */
export function array<E extends FieldType, N extends number>(
  element: E,
  length: N extends 0 ? never : N,
): ArrayType<E> {
  checkType(element, "the element type of array()");
  checkAmount(length, "length of array()", MAX_BYTES);
  const byteLength = element.byteLength * length;
  const type: ArrayType<E> = {
    kind: "array",
    element,
    length,
    byteLength,
    alignBytes: element.alignBytes,
  };
  checkBounds(type, "array()");
  return Object.freeze(type);
}

/** What an array holds, and its lengths; the outermost stands first, as in C. */
export function peeled(
  type: FieldType,
): { element: Exclude<FieldType, ArrayType>; lengths: number[] } {
  const lengths: number[] = [];
  let element = type;
  while (element.kind === "array") {
    lengths.push(element.length);
    element = element.element;
  }
  return { element, lengths };
}

const KINDS: ReadonlySet<unknown> = new Set<FieldType["kind"]>([
  ...["u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "f32", "f64", "bool"] as const,
  ...["text", "bytes", "array", "struct", "record"] as const,
  ...["mutex", "rwLock", "semaphore", "event", "barrier"] as const,
]);

/**
 * Refuses what is no type, such as `text` for `text(16)`.
 *
 * @throws {TypeError} If it is none.
 */
export function checkType(type: FieldType, what: string): void {
  if (typeof type === "object" && type !== null && KINDS.has(type.kind)) return;
  throw new TypeError(
    `Cannot use ${shown(type)} as ${what}: expected a type such as u32 or text(16)`,
  );
}

/** The next multiple. */
export function roundUp(byteLength: number, alignBytes: number): number {
  return Math.ceil(byteLength / alignBytes) * alignBytes;
}
