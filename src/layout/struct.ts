/**
 * struct(): fields in order, each at its byte offset.
 *
 * Rule: where a field lies follows from the fields before it as in C, so that a C compiler finds it
 * there too; nobody says an offset.
 */

import { checkBounds } from "./bounds.ts";
import { declarationsOf } from "./declarations.ts";
import { checkName } from "./names.ts";
import { shown } from "./shown.ts";
import { checkType, type Fields, type FieldType, roundUp, type Sized } from "./types.ts";

/** The bytes of a cache line, on all machines that Postbox runs on. */
export const CACHE_LINE_BYTES = 64;

/** How the fields of a struct are placed. */
export type StructAlign = "natural" | "cacheline";

/** A field and its place. */
export interface Field<T extends FieldType = FieldType> {
  /** Its name, in C too. */
  readonly name: string;
  /** What it holds. */
  readonly type: T;
  /** From the beginning of the struct. */
  readonly byteOffset: number;
}

/** Fields in order, each at its byte offset: what {@linkcode struct} makes. */
export interface Struct<F extends Fields = Fields> extends Sized {
  /** `struct` */
  readonly kind: "struct";
  /** Its name in C too; empty for what was given to `record({ … })` without one. */
  readonly name: string;
  /** How its fields are placed. */
  readonly align: StructAlign;
  /** The fields by name; `Object.values()` has them in order. */
  readonly fields: { readonly [N in keyof F]: Field<F[N]> };
}

/** How {@linkcode struct} places fields. */
export interface StructOptions {
  /**
   * `natural` as C does; `cacheline` has each field begin at a cache line of 64 bytes, so that
   * those who write one do not slow down those who use another.
   *
   * @default {"natural"}
   */
  align?: StructAlign;
}

/**
 * A struct: the schema of some shared memory, or a part of one.
 *
 * Names are those of C: a letter, then letters, digits and single underscores, and no keyword of C
 * or C++. A struct that is a field of another keeps its name, and may be used more than once.
 *
 * @example Where C puts the fields
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { array, struct, text, u32, u64 } from "@postbox/postbox/region";
 *
 * const Stats = struct("stats", { ready: u32, hits: u64, hist: array(u32, 4), tag: text(10) });
 * assertEquals(Stats.fields.hits.byteOffset, 8);
 * assertEquals([Stats.byteLength, Stats.alignBytes], [48, 8]);
 * ```
 *
 * @param name What it is called in C and in errors.
 * @param fields The type of each field by its name, in order.
 * @throws {TypeError} If a name is none in C or C++, a type is none, or there is no field; if two
 *   different structs in it have one name.
 * @throws {RangeError} If it takes more than 2^31 bytes, has more than 4096 fields with those of
 *   its structs, or nests deeper than 16.
 */
export function struct<F extends Fields>(
  name: string,
  fields: F,
  options: StructOptions = {},
): Struct<F> {
  checkName(name, "struct name");
  const made = layOut(name, fields, options);
  declarationsOf(made); // throws where C could not tell its parts apart
  return made;
}

/** Places fields. The name was judged before. */
export function layOut<F extends Fields>(
  name: string,
  fields: F,
  options: StructOptions,
): Struct<F> {
  const what = name === "" ? "record()" : `struct ${shown(name)}`;
  const align = checkAlign(options, what);
  if (typeof fields !== "object" || fields === null) {
    throw new TypeError(`Cannot make ${what}: its fields are ${shown(fields)}, expected an object`);
  }
  const placed: Record<string, Field> = {};
  let end = 0, alignBytes = 1;
  for (const [fieldName, type] of Object.entries(fields)) {
    checkName(fieldName, `field name of ${what}`);
    checkType(type, `type of ${JSON.stringify(fieldName)} in ${what}`);
    const fieldAlign = align === "cacheline" ? CACHE_LINE_BYTES : type.alignBytes;
    const byteOffset = roundUp(end, fieldAlign);
    placed[fieldName] = Object.freeze({ name: fieldName, type, byteOffset });
    end = byteOffset + type.byteLength;
    alignBytes = Math.max(alignBytes, fieldAlign);
  }
  if (end === 0) throw new TypeError(`Cannot make ${what}: it has no fields, expected some`);
  const made = {
    kind: "struct" as const,
    name,
    align,
    fields: Object.freeze(placed) as Struct<F>["fields"],
    byteLength: roundUp(end, alignBytes),
    alignBytes,
  };
  checkBounds(made, what);
  return Object.freeze(made);
}

function checkAlign(options: StructOptions, what: string): StructAlign {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(
      `Cannot make ${what}: the options are ${shown(options)}, expected an object such as ` +
        `{ align: "cacheline" }`,
    );
  }
  const { align = "natural" } = options;
  if (align === "natural" || align === "cacheline") return align;
  throw new TypeError(
    `Cannot make ${what}: align is ${shown(align)}, expected "natural" or "cacheline"`,
  );
}
