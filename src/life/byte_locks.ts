/**
 * ByteLocks: one lock for each byte of an object, which says that whoever holds it is alive.
 *
 * The kernel's word for it: it releases the locks of a process that dies, at any instruction and in
 * any pid namespace, and those of a worker when its parent closes what that left
 * ({@linkcode DescriptorTable}).
 *
 * Rule: the locks have an open description of their own, which is never mapped. A mapping keeps its
 * description open, so the memory of a worker that was terminated would keep its locks held until
 * the engine collects it.
 */

import { ClosedError } from "../errors.ts";
import { C, close, isLocked, open, tryLock, unlock } from "../sys/mod.ts";

/** The locks of one holder on one object. Bytes need not be there; nothing is read or written. */
export class ByteLocks implements Disposable {
  readonly #target: string;
  readonly #held = new Set<number>();
  #fd: number | undefined;

  /**
   * @param fd A descriptor of the object; only its object counts, also when it has no name any more.
   * @throws {PosixError} `ENOENT` where there is no /proc, `EMFILE` if no descriptor is left.
   */
  constructor(fd: number, target: string) {
    this.#target = target;
    // LINUX: proc_pid_fd(5): opening the link opens the object anew, as dup(2) does not.
    this.#fd = open(`/proc/self/fd/${fd}`, C.O_RDWR | C.O_NONBLOCK, undefined, target);
  }

  /** Takes the lock of a byte; false when another holder has it. Taking it twice is allowed. */
  tryHold(byte: number): boolean {
    const taken = tryLock(this.#open(), this.#target, byte);
    if (taken) this.#held.add(byte);
    return taken;
  }

  /** Gives the lock of a byte back, if it is held here. */
  release(byte: number): void {
    unlock(this.#open(), this.#target, byte);
    this.#held.delete(byte);
  }

  /** Whether anybody holds the lock of a byte, this holder included. */
  isHeld(byte: number): boolean {
    return this.#held.has(byte) || isLocked(this.#open(), this.#target, byte);
  }

  /** Gives all of them back. Closing twice is allowed and does nothing. */
  close(): void {
    if (this.#fd === undefined) return;
    const fd = this.#fd;
    this.#fd = undefined;
    this.#held.clear();
    close(fd, this.#target);
  }

  /** The same as {@linkcode ByteLocks.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #open(): number {
    if (this.#fd === undefined) throw new ClosedError("locks", this.#target);
    return this.#fd;
  }
}
