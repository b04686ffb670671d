/** How large a type may become: what it takes, how many fields it has, how deep they lie. */

import type { ArrayType, FieldType, RecordType } from "./types.ts";
import type { Struct } from "./struct.ts";

/** The largest type, in bytes. */
export const MAX_BYTES: number = 2 ** 31;

/** The most fields, those of nested structs counted wherever they stand. */
export const MAX_FIELDS = 4096;

/** How many arrays, structs and records may be inside each other. */
export const MAX_DEPTH = 16;

/**
 * Judges a type that is made of others, which were judged before.
 *
 * @throws {RangeError} If it became too large in one of the three ways.
 */
export function checkBounds(type: ArrayType | RecordType | Struct, what: string): void {
  const { byteLength } = type;
  if (byteLength > MAX_BYTES) {
    throw new RangeError(
      `Cannot make ${what}: it takes ${byteLength} bytes, expected at most ${MAX_BYTES}`,
    );
  }
  if (depthOf(type) > MAX_DEPTH) {
    throw new RangeError(
      `Cannot make ${what}: more than ${MAX_DEPTH} arrays, structs and records in each other`,
    );
  }
  if (fieldsIn(type) > MAX_FIELDS) {
    throw new RangeError(
      `Cannot make ${what}: more than ${MAX_FIELDS} fields with those of its structs`,
    );
  }
}

function depthOf(type: FieldType): number {
  let inside = 0;
  for (const part of partsOf(type)) inside = Math.max(inside, depthOf(part));
  return inside + (isComposed(type) ? 1 : 0);
}

function fieldsIn(type: FieldType): number {
  const parts = partsOf(type);
  const own = type.kind === "struct" ? parts.length : 0;
  return parts.reduce((count, part) => count + fieldsIn(part), own);
}

function isComposed({ kind }: FieldType): boolean {
  return kind === "array" || kind === "struct" || kind === "record";
}

function partsOf(type: FieldType): readonly FieldType[] {
  switch (type.kind) {
    case "array":
      return [type.element];
    case "struct":
      return Object.values(type.fields).map((field) => field.type);
    case "record":
      return [type.content];
    default:
      return [];
  }
}
