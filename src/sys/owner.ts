/**
 * Whose an opened object is: names are first come, first served, in places where anybody may
 * write, so what is opened by name may have been planted by somebody else.
 */

import { shown } from "./argument.ts";
import { refuse } from "./check.ts";
import { type FileStatus, readText, statx } from "./file.ts";
import { geteuid } from "./process.ts";

/** Who may own an object that is opened by name: `self`, this user, or `any`. */
export type Owner = "self" | "any";

/** Refuses what is no {@linkcode Owner}, before anything is opened. */
export function checkOwnerOption(owner: Owner): void {
  if (owner === "self" || owner === "any") return;
  throw new TypeError(`Cannot use owner ${shown(owner)}: expected "self" or "any"`);
}

/**
 * Looks at an open object and refuses it when it belongs to another user.
 *
 * Looking at the descriptor, not at the name, leaves no time in between to swap the object.
 */
export function checkOwner(fd: number, owner: Owner, kind: string, name: string): FileStatus {
  const status = statx(fd, name);
  const self = geteuid();
  if (owner === "any" || (status.uid === self && isMapped(self))) return status;
  const whose = status.uid === self
    ? `it belongs to a user who has no number in this user namespace, nor have you`
    : `it belongs to user ${status.uid} and you are user ${self}`;
  throw refuse(
    "EACCES",
    "statx",
    `open ${kind}`,
    name,
    `${whose}; if that is meant, open it with owner: "any"`,
  );
}

/**
 * Whether a user number stands for one user.
 *
 * LINUX: user_namespaces(7) shows everybody who is not mapped by one number, the overflow uid.
 */
function isMapped(uid: number): boolean {
  if (uid === 0) return true;
  if (uid !== Number(readText("/proc/sys/kernel/overflowuid"))) return true;
  return readText("/proc/self/uid_map").trim().split("\n").some((line) => {
    const [inside = 0, , count = 0] = line.trim().split(/\s+/).map(Number);
    return uid >= inside && uid < inside + count;
  });
}
