/**
 * Room for an object: refused in words before the system refuses it with a signal.
 *
 * LINUX: a page that cannot be had when it is first touched is SIGBUS, a write past RLIMIT_FSIZE
 * is SIGXFSZ, more pages than the machine has are SIGKILL, and all end the process. So pages are
 * allocated up front, and the limits are asked before.
 */

import { C, getrlimit, posixFallocate, refuse, statx, wholeNumber } from "../sys/mod.ts";
import { availableMemoryBytes } from "./available.ts";

/** Below this an allocation cannot be what exhausts the machine, and the question costs more. */
const LARGE_BYTES = 16 * 1024 * 1024;

/** Left to everybody else: an object that grows in small steps must not take the last page. */
const SPARE_BYTES = 32 * 1024 * 1024;

/** Makes an object at least `byteLength` long, with its pages. Never shrinks. */
export function allocate(fd: number, byteLength: number, target: string): void {
  if (byteLength === 0) return;
  checkFileSizeLimit(byteLength, "allocate memory", target);
  if (byteLength >= LARGE_BYTES) checkMemory(fd, byteLength, target);
  posixFallocate(fd, byteLength, target, spaceHint);
}

function checkMemory(fd: number, byteLength: number, target: string): void {
  const missing = byteLength - statx(fd, target).allocatedBytes;
  const available = Math.max(0, availableMemoryBytes() - SPARE_BYTES);
  if (missing <= available) return;
  throw refuse(
    "ENOMEM",
    "posix_fallocate",
    "allocate memory",
    target,
    `${missing} bytes are needed and ${available} can be had (MemAvailable and SwapFree of ` +
      "/proc/meminfo, limits of the control group, less a reserve); make it smaller, or give the " +
      "machine or the container more",
  );
}

/** Refuses an end that RLIMIT_FSIZE does not allow. */
export function checkFileSizeLimit(endOffset: number, action: string, target: string): void {
  const { soft } = getrlimit(C.RLIMIT_FSIZE);
  if (endOffset <= soft) return;
  throw refuse(
    "EFBIG",
    "getrlimit",
    action,
    target,
    `RLIMIT_FSIZE allows files of ${soft} bytes and ${endOffset} are needed; raise it: ulimit -f`,
  );
}

/** The way out when an object got no room. */
export function spaceHint(code: string): string | undefined {
  switch (code) {
    case "ENOSPC":
      return "the file system is full (df -h /dev/shm); unlink what is not needed (postbox shm ls) " +
        "or enlarge it as root: mount -o remount,size=4G /dev/shm";
    case "EPERM":
      return "its seals do not allow it";
    case "EBADF":
      return 'it was opened with access: "r"';
  }
  return undefined;
}

/** A length or an offset: whole and not negative, or the kernel would see another number. */
export function byteCount(name: string, value: number): number {
  return wholeNumber(value, { name, min: 0 });
}
