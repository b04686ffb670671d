/** fcntl(2): locks of open file descriptions. The kernel releases one when its owner dies. */

import { C, STRUCTS } from "./abi.ts";
import { Struct } from "./bytes.ts";
import { check, refused } from "./check.ts";
import { ERRNO } from "./errno.ts";
import { sys } from "./load.ts";

const lock = new Struct(STRUCTS.flock.bytes);

/**
 * F_OFD_SETLK: locks the whole of what is open, for this description of it alone; a message queue
 * can be locked like a file. Closing the last descriptor releases it, and so does the end of the
 * process.
 *
 * @param fd A descriptor that may write.
 * @returns False when another description has it.
 */
export function tryLock(fd: number, target: string): boolean {
  lock.setU16(STRUCTS.flock.l_type, C.F_WRLCK);
  const { c, errno } = sys();
  if (c.fcntl_flock(fd, C.F_OFD_SETLK, lock.bytes) === 0) return true;
  const number = errno();
  if (number === ERRNO.EAGAIN || number === ERRNO.EACCES) return false;
  throw refused(number, "fcntl", "lock", target);
}

/** F_OFD_SETLK with F_UNLCK: gives back what this description has locked, if it has. */
export function unlock(fd: number, target: string): void {
  lock.setU16(STRUCTS.flock.l_type, C.F_UNLCK);
  check(sys().c.fcntl_flock(fd, C.F_OFD_SETLK, lock.bytes), "fcntl", "unlock", target);
}

/**
 * F_OFD_GETLK: whether another description has what is open locked. It takes nothing, so nobody
 * else's {@linkcode tryLock} fails meanwhile.
 *
 * @param fd A descriptor; it need not be one that may write.
 */
export function isLocked(fd: number, target: string): boolean {
  const asked = new Struct(STRUCTS.flock.bytes); // the kernel writes into it
  asked.setU16(STRUCTS.flock.l_type, C.F_WRLCK);
  check(sys().c.fcntl_flock(fd, C.F_OFD_GETLK, asked.bytes), "fcntl", "look for a lock of", target);
  return asked.u16(STRUCTS.flock.l_type) !== C.F_UNLCK;
}
