/**
 * The JSON codec: for programs that have nothing else, and for errors.
 *
 * Rule: plain JSON (RFC 8259) and no conventions of ours in it. What JSON has no type for is refused
 * where it is sent; what would cost more than its bytes let expect, where it arrives.
 */

import { ADDRESS } from "../protocol/ref.ts";
import {
  FORBIDDEN_KEY,
  foreign,
  isPlain,
  MAX_CONTAINERS,
  MAX_DEPTH,
  refusalOf,
} from "./refusal.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * A value as JSON.
 *
 * @throws {TypeError} If a part of it is not what JSON has; the message has its path.
 */
export function encodeJson(value: unknown): Uint8Array {
  const refusal = refusalOf(value, verdict);
  if (refusal !== undefined) throw refusal;
  return encoder.encode(JSON.stringify(value));
}

function verdict(value: unknown): string | undefined {
  switch (typeof value) {
    case "number":
      return Number.isFinite(value) ? undefined : `${value}, which JSON does not have`;
    case "string":
    case "boolean":
    case "undefined": // a member that is left out; in an array the array is refused
      return undefined;
    case "object":
      break;
    default:
      return foreign(value);
  }
  if (value === null) return undefined;
  if (Array.isArray(value)) {
    return value.includes(undefined) ? "an array with undefined in it, expected null" : undefined;
  }
  if (ADDRESS in value) return "a ref, expected MessagePack to carry it";
  if (!isPlain(value)) return foreign(value);
  return Object.hasOwn(value, FORBIDDEN_KEY) ? `an object with a key ${FORBIDDEN_KEY}` : undefined;
}

/** A text in which a key may be spelled that way: as it is, or by escapes of its characters. */
const MAY_HAVE_FORBIDDEN_KEY = /__proto__|\\u00/;

/**
 * JSON of anybody as a value.
 *
 * @throws {SyntaxError} If it is none.
 * @throws {TypeError} If it is no UTF-8, or an object has a key that it may not have.
 * @throws {RangeError} If it is more than is taken.
 */
export function decodeJson(bytes: Uint8Array): unknown {
  judgeJson(bytes);
  const text = decoder.decode(bytes);
  if (!MAY_HAVE_FORBIDDEN_KEY.test(text)) return JSON.parse(text);
  return JSON.parse(text, (key, value) => {
    if (key !== FORBIDDEN_KEY) return value;
    throw new TypeError(`an object with a key ${FORBIDDEN_KEY}`);
  });
}

const QUOTE = 0x22, BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b, CLOSE_BRACKET = 0x5d, OPEN_BRACE = 0x7b, CLOSE_BRACE = 0x7d;

/** Bounds depth and number of containers, before the parser makes them. */
function judgeJson(bytes: Uint8Array): void {
  let depth = 0, containers = 0, inText = false;
  for (let at = 0; at < bytes.byteLength; at++) {
    const byte = bytes[at]!;
    if (inText) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) inText = false;
    } else if (byte === QUOTE) inText = true;
    else if (byte === OPEN_BRACKET || byte === OPEN_BRACE) {
      if (++depth > MAX_DEPTH) throw new RangeError(`deeper than ${MAX_DEPTH} levels`);
      if (++containers > MAX_CONTAINERS) {
        throw new RangeError(`more than ${MAX_CONTAINERS} arrays and objects`);
      }
    } else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) depth--;
  }
}
