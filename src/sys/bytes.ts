/**
 * Bytes on their way to C: lengths that nobody can forge, and structs as buffers.
 *
 * Rule: C is told how long a view is by the engine, never by the view. A subclass, or a property
 * of its own, may say anything, and C would believe it and write past the end.
 */

import { sys } from "./load.ts";
import type { Word } from "./port.ts";

/** A `size_t`. */
export function size(value: number): Word {
  return sys().word(value);
}

const VIEW = Object.getPrototypeOf(Uint8Array.prototype) as object;

function intrinsic(name: "buffer" | "byteOffset" | "byteLength"): () => unknown {
  return Object.getOwnPropertyDescriptor(VIEW, name)!.get!;
}

/** What the engine says of a view. */
export const BUFFER = intrinsic("buffer") as () => ArrayBufferLike;
export const BYTE_OFFSET = intrinsic("byteOffset") as () => number;
export const BYTE_LENGTH = intrinsic("byteLength") as () => number;

/**
 * The true length of a view.
 *
 * @throws {TypeError} If it only looks like one, or if its buffer is detached or became too short.
 */
export function byteLengthOf(view: Uint8Array): number {
  const byteLength = BYTE_LENGTH.call(view);
  // An engine's own method tells a view without bytes from one whose bytes are gone.
  if (byteLength === 0) Uint8Array.prototype.at.call(view, 0);
  return byteLength;
}

/** Puts the bytes of a view where they stay: engines may keep few of them in their heap at first. */
export function settle(view: Uint8Array): void {
  BUFFER.call(view);
}

/** The bytes of a view from `start` on, without calling anything of the view's. */
export function rest(view: Uint8Array, start: number): Uint8Array {
  if (start === 0) return view;
  return new Uint8Array(
    BUFFER.call(view),
    BYTE_OFFSET.call(view) + start,
    BYTE_LENGTH.call(view) - start,
  );
}

/** Memory for a struct, seen as bytes for C and as fields for us. Fields are little-endian. */
export class Struct {
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(byteLength: number) {
    this.bytes = new Uint8Array(byteLength);
    this.#view = new DataView(this.bytes.buffer);
  }

  u16(offset: number): number {
    return this.#view.getUint16(offset, true);
  }

  u32(offset: number): number {
    return this.#view.getUint32(offset, true);
  }

  /** An unsigned 64-bit field; what no Number holds exactly is far above any limit here. */
  u64(offset: number): number {
    return Number(this.#view.getBigUint64(offset, true));
  }

  setU16(offset: number, value: number): void {
    this.#view.setUint16(offset, value, true);
  }

  setI32(offset: number, value: number): void {
    this.#view.setInt32(offset, value, true);
  }

  setI64(offset: number, value: number): void {
    this.#view.setBigInt64(offset, BigInt(value), true);
  }
}
