/** record(): a struct as a field that is read and updated as a whole. */

import { checkBounds } from "./bounds.ts";
import { isLock } from "./lock_fields.ts";
import { RECORD_ALIGN_BYTES, recordBytes } from "./record_layout.ts";
import { layOut, type Struct } from "./struct.ts";
import { type ContentFields, type Fields, peeled, type RecordType } from "./types.ts";

/**
 * A field whose members belong together: who reads it gets all of one update, and an update that
 * is not finished, because its writer was killed, is never seen.
 *
 * It holds numbers, texts, bytes, and arrays and structs of those; no locks and no records. It
 * takes twice the bytes of its members and 192 more.
 *
 * @example Two numbers that belong together
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { f64, i64, record, struct } from "@postbox/postbox/region";
 *
 * const Stats = struct("stats", { last: record({ ratio: f64, at: i64 }) });
 * assertEquals(Stats.fields.last.type.content.fields.at.byteOffset, 8);
 * ```
 *
 * @param content The members, or a struct that has them.
 * @throws {TypeError} If it holds a lock or a record, or is no fields of a struct.
 * @throws {RangeError} If it takes more than 2^31 bytes.
 */
export function record<F extends ContentFields>(content: Struct<F>): RecordType<F>;
/** The same for members that no struct has. */
export function record<F extends ContentFields>(content: F): RecordType<F>;
export function record<F extends ContentFields>(given: Struct<F> | F): RecordType<F> {
  const content = isStruct(given) ? given : layOut("", given, {});
  checkContent(content, "make record()");
  const type: RecordType<F> = {
    kind: "record",
    content,
    byteLength: recordBytes(content.byteLength),
    alignBytes: RECORD_ALIGN_BYTES,
  };
  checkBounds(type, "record()");
  return Object.freeze(type);
}

/** Members may have any name, `kind` too, but each of them is a type. */
function isStruct<F extends Fields>(given: Struct<F> | F): given is Struct<F> {
  return typeof given === "object" && given !== null && given.kind === "struct";
}

/**
 * Refuses what is no plain value.
 *
 * @param action What it is wanted for: `make record()`.
 * @throws {TypeError} If the struct holds a lock or a record, in a struct of its own too.
 */
export function checkContent({ fields }: Struct, action: string, path = ""): void {
  for (const { name, type } of Object.values(fields)) {
    const { element } = peeled(type), here = path + name;
    if (element.kind === "record" || isLock(element)) {
      throw new TypeError(
        `Cannot ${action}: ${JSON.stringify(here)} is a ${element.kind}, expected no locks and ` +
          `no records in it`,
      );
    }
    if (element.kind === "struct") checkContent(element, action, `${here}.`);
  }
}
