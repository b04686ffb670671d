/**
 * The memory of a lock: judged, then formatted once or found formatted.
 *
 * Rule: the mark of the event count is written last, so who attaches finds a whole lock or none.
 */

import { LayoutError } from "../errors.ts";
import { sharedRange } from "../sys/mod.ts";
import { EventCount } from "../wait/mod.ts";
import { EVENTS_OFFSET, LOCK_ALIGN_BYTES, type LockLayout, MARK_OFFSET } from "./lock_layout.ts";
import type { LockMemoryOptions } from "./options.ts";

/** Where a lock is. */
export interface LockPlace {
  readonly buffer: SharedArrayBuffer;
  readonly byteOffset: number;
  /** Its first line. */
  readonly words: Int32Array<SharedArrayBuffer>;
  /** What errors call it. */
  readonly name: string;
}

/** A lock that is formatted. */
export interface FormattedLock extends LockPlace {
  /** Where it is waited for. */
  readonly events: EventCount;
}

/** What is used of a kind of lock. */
export interface LockKind {
  readonly layout: LockLayout;
  /** How long a wait can go without looking by itself; EventCount says what it is otherwise. */
  readonly lookEveryMs?: number;
}

/**
 * For locks that can become free without anybody telling, by the death of an owner or by C: an
 * event loop finds that after so many milliseconds.
 */
export const LOOK_EVERY_MS = 20;

const MARK = MARK_OFFSET / 4;

/**
 * Makes zeroed memory a lock.
 *
 * @param fill Writes what is the lock's own.
 * @throws {LayoutError} If there is something else than zeros.
 */
export function formatLock(
  memory: Uint8Array<SharedArrayBuffer>,
  kind: LockKind,
  options: LockMemoryOptions,
  fill: (place: LockPlace) => void,
): FormattedLock {
  const place = placeOf(memory, kind.layout, options);
  const all = new Int32Array(place.buffer, place.byteOffset, kind.layout.byteLength / 4);
  const other = all.findIndex((word) => word !== 0);
  if (other !== -1) {
    const found = `${hex(all[other]!)} at byte ${other * 4}`;
    throw layoutError("format", place, kind.layout, { found, expected: "zeros" });
  }
  fill(place);
  Atomics.store(place.words, MARK, kind.layout.mark);
  return { ...place, events: EventCount.format(...eventsOf(place, kind)) };
}

/**
 * Finds a lock that somebody has made.
 *
 * @throws {LayoutError} If there is none.
 */
export function attachLock(
  memory: Uint8Array<SharedArrayBuffer>,
  kind: LockKind,
  options: LockMemoryOptions,
): FormattedLock {
  const place = placeOf(memory, kind.layout, options);
  const found = Atomics.load(place.words, MARK), { mark } = kind.layout;
  if (found !== mark) {
    const words = { found: `the mark ${hex(found)}`, expected: hex(mark) };
    throw layoutError("attach to", place, kind.layout, words);
  }
  return { ...place, events: EventCount.attach(...eventsOf(place, kind)) };
}

function placeOf(
  memory: Uint8Array<SharedArrayBuffer>,
  { kind, byteLength }: LockLayout,
  { name = kind }: LockMemoryOptions,
): LockPlace {
  const { buffer, byteOffset } = sharedRange(memory, {
    what: `a ${kind}`,
    minBytes: byteLength,
    alignBytes: LOCK_ALIGN_BYTES,
  });
  return { buffer, byteOffset, words: new Int32Array(buffer, byteOffset, MARK + 1), name };
}

function eventsOf(
  { buffer, byteOffset, name }: LockPlace,
  { lookEveryMs }: LockKind,
): Parameters<typeof EventCount.attach> {
  return [buffer, byteOffset + EVENTS_OFFSET, { lookEveryMs, target: name }];
}

/** What is wrong with the memory of a lock. */
export function layoutError(
  action: string,
  { name }: LockPlace,
  { kind }: LockLayout,
  words: { found: string; expected: string },
): LayoutError {
  return new LayoutError({ action: `${action} a ${kind} in`, target: name, ...words });
}

/** A word as errors show it. */
export function hex(word: number): string {
  return `0x${(word >>> 0).toString(16).padStart(8, "0")}`;
}
