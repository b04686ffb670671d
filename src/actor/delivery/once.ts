/**
 * once(): an effect in shared memory, and the id of the message that had it, as one update.
 *
 * Rule: both are in the same record, so whoever is killed at any instruction leaves both or neither.
 *
 * ```text
 * ids      entry 0      entry 1      …                       as many as have come, then in turns
 *          +------------+------------+-----------
 *          | id and end | id and end |
 *          +------------+------------+-----------
 * entry    byte 0       1            1 + length          64
 *          +------------+------------+------------------+
 *          | length u8  | id, UTF-8  | 0                |
 *          +------------+------------+------------------+
 * ```
 */

import {
  bytes,
  type BytesType,
  type ScalarType,
  type Struct,
  struct,
  u32,
} from "../../layout/mod.ts";
import type { RecordField } from "../../region/mod.ts";

/** The bytes of an entry: a `turn.id` has 51 at most. */
const ENTRY_BYTES = 64;
/** The bytes of an id at most, in UTF-8. */
const MAX_ID_BYTES = ENTRY_BYTES - 1;
/** So many entries are looked through for each message, and copied four times. */
const MAX_COUNT = 65_536;

const encoder = new TextEncoder();

/** The fields of what {@linkcode handledIds} makes. */
export type HandledIdsFields = {
  /** The entry that the next id takes. */
  readonly next: ScalarType<"u32">;
  /** The entries. */
  readonly ids: BytesType;
};

/** What a record remembers of the messages that had their effect on it. */
export interface HandledIds {
  /** The entry that the next id takes. */
  next: number;
  /** The entries. */
  ids: Uint8Array;
}

/**
 * The member `handled` of a record that {@linkcode once} changes: it remembers the last so many ids.
 *
 * @param count So many messages may come between one and its repetition: 1 to 65 536, of 64 bytes
 * each, which are copied with each change of the record. {@linkcode once} says how many are enough.
 * @throws {RangeError} If it is no such number.
 */
export function handledIds(count: number): Struct<HandledIdsFields> {
  if (!Number.isInteger(count) || count < 1 || count > MAX_COUNT) {
    throw new RangeError(
      `Cannot remember handled ids: their number is ${count}, expected 1 to ${MAX_COUNT}`,
    );
  }
  return struct("handled_ids", { next: u32, ids: bytes(count * ENTRY_BYTES) });
}

/**
 * Changes a record in shared memory, unless the message of that id has done so already: effect and
 * id become visible together, and whoever is killed at any instruction leaves both or neither.
 *
 * What is delivered at least once may be handled again, when its receiver is killed between the
 * effect and the acknowledgement: with this, the effect counts once all the same. Two conditions:
 *
 * - The whole effect is in the record. What else the handler does, it may do twice.
 * - The id is still remembered. A record remembers the last {@linkcode handledIds} of them; the
 *   oldest is forgotten first. One receiver needs as many as it has in hand at a time, `prefetch` and
 *   those that it stashed. In a pool the others go on while the message of a dead one waits for its
 *   next start: as many as they can handle in that time.
 *
 * It lives as long as the region: longer than the processes, not longer than the kernel. Whoever may
 * write the region is trusted with it.
 *
 * @example A sum that counts each message once
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { handledIds, once } from "@postbox/postbox/actor";
 * import { i64, record, Region, struct } from "@postbox/postbox/region";
 *
 * const Ledger = struct("ledger", { account: record({ cents: i64, handled: handledIds(64) }) });
 * using region = Region.anonymous(Ledger); // or by name, for all who handle messages
 *
 * const pay = (id: string, cents: bigint) =>
 *   once(region.fields.account, id, (account) => {
 *     account.cents += cents;
 *   });
 * assertEquals(pay("turn.id of a message", 5n), true);
 * assertEquals(pay("turn.id of a message", 5n), false); // it came again
 * assertEquals(region.fields.account.read().cents, 5n);
 * ```
 *
 * @param field The record, with a member `handled` of type {@linkcode handledIds}.
 * @param id Of the message: `turn.id`, or a name that the application gave it. 1 to 63 bytes in UTF-8.
 * @param change Gets a copy to change, or gives another one. It must not be async, for a lock is held while it runs. If it
 * throws, nothing has changed and the id is not remembered.
 * @returns Whether it ran: false when the id is remembered.
 * @throws {RangeError} If the id is empty or too long.
 * @throws {TypeError} If the record has no such member, or `change` gives a promise.
 */
export function once<V extends { handled: unknown }, D extends { handled: HandledIds }>(
  field: RecordField<V, D>,
  id: string,
  change: (draft: Omit<D, "handled">) => Omit<V, "handled"> | void,
): boolean {
  const capacity = capacityOf(field), entry = entryOf(id);
  let isNew = false;
  field.update((draft) => {
    const { handled } = draft;
    isNew = !has(handled.ids, entry);
    if (!isNew) return;
    const result = change(draft);
    if (typeof (result as PromiseLike<unknown> | undefined)?.then === "function") {
      (result as unknown as Promise<unknown>).then(undefined, () => {}); // what it rejects with is late
      throw new TypeError(
        `Cannot change a record once for "${id}": change is async or returns a promise, expected ` +
          "it to be done when it returns",
      );
    }
    const ids = added(handled, entry, capacity);
    if (result !== undefined) return { ...result, handled: ids } as V;
    draft.handled = ids;
  });
  return isNew;
}

/** How many ids a record remembers. */
function capacityOf({ type }: Pick<RecordField<unknown>, "type">): number {
  const handled = type.content.fields["handled"]?.type;
  const ids = handled?.kind === "struct" ? handled.fields["ids"]?.type : undefined;
  if (ids?.kind === "bytes" && ids.maxBytes >= ENTRY_BYTES) {
    return Math.floor(ids.maxBytes / ENTRY_BYTES);
  }
  throw new TypeError(
    "Cannot change a record once: it does not remember ids, expected a member `handled` of type " +
      "handledIds()",
  );
}

/** An id as it is remembered; two are the same when all their bytes are. */
function entryOf(id: string): Uint8Array {
  const entry = new Uint8Array(ENTRY_BYTES);
  const { read, written } = encoder.encodeInto(id, entry.subarray(1));
  if (written === 0 || read < id.length) {
    throw new RangeError(
      `Cannot change a record once for "${id}": the id has ${encoder.encode(id).length} bytes, ` +
        `expected 1 to ${MAX_ID_BYTES}`,
    );
  }
  entry[0] = written;
  return entry;
}

/** Whether an entry is among those that are remembered. */
function has(ids: Uint8Array, entry: Uint8Array): boolean {
  for (let at = 0; at + ENTRY_BYTES <= ids.length; at += ENTRY_BYTES) {
    // From the end of the text: numbers that count up differ there.
    let left = entry[0]! + 1;
    while (left > 0 && ids[at + left - 1] === entry[left - 1]) left--;
    if (left === 0) return true;
  }
  return false;
}

/** The ids with one more, in place of the oldest where there is no room. */
function added({ next, ids }: HandledIds, entry: Uint8Array, capacity: number): HandledIds {
  // Somebody else may have written both: the next entry is one of those there are, or the first.
  const count = Math.min(Math.floor(ids.length / ENTRY_BYTES), capacity);
  const index = Math.min(next, count, capacity - 1), at = index * ENTRY_BYTES;
  const all = index < count ? ids : new Uint8Array(at + ENTRY_BYTES);
  if (all !== ids) all.set(ids.subarray(0, at));
  all.set(entry, at);
  return { next: (index + 1) % capacity, ids: all };
}
