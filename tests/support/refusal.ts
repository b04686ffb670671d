/** What a call gave or how it was refused, in a form that can be compared. */

import { assertThrows } from "../assert.ts";
import { ClosedError, PosixError } from "../../mod.ts";

/** The PosixError that a call throws. */
export function refusal(run: () => unknown): PosixError {
  return assertThrows(run, PosixError);
}

/** What a call gives, or for an expected error its code: a model has the same as plain values. */
export function outcome<T>(call: () => T): T | string {
  try {
    return call();
  } catch (error) {
    if (error instanceof PosixError) return error.code;
    if (error instanceof ClosedError) return "closed";
    if (error instanceof RangeError) return "range";
    throw error;
  }
}

/** A name that no object can have. */
export interface BadName {
  name: string;
  /** The name for the title of a test. */
  shown: string;
  code: string;
  /** A part of the hint. */
  hint: string;
}

/** Names that no object can have; for two of them the answer depends on the kind of object. */
export function badNames(codes: { directory: string; twoSlashes: string }): BadName[] {
  const long = `/${"x".repeat(256)}`;
  return [
    { name: "no-slash", code: "EINVAL", hint: "starts with a slash" },
    { name: "", code: "EINVAL", hint: "starts with a slash" },
    { name: "/", code: codes.directory, hint: "at least one character" },
    { name: "/two/slashes", code: codes.twoSlashes, hint: "one slash" },
    { name: long, shown: "/ and 256 letters", code: "ENAMETOOLONG", hint: "255 bytes" },
  ].map((bad) => ({ shown: JSON.stringify(bad.name), ...bad }));
}
