/**
 * writeValue(): a JavaScript value as bytes of memory.
 *
 * Rule: a value is judged as a whole before any of it is in the memory, and each of its members is
 * looked at once: a getter is somebody else's code.
 */

import { checkPlace } from "./read_value.ts";
import { shown } from "./shown.ts";
import type { Struct } from "./struct.ts";
import {
  type ArrayType,
  type BytesType,
  type ContentType,
  type FieldType,
  PREFIX_BYTES,
  type ScalarKind,
  type TextType,
  type Value,
} from "./types.ts";

const encoder = new TextEncoder();

/** The integers that are Numbers, and the least and the largest of each. */
const NUMBERS: Partial<Record<ScalarKind, readonly [min: number, max: number]>> = {
  u8: [0, 0xff],
  u16: [0, 0xffff],
  u32: [0, 0xffff_ffff],
  i8: [-0x80, 0x7f],
  i16: [-0x8000, 0x7fff],
  i32: [-0x8000_0000, 0x7fff_ffff],
};

/** The same of those that are BigInts. */
const BIG_INTS: Partial<Record<ScalarKind, readonly [min: bigint, max: bigint]>> = {
  u64: [0n, 0xffff_ffff_ffff_ffffn],
  i64: [-0x8000_0000_0000_0000n, 0x7fff_ffff_ffff_ffffn],
};

/**
 * Writes a value, and zeros where it has no bytes: behind a short text, between fields.
 *
 * Nothing is written when something is wrong with it. A struct wants all its members and no
 * others. f32 rounds; half a surrogate pair in a text becomes U+FFFD.
 *
 * @param view Private memory or shared; then nobody else may write there.
 * @param name What errors call the value; its members are called `name.member`, `name[3]`.
 * @throws {TypeError} If a member is of the wrong kind, missing or unknown.
 * @throws {RangeError} If a number, a text or an array has the wrong size, or if the type does not
 *   fit between `byteOffset` and the end of the view.
 */
export function writeValue<T extends ContentType>(
  type: T,
  view: DataView,
  byteOffset: number,
  value: Value<T>,
  name = "",
): void {
  checkPlace(type, view, byteOffset);
  const draft = takeDraft(type.byteLength);
  const bytes = draft.write(type, value, name);
  new Uint8Array(view.buffer, view.byteOffset + byteOffset, bytes.byteLength).set(bytes);
  if (type.byteLength <= SPARE_BYTES) spareDraft = draft;
}

/** Larger drafts are not kept. */
const SPARE_BYTES = 4096;

/** Kept for the next value: to make one takes longer than to fill it. */
let spareDraft: Draft | undefined;

/** Nobody else's: while a value is written, a getter in it may write another. */
function takeDraft(byteLength: number): Draft {
  if (byteLength > SPARE_BYTES) return new Draft(byteLength);
  const draft = spareDraft ?? new Draft(SPARE_BYTES);
  spareDraft = undefined;
  return draft;
}

/** Private memory for a value while it is judged. */
class Draft {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** Where in the value we are. */
  readonly #path: string[] = [];

  constructor(byteLength: number) {
    this.#bytes = new Uint8Array(byteLength);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** The bytes of a value, until the next one is written. */
  write(type: ContentType, value: unknown, name: string): Uint8Array {
    const bytes = this.#bytes.subarray(0, type.byteLength).fill(0);
    if (name !== "") this.#path.push(name);
    this.#put(type, value, 0);
    this.#path.length = 0;
    return bytes;
  }

  #put(type: FieldType, value: unknown, at: number): void {
    switch (type.kind) {
      case "text":
        return this.#putText(type, value, at);
      case "bytes":
        return this.#putBytes(type, value, at);
      case "array":
        return this.#putArray(type, value, at);
      case "struct":
        return this.#putStruct(type, value, at);
      default:
        return this.#putScalar((type as { kind: ScalarKind }).kind, value, at);
    }
  }

