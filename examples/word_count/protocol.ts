/**
 * What is said: a piece of a file goes to who counts, its words come back.
 *
 * Rule: every word of it is data. A file is told by its place in a list that each counter was given
 * at its start.
 */

import { f64, msg, protocol, type StandardSchema, struct, u32 } from "../../mod.ts";

/** Words and how often they come. A word is a string with one character a byte. */
export type Words = ReadonlyMap<string, number>;

/** A part of a file. C reads it, too, so it is a struct; f64 holds whole numbers up to 2 ** 53. */
export const PieceStruct = struct("piece", { file: u32, offset: f64, byteLength: f64 });

/** Any library of schemas does; this is what they have in common, written by hand. */
const wordsSchema: StandardSchema<Words> = {
  "~standard": {
    version: 1,
    vendor: "word_count",
    validate: (value) =>
      isWords(value) ? { value } : { issues: [{ message: "expected a map of words to counts" }] },
  },
};

function isWords(value: unknown): value is Words {
  if (!(value instanceof Map)) return false;
  for (const [word, count] of value) {
    if (typeof word !== "string" || !Number.isSafeInteger(count) || count < 1) return false;
  }
  return true;
}

/** What a counter in JavaScript understands, in a worker as in a process. */
export const WordCounter = protocol("word-counter", {
  /** Counts a piece. A reply of some kilobytes goes through shared memory by itself. */
  count: msg(PieceStruct).reply(wordsSchema),
  /** Says who it is. */
  who: msg().reply(struct("who", { pid: u32 })),
});

/** What the counter in C understands: the words are in memory that it shares with its asker. */
export const SharedWordCounter = protocol("shared-word-counter", {
  count: msg(PieceStruct).reply(struct("written", { byteLength: u32 })),
});
