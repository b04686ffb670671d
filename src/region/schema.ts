/** What a schema is in a region: its text, its hash, and how two are told apart. */

import { LayoutError } from "../errors.ts";
import { layoutDiff, parseSchema, schemaHash, schemaText, type Struct } from "../layout/mod.ts";
import { lockAbi } from "../sync/mod.ts";
import { shown } from "../sys/mod.ts";
import type { RegionFormat, RegionHeader } from "./header.ts";
import { planRegion } from "./region_layout.ts";

const encoder = new TextEncoder();

/** What a region of a struct is formatted with. */
export function formatOf(struct: Struct, hasText: boolean): RegionFormat {
  const text = hasText ? encoder.encode(schemaText(struct)) : new Uint8Array(0);
  const plan = planRegion(struct.byteLength, text.byteLength);
  return { plan, hash: hashOf(struct), text };
}

/** The hash of a struct is made once. */
const known = new WeakMap<Struct, bigint>();

/** The hash says how the machine's locks are, too: another C library has others. */
export function hashOf(struct: Struct): bigint {
  let hash = known.get(struct);
  if (hash === undefined) known.set(struct, hash = schemaHash(struct, lockAbi()));
  return hash;
}

/**
 * Refuses a region of another schema than is expected.
 *
 * @param readText Reads the text of the schema that is there; called only for the error.
 * @throws {LayoutError} With the differences line by line, where the text is there.
 */
export function checkSchema(
  { hash, plan }: RegionHeader,
  struct: Struct,
  target: string,
  readText: () => Uint8Array,
): void {
  const expectedHash = hashOf(struct);
  if (hash === expectedHash && plan.fieldsBytes === struct.byteLength) return;
  const found = parseText(readText(), target);
  throw new LayoutError({
    action: "open region",
    target,
    found: `${found ? `struct ${found.name}` : "a struct"} with schema ${hex(hash)}`,
    expected: `struct ${struct.name} with schema ${hex(expectedHash)}`,
    details: found && differences(found, struct),
  });
}

function differences(found: Struct, expected: Struct): string {
  const before = schemaText(found), after = schemaText(expected);
  if (before === after) return `The fields are the same; its locks are not those of ${lockAbi()}`;
  return layoutDiff(before, after);
}

/** The schema that a text says, or undefined where it says none; a peer may have written it. */
export function parseText(text: Uint8Array, target: string): Struct | undefined {
  try {
    return parseSchema(new TextDecoder().decode(text), target);
  } catch (error) {
    if (error instanceof LayoutError) return undefined;
    throw error;
  }
}

/** A hash as people read it. */
export function hex(hash: bigint): string {
  return `0x${hash.toString(16).padStart(16, "0")}`;
}

/** Refuses what is no struct, before anything is opened. */
export function checkStruct(struct: Struct, action: string): void {
  if (typeof struct === "object" && struct !== null && struct.kind === "struct") return;
  throw new TypeError(`Cannot ${action}: the schema is ${shown(struct)}, expected a struct()`);
}
