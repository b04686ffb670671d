/** Other processes and workers of this runtime, and the end of this one with that of its parent. */

import { PosixError } from "../errors.ts";
import { C } from "./abi.ts";
import { check } from "./check.ts";
import { readText, statPath } from "./file.ts";
import { host, sys } from "./load.ts";
import type { OwnProcess, Program, StartedProcess } from "./port.ts";

const own: OwnProcess = {
  commandLine: () => readText("/proc/self/cmdline").split("\0").slice(0, -1),
  isFile,
};

function isFile(path: string): boolean {
  try {
    return statPath(path, { follow: true }).isFile;
  } catch (error) {
    if (error instanceof PosixError) return false; // ENOENT, ENOTDIR, EACCES: none that we could use
    throw error;
  }
}

/** {@linkcode Host.start} */
export function startProcess(program: Program): StartedProcess {
  return host().start(program, own);
}

/**
 * prctl(2), PR_SET_PDEATHSIG: the kernel kills this process when the thread ends that started it,
 * whatever this one does then. Has to be called on the thread that lives longest, the main one.
 */
export function dieWithParent(): void {
  const { c } = sys();
  check(c.prctl(C.PR_SET_PDEATHSIG, C.SIGKILL, 0, 0, 0), "prctl", "end with", "the parent");
}
