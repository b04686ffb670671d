/**
 * Names of protocols and kinds, and the tags that stand for them on the wire.
 *
 * Rule: the last dot of `protocol.kind` divides it, so no two kinds have one such name.
 */

import { shown } from "../../layout/mod.ts";

/**
 * What no kind may be called, for a ref has a method of that name: awaiting a ref, writing it as
 * JSON or as a text would send a message.
 */
export type ReservedKind =
  | "then"
  | "toJSON"
  | "__proto__"
  | "constructor"
  | "hasOwnProperty"
  | "isPrototypeOf"
  | "propertyIsEnumerable"
  | "toLocaleString"
  | "toString"
  | "valueOf";

/** All of them. */
export const RESERVED_KINDS: readonly ReservedKind[] = [
  ...["then", "toJSON", "__proto__", "constructor", "hasOwnProperty"] as const,
  ...["isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "toString", "valueOf"] as const,
];

/** Names travel in refs and stand in front of messages to people. */
const MAX_NAME_LENGTH = 100;

const PROTOCOL_NAME = /^[A-Za-z][\w.-]*$/;
const KIND_NAME = /^[A-Za-z_$][\w$]*$/;

/**
 * Judges the name of a protocol.
 *
 * @throws {TypeError} If it is no such name.
 */
export function checkProtocolName(name: unknown): asserts name is string {
  if (isName(name, PROTOCOL_NAME)) return;
  throw new TypeError(
    `Cannot use protocol name ${shown(name)}: expected a letter, then letters, digits, "_", "-" ` +
      `and ".", at most ${MAX_NAME_LENGTH}`,
  );
}

/**
 * Judges the name of a kind.
 *
 * @throws {TypeError} If it cannot be the name of a method of a ref.
 */
export function checkKindName(name: string, protocol: string): void {
  const cannot = `Cannot use kind ${shown(name)} in protocol ${shown(protocol)}`;
  if (RESERVED_KINDS.some((reserved) => reserved === name)) {
    throw new TypeError(`${cannot}: JavaScript itself asks objects for it, expected another name`);
  }
  if (isName(name, KIND_NAME)) return;
  throw new TypeError(
    `${cannot}: expected a letter, "_" or "$", then those and digits, at most ${MAX_NAME_LENGTH}`,
  );
}

function isName(name: unknown, pattern: RegExp): boolean {
  return typeof name === "string" && name.length <= MAX_NAME_LENGTH && pattern.test(name);
}

const FNV_OFFSET_BASIS = 0x811c9dc5, FNV_PRIME = 0x01000193;

const encoder = new TextEncoder();

/**
 * The number that stands for a kind on the wire, where the protocol gives it none: FNV-1a, 32 bits,
 * of `protocol.kind` in UTF-8.
 *
 * @example What a C program writes into the tag of a frame
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { tagOf } from "@postbox/postbox/actor";
 *
 * assertEquals(tagOf("counter", "add"), 0xd34b71e2);
 * ```
 */
export function tagOf(protocol: string, kind: string): number {
  let hash = FNV_OFFSET_BASIS;
  for (const byte of encoder.encode(`${protocol}.${kind}`)) {
    hash = Math.imul(hash ^ byte, FNV_PRIME);
  }
  return hash >>> 0;
}
