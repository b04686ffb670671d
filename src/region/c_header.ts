/** The header of a region for C: what `src/layout` says of its struct, and how C uses a region. */

import { type Struct, toCHeader as structHeader } from "../layout/mod.ts";
import { NOTIFY_C, NOTIFY_C_HEADERS } from "../wait/mod.ts";
import {
  BYTE_ORDER,
  BYTE_ORDER_OFFSET,
  BYTES_OFFSET,
  CHANGES_OFFSET,
  FIELDS_BYTES_OFFSET,
  FIELDS_OFFSET,
  FORMAT_VERSION,
  HASH_OFFSET,
  HEADER_BYTES,
  MAGIC,
  MAGIC_OFFSET,
  READY_MARK,
  READY_OFFSET,
  TEXT_OFFSET_OFFSET,
  VERSION_OFFSET,
} from "./region_layout.ts";
import { checkStruct, hashOf, hex } from "./schema.ts";

/** Where the members of `struct postbox_region` are. */
const OFFSETS: readonly [member: string, offset: number][] = [
  ["magic", MAGIC_OFFSET],
  ["version", VERSION_OFFSET],
  ["byte_order", BYTE_ORDER_OFFSET],
  ["hash", HASH_OFFSET],
  ["bytes", BYTES_OFFSET],
  ["fields_bytes", FIELDS_BYTES_OFFSET],
  ["text_offset", TEXT_OFFSET_OFFSET],
  ["ready", READY_OFFSET],
  ["changes", CHANGES_OFFSET],
];

const REGION_C = `\
#ifndef POSTBOX_REGION
#define POSTBOX_REGION

/* What a region begins with; its fields are ${FIELDS_OFFSET} bytes from its beginning. */
struct postbox_region {
  uint64_t magic;
  uint32_t version, byte_order;
  uint64_t hash, bytes;
  uint32_t fields_bytes, text_offset, text_bytes, zero[4], ready;
  struct postbox_events changes;
};
${
  OFFSETS.map(([member, offset]) =>
    `POSTBOX_ASSERT(offsetof(struct postbox_region, ${member}) == ${offset}, ` +
    `"${member} of a region is elsewhere");`
  ).join("\n")
}
POSTBOX_ASSERT(sizeof(struct postbox_region) == ${HEADER_BYTES}, "a region's header has another size");

/* The fields of a region mapped at a page, or NULL if it is none of this schema, or not ready. */
static inline void *postbox_region_fields(void *memory, size_t bytes, uint64_t hash, size_t size) {
  struct postbox_region *region = (struct postbox_region *)memory;
  if (bytes < ${FIELDS_OFFSET} || bytes - ${FIELDS_OFFSET} < size) return NULL;
  if (__atomic_load_n(&region->ready, __ATOMIC_ACQUIRE) != 0x${
  READY_MARK.toString(16)
}u) return NULL;
  if (region->magic != ${hex(MAGIC)}ull || region->version != ${FORMAT_VERSION}u) return NULL;
  if (region->byte_order != 0x${BYTE_ORDER.toString(16)}u || region->hash != hash) return NULL;
  return (char *)memory + ${FIELDS_OFFSET};
}

/* To be called after a store that JavaScript may wait for; costs a load while nobody does. Without
 * it a change is found within 50 ms. */
static inline void postbox_changed(void *memory) {
  postbox_notify(&((struct postbox_region *)memory)->changes);
}

#endif`;

/**
 * A header for C11 and C++11 that declares a schema's struct, the functions on its records, and how
 * a region with it is found and waited for. It needs the C library alone.
 *
 * ```text
 * struct NAME *postbox_region_NAME(void *memory, size_t bytes)   the fields of a mapped region
 * void postbox_changed(void *memory)                              wakes who waits, after a store
 * int NAME_last_read(const struct NAME_last_record *record, struct NAME_last *copy)   and so on
 * ```
 *
 * It is for machines like this one: the hash of the schema says how its locks are, too.
 *
 * @example A header for a C program
 * ```ts
 * import { assert } from "@std/assert";
 * import { struct, toCHeader, u64 } from "@postbox/postbox/region";
 *
 * const header = toCHeader(struct("stats", { hits: u64 }));
 * assert(header.includes("struct stats {\n  uint64_t hits;\n};"));
 * assert(header.includes("postbox_region_stats("));
 * ```
 */
export function toCHeader(schema: Struct): string {
  checkStruct(schema, "make a C header");
  const { name } = schema;
  const find = `\
/* The fields of a mapped region with this schema, or NULL if it is not one, or not ready. */
static inline struct ${name} *postbox_region_${name}(void *memory, size_t bytes) {
  const uint64_t hash = ${hex(hashOf(schema))}ull;
  return (struct ${name} *)postbox_region_fields(memory, bytes, hash, sizeof(struct ${name}));
}`;
  const text = [NOTIFY_C.trim(), REGION_C, find].join("\n\n");
  return structHeader(schema, { includes: NOTIFY_C_HEADERS, text });
}
