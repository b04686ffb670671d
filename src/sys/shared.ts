/**
 * Shared memory that a caller passes in: judged once, then known by its buffer and its place in it.
 *
 * Rule: nothing of ours stores, locks or waits in a read-only handle's memory. That is a private
 * mapping: what is written there reaches nobody, and freezes the page.
 */

import { shown, wholeNumber } from "./argument.ts";
import { BUFFER, BYTE_LENGTH, BYTE_OFFSET } from "./bytes.ts";

/** Some bytes of shared memory. */
export interface SharedRange {
  readonly buffer: SharedArrayBuffer;
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** What memory must be, to be used for something. */
export interface SharedRangeRule {
  /** What it is for, in errors: `a mutex`. */
  what: string;
  minBytes: number;
  /** A power of two. */
  alignBytes: number;
}

/** The buffers over which something is mapped that this thread may only read. */
const readOnly = new WeakSet<ArrayBufferLike>();

/** Says that a buffer shows what this thread may only read. */
export function markReadOnly(buffer: SharedArrayBuffer): void {
  readOnly.add(buffer);
}

/** Whether a buffer shows what this thread may only read. */
export function isReadOnly(buffer: SharedArrayBuffer): boolean {
  return readOnly.has(buffer);
}

/**
 * Where the bytes are that a caller passes in.
 *
 * @throws {TypeError} If they are not in a SharedArrayBuffer, or in that of a read-only handle.
 * @throws {RangeError} If there are too few, or they begin at the wrong place.
 */
export function sharedRange(
  memory: Uint8Array<SharedArrayBuffer>,
  { what, minBytes, alignBytes }: SharedRangeRule,
): SharedRange {
  const cannot = `Cannot use the memory for ${what}`;
  let buffer: unknown, byteOffset: number, byteLength: number;
  try {
    buffer = BUFFER.call(memory);
    byteOffset = BYTE_OFFSET.call(memory);
    byteLength = BYTE_LENGTH.call(memory);
  } catch (cause) {
    const found = `it is ${shown(memory)}`;
    throw new TypeError(`${cannot}: ${found}, expected a Uint8Array of a SharedArrayBuffer`, {
      cause,
    });
  }
  if (!(buffer instanceof SharedArrayBuffer)) {
    // It may move or go, and addresses in it are given to the kernel and to other processes.
    throw new TypeError(`${cannot}: its buffer is not shared, expected a SharedArrayBuffer`);
  }
  if (readOnly.has(buffer)) {
    throw new TypeError(`${cannot}: it is a read-only handle's, expected access "rw"`);
  }
  wholeNumber(byteLength, { name: `byteLength of the memory for ${what}`, min: minBytes });
  if (byteOffset % alignBytes !== 0) {
    throw new RangeError(
      `${cannot}: it begins at byte ${byteOffset} of its buffer, expected a multiple of ${alignBytes}`,
    );
  }
  return { buffer, byteOffset, byteLength };
}
