/**
 * The bytes that a caller passes in: their true length, and their words where the same array comes
 * again.
 *
 * Rule: lengths are the engine's. To ask for them, and to make a view of the words, costs as much
 * as to copy 64 bytes, so it is done once for an array that comes again and again.
 */

import { BUFFER, BYTE_OFFSET, byteLengthOf } from "../sys/mod.ts";

/** Up to so many bytes a loop over words takes less time than `set`. */
const WORD_LOOP_BYTES = 128;

const NO_WORDS = new Int32Array(0);

const { set: SET, slice: SLICE } = Uint8Array.prototype;

/** The array that was passed in last. */
export class CallersBytes {
  bytes: Uint8Array = new Uint8Array(0);
  /** Its true length. */
  byteLength = 0;
  /** Its first words, where it came before and begins at one. */
  #words: Int32Array = NO_WORDS;
  #cameBefore = true;

  /**
   * Looks at an array.
   *
   * @throws {TypeError} If it only looks like one, or its bytes are gone.
   */
  look(bytes: Uint8Array): void {
    // Its length is asked for again: the bytes of an array can go.
    if (bytes === this.bytes && bytes.length === this.byteLength) {
      if (!this.#cameBefore) this.#seeWords();
      return;
    }
    this.byteLength = byteLengthOf(bytes);
    this.bytes = bytes;
    this.#words = NO_WORDS;
    this.#cameBefore = false;
  }

  /** The same bytes, out of the caller's reach. */
  copy(): CallersBytes {
    const copy = new CallersBytes();
    copy.look(SLICE.call(this.bytes));
    return copy;
  }

  #seeWords(): void {
    this.#cameBefore = true;
    const byteOffset = BYTE_OFFSET.call(this.bytes);
    if (byteOffset % 4 !== 0) return;
    const count = Math.min(this.byteLength, WORD_LOOP_BYTES) >> 2;
    this.#words = new Int32Array(BUFFER.call(this.bytes), byteOffset, count);
  }

  /** Copies all of it to a place, a multiple of 4 bytes. */
  copyTo(bytes: Uint8Array, words: Int32Array, at: number): void {
    const from = this.#words;
    if (from.length << 2 === this.byteLength) {
      const first = at >> 2;
      for (let i = 0; i < from.length; i++) words[first + i] = from[i]!;
    } else bytes.set(this.bytes, at);
  }

  /** Copies so many bytes, which it has room for, from a place, a multiple of 4 bytes. */
  copyFrom(bytes: Uint8Array, words: Int32Array, at: number, byteLength: number): void {
    const to = this.#words, count = byteLength >> 2;
    if (count << 2 === byteLength && count <= to.length) {
      const first = at >> 2;
      for (let i = 0; i < count; i++) to[i] = words[first + i]!;
    } else SET.call(this.bytes, bytes.subarray(at, at + byteLength));
  }
}
