/** Where the numbers come from: machine, versions, load. They mean nothing without. */

import { arch, availableParallelism, cpus, loadavg, release, totalmem } from "node:os";
import { execute } from "./program.ts";
import type { Runtime } from "./runtimes.ts";

/** What stands above every result. */
export interface Machine {
  processor: string;
  cores: number;
  architecture: string;
  memoryGiB: number;
  kernel: string;
  /** The C library, as it calls itself. */
  libc: string;
  compiler: string;
  /** The runtimes and their engines. */
  runtimes: string[];
  /** Average load of the last minute when the run began. */
  load: number;
}

/** This machine, now. */
export function machine(runtimes: readonly Runtime[]): Machine {
  return {
    processor: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    architecture: arch(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    libc: firstLine(["ldd", "--version"]),
    compiler: firstLine(["cc", "--version"]),
    runtimes: runtimes.map(({ version }) => version),
    load: loadavg()[0]!,
  };
}

function firstLine(command: readonly [string, ...string[]]): string {
  return execute(command).split("\n")[0]!;
}
