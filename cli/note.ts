/**
 * Notes on standard error: what went wrong, and what is worth knowing of what went well.
 *
 * Rule: a note never changes what a command does; nobody may be listening.
 */

import { blocking } from "./blocking.ts";
import { printable } from "./table.ts";

const STDERR = 2;

/** Writes a note. Its lines are ours; names in it are others', so no other control is passed on. */
export function note(text: string): void {
  try {
    const lines = text.split("\n").map((line) => `${printable(line)}\n`).join("");
    const bytes = new TextEncoder().encode(lines);
    const { writeSync } = globalThis.process.getBuiltinModule("node:fs"); // not before it is needed
    for (let done = 0; done < bytes.byteLength;) {
      done += blocking(() => writeSync(STDERR, bytes, done));
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error; // nowhere to say that there is nowhere to say it
  }
}
