/**
 * toCHeader(): a schema as a header for C11 and C++11, with a check of every size and offset.
 *
 * Rule: the header needs nothing but the C library and GCC or Clang, and may be included together
 * with those of other schemas.
 */

import { lockCType, lockIncludes, lockText, once } from "./c_locks.ts";
import { RECORD_HEAD_TEXT, RECORD_INCLUDES, recordText } from "./c_record.ts";
import {
  type Declaration,
  type Declarations,
  declarationsOf,
  RECORD_SUFFIXES,
} from "./declarations.ts";
import { isLock } from "./lock_fields.ts";
import { schemaText } from "./schema_text.ts";
import { CACHE_LINE_BYTES, type Field, type Struct } from "./struct.ts";
import { type FieldType, type LockKind, peeled, type ScalarKind } from "./types.ts";

/** What else a header says, beside what follows from the schema. */
export interface CHeaderOptions {
  /** More headers of the C library: `time.h`. */
  includes?: readonly string[];
  /** C text behind the structs: the header of a region and the functions on it. */
  text?: string;
}

const SCALARS: Readonly<Record<ScalarKind, string>> = {
  u8: "uint8_t",
  u16: "uint16_t",
  u32: "uint32_t",
  u64: "uint64_t",
  i8: "int8_t",
  i16: "int16_t",
  i32: "int32_t",
  i64: "int64_t",
  f32: "float",
  f64: "double",
  bool: "uint8_t", // _Bool may be 0 or 1 and nothing else, and a peer may write anything
};

/**
 * A header that declares a schema's struct as `struct NAME`, everything in it, and the functions
 * on its records.
 *
 * Shared numbers are plain members, for the `__atomic` builtins: C++ knows no `_Atomic`, and
 * `std::atomic` is a class of the C++ library whose layout C does not know.
 */
export function toCHeader(struct: Struct, options: CHeaderOptions = {}): string {
  const { includes = [], text } = options;
  const declarations = declarationsOf(struct);
  const locks = lockKindsIn(declarations);
  const hasRecords = declarations.list.some(({ form }) => form === "record");
  const parts = [
    includeText([
      ...["stddef.h", "stdint.h"],
      ...locks.flatMap(lockIncludes),
      ...(hasRecords ? RECORD_INCLUDES : []),
      ...includes,
    ]),
    BASIS_TEXT,
    ...locks.map(lockText),
    ...(hasRecords ? [RECORD_HEAD_TEXT] : []),
    ...declarations.list.map((each) =>
      each.form === "struct" ? structText(each, declarations) : recordText(each)
    ),
    ...(text === undefined ? [] : [text.trim()]),
  ];
  return `${about(struct)}\n${
    once(`POSTBOX_SCHEMA_${struct.name}`, `\n${parts.join("\n\n")}\n`)
  }\n`;
}

function about(struct: Struct): string {
  const schema = schemaText(struct).split("\n").map((line) => ` *   ${line}`).join("\n");
  return `/*
 * struct ${struct.name}, as Postbox shares it: made from the schema by toCHeader(), not to be edited.
 *
${schema}
 *
 * Numbers outside records are shared one by one. They are plain members, for the __atomic builtins
 * that C and C++ have alike; JavaScript uses them in sequentially consistent order:
 *   __atomic_load_n(&x->number, __ATOMIC_SEQ_CST)
 *   __atomic_fetch_add(&x->number, 1, __ATOMIC_SEQ_CST)
 * A number that is a float or a double: __atomic_load(&x->number, &copy, __ATOMIC_SEQ_CST).
 */`;
}

const BASIS_TEXT = `#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Postbox shares little-endian memory"
#endif
#ifndef POSTBOX_ASSERT
#ifdef __cplusplus
#define POSTBOX_ASSERT static_assert
#else
#define POSTBOX_ASSERT _Static_assert
#endif
#endif`;

function includeText(names: readonly string[]): string {
  return [...new Set(names)].sort().map((name) => `#include <${name}>`).join("\n");
}

/** The kinds of locks that the declarations name; a record has a mutex. */
function lockKindsIn(declarations: Declarations): LockKind[] {
  const kinds = new Set<LockKind>();
  for (const { form, struct } of declarations.list) {
    if (form === "record") kinds.add("mutex");
    for (const { type } of Object.values(struct.fields)) {
      const { element } = peeled(type);
      if (isLock(element)) kinds.add(element.kind);
    }
  }
  return [...kinds];
}

function structText({ struct, cName }: Declaration, declarations: Declarations): string {
  const type = `struct ${cName}`;
  const fields = Object.values(struct.fields);
  const members = fields.map((field) => memberText(field, struct, cName, declarations));
  const checks = fields.map(({ name, byteOffset }) =>
    `POSTBOX_ASSERT(offsetof(${type}, ${name}) == ${byteOffset}, "${type}.${name} is elsewhere");`
  );
  return `${type} {
${members.join("\n")}
};
${checks.join("\n")}
POSTBOX_ASSERT(sizeof(${type}) == ${struct.byteLength}, "${type} has another size");
POSTBOX_ASSERT(__alignof__(${type}) == ${struct.alignBytes}, "${type} is aligned otherwise");`;
}

function memberText(
  { name, type }: Field,
  struct: Struct,
  cName: string,
  declarations: Declarations,
): string {
  const { element, lengths } = peeled(type);
  const dimensions = lengths.map((length) => `[${length}]`).join("");
  const place = struct.align === "cacheline"
    ? ` __attribute__((aligned(${CACHE_LINE_BYTES})))`
    : "";
  const cType = cTypeOf(element, (part) => declarations.cNameOf(part, cName, name));
  return `  ${cType} ${name}${dimensions}${place};`;
}

function cTypeOf(type: FieldType, cNameOf: (struct: Struct) => string): string {
  switch (type.kind) {
    case "text":
      return `struct { uint32_t length; char text[${type.maxBytes}]; }`;
    case "bytes":
      return `struct { uint32_t length; uint8_t bytes[${type.maxBytes}]; }`;
    case "struct":
      return `struct ${cNameOf(type)}`;
    case "record":
      return `struct ${cNameOf(type.content)}${RECORD_SUFFIXES.struct}`;
    default:
      return isLock(type) ? lockCType(type.kind) : SCALARS[type.kind as ScalarKind];
  }
}
