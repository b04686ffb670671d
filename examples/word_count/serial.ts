/**
 * The plain count that the shared one must equal: one process, one file after the other.
 *
 * Rule: shares no code with the rest, nor its way to the bytes: it reads by node:fs and splits by
 * a regular expression. A word is a run of `A-Z a-z 0-9 _` and bytes from 0x80, at most 65 535
 * bytes long, with A-Z as a-z.
 */

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
  const chunk = new Uint8Array(CHUNK_BYTES);
  let bytes = 0, bytesAtPause = 0;
  for (const path of paths) {
    const fd = openSync(path, "r");
    try {
      let unfinished = ""; // the run at the end of the last chunk, which may go on in the next
      for (;;) {
        const length = readSync(fd, chunk, 0, CHUNK_BYTES, null);
        if (length === 0) break;
        const text = unfinished + latin1(chunk.subarray(0, length));
        const end = text.search(/[A-Za-z0-9_\x80-\xff]*$/);
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
  for (const [run] of text.matchAll(/[A-Za-z0-9_\x80-\xff]+/g)) {
    if (run.length > LONGEST_WORD) continue;
    // Not toLowerCase(): it would change bytes from 0x80 too.
    const word = run.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
    words.set(word, (words.get(word) ?? 0) + 1);
  }
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return text;
}
