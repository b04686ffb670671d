/**
 * What a word is, and how a file is cut into pieces without cutting a word.
 *
 * A word is a run of the bytes `A-Z a-z 0-9 _` and of everything from 0x80 up, so UTF-8 letters
 * belong to it whatever they are; A-Z count as a-z. A run longer than 65 535 bytes is no word.
 *
 * ```text
 *             pieceBytes         pieceBytes
 *          |<----------->|    |<----------->|
 * bytes    one two three_four five six sevenn eight
 *          [ piece 0         ][ piece 1     ][ piece 2
 *                        ^--- moved on to the next byte that is in no word
 * ```
 */

/** The longest run that is a word. */
export const MAX_WORD_BYTES = 0xffff;

/** Per byte: what it counts as inside a word, or 0 for one that separates words. */
export const FOLD: Uint8Array = foldTable();

function foldTable(): Uint8Array {
  const fold = new Uint8Array(256);
  for (let byte = 0x80; byte <= 0xff; byte++) fold[byte] = byte;
  for (const letter of "abcdefghijklmnopqrstuvwxyz0123456789_") {
    fold[letter.charCodeAt(0)] = letter.charCodeAt(0);
    fold[letter.toUpperCase().charCodeAt(0)] = letter.charCodeAt(0);
  }
  return fold;
}

/** A part of one file that begins and ends where no word is. */
export interface Piece {
  /** Which file, by its place in the list. */
  file: number;
  /** Where it begins in that file, in bytes. */
  offset: number;
  byteLength: number;
}

/** Cuts a file. Every byte is in exactly one piece; an empty file has none. */
export function* cut(file: number, bytes: Uint8Array, pieceBytes: number): Generator<Piece> {
  for (let offset = 0; offset < bytes.byteLength;) {
    let end = Math.min(offset + pieceBytes, bytes.byteLength);
    while (end < bytes.byteLength && FOLD[bytes[end]!] !== 0) end++;
    yield { file, offset, byteLength: end - offset };
    offset = end;
  }
}
