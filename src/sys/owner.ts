/**
 * Whose an opened object is: names are first come, first served, in places where anybody may
 * write, so what is opened by name may have been planted by somebody else.
 */

import { refuse } from "./check.ts";
import { type FileStatus, statx } from "./file.ts";
import { geteuid } from "./process.ts";

/** Who may own an object that is opened by name: `self`, this user, or `any`. */
export type Owner = "self" | "any";

/**
 * Looks at an open object and refuses it when it belongs to another user.
 *
 * Looking at the descriptor, not at the name, leaves no time in between to swap the object.
 */
export function checkOwner(fd: number, owner: Owner, kind: string, name: string): FileStatus {
  const status = statx(fd, name);
  const self = geteuid();
  if (owner === "any" || status.uid === self) return status;
  throw refuse(
    "EACCES",
    "statx",
    `open ${kind}`,
    name,
    `it belongs to user ${status.uid} and you are user ${self}; if that is meant, open it with ` +
      'owner: "any"',
  );
}
