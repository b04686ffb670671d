/** Where the numbers come from: machine, versions, load. They mean nothing without. */

import { arch, availableParallelism, cpus, loadavg, release, totalmem } from "node:os";
import process from "node:process";
import { execute } from "./program.ts";

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
  /** The runtime and its engine. */
  runtime: string;
  /** Average load of the last minute when the run began. */
  load: number;
}

/** This machine, now. */
export function machine(): Machine {
  const { deno, node, v8 } = process.versions;
  return {
    processor: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    architecture: arch(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    libc: firstLine(["ldd", "--version"]),
    compiler: firstLine(["cc", "--version"]),
    runtime: `${deno === undefined ? `Node ${node}` : `Deno ${deno}`}, V8 ${v8}`,
    load: loadavg()[0]!,
  };
}

function firstLine(command: readonly [string, ...string[]]): string {
  return execute(command).split("\n")[0]!;
}
