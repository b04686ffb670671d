/** Node and Bun as programs: how another process of theirs is started. */

import type { ChildProcess, StdioOptions } from "node:child_process";
import { nodeFlags } from "./node_flags.ts";
import { readerOfNode } from "./output_reader.ts";
import type { Host, ProcessEnd, Program, StartedProcess } from "./port.ts";

/** What is used of their `process`. */
interface Process {
  pid: number;
  argv: [string, string?];
  execArgv: string[];
  execPath: string;
  env: Record<string, string>;
  /** Where permissions are restricted: the flag `--permission`. */
  permission?: { has(scope: string): boolean };
  getBuiltinModule(name: "node:child_process"): typeof import("node:child_process");
  getBuiltinModule(name: "node:fs"): typeof import("node:fs");
  getBuiltinModule(name: "node:url"): typeof import("node:url");
  getBuiltinModule(name: "node:sea"): { isSea(): boolean } | undefined;
}

/** Asked for when it is needed: in Deno a look at it loads the whole of its Node compatibility. */
function process(): Process {
  return (globalThis as unknown as { process: Process }).process;
}

function start({ entryUrl, args, env, v8Flags, output }: Program): StartedProcess {
  const { execPath, execArgv, env: own, getBuiltinModule } = process();
  const path = getBuiltinModule("node:url").fileURLToPath(entryUrl);
  const words = [...nodeFlags(execArgv), ...v8Flags, path, ...args];
  const options = { env: { ...own, ...env }, stdio: ["ignore", output, output] as StdioOptions };
  const child = getBuiltinModule("node:child_process").spawn(execPath, words, options);
  return {
    pid: child.pid,
    stdout: child.stdout === null ? undefined : readerOfNode(child.stdout),
    stderr: child.stderr === null ? undefined : readerOfNode(child.stderr),
    ended: endOf(child),
    kill: (signal) => void child.kill(signal as "SIGKILL"),
    hold(holds) {
      // The pipes are sockets of node:net, though their type does not say so.
      for (const held of [child, child.stdout, child.stderr] as (Holding | null)[]) {
        if (holds) held?.ref();
        else held?.unref();
      }
    },
  };
}

/** What keeps a process running, or not. */
type Holding = Pick<ChildProcess, "ref" | "unref">;

function endOf(child: ChildProcess): Promise<ProcessEnd> {
  return new Promise((resolve) => {
    // Not what is refused to a process that runs: its end is still to come.
    child.on("error", (error) => child.pid === undefined && resolve({ error }));
    child.on("exit", (code, signal) => resolve(signal === null ? { code: code ?? 0 } : { signal }));
  });
}

/** Programs in one file, of Node and of Bun. */
function isSingleFile(): boolean {
  const { argv, getBuiltinModule } = process();
  return argv[1]?.startsWith("/$bunfs/") === true ||
    getBuiltinModule("node:sea")?.isSea() === true;
}

export const nodeHost: Host = {
  pid: () => process().pid,
  mainUrl() {
    const { argv: [, main], getBuiltinModule } = process();
    if (main === undefined) return undefined;
    const { realpathSync } = getBuiltinModule("node:fs");
    try {
      return getBuiltinModule("node:url").pathToFileURL(realpathSync(main)).href;
    } catch {
      return undefined; // a program that is no file: a text, or one from standard input
    }
  },
  belongsTo() {}, // its workers have the program's own arguments
  whyNoProcess() {
    if (isSingleFile()) {
      return "this program is one file with its runtime in it, which runs no other modules, " +
        "expected a program that node runs";
    }
    if (process().permission?.has("child") !== false) return undefined;
    return "this process may not start others, expected the flag --allow-child-process";
  },
  whyNoWorker() {
    if (process().permission?.has("worker") !== false) return undefined;
    return "this process may not start workers, expected the flag --allow-worker";
  },
  start,
  workersPrint: false,
};
