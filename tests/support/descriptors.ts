/** Descriptors of this process, as /proc shows them. */

import { PosixError } from "../../mod.ts";
import { readLink } from "../../src/sys/mod.ts";

/** Whether a descriptor is open. */
export function isOpen(fd: number): boolean {
  try {
    readLink(`/proc/self/fd/${fd}`);
    return true;
  } catch (error) {
    if (error instanceof PosixError && error.code === "ENOENT") return false;
    throw error;
  }
}
