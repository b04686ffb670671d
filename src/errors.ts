/**
 * The errors of Postbox: refused by the system, used after close, not the memory it should be.
 *
 * What is expected is a return value and what is wrong in a call is a built-in error; these
 * classes are for the rest. They are told apart by class and by `code`, never by message.
 *
 * @module
 */

/** What a {@linkcode PosixError} is made of. */
export interface PosixErrorInit {
  /** What was tried, as the middle of a sentence: `open queue`. */
  action: string;
  /** The object it was tried on: a queue's name, a path. */
  target: string;
  /** The C function that refused: `mq_open`. */
  syscall: string;
  /** The name of the error number: `ENOENT`. */
  code: string;
  /** The positive error number of this machine. */
  errno: number;
  /** What is the case, in words. */
  description: string;
  /** The way out, where there is one. */
  hint?: string | undefined;
}

/**
 * The system refused a call.
 *
 * `code` means what it means on Node's own errors, and is what programs should look at. Where a
 * limit stands behind the refusal, `hint` names the limit, its present value and how to raise it.
 *
 * @example Telling refusals apart
 * ```ts
 * import { assertThrows } from "@std/assert";
 * import { MessageQueue, PosixError } from "@postbox/postbox";
 *
 * const error = assertThrows(() => MessageQueue.open("/no-such-queue"), PosixError);
 * if (error.code !== "ENOENT") throw error;
 * ```
 *
 * @see errno(3)
 */
export class PosixError extends Error {
  /** `PosixError` */
  override readonly name: string = "PosixError";
  /** The name of the error number: `ENOENT`, `EACCES`, `EMFILE`, … */
  readonly code: string;
  /** The positive error number, as in errno.h of this machine. */
  readonly errno: number;
  /** The C function that refused: `mq_open`, `shm_open`, `mmap`, … */
  readonly syscall: string;
  /** The object that was asked for: a name, a path. */
  readonly target: string;
  /** The way out, where there is one: the limit, its value, how to raise it. */
  readonly hint: string | undefined;

  /** Makes the error; the library does this, programs only catch it. */
  constructor(init: PosixErrorInit) {
    const { action, target, code, description, hint } = init;
    const what = `Cannot ${action} ${JSON.stringify(target)}: ${description} (${code})`;
    super(hint === undefined ? what : `${what}\nHint: ${hint}`);
    this.code = code;
    this.errno = init.errno;
    this.syscall = init.syscall;
    this.target = target;
    this.hint = hint;
  }
}

/**
 * A handle was used after `close()`.
 *
 * @example Using a closed queue
 * ```ts
 * import { assertThrows } from "@std/assert";
 * import { ClosedError, MessageQueue, uniqueName } from "@postbox/postbox";
 *
 * const name = uniqueName("doc");
 * const queue = MessageQueue.create(name, { maxMessages: 2, maxMessageBytes: 64 });
 * MessageQueue.unlink(name);
 * queue.close();
 * assertThrows(() => queue.tryReceive(), ClosedError);
 * ```
 */
export class ClosedError extends Error {
  /** `ClosedError` */
  override readonly name: string = "ClosedError";
  /** The name of the object whose handle is closed. */
  readonly target: string;

  /** Makes the error; `what` is the kind of object: `queue`, `memory`. */
  constructor(what: string, target: string) {
    super(`Cannot use ${what} ${JSON.stringify(target)}: the handle is closed`);
    this.target = target;
  }
}

/** What a {@linkcode LayoutError} is made of. */
export interface LayoutErrorInit {
  /** What was tried: `adopt descriptor`. */
  action: string;
  /** The object it was tried on. */
  target: string;
  /** What is there. */
  found: string;
  /** What should be there. */
  expected: string;
  /** More lines, behind the message: how two schemas differ. */
  details?: string | undefined;
}

/**
 * Shared memory is not what it should be: another size, missing seals, another layout.
 *
 * @example Refusing a descriptor that is no memory
 * ```ts
 * import { assertThrows } from "@std/assert";
 * import { LayoutError, SharedMemory } from "@postbox/postbox";
 *
 * const error = assertThrows(() => SharedMemory.fromInherited(1), LayoutError);
 * if (!error.expected.includes("memfd")) throw error;
 * ```
 */
export class LayoutError extends Error {
  /** `LayoutError` */
  override readonly name: string = "LayoutError";
  /** The object that was looked at. */
  readonly target: string;
  /** What is there. */
  readonly found: string;
  /** What should be there. */
  readonly expected: string;

  /** Makes the error; the library does this, programs only catch it. */
  constructor(init: LayoutErrorInit) {
    const { action, target, found, expected, details } = init;
    const what = `Cannot ${action} ${JSON.stringify(target)}: found ${found}, expected ${expected}`;
    super(details === undefined ? what : `${what}\n${details}`);
    this.target = target;
    this.found = found;
    this.expected = expected;
  }
}
