/** The schema of tests that are about something else: whatever comes is what it is said to be. */

import type { StandardSchema } from "../../src/actor/mod.ts";

/** Takes everything; its type is the caller's word. */
export function plain<T>(): StandardSchema<T, T> {
  const validate = (value: unknown) => ({ value: value as T });
  return { "~standard": { version: 1, vendor: "test", validate } };
}
