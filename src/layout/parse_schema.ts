/**
 * parseSchema(): a schema again from its text, which somebody else wrote.
 *
 * Rule: only what fields there are is taken from the text. Offsets and sizes are computed as for
 * any schema, and the text of the result must be the text that was read.
 */

import { LayoutError } from "../errors.ts";
import { MAX_DEPTH, MAX_FIELDS } from "./bounds.ts";
import { layoutDiff } from "./layout_diff.ts";
import { barrier, event, mutex, rwLock, semaphore } from "./lock_fields.ts";
import { record } from "./record.ts";
import { INDENT, schemaText } from "./schema_text.ts";
import { shown } from "./shown.ts";
import { type Struct, struct, type StructAlign } from "./struct.ts";
import * as types from "./types.ts";
import type { ContentFields, FieldType } from "./types.ts";

/** More than the longest line of a schema has: two names, sixteen lengths, three numbers. */
const MAX_LINE_LENGTH = 400;

/** The types that a word alone names. */
const BY_WORD: ReadonlyMap<string, FieldType> = new Map(
  [
    ...[types.u8, types.u16, types.u32, types.u64, types.i8, types.i16, types.i32, types.i64],
    ...[types.f32, types.f64, types.bool, mutex, rwLock, semaphore, event, barrier],
  ].map((type) => [type.kind, type]),
);

/** `struct stats: …` */
const FIRST_LINE = /^struct(?<cacheline>\(cacheline\))? (?<name>\w+): /;
/** `record struct point[4] corners @64: …`, without its blanks. */
const FIELD_LINE = /^(?<words>[\w() ]+?)(?<lengths>(?:\[\d+\])*) (?<name>\w+) @\d+/;
/** `record struct(cacheline) point` and its parts. */
const BLOCK_WORDS =
  /^(?:(?<record>record) ?)?(?:struct(?<cacheline>\(cacheline\))? (?<name>\w+))?$/;
/** `text(16)` */
const BOUNDED_WORDS = /^(?<kind>text|bytes)\((?<maxBytes>\d+)\)$/;

/**
 * The struct of which `schemaText()` gives this text.
 *
 * @param text From memory that others may write.
 * @param target Whose schema it is, in errors.
 * @throws {LayoutError} If there is no such struct.
 */
export function parseSchema(text: string, target: string): Struct {
  const lines = text.split("\n", MAX_FIELDS + 2);
  if (lines.length > MAX_FIELDS + 1) {
    throw unreadable(target, `more than ${MAX_FIELDS} fields`, "fewer");
  }
  const long = lines.find((line) => line.length > MAX_LINE_LENGTH);
  if (long !== undefined) {
    throw unreadable(target, `the line ${shown(long)}`, `at most ${MAX_LINE_LENGTH} characters`);
  }
  const parsed = new Parser(lines, target).parse();
  const again = schemaText(parsed);
  if (again === text) return parsed;
  throw unreadable(target, "offsets or sizes that its fields do not give", layoutDiff(text, again));
}

class Parser {
  readonly #lines: readonly string[];
  readonly #target: string;
  /** The line that is looked at. */
  #at = 0;

  constructor(lines: readonly string[], target: string) {
    this.#lines = lines;
    this.#target = target;
  }

  parse(): Struct {
    try {
      return this.#first();
    } catch (error) {
      // What a struct may not be is known where structs are made.
      if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
      throw unreadable(this.#target, `a schema that is none (${error.message})`, "a schema");
    }
  }

  #first(): Struct {
    const { name, cacheline } = this.#match(FIRST_LINE, this.#lines[0]!);
    this.#at++;
    const fields = this.#fields(1);
    if (this.#at < this.#lines.length) throw this.#wrongLine();
    return struct(name!, fields, { align: alignOf(cacheline) });
  }

  /** The fields of a struct at some depth, up to the first line that is less deep. */
  #fields(depth: number): Record<string, FieldType> {
    if (depth > MAX_DEPTH) throw this.#wrongLine();
    const fields: Record<string, FieldType> = Object.create(null);
    const indent = INDENT.repeat(depth);
    while (this.#lines[this.#at]?.startsWith(indent)) {
      const line = this.#lines[this.#at]!.slice(indent.length);
      const { words, lengths, name } = this.#match(FIELD_LINE, line);
      if (name! in fields) throw this.#wrongLine();
      this.#at++;
      fields[name!] = inArrays(this.#type(words!, depth), lengths!);
    }
    return fields;
  }

  #type(words: string, depth: number): FieldType {
    const single = BY_WORD.get(words);
    if (single !== undefined) return single;
    const bounded = BOUNDED_WORDS.exec(words)?.groups;
    if (bounded !== undefined) {
      return (bounded.kind === "text" ? types.text : types.bytes)(Number(bounded.maxBytes));
    }
    const block = BLOCK_WORDS.exec(words)?.groups;
    if (block === undefined) throw this.#wrongLine(this.#at - 1);
    const fields = this.#fields(depth + 1), align = alignOf(block.cacheline);
    // record() refuses what a record may not hold.
    if (block.name === undefined) return record(fields as ContentFields);
    const made = struct(block.name, fields, { align });
    return block.record === undefined ? made : record(made as Struct<ContentFields>);
  }

  #match(pattern: RegExp, line: string): Record<string, string | undefined> {
    const groups = pattern.exec(line)?.groups;
    if (groups === undefined) throw this.#wrongLine();
    return groups;
  }

  #wrongLine(at = this.#at): LayoutError {
    const found = `line ${at + 1}, ${shown(this.#lines[at])}`;
    return unreadable(this.#target, found, "a schema as Postbox writes it");
  }
}

function inArrays(element: FieldType, lengths: string): FieldType {
  // As in C, the outermost length stands first.
  const innermostFirst = [...lengths.matchAll(/\d+/g)].reverse();
  return innermostFirst.reduce(
    (type: FieldType, [length]) => types.array(type, Number(length)),
    element,
  );
}

function alignOf(cacheline: string | undefined): StructAlign {
  return cacheline === undefined ? "natural" : "cacheline";
}

function unreadable(target: string, found: string, expected: string): LayoutError {
  return new LayoutError({ action: "read the schema of", target, found, expected });
}
