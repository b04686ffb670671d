/** Fields over memory that the caller has: no header, nobody's name, no schema that is compared. */

import type { Fields, Struct } from "../layout/mod.ts";
import { type SharedRange, sharedRange } from "../sys/mod.ts";
import { EVENT_COUNT_BYTES, EventCount } from "../wait/mod.ts";
import { FieldMemory, LOOK_EVERY_MS } from "./field_memory.ts";
import { type FieldsOf, makeFields } from "./fields.ts";
import { checkSettings, formatLocks, type LocksSettings } from "./lock_fields.ts";
import { checkStruct } from "./schema.ts";

/** How {@linkcode fieldsAt} uses memory. */
export interface FieldsAtOptions {
  /**
   * Where who waits for a field says so: 64 bytes of shared memory at a multiple of 64, the same
   * for all who use the fields, formatted by {@linkcode formatFieldsAt}. Without them, or in C that
   * does not know them, a change is found within 50 ms.
   */
  changes?: Uint8Array<SharedArrayBuffer>;
}

/** How {@linkcode formatFieldsAt} makes memory. */
export interface FormatFieldsAtOptions extends FieldsAtOptions {
  /** How its locks begin: semaphores, events, and barriers, which need to be told. */
  locks?: LocksSettings;
}

/**
 * The fields of a struct in memory that somebody formatted ({@linkcode formatFieldsAt}), or that
 * was zeros and has no locks and no records.
 *
 * Nothing there says which struct it is: that is up to the caller. A {@linkcode Region} has a
 * header that says it.
 *
 * @example A struct in some memory
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { fieldsAt, struct, u32 } from "@postbox/postbox/region";
 * import { SharedMemory } from "@postbox/postbox/shm";
 *
 * const Point = struct("point", { x: u32, y: u32 });
 * using memory = SharedMemory.anonymous({ byteLength: 4096 });
 * const { x } = fieldsAt(Point, memory.bytes.subarray(128));
 * x.add(7);
 * assertEquals(memory.bytes[128], 7);
 * ```
 *
 * @throws {TypeError} If the memory is not shared, or a read-only handle's.
 * @throws {RangeError} If it is too short, or begins at the wrong place.
 */
export function fieldsAt<F extends Fields>(
  schema: Struct<F>,
  memory: Uint8Array<SharedArrayBuffer>,
  options: FieldsAtOptions = {},
): FieldsOf<F> {
  const { buffer, byteOffset } = rangeOf(schema, memory);
  const events = eventsRange(options);
  const changes = events &&
    EventCount.attach(events.buffer, events.byteOffset, { lookEveryMs: LOOK_EVERY_MS });
  const target = `struct ${schema.name}`;
  const shared = new FieldMemory({ buffer, access: "rw", target, changes });
  return makeFields(schema, { memory: shared, byteOffset, path: "" });
}

/**
 * Makes zeroed memory the fields of a struct, once: its locks, and where changes are waited for.
 *
 * @returns The fields, as {@linkcode fieldsAt} gives them to the others.
 * @throws As {@linkcode fieldsAt} does; {@linkcode LayoutError} if there is something else than
 * zeros, `TypeError` if a barrier is not told its parties.
 */
export function formatFieldsAt<F extends Fields>(
  schema: Struct<F>,
  memory: Uint8Array<SharedArrayBuffer>,
  options: FormatFieldsAtOptions = {},
): FieldsOf<F> {
  const { buffer, byteOffset } = rangeOf(schema, memory);
  const { locks = {} } = options;
  checkSettings(schema, locks);
  formatLocks(schema, buffer, byteOffset, locks);
  const events = eventsRange(options);
  if (events !== undefined) EventCount.format(events.buffer, events.byteOffset);
  return fieldsAt(schema, memory, options);
}

function rangeOf(schema: Struct, memory: Uint8Array<SharedArrayBuffer>): SharedRange {
  checkStruct(schema, "use memory as fields");
  const { name, byteLength, alignBytes } = schema;
  return sharedRange(memory, { what: `struct ${name}`, minBytes: byteLength, alignBytes });
}

function eventsRange({ changes }: FieldsAtOptions): SharedRange | undefined {
  return changes && sharedRange(changes, {
    what: "changes",
    minBytes: EVENT_COUNT_BYTES,
    alignBytes: EVENT_COUNT_BYTES,
  });
}
