/** sys/mman.h and posix_fallocate(3): one thin function per C function. Convert, call, check. */

import { C } from "./abi.ts";
import { byteLengthOf, settle, size } from "./bytes.ts";
import { check, type Hint, refused } from "./check.ts";
import { ERRNO } from "./errno.ts";
import { sys } from "./load.ts";
import { cString, objectName } from "./name.ts";

/** shm_open(3). The mode counts only with O_CREAT. */
export function shmOpen(name: string, flags: number, mode: number, hint: Hint): number {
  const action = flags & C.O_CREAT ? "create memory" : "open memory";
  const bytes = objectName(name, "shm_open", action);
  return check(sys().c.shm_open(bytes, flags, mode), "shm_open", action, name, hint);
}

/** shm_unlink(3) */
export function shmUnlink(name: string, hint: Hint): void {
  const bytes = objectName(name, "shm_unlink", "unlink memory");
  check(sys().c.shm_unlink(bytes), "shm_unlink", "unlink memory", name, hint);
}

/** memfd_create(2) */
export function memfdCreate(label: string, flags: number, target: string): number {
  const bytes = cString(label);
  return check(sys().c.memfd_create(bytes, flags), "memfd_create", "create memory", target);
}

/**
 * posix_fallocate(3) from 0: makes the object at least `byteLength` long and gives it its pages.
 *
 * Never shrinks anything, so two processes that grow one object cannot take from each other.
 */
export function posixFallocate(fd: number, byteLength: number, target: string, hint: Hint): void {
  const { c } = sys();
  const length = BigInt(byteLength);
  // LINUX: a signal interrupts a long allocation, which then gives back what it took; once more.
  for (;;) {
    const errno = c.posix_fallocate(fd, 0n, length);
    if (errno === 0) return;
    if (errno === ERRNO.EINTR) continue;
    throw refused(errno, "posix_fallocate", "allocate memory", target, hint);
  }
}

/** What a mapping is made from; `undefined` stands for zero pages that belong to nobody. */
export interface Mapping {
  fd: number | undefined;
  flags: number;
  offset: number;
}

/**
 * mmap(2) with MAP_FIXED, readable and writable.
 *
 * SAFETY: replaces whatever is at the address. The caller owns the address range: it is the
 * reservation of a SharedArrayBuffer that the caller references.
 */
export function mmapFixed(
  address: bigint,
  byteLength: number,
  mapping: Mapping,
  target: string,
): void {
  const { fd, flags, offset } = mapping;
  const { c } = sys();
  const all = flags | C.MAP_FIXED | (fd === undefined ? C.MAP_ANONYMOUS : 0);
  const protection = C.PROT_READ | C.PROT_WRITE;
  const length = BigInt(byteLength), from = BigInt(offset);
  check(
    c.mmap_fixed(address, length, protection, all, fd ?? -1, from),
    "mmap",
    "map memory",
    target,
  );
}

/**
 * mremap(2) of an old size of 0: a second mapping of pages that processes share.
 *
 * SAFETY: the address is that of a page that the caller keeps mapped meanwhile. The new mapping is
 * the caller's, until {@linkcode munmap}.
 *
 * @returns Where it is; `undefined` when the pages are not shared.
 */
export function mremapShared(
  address: bigint,
  byteLength: number,
  target: string,
): bigint | undefined {
  const { c, errno } = sys();
  const length = BigInt(byteLength);
  // A result of 64 bits: making the BigInt can in theory cost errno, and with it the right words.
  const mapped = BigInt.asIntN(64, c.mremap(address, 0n, length, C.MREMAP_MAYMOVE));
  if (mapped !== -1n) return mapped;
  const number = errno();
  // LINUX: mremap(2): with an old size of 0 a private mapping is refused.
  if (number === ERRNO.EINVAL) return undefined;
  throw refused(number, "mremap", "map memory", target);
}

/**
 * munmap(2)
 *
 * SAFETY: nobody uses the pages any more; never those of a SharedArrayBuffer.
 */
export function munmap(address: bigint, byteLength: number, target: string): void {
  check(sys().c.munmap(address, BigInt(byteLength)), "munmap", "unmap memory", target);
}

/**
 * mlock(2): the pages are in memory from now on, and stay there as long as they are mapped here.
 *
 * @returns False where this process may not: RLIMIT_MEMLOCK, and no CAP_IPC_LOCK.
 */
export function mlock(bytes: Uint8Array, target: string): boolean {
  const { c, errno, addressOf, word } = sys();
  settle(bytes);
  if (c.mlock(word(addressOf(bytes)), size(byteLengthOf(bytes))) === 0) return true;
  const number = errno();
  // LINUX: mlock(2): over the limit, with a limit of 0, some pages could not be had at once.
  if (number === ERRNO.ENOMEM || number === ERRNO.EPERM || number === ERRNO.EAGAIN) return false;
  throw refused(number, "mlock", "lock memory", target);
}

/** msync(2): back only when everything is written. */
export function msync(address: bigint, byteLength: number, target: string): void {
  const length = BigInt(byteLength);
  check(sys().c.msync(address, length, C.MS_SYNC), "msync", "flush", target);
}

/** fcntl(2) F_ADD_SEALS */
export function addSeals(fd: number, seals: number, target: string): void {
  check(sys().c.fcntl(fd, C.F_ADD_SEALS, seals), "fcntl", "seal memory", target);
}

/** fcntl(2) F_GET_SEALS; `undefined` when the descriptor can have none. */
export function getSeals(fd: number, target: string): number | undefined {
  const { c, errno } = sys();
  const seals = c.fcntl(fd, C.F_GET_SEALS, 0);
  if (seals !== -1) return seals;
  const number = errno();
  if (number === ERRNO.EINVAL) return undefined;
  throw refused(number, "fcntl", "read the seals of", target);
}
