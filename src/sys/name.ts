/**
 * Names and paths on their way to C: UTF-8 bytes with a NUL at the end.
 *
 * The kernel judges names. Two things it cannot see are judged here: a NUL inside, where C would
 * silently stop reading, and the missing slash, which one C library refuses and another adds.
 */

import { shown } from "./argument.ts";
import { refuse } from "./check.ts";

const encoder = new TextEncoder();

/** A string as C wants it. */
export function cString(text: string): Uint8Array {
  if (typeof text !== "string") {
    throw new TypeError(`Cannot use name ${shown(text)}: expected a string`);
  }
  if (!text.isWellFormed()) {
    throw new TypeError(
      `Cannot use name ${JSON.stringify(text)}: half a surrogate pair has no UTF-8, and would ` +
        "become the name of something else",
    );
  }
  if (text.includes("\0")) {
    throw new TypeError(
      `Cannot use name ${JSON.stringify(text)}: it has a NUL inside, where C would end it`,
    );
  }
  return encoder.encode(`${text}\0`);
}

/** The name of a queue or of shared memory as C wants it. */
export function objectName(name: string, syscall: string, action: string): Uint8Array {
  const bytes = cString(name);
  if (name.startsWith("/")) return bytes;
  throw refuse("EINVAL", syscall, action, name, `a name starts with a slash: "/${name}"`);
}

/** What is wrong with a name, for the codes that a name can cause. */
export function nameHint(name: string, code: string): string | undefined {
  if (code === "ENAMETOOLONG" || encoder.encode(name).byteLength > 256) {
    return "a name has at most 255 bytes after its slash";
  }
  if (name === "/") return "a name has at least one character after its slash";
  if (name === "/." || name === "/..") return "this name stands for a directory; choose another";
  if (name.includes("/", 1)) return "a name has one slash, at its start";
  return undefined;
}

/**
 * Makes a name that no other object has, for a queue or for shared memory.
 *
 * @example A queue for one run
 * ```ts
 * import { assert } from "@std/assert";
 * import { uniqueName } from "@postbox/postbox";
 *
 * assert(uniqueName("work").startsWith("/work-"));
 * assert(uniqueName("work") !== uniqueName("work"));
 * ```
 *
 * @param prefix What the name begins with; the slash is added.
 * @returns A slash, the prefix, a dash and a random UUID: 38 bytes and the prefix's.
 */
export function uniqueName(prefix: string): string {
  return `/${prefix}-${crypto.randomUUID()}`;
}
