/** The actor that counts: it lives in a worker or in a process, and cannot tell which. */

import { Buffer } from "node:buffer";
import process from "node:process";
import { actor, MappedFile } from "../../mod.ts";
import { FOLD, MAX_WORD_BYTES } from "./pieces.ts";
import { WordCounter, type Words } from "./protocol.ts";

export default actor(import.meta, WordCounter, (context, init: { paths: readonly string[] }) => {
  const files = new Map<number, MappedFile>();
  context.onStop(() => files.forEach((file) => file.close()));

  /** Maps a file when its first byte is needed. */
  function bytesOf(file: number): Uint8Array {
    let mapped = files.get(file);
    if (mapped === undefined) files.set(file, mapped = MappedFile.open(init.paths[file]!));
    return mapped.bytes;
  }

  return {
    count({ file, offset, byteLength }) {
      const bytes = bytesOf(file).subarray(offset, offset + byteLength);
      if (bytes.byteLength === byteLength) return wordsIn(bytes);
      throw new RangeError( // which rejects the ask, and the actor lives on
        `Cannot count "${init.paths[file]}": it has got shorter, expected ${byteLength} bytes at ` +
          `${offset}`,
      );
    },
    who: () => ({ pid: process.pid }),
  };
});

/** Counts the words of some bytes. */
export function wordsIn(bytes: Uint8Array): Words {
  const words = new Map<string, number>();
  const folded = Buffer.from(bytes);
  for (let at = 0; at < folded.length; at++) folded[at] = FOLD[folded[at]!]!;
  for (const word of folded.toString("latin1").split("\0")) { // what separates words is folded to 0
    if (word === "" || word.length > MAX_WORD_BYTES) continue;
    words.set(word, (words.get(word) ?? 0) + 1);
  }
  return words;
}
