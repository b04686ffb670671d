/** `postbox shm dump` */

import {
  type Field,
  LayoutError,
  type Owner,
  type ReadyRegionStatus,
  Region,
  type Struct,
} from "../../src/region/mod.ts";
import { SharedMemory } from "../../src/shm/mod.ts";
import { type Flags, UsageError } from "../parser.ts";
import { print, printJson, write } from "../stdio.ts";
import { printable } from "../table.ts";
import { given, hexOf } from "../values.ts";

/** Flags of `shm dump`. */
export interface DumpFlags extends Flags {
  readonly hex: boolean | undefined;
  readonly json: boolean | undefined;
  readonly owner: Owner | undefined;
}

/** So many numbers of an array are shown to people. */
const MAX_SHOWN = 32;

export default async function dump(
  { hex, json, owner }: DumpFlags,
  name: string,
): Promise<number> {
  if (hex && json) throw new UsageError("Cannot use --hex and --json together");
  const options = given({ owner });
  const { schema, status } = schemaOf(name, options);
  if (hex) {
    await printBytes(name, schema, status, options);
    return 0;
  }
  const region = Region.open(name, schema, { access: "r", ...options });
  try {
    const fields = region.snapshot();
    if (json) {
      const schemaHash = hexOf(status.schemaHash);
      printJson(plain({ name, schema: schema.name, schemaHash, fields }));
    } else {
      const lines = [...linesOf(fields, "")];
      const width = Math.max(...lines.map(([path]) => path.length));
      print(lines.map(([path, value]) => `${path.padEnd(width)}  ${value}`).join("\n"));
    }
  } finally {
    region.close();
  }
  return 0;
}

/** The schema that is kept in a region. */
function schemaOf(name: string, options: { owner?: Owner }): {
  schema: Struct;
  status: ReadyRegionStatus;
} {
  const status = Region.inspect(name, options);
  const refused = (found: string, expected: string) =>
    new LayoutError({ action: "dump", target: name, found, expected });
  if (status === undefined) throw refused("memory that is no region", "a region");
  if (status.state !== "ready") {
    throw refused(`a region that is ${status.state}`, "one that is ready");
  }
  const { schema } = status;
  if (schema !== undefined) return { schema, status };
  throw refused("a region whose creator left the schema out", "one with its schema in it");
}

/** The bytes of each field, through the kernel. */
async function printBytes(
  name: string,
  schema: Struct,
  { fieldsOffset }: ReadyRegionStatus,
  options: { owner?: Owner },
): Promise<void> {
  const { hexdump } = await import("../formats.ts");
  const memory = SharedMemory.open(name, { access: "r", ...options });
  try {
    for (const { name: field, type, byteOffset } of Object.values<Field>(schema.fields)) {
      const offset = fieldsOffset + byteOffset;
      print(`${field} at byte ${offset}`);
      write(hexdump({ data: memory.read({ offset, byteLength: type.byteLength }) }));
    }
  } finally {
    memory.close();
  }
}

/** Each value with its path: `slots[0].owner`. */
function* linesOf(value: unknown, path: string): Generator<[path: string, value: string]> {
  if (!isComposed(value)) {
    yield [path, shown(value)];
  } else if (!Array.isArray(value)) {
    for (const [name, member] of Object.entries(value)) {
      yield* linesOf(member, path === "" ? name : `${path}.${name}`);
    }
  } else if (value.some(isComposed)) {
    for (const [index, element] of value.entries()) yield* linesOf(element, `${path}[${index}]`);
  } else {
    const more = value.length > MAX_SHOWN ? `, … ${value.length} in all` : "";
    yield [path, `[${value.slice(0, MAX_SHOWN).map(shown).join(", ")}${more}]`];
  }
}

function isComposed(value: unknown): value is object {
  return typeof value === "object" && value !== null && !(value instanceof Uint8Array);
}

/** A value for people; texts are others' words, and stay on their line. */
function shown(value: unknown): string {
  if (value instanceof Uint8Array) return bytesInHex(value) || "(none)";
  return typeof value === "string" ? printable(JSON.stringify(value)) : String(value);
}

/** The same of values that JSON has not: it has no BigInts, no bytes, no Infinity and no NaN. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return bytesInHex(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (!isComposed(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
}

function bytesInHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
