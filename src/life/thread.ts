/** Threads of this process, and whether they still are. */

import { readLink } from "../sys/mod.ts";
import { statIn } from "./proc_stat.ts";

/**
 * A thread of this process in one word: its number in /proc/self/task, and below it 32 bits of the
 * time when it was started, for the number may be another's later.
 */
export type Thread = bigint;

/** The thread that calls. */
export function thisThread(): Thread {
  // LINUX: "PID/task/NUMBER", in the numbers of the same /proc: proc(5).
  const task = readLink("/proc/thread-self").split("/").at(-1)!;
  return threadOf(task)!;
}

/** Whether a thread runs, or could. One that has ended calls nothing any more. */
export function isRunning(thread: Thread): boolean {
  return threadOf(String(thread >> 32n)) === thread;
}

/** The thread of a number in /proc/self/task, or undefined when there is none. */
export function threadOf(task: string): Thread | undefined {
  const stat = statIn(`/proc/self/task/${task}`);
  return stat && BigInt(task) << 32n | BigInt.asUintN(32, stat.startTicks);
}
