/**
 * ProcessWatch: a process by a descriptor, which is told of its end and signals nobody else.
 *
 * Rule: a number says who is meant only together with something that its next bearer has not: the
 * time of its start, or that it is this process's parent. The order closes the race: first the
 * descriptor, then the look. Who is found by the look had the number when the descriptor was opened.
 */

import { ClosedError } from "../errors.ts";
import {
  C,
  checkMaking,
  close,
  pidfdOpen,
  pidfdSendSignal,
  poll,
  type SignalName,
  signalNumber,
} from "../sys/mod.ts";
import { blockUntil, Waiters, type WaitOptions } from "../wait/mod.ts";
import { statIn } from "./proc_stat.ts";
import { identityOf, isSameProcess, type ProcessIdentity } from "./process_identity.ts";

/** What a process can be sent here. */
export type ProcessSignal = SignalName | "SIGKILL";

/** Only the static functions have it. */
const MAKING: unique symbol = Symbol("making");

/** A process that is watched. It need not be a child. */
export class ProcessWatch implements Disposable {
  /** Its number in this pid namespace. */
  readonly pid: number;
  readonly #target: string;
  #fd: number | undefined;
  #waiters: Waiters | undefined;

  private constructor(making: typeof MAKING, pid: number, fd: number) {
    checkMaking(making, MAKING, "a ProcessWatch", "ProcessWatch.open");
    this.pid = pid;
    this.#target = `process ${pid}`;
    this.#fd = fd;
  }

  /**
   * Watches a process that was written down.
   *
   * @returns `undefined` when it is no more, or in another pid namespace: then nobody is signalled.
   * @throws {PosixError} `EMFILE` if there is no descriptor left.
   * @see pidfd_open(2)
   */
  static open(identity: ProcessIdentity): ProcessWatch | undefined {
    return ProcessWatch.#openIf(identity.pid, () => {
      const now = identityOf(identity.pid);
      return now !== undefined && isSameProcess(now, identity);
    });
  }

  /**
   * Watches the parent of this process.
   *
   * @returns `undefined` when it ended before, or is outside of this pid namespace.
   * @throws {PosixError} `EMFILE` if there is no descriptor left.
   */
  static ofParent(): ProcessWatch | undefined {
    const { parentPid } = statIn("/proc/self")!;
    // LINUX: a process whose parent ends gets another one: then it was not the parent's descriptor.
    return ProcessWatch.#openIf(parentPid, () => statIn("/proc/self")!.parentPid === parentPid);
  }

  static #openIf(pid: number, isMeant: () => boolean): ProcessWatch | undefined {
    const fd = pid === 0 ? undefined : pidfdOpen(pid);
    if (fd === undefined) return undefined;
    const watch = new ProcessWatch(MAKING, pid, fd);
    let keep = false;
    try {
      keep = isMeant();
    } finally {
      if (!keep) watch.close();
    }
    return keep ? watch : undefined;
  }

  /** Whether the process has ended: no instruction of it runs any more. Its parent may not know yet. */
  hasExited(): boolean {
    return poll(this.#open(), C.POLLIN, 0, this.#target, () => undefined);
  }

  /**
   * Waits for the end of the process.
   *
   * @returns A promise that rejects with a `TimeoutError` at the deadline, with the signal's reason,
   * or a `ClosedError` when the watch is closed.
   */
  exited(options: Pick<WaitOptions, "timeoutMs" | "signal"> = {}): Promise<void> {
    const fd = this.#open();
    this.#waiters ??= new Waiters(fd, this.#target, false);
    return this.#waiters.wait("readable", () => this.hasExited() || undefined, options)
      .then(() => {});
  }

  /**
   * Blocks until the process has ended.
   *
   * @returns False at the deadline.
   * @throws {PosixError} `EINTR` when a signal that the program listens for arrived.
   */
  exitedSync({ timeoutMs }: { timeoutMs?: number } = {}): boolean {
    const attempt = () => this.hasExited() || undefined;
    return blockUntil(this.#open(), "readable", attempt, timeoutMs, this.#target) ?? false;
  }

  /**
   * Sends a signal.
   *
   * @returns False when the process has ended.
   * @throws {PosixError} `EPERM` if it is another user's.
   * @see pidfd_send_signal(2)
   */
  signal(name: ProcessSignal): boolean {
    const number = name === "SIGKILL" ? C.SIGKILL : signalNumber(name);
    return pidfdSendSignal(this.#open(), number, this.#target);
  }

  /** Whether {@linkcode ProcessWatch.close} was called. */
  get closed(): boolean {
    return this.#fd === undefined;
  }

  /** Ends the watch, not the process. Closing twice is allowed and does nothing. */
  close(): void {
    if (this.#fd === undefined) return;
    const fd = this.#fd;
    this.#fd = undefined;
    this.#waiters?.end(new ClosedError("watch", this.#target));
    close(fd, this.#target);
  }

  /** The same as {@linkcode ProcessWatch.close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #open(): number {
    if (this.#fd === undefined) throw new ClosedError("watch", this.#target);
    return this.#fd;
  }
}
