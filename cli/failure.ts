/**
 * What went wrong, as a user of the command line reads it, and the exit code.
 *
 * Loaded only when something went wrong. A hint that speaks of the API is told in flags here.
 * Rule: wrong usage is not told here. The parser and the commands find it in the words alone, as a
 * UsageError; what the library throws is a refusal, whatever its class, for it depends on the object.
 */

import { PosixError } from "../src/mq/mod.ts";
import { note } from "./note.ts";
import { BrokenPipe } from "./stdio.ts";
import { printable } from "./table.ts";

const REFUSED = 1;

/** Writes the message, code and hint to standard error and gives the exit code. */
export function report(error: unknown): number {
  // Whoever closed the pipe has what it wanted.
  if (error instanceof BrokenPipe) return 0;
  note(`postbox: ${explain(error)}`);
  return REFUSED;
}

/** The message, with a hint in terms of the command line. */
export function explain(error: unknown): string {
  if (!(error instanceof PosixError)) return error instanceof Error ? error.message : String(error);
  const theirs = error.hint === undefined ? 0 : `\nHint: ${error.hint}`.length;
  const message = error.message.slice(0, error.message.length - theirs);
  const hint = hintFor(error) ?? error.hint;
  // Each is one line, also when it quotes a name that has several.
  return hint === undefined
    ? printable(message)
    : `${printable(message)}\nHint: ${printable(hint)}`;
}

function hintFor({ code, syscall, target, hint }: PosixError): string | undefined {
  // The owner check of an opened object is the only look at one that is refused like this.
  if (code === "EACCES" && syscall === "statx") {
    return "it belongs to somebody else; if that is meant, add --owner any";
  }
  if (code === "EEXIST") {
    return "unlink it first, or add --if-missing to use the one that is there";
  }
  if (code === "ENOENT" && target.startsWith("/") && target !== "/") {
    if (syscall.startsWith("mq_")) return "postbox mq ls shows what there is";
    if (syscall.startsWith("shm_")) return "postbox shm ls shows what there is";
  }
  if (hint === undefined && (code === "EACCES" || code === "EPERM")) {
    if (syscall.startsWith("mq_")) {
      return "as root, postbox mq ls shows the owner and the mode";
    }
    if (syscall.startsWith("shm_")) return "postbox shm ls shows the owner and the mode";
  }
  return undefined;
}
