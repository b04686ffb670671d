/** Threads of this process, and whether they still are. */

import { PosixError } from "../errors.ts";
import { readLink, readText } from "../sys/mod.ts";

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
  let stat;
  try {
    stat = readText(`/proc/self/task/${task}/stat`);
  } catch (error) {
    // ESRCH: it ended after the file was opened.
    if (error instanceof PosixError && ["ENOENT", "ESRCH"].includes(error.code)) return undefined;
    throw error;
  }
  // LINUX: proc_pid_stat(5); the second field is a name in parentheses, whatever it has in it.
  const fields = ["", "", ...stat.slice(stat.lastIndexOf(")") + 2).split(" ")];
  const STARTED = 21; // the 22nd field, in clock ticks since the machine was started
  return BigInt(task) << 32n | BigInt.asUintN(32, BigInt(fields[STARTED]!));
}
