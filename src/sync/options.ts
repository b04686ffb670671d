/** How locks are named, waited for and repaired: the options that their methods share. */

import { checkOptions, shown } from "../sys/mod.ts";

/** How a lock in memory is found. */
export interface LockMemoryOptions {
  /**
   * What errors call it.
   * @default {the kind of lock: "mutex"}
   */
  name?: string | undefined;
}

/** How long a call may block this thread. */
export interface LockSyncOptions {
  /**
   * Milliseconds, at least 0; measured on the monotonic clock.
   * @default {for ever}
   */
  timeoutMs?: number | undefined;
}

/** How long a call may wait in the event loop. */
export interface LockOptions extends LockSyncOptions {
  /** Ends the wait: the promise rejects with the signal's reason, and nothing is held. */
  signal?: AbortSignal | undefined;
}

/** Only this library has it: what makes a lock or a guard. */
export const MAKING: unique symbol = Symbol("making");

/** The options of a wait, each read once. */
export function readWait(options: LockOptions): LockOptions {
  checkOptions(options, "wait", "{ timeoutMs: 100 }");
  const { timeoutMs, signal } = options;
  return { timeoutMs, signal };
}

/** The options of a lock in memory, read once. */
export function readName(options: LockMemoryOptions): LockMemoryOptions {
  checkOptions(options, "use a lock", '{ name: "counter" }');
  const { name } = options;
  if (name === undefined || typeof name === "string") return { name };
  throw new TypeError(`Cannot use name ${shown(name)}: expected a string`);
}
