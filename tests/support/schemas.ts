/** Random schemas, and random values that fit them. */

import {
  array,
  barrier,
  bool,
  bytes,
  type ContentFields,
  type ContentType,
  event,
  f32,
  f64,
  type FieldType,
  i16,
  i32,
  i64,
  i8,
  type LockType,
  mutex,
  record,
  rwLock,
  type ScalarType,
  semaphore,
  type Struct,
  struct,
  text,
  u16,
  u32,
  u64,
  u8,
} from "../../src/layout/mod.ts";
import type { Random } from "./random.ts";

/** Every scalar type. */
export const SCALARS: readonly ScalarType[] = [
  ...[u8, u16, u32, u64],
  ...[i8, i16, i32, i64],
  ...[f32, f64, bool],
];

/** Every lock. */
export const LOCKS: readonly LockType[] = [mutex, rwLock, semaphore, event, barrier];

/** Makes schemas, whose structs all have different names. */
class Schemas {
  #names = 0;
  constructor(readonly random: Random) {}

  struct(depth: number, name = this.#name()): Struct {
    return struct(name, this.#fields((name) => [name, this.#field(depth)]), this.#align());
  }

  #content(depth: number): ContentType {
    const { random } = this, kind = random.below(depth === 0 ? 6 : 10);
    if (kind === 4) return text(1 + random.below(40));
    if (kind === 5) return bytes(1 + random.below(40));
    if (kind < 6) return random.pick(SCALARS);
    if (kind < 8) return array(this.#content(depth - 1), 1 + random.below(3));
    return struct(this.#name(), this.#contentFields(depth - 1), this.#align());
  }

  #field(depth: number): FieldType {
    const { random } = this, kind = random.below(depth === 0 ? 8 : 12);
    if (kind < 6) return this.#content(depth);
    if (kind < 8) return random.pick(LOCKS);
    if (kind === 8) return array(this.#field(depth - 1), 1 + random.below(3));
    if (kind === 9) return this.struct(depth - 1);
    if (kind === 10) return record(this.#contentFields(depth - 1));
    return record(struct(this.#name(), this.#contentFields(depth - 1), this.#align()));
  }

  #contentFields(depth: number): ContentFields {
    return this.#fields((name) => [name, this.#content(depth)]);
  }

  #fields<T>(make: (name: string) => [string, T]): Record<string, T> {
    const names = Array.from({ length: 1 + this.random.below(5) }, () => this.#name());
    return Object.fromEntries(names.map(make));
  }

  #align() {
    return { align: this.random.oneIn(3) ? "cacheline" as const : "natural" as const };
  }

  #name(): string {
    return `${this.random.pick(["a", "B", "long_name", "x2"])}${this.#names++}`;
  }
}

/** A struct of anything, not deeper than `depth` and a few. */
export function randomSchema(
  random: Random,
  { depth = 3, name = "random" }: { depth?: number; name?: string } = {},
): Struct {
  return new Schemas(random).struct(depth, name);
}

/** A struct without locks and records. */
export function randomContent(random: Random): Struct<ContentFields> {
  for (;;) {
    const schema = randomSchema(random);
    if (isContent(schema)) return schema as Struct<ContentFields>;
  }
}

function isContent(type: FieldType): boolean {
  if (type.kind === "array") return isContent(type.element);
  if (type.kind !== "struct") return type.kind !== "record" && !LOCKS.includes(type as LockType);
  return Object.values(type.fields).every((field) => isContent(field.type));
}

/** A value that fits a type. */
export function randomValue(random: Random, type: ContentType): unknown {
  switch (type.kind) {
    case "u8":
    case "u16":
    case "u32":
      return random.pick([0, 1, 2 ** (8 * type.byteLength) - 1, random.below(256)]);
    case "i8":
    case "i16":
    case "i32": {
      const limit = 2 ** (8 * type.byteLength - 1);
      return random.pick([0, -1, limit - 1, -limit, random.below(128)]);
    }
    case "u64":
      return random.pick([0n, 1n, 2n ** 64n - 1n, 2n ** 63n, BigInt(random.below(1e9))]);
    case "i64":
      return random.pick([0n, -1n, 2n ** 63n - 1n, -(2n ** 63n)]);
    case "f32":
    case "f64":
      return random.pick([0, -0, 1.5, -Infinity, NaN, 2 ** -100]);
    case "bool":
      return random.oneIn(2);
    case "text":
      return randomText(random, type.maxBytes);
    case "bytes":
      return random.bytes(random.below(type.maxBytes + 1));
    case "array":
      return Array.from({ length: type.length }, () => randomValue(random, type.element));
    case "struct": {
      const fields = Object.values(type.fields);
      return Object.fromEntries(fields.map((each) => [each.name, randomValue(random, each.type)]));
    }
  }
}

/** A text of at most so many bytes, with characters of one to four, and a byte order mark. */
function randomText(random: Random, maxBytes: number): string {
  const encoder = new TextEncoder();
  let made = "";
  while (!random.oneIn(8)) {
    const longer = made + random.pick(["a", "\0", "é", "€", "😀", "\ufeff"]);
    if (encoder.encode(longer).byteLength > maxBytes) break;
    made = longer;
  }
  return made;
}