  #putScalar(kind: ScalarKind, value: unknown, at: number): void {
    switch (kind) {
      case "u8":
        return this.#view.setUint8(at, this.#integer(kind, value));
      case "u16":
        return this.#view.setUint16(at, this.#integer(kind, value), true);
      case "u32":
        return this.#view.setUint32(at, this.#integer(kind, value), true);
      case "u64":
        return this.#view.setBigUint64(at, this.#bigInt(kind, value), true);
      case "i8":
        return this.#view.setInt8(at, this.#integer(kind, value));
      case "i16":
        return this.#view.setInt16(at, this.#integer(kind, value), true);
      case "i32":
        return this.#view.setInt32(at, this.#integer(kind, value), true);
      case "i64":
        return this.#view.setBigInt64(at, this.#bigInt(kind, value), true);
      case "f32":
        return this.#view.setFloat32(at, this.#number(value), true);
      case "f64":
        return this.#view.setFloat64(at, this.#number(value), true);
      case "bool":
        if (typeof value !== "boolean") throw this.#wrongKind(value, "true or false");
        return this.#view.setUint8(at, value ? 1 : 0);
    }
  }

  #integer(kind: keyof typeof NUMBERS, value: unknown): number {
    const [min, max] = NUMBERS[kind]!;
    const expected = `a whole number, ${min} to ${max}`;
    if (typeof value !== "number") throw this.#wrongKind(value, expected);
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    throw this.#wrongAmount(shown(value), expected);
  }

  #bigInt(kind: keyof typeof BIG_INTS, value: unknown): bigint {
    const [min, max] = BIG_INTS[kind]!;
    const expected = `a bigint, ${min}n to ${max}n`;
    if (typeof value !== "bigint") throw this.#wrongKind(value, expected);
    if (value >= min && value <= max) return value;
    throw this.#wrongAmount(shown(value), expected);
  }

  #number(value: unknown): number {
    if (typeof value === "number") return value;
    throw this.#wrongKind(value, "a number");
  }

  #putText({ maxBytes }: TextType, value: unknown, at: number): void {
    if (typeof value !== "string") throw this.#wrongKind(value, "a text");
    const start = at + PREFIX_BYTES;
    const place = this.#bytes.subarray(start, start + maxBytes);
    const { read, written } = encoder.encodeInto(value, place);
    if (read < value.length) {
      throw this.#wrongAmount(shown(value), `at most ${maxBytes} bytes of UTF-8`);
    }
    this.#view.setUint32(at, written, true);
  }

  #putBytes({ maxBytes }: BytesType, value: unknown, at: number): void {
    if (!(value instanceof Uint8Array)) throw this.#wrongKind(value, "a Uint8Array");
    // A copy is as long as the engine says, whatever a subclass makes of its length.
    const copy = new Uint8Array(value);
    if (copy.byteLength > maxBytes) {
      throw this.#wrongAmount(`${copy.byteLength} bytes`, `at most ${maxBytes}`);
    }
    this.#bytes.set(copy, at + PREFIX_BYTES);
    this.#view.setUint32(at, copy.byteLength, true);
  }

  #putArray({ element, length }: ArrayType, value: unknown, at: number): void {
    const expected = `an array of ${length}`;
    if (!Array.isArray(value)) throw this.#wrongKind(value, expected);
    if (value.length !== length) throw this.#wrongAmount(shown(value), expected);
    for (let index = 0; index < length; index++) {
      this.#path.push(`[${index}]`);
      this.#put(element, value[index], at + index * element.byteLength);
      this.#path.pop();
    }
  }

  #putStruct({ fields }: Struct, value: unknown, at: number): void {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw this.#wrongKind(value, `an object with ${Object.keys(fields).join(", ")}`);
    }
    const members = Object.values(fields), keys = Object.keys(value);
    if (keys.length > members.length) {
      const unknown = keys.find((key) => !Object.hasOwn(fields, key))!;
      throw this.#wrongMember(unknown, "is unknown");
    }
    // As many as there are members, so if all of those are there, no other is.
    for (const { name, type, byteOffset } of members) {
      if (!Object.hasOwn(value, name)) throw this.#wrongMember(name, "is missing");
      this.#path.push(name);
      this.#put(type, (value as Record<string, unknown>)[name], at + byteOffset);
      this.#path.pop();
    }
  }

  #wrongKind(value: unknown, expected: string): TypeError {
    return new TypeError(
      `Cannot write ${this.#here()}: it is ${shown(value)}, expected ${expected}`,
    );
  }

  #wrongAmount(found: string, expected: string): RangeError {
    return new RangeError(`Cannot write ${this.#here()}: it is ${found}, expected ${expected}`);
  }

  #wrongMember(name: string, what: string): TypeError {
    return new TypeError(`Cannot write ${this.#here()}: its member ${shown(name)} ${what}`);
  }

  /** Where in the value we are: `last.points[3].x`. */
  #here(): string {
    if (this.#path.length === 0) return "the value";
    return this.#path.reduce((path, step) =>
      step.startsWith("[") ? path + step : `${path}.${step}`
    );
  }
}
