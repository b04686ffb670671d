/**
 * semaphore.h: semaphores in shared memory, and those with a name. One thin function per C function.
 *
 * SAFETY: an address is that of a semaphore in memory that the caller keeps mapped.
 */

import { C } from "./abi.ts";
import { check, type Hint, refused } from "./check.ts";
import { timeIn } from "./clock.ts";
import { ERRNO } from "./errno.ts";
import { sys } from "./load.ts";
import { cString, nameHint, objectName } from "./name.ts";
import type { Word } from "./port.ts";

/** sem_init(3), for any process. */
export function semInit(address: bigint, value: number, target: string): void {
  check(sys().c.sem_init(address, 1, value), "sem_init", "make semaphore", target);
}

/** sem_open(3). Mode and value count only with O_CREAT. Gives its address. */
export function semOpen(
  name: string,
  flags: number,
  { mode, value }: { mode: number; value: number },
  hint: Hint,
): bigint {
  const action = flags & C.O_CREAT ? "create semaphore" : "open semaphore";
  const bytes = objectName(name, "sem_open", action);
  const { c, errno } = sys();
  // A result of 64 bits: making the BigInt can in theory cost errno, and with it the right words.
  const address = c.sem_open(bytes, flags, mode, value);
  if (address !== 0n) return address; // SEM_FAILED is 0
  throw refused(errno(), "sem_open", action, name, hint);
}

/** The longest name, in bytes after its slash: the C library puts "sem." before it. */
const MAX_NAME_BYTES = 251;

/** The way out where a name is refused. */
export function semNameHint(name: string, code: string): string | undefined {
  if (code === "ENAMETOOLONG" || new TextEncoder().encode(name).byteLength > MAX_NAME_BYTES + 1) {
    return `the name of a semaphore has at most ${MAX_NAME_BYTES} bytes after its slash`;
  }
  return nameHint(name, code);
}

/**
 * Opens the file that a semaphore with a name is in, to look whose it is.
 *
 * LINUX: sem_overview(7): the semaphore `/name` is /dev/shm/sem.name, in glibc as in musl.
 */
export function semFile(name: string, hint: Hint): number {
  const action = "open semaphore";
  objectName(name, "sem_open", action);
  const bytes = cString(`/sem.${name.slice(1)}`);
  const flags = C.O_RDWR | C.O_CLOEXEC;
  return check(sys().c.shm_open(bytes, flags, 0), "sem_open", action, name, hint);
}

/** sem_close(3) */
export function semClose(address: Word, name: string): void {
  check(sys().c.sem_close(address), "sem_close", "close semaphore", name);
}

/** sem_unlink(3) */
export function semUnlink(name: string, hint: Hint): void {
  const bytes = objectName(name, "sem_unlink", "unlink semaphore");
  check(sys().c.sem_unlink(bytes), "sem_unlink", "unlink semaphore", name, hint);
}

/** sem_trywait(3): false when it is 0. */
export function semTrywait(address: Word, target: string): boolean {
  const { c, errno } = sys();
  if (c.sem_trywait(address) === 0) return true;
  const number = errno();
  if (number === ERRNO.EAGAIN) return false;
  throw refused(number, "sem_trywait", "acquire", target);
}

/**
 * sem_timedwait(3), or where the C library has it sem_clockwait(3), which no change of the date
 * prolongs: blocks this thread until it got in or the time is up.
 *
 * @param timeoutMs At least 0.
 * @returns False when the time is up, or a signal interrupted it that is none of the program's.
 * @throws {PosixError} `EINTR` when a signal that the program listens for arrived.
 */
export function semTimedwait(
  address: Word,
  timeoutMs: number,
  target: string,
  hint: Hint,
): boolean {
  const { c, errno, hearsSignals } = sys();
  const clockwait = c.sem_clockwait;
  const until = timeIn(clockwait ? "CLOCK_MONOTONIC" : "CLOCK_REALTIME", timeoutMs);
  const result = clockwait
    ? clockwait(address, C.CLOCK_MONOTONIC, until)
    : c.sem_timedwait(address, until);
  if (result === 0) return true;
  const number = errno();
  if (number === ERRNO.ETIMEDOUT) return false;
  if (number === ERRNO.EINTR && !hearsSignals()) return false;
  const syscall = clockwait ? "sem_clockwait" : "sem_timedwait";
  throw refused(number, syscall, "acquire", target, hint);
}

/** sem_post(3) */
export function semPost(address: Word, target: string, hint: Hint): void {
  check(sys().c.sem_post(address), "sem_post", "release", target, hint);
}

const sval = new Int32Array(1);

/** sem_getvalue(3) */
export function semGetvalue(address: Word, target: string): number {
  const bytes = new Uint8Array(sval.buffer);
  check(sys().c.sem_getvalue(address, bytes), "sem_getvalue", "read", target);
  return sval[0]!;
}
