/**
 * Notes on standard error: what went wrong, and what is worth knowing of what went well.
 *
 * Rule: a note never changes what a command does; nobody may be listening.
 */

import { printable } from "./table.ts";

/** Writes a note. Its lines are ours; names in it are others', so no other control is passed on. */
export function note(text: string): void {
  try {
    console.error(text.split("\n").map(printable).join("\n"));
  } catch (error) {
    if (!(error instanceof Error)) throw error; // nowhere to say that there is nowhere to say it
  }
}
