/** What /proc says of a process or a thread: proc_pid_stat(5). */

import { PosixError } from "../errors.ts";
import { readText } from "../sys/mod.ts";

/** A few fields of one line of `stat`. */
export interface ProcStat {
  /** Its number, in the numbers of the /proc that was read. */
  pid: number;
  /** The number of its parent; 0 where that is outside of this pid namespace. */
  parentPid: number;
  /** When it was started, in clock ticks since the machine was. */
  startTicks: bigint;
}

/** Reads the `stat` in a folder of /proc; undefined when there is no such process or thread. */
export function statIn(folder: string): ProcStat | undefined {
  let stat;
  try {
    stat = readText(`${folder}/stat`);
  } catch (error) {
    // ESRCH: it ended after the file was opened.
    if (error instanceof PosixError && ["ENOENT", "ESRCH"].includes(error.code)) return undefined;
    throw error;
  }
  // LINUX: the second field is a name in parentheses, whatever it has in it; the others are numbers.
  const fields = ["", "", "", ...stat.slice(stat.lastIndexOf(")") + 2).split(" ")];
  return {
    pid: parseInt(stat, 10),
    parentPid: Number(fields[4]),
    startTicks: BigInt(fields[22]!),
  };
}
