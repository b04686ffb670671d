/**
 * What a system can promise here, of what depends on the machine.
 *
 * Rule: the weaker promise is told, once in a log and as long as the system lives to who asks.
 */

import type { Log } from "../flow/log.ts";
import { type Directory, memoryOf } from "../memory/directory.ts";

/** What a system can promise here. */
export interface Guarantees {
  /**
   * How surely a message of `delivery: "at-least-once"` outlives a process that is killed in the
   * very call that takes it from the kernel.
   *
   * - `locked`: the memory that it is taken into is always there, so nothing can go wrong.
   * - `unlocked`: somebody was refused to lock it by RLIMIT_MEMLOCK. The kernel may have taken a page
   *   of it away, to swap for example, and one who is killed while it comes back loses the message.
   *   It is told in the dead letters as `torn`, where as much as its priority was written.
   */
  readonly atLeastOnce: "locked" | "unlocked";
}

/** What a system can promise as far as is known now: each receiver locks its own memory. */
export function guaranteesOf(directory: Directory): Guarantees {
  return { atLeastOnce: memoryOf(directory).isUnlocked ? "unlocked" : "locked" };
}

/** A receiver was refused to lock its memory: the first of a system says so. */
export function reportUnlocked(directory: Directory, log: Log): void {
  if (memoryOf(directory).setUnlocked(true)) return;
  log.warn(
    "Slots for at-least-once are not locked in memory: RLIMIT_MEMLOCK refuses it; raise it: " +
      "ulimit -l, or LimitMEMLOCK= of systemd",
  );
}
