/**
 * A schema as text: one line a field, the same text for the same layout and for no other.
 *
 * ```text
 * struct stats: 1536 bytes, aligned 64
 *   u64 hits @0
 *   u32[256] hist @8
 *   mutex lock @1088
 *   record last @1216: 36 bytes, aligned 8
 *     f64 ratio @0
 *     text(16) tag @16
 *   struct point origin @1536: 16 bytes, aligned 8
 *     …
 * ```
 *
 * - An offset counts from the beginning of the struct that the field is in. Behind the colon stand
 *   the bytes of the struct whose lines follow; a record's are those of one copy.
 * - `struct(cacheline)` is one whose fields each begin at a cache line. `record struct point` is a
 *   record of a struct with a name.
 *
 * Rule: `parse_schema.ts` reads nothing that this file does not write.
 */

import type { Struct } from "./struct.ts";
import { type FieldType, peeled } from "./types.ts";

/** The blanks before the line of a field, for each struct that it is in. */
export const INDENT = "  ";

/** The text of a struct is made once. */
const known = new WeakMap<Struct, string>();

/**
 * The text of a schema, as it is kept in a region beside its hash and shown when two differ.
 *
 * @returns Lines without an end of line behind the last.
 */
export function schemaText(struct: Struct): string {
  let found = known.get(struct);
  if (found === undefined) {
    found = [`${structWords(struct)}: ${sizeWords(struct)}`, ...fieldLines(struct)].join("\n");
    known.set(struct, found);
  }
  return found;
}

function fieldLines(struct: Struct): string[] {
  const lines: string[] = [];
  for (const { name, type, byteOffset } of Object.values(struct.fields)) {
    const { words, inside } = typeWords(type);
    const line = `${INDENT}${words} ${name} @${byteOffset}`;
    if (inside === undefined) lines.push(line);
    else lines.push(`${line}: ${sizeWords(inside)}`, ...fieldLines(inside).map(indented));
  }
  return lines;
}

/** A type in words, and the struct whose fields follow. */
function typeWords(type: FieldType): { words: string; inside?: Struct } {
  switch (type.kind) {
    case "text":
    case "bytes":
      return { words: `${type.kind}(${type.maxBytes})` };
    case "struct":
      return { words: structWords(type), inside: type };
    case "record": {
      const { content } = type;
      const words = content.name === "" ? "record" : `record ${structWords(content)}`;
      return { words, inside: content };
    }
    case "array": {
      const { element, lengths } = peeled(type);
      const { words, ...rest } = typeWords(element);
      return { words: words + lengths.map((length) => `[${length}]`).join(""), ...rest };
    }
    default:
      return { words: type.kind };
  }
}

function structWords({ align, name }: Struct): string {
  return `${align === "cacheline" ? "struct(cacheline)" : "struct"} ${name}`;
}

function sizeWords({ byteLength, alignBytes }: Struct): string {
  return `${byteLength} bytes, aligned ${alignBytes}`;
}

function indented(line: string): string {
  return INDENT + line;
}
