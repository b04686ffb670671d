/**
 * Processes, told apart for ever: a number is given anew some time after its process has ended.
 *
 * Rule: what is done to a process that was written down once is done by its identity, never by the
 * number alone.
 */

import { readLink } from "../sys/mod.ts";
import { statIn } from "./proc_stat.ts";

/** One process of this machine since it was started. */
export interface ProcessIdentity {
  /** Its number in its pid namespace. */
  readonly pid: number;
  /** When it was started, in clock ticks since the machine was. */
  readonly startTicks: bigint;
  /** Which pid namespace the number is of: the inode of /proc/PID/ns/pid. */
  readonly pidNamespace: number;
}

/**
 * The process that has a number now, in the numbers of this process's own namespace.
 *
 * @returns `undefined` when there is none.
 */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const stat = statIn(`/proc/${pid}`);
  return stat && { pid, startTicks: stat.startTicks, pidNamespace: ownPidNamespace() };
}

/** The process that calls. */
export function thisProcess(): ProcessIdentity {
  const { pid, startTicks } = statIn("/proc/self")!;
  return { pid, startTicks, pidNamespace: ownPidNamespace() };
}

/** Whether two are the same process. */
export function isSameProcess(one: ProcessIdentity, other: ProcessIdentity): boolean {
  return one.pid === other.pid && one.startTicks === other.startTicks &&
    one.pidNamespace === other.pidNamespace;
}

/** Whether a process that was written down can be found by its number from here. */
export function isInOwnPidNamespace({ pidNamespace }: ProcessIdentity): boolean {
  return pidNamespace === ownPidNamespace();
}

/** LINUX: namespaces(7); the link reads `pid:[INODE]`. */
function ownPidNamespace(): number {
  return parseInt(readLink("/proc/self/ns/pid").slice("pid:[".length), 10);
}
