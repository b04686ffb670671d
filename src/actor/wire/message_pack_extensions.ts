/**
 * What MessagePack has no type for, as its extensions: refs, regions, BigInts, dates, maps, sets,
 * errors, typed arrays.
 *
 * ```text
 * type   data                                              value
 *   -1   MessagePack's timestamp: 4, 8 or 12 bytes         Date
 *    1   MessagePack: the fields of an address, an array   ref
 *    2   MessagePack: [name, schema]                       named region
 *    3   sign (1 byte, 1 for negative), magnitude          BigInt (little-endian, 1 to 65 536 bytes)
 *    4   MessagePack: [key, value, key, value, …]          Map
 *    5   MessagePack: [value, value, …]                    Set
 *    6   MessagePack: the map that encodeError() makes     Error
 *    7   element kind (1 byte), the elements               typed array or ArrayBuffer
 * ```
 *
 * Rule: data is judged before anything is made of it; an extension that is not here is refused.
 */

import { ADDRESS } from "../protocol/ref.ts";
import { addressFromList, addressToList } from "./address_list.ts";
import { copyOf } from "./bytes.ts";
import type { Crossing } from "./crossing.ts";
import { decodeError, encodeError } from "./error_codec.ts";
import { MessagePackProblem } from "./message_pack_judge.ts";
import { FORBIDDEN_KEY, foreign, isPlain } from "./refusal.ts";

/** The types of our extensions. */
const TYPE = {
  TIMESTAMP: -1,
  REF: 1,
  REGION: 2,
  BIG_INT: 3,
  MAP: 4,
  SET: 5,
  ERROR: 6,
  ELEMENTS: 7,
} as const;

/** The largest magnitude of a BigInt. */
const MAX_BIG_INT_BYTES = 65_536;

/** The kinds of elements: their number is their place here. */
const ELEMENTS = [
  ArrayBuffer,
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
] as const;

/** What an extension needs for the values in it. */
export interface Inside {
  readonly crossing: Crossing;
  /** The codec's timestamps. */
  readonly timestamps: Timestamps;
  encodeInside(value: unknown): Uint8Array;
  decodeInside(bytes: Uint8Array): unknown;
}

/** The library's own extension. */
export interface Timestamps {
  encode(date: Date): Uint8Array | null;
  decode(data: Uint8Array): Date;
}

/** A value as an extension. */
export interface Extension {
  readonly type: number;
  data(inside: Inside): Uint8Array;
}

/**
 * How a value that is no primitive of MessagePack crosses.
 *
 * @returns An extension; undefined for what MessagePack has itself; else why it may not cross.
 */
export function passageOf(value: unknown, crossing: Crossing): Extension | string | undefined {
  if (typeof value === "bigint") return bigIntExtension(value);
  if (typeof value === "function" || typeof value === "symbol") return foreign(value);
  if (typeof value !== "object" || value === null) return undefined;
  if (Array.isArray(value)) {
    return value.includes(undefined) ? "an array with undefined in it, expected null" : undefined;
  }
  if (ADDRESS in value) return refExtension(value, crossing);
  if (isPlain(value)) {
    return Object.hasOwn(value, FORBIDDEN_KEY)
      ? `an object with a key ${FORBIDDEN_KEY}`
      : undefined;
  }
  if (value instanceof Uint8Array) return undefined;
  return instanceExtension(value) ?? regionExtension(value, crossing) ?? foreign(value);
}

function instanceExtension(value: object): Extension | string | undefined {
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) return "an invalid Date";
    return { type: TYPE.TIMESTAMP, data: ({ timestamps }) => timestamps.encode(value)! };
  }
  if (value instanceof Map) {
    return listExtension(TYPE.MAP, [...value].flat(1), "a Map");
  }
  if (value instanceof Set) {
    return listExtension(TYPE.SET, [...value], "a Set");
  }
  if (value instanceof Error) {
    return { type: TYPE.ERROR, data: (inside) => inside.encodeInside(encodeError(value)) };
  }
  const kind = ELEMENTS.findIndex((Elements) => value instanceof Elements);
  if (kind === -1) return undefined;
  return { type: TYPE.ELEMENTS, data: () => elementBytes(kind, value as ArrayBuffer) };
}

function listExtension(type: number, list: unknown[], what: string): Extension | string {
  if (list.includes(undefined)) return `${what} with undefined in it, expected null`;
  return { type, data: (inside) => inside.encodeInside(list) };
}

function refExtension(ref: object, crossing: Crossing): Extension | string {
  const address = crossing.encodeRef(ref);
  if (address === undefined) return "a ref that may not leave its system";
  return { type: TYPE.REF, data: (inside) => inside.encodeInside(addressToList(address)) };
}

