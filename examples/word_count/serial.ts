/**
 * The plain count that the shared one must equal: one process, one file after the other.
 *
 * Rule: shares no code with the rest, nor its way to the bytes: it reads by node:fs and splits by
 * a regular expression. A word is a run of `A-Z a-z 0-9 _` and bytes from 0x80, at most 65 535
 * bytes long, with A-Z as a-z.
 */

import { Buffer } from "node:buffer";
import { closeSync, openSync, readSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

const CHUNK_BYTES = 1 << 20;
const LONGEST_WORD = 65_535;

/** How the count is watched and stopped. */
export interface SerialOptions {
  /** Stops it; looked at after each chunk. */
  signal?: AbortSignal | undefined;
  /** Told the bytes read so far, after each chunk. */
  onProgress?: ((bytes: number) => void) | undefined;
}

/** Counts the words of all files. Words are strings with one character a byte. */
export async function countSerially(
  paths: readonly string[],
  { signal, onProgress }: SerialOptions = {},
): Promise<Map<string, number>> {
  const words = new Map<string, number>();
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let bytes = 0, bytesAtPause = 0;
  for (const path of paths) {
    const fd = openSync(path, "r");
    try {
      let unfinished = ""; // the run at the end of the last chunk, which may go on in the next
      for (;;) {
        const length = readSync(fd, chunk, 0, CHUNK_BYTES, null);
        if (length === 0) break;
        const text = unfinished + foldedText(chunk.subarray(0, length));
        let end = text.length;
        while (end > 0 && /[a-z0-9_\x80-\xff]/.test(text[end - 1]!)) end--;
        add(words, text.slice(0, end));
        // One byte too long is enough to know that it is no word.
        unfinished = text.slice(end, end + LONGEST_WORD + 1);
        bytes += length;
        if (bytes - bytesAtPause >= CHUNK_BYTES) {
          bytesAtPause = bytes;
          onProgress?.(bytes);
          await delay(0); // lets Ctrl-C in
          signal?.throwIfAborted();
        }
      }
      add(words, unfinished);
    } finally {
      closeSync(fd);
    }
  }
  return words;
}

function add(words: Map<string, number>, text: string): void {
  for (const word of text.match(/[a-z0-9_\x80-\xff]+/g) ?? []) {
    if (word.length > LONGEST_WORD) continue;
    const count = words.get(word);
    if (count !== undefined) words.set(word, count + 1);
    // A copy: what a regular expression gives can keep the whole text in memory.
    else words.set(Buffer.from(word, "latin1").toString("latin1"), 1);
  }
}

/** One character a byte, A-Z as a-z. Not toLowerCase(): that changes bytes from 0x80 too. */
function foldedText(bytes: Buffer): string {
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte >= 65 && byte <= 90) bytes[at] = byte + 32;
  }
  return bytes.toString("latin1");
}
