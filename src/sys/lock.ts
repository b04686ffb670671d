/** fcntl(2): locks of open file descriptions. The kernel releases one when its owner dies. */

import { C, STRUCTS } from "./abi.ts";
import { Struct } from "./bytes.ts";
import { check, refused } from "./check.ts";
import { ERRNO } from "./errno.ts";
import { sys } from "./load.ts";

const lock = new Struct(STRUCTS.flock.bytes);

/** Says what is asked for: the whole of what is open, or one byte, which need not be there. */
function fill(struct: Struct, type: number, byte: number | undefined): Uint8Array {
  const { l_type, l_start, l_len } = STRUCTS.flock;
  struct.setU16(l_type, type);
  struct.setI64(l_start, byte ?? 0);
  struct.setI64(l_len, byte === undefined ? 0 : 1); // LINUX: 0 is up to any end
  return struct.bytes;
}

/**
 * F_OFD_SETLK: locks the whole of what is open, or one byte of it, for this description of it
 * alone; a message queue can be locked like a file. The kernel releases it when nobody has the
 * description any more: closing the last descriptor does, unless it is mapped somewhere, and so
 * does the end of the process.
 *
 * @param fd A descriptor that may write.
 * @returns False when another description has it, or a part of it.
 */
export function tryLock(fd: number, target: string, byte?: number): boolean {
  fill(lock, C.F_WRLCK, byte);
  const { c, errno } = sys();
  if (c.fcntl_flock(fd, C.F_OFD_SETLK, lock.bytes) === 0) return true;
  const number = errno();
  if (number === ERRNO.EAGAIN || number === ERRNO.EACCES) return false;
  throw refused(number, "fcntl", "lock", target);
}

/** F_OFD_SETLK with F_UNLCK: gives back what this description has locked there, if it has. */
export function unlock(fd: number, target: string, byte?: number): void {
  fill(lock, C.F_UNLCK, byte);
  check(sys().c.fcntl_flock(fd, C.F_OFD_SETLK, lock.bytes), "fcntl", "unlock", target);
}

/**
 * F_OFD_GETLK: whether another description has what is open locked, or that byte of it. It takes
 * nothing, so nobody else's {@linkcode tryLock} fails meanwhile.
 *
 * @param fd A descriptor; it need not be one that may write.
 */
export function isLocked(fd: number, target: string, byte?: number): boolean {
  // The kernel writes into it what it has found.
  const asked = new Struct(STRUCTS.flock.bytes);
  fill(asked, C.F_WRLCK, byte);
  check(sys().c.fcntl_flock(fd, C.F_OFD_GETLK, asked.bytes), "fcntl", "look for a lock of", target);
  return asked.u16(STRUCTS.flock.l_type) !== C.F_UNLCK;
}