function regionExtension(value: object, crossing: Crossing): Extension | undefined {
  const region = crossing.encodeRegion(value);
  if (region === undefined) return undefined;
  const { name, schema } = region;
  return { type: TYPE.REGION, data: (inside) => inside.encodeInside([name, schema]) };
}

function bigIntExtension(value: bigint): Extension | string {
  const magnitude = value < 0n ? -value : value;
  const hex = magnitude.toString(16);
  const byteLength = Math.ceil(hex.length / 2);
  if (byteLength > MAX_BIG_INT_BYTES) {
    return `a BigInt of ${byteLength} bytes, expected at most ${MAX_BIG_INT_BYTES}`;
  }
  return { type: TYPE.BIG_INT, data: () => bigIntBytes(value < 0n, hex, byteLength) };
}

function bigIntBytes(isNegative: boolean, hex: string, byteLength: number): Uint8Array {
  const data = new Uint8Array(1 + byteLength);
  data[0] = isNegative ? 1 : 0;
  const digits = hex.padStart(2 * byteLength, "0");
  for (let index = 1; index <= byteLength; index++) {
    const end = digits.length - 2 * (index - 1);
    data[index] = parseInt(digits.slice(end - 2, end), 16);
  }
  return data;
}

function elementBytes(kind: number, value: ArrayBuffer | ArrayBufferView): Uint8Array {
  const bytes = ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value);
  const data = new Uint8Array(1 + bytes.byteLength);
  data[0] = kind;
  data.set(bytes, 1);
  return data;
}

/**
 * The value of an extension; nothing of it is a view of the data.
 *
 * @throws {Error} If the data are not those of that type, or there is no such type.
 */
export function readExtension(type: number, data: Uint8Array, inside: Inside): unknown {
  switch (type) {
    case TYPE.TIMESTAMP:
      return inside.timestamps.decode(data);
    case TYPE.REF:
      return readRef(inside.decodeInside(data), inside.crossing);
    case TYPE.REGION:
      return readRegion(inside.decodeInside(data), inside.crossing);
    case TYPE.BIG_INT:
      return readBigInt(data);
    case TYPE.MAP:
      return readMap(inside.decodeInside(data));
    case TYPE.SET:
      return readSet(inside.decodeInside(data));
    case TYPE.ERROR:
      return decodeError(inside.decodeInside(data));
    case TYPE.ELEMENTS:
      return readElements(data);
  }
  throw new MessagePackProblem(`an extension of type ${type}, expected -1 or 1 to 7`);
}

function readRef(fields: unknown, crossing: Crossing): unknown {
  const address = addressFromList(fields);
  if (address === undefined) throw new MessagePackProblem("a ref without an address");
  return crossing.decodeRef(address);
}

function readRegion(fields: unknown, crossing: Crossing): unknown {
  const [name, schema] = Array.isArray(fields) ? fields : [];
  if (typeof name !== "string" || typeof schema !== "string") {
    throw new MessagePackProblem("a region without a name and a schema");
  }
  return crossing.openRegion({ name, schema });
}

function readBigInt(data: Uint8Array): bigint {
  const sign = data[0], byteLength = data.byteLength - 1;
  if (sign === undefined || sign > 1 || byteLength < 1 || byteLength > MAX_BIG_INT_BYTES) {
    throw new MessagePackProblem(`a BigInt of ${byteLength} bytes and sign ${sign}`);
  }
  const hex = [...data.subarray(1)].reverse().map((byte) => byte.toString(16).padStart(2, "0"));
  const value = BigInt(`0x${hex.join("")}`);
  return sign === 1 ? -value : value;
}

function readMap(list: unknown): Map<unknown, unknown> {
  if (!Array.isArray(list) || list.length % 2 !== 0) {
    throw new MessagePackProblem("a Map that is no list of keys and values");
  }
  const map = new Map<unknown, unknown>();
  for (let index = 0; index < list.length; index += 2) map.set(list[index], list[index + 1]);
  return map;
}

function readSet(list: unknown): Set<unknown> {
  if (!Array.isArray(list)) throw new MessagePackProblem("a Set that is no list of values");
  return new Set(list);
}

function readElements(data: Uint8Array): unknown {
  const Elements = ELEMENTS[data[0] ?? ELEMENTS.length];
  if (Elements === undefined) throw new MessagePackProblem("a typed array of no known elements");
  const { buffer } = copyOf(data.subarray(1));
  // Half an element is a RangeError of the constructor.
  return Elements === ArrayBuffer ? buffer : new (Elements as Int8ArrayConstructor)(buffer);
}
