/**
 * The end of a child process with that of its parent.
 *
 * Rule: two ways, because each has a gap. The kernel kills this process when the thread ends that
 * started it, also in the middle of a loop; it may be told not to. And the descriptor of the parent
 * is readable when the parent has ended; that is seen between two turns of the event loop.
 */

import { dieWithParent, ProcessWatch } from "../../life/inside.ts";
import { PosixError } from "../../errors.ts";

/** What a process ends with whose parent is gone; nobody is left to read it. */
const ORPHANED = 1;

/**
 * Ends this process when its parent has ended, whether killed or not.
 *
 * @param parentPid Who the parent was when it started this process.
 * @returns Ends the watch, which else keeps this process running.
 */
export function followParent(parentPid: number): () => void {
  try {
    dieWithParent();
  } catch (error) {
    if (!(error instanceof PosixError)) throw error; // refused, as in a sandbox: the watch is left
  }
  const watch = ProcessWatch.ofParent();
  // It ended before either of the two was there: then this process has another parent by now.
  if (watch?.pid !== parentPid) return exit();
  watch.exited().then(exit, () => {}); // rejects when the watch is closed
  return () => watch.close();
}

function exit(): never {
  return (globalThis as unknown as { process: Exiting }).process.exit(ORPHANED);
}

interface Exiting {
  exit(code: number): never;
}
