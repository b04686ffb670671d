/**
 * Starts a child process of this runtime that serves an endpoint.
 *
 * Rule: the child may do what this process may and no more, and does not outlive it
 * (follow_parent.ts is the child's half).
 */

import {
  chosenNative,
  host,
  type ProcessEnd,
  type StartedProcess,
  startProcess,
} from "../../life/inside.ts";
import type { ChildOutput, Launched, LaunchOptions } from "./launched.ts";
import { siblingUrl } from "./modules.ts";
import { exitOf } from "./process_exit.ts";
import { Relay } from "./relay.ts";

const OUTPUT = { label: "pipe", inherit: "inherit", ignore: "ignore" } as const satisfies Record<
  ChildOutput,
  string
>;

/**
 * Launches a child process. It runs `child.ts`, and ends when the thread that launched it ends.
 *
 * The end of a process is known within milliseconds. `exited` takes up to a second longer where
 * somebody whom the child started holds its output open.
 */
export function launchProcess(options: LaunchOptions): Launched {
  const started = start(options);
  const { pid, stdout, stderr, ended } = started;
  const relays = {
    stdout: stdout && new Relay(stdout, "stdout", options.label),
    stderr: stderr && new Relay(stderr, "stderr", options.label),
  };

  async function exited() {
    const end = await ended;
    await Promise.all([relays.stdout?.finish(), relays.stderr?.finish()]);
    return exitOf(end, relays.stderr?.lastWords ?? "");
  }

  return {
    kind: "process",
    pid,
    exited: exited(),
    kill: (signal = "SIGKILL") => started.kill(signal),
    hold: (holds) => started.hold(holds),
  };
}

function start(options: LaunchOptions): StartedProcess {
  const { system, run, endpoint, incarnation, actor } = options;
  const { moduleUrl, stdio = "label", env = {}, v8Flags = [] } = options;
  const native = chosenNative() ?? "";
  try {
    return startProcess({
      entryUrl: options.entryUrl ?? siblingUrl("child"),
      moduleUrl,
      args: [system, run, native, endpoint, incarnation, actor, host().pid()].map(String),
      env,
      v8Flags,
      output: OUTPUT[stdio],
    });
  } catch (cause) {
    const reason = (cause as Error).message;
    const error = new Error(`Cannot launch ${JSON.stringify(options.label)}: ${reason}`, { cause });
    return neverStarted({ error });
  }
}

function neverStarted(end: ProcessEnd): StartedProcess {
  return {
    pid: undefined,
    stdout: undefined,
    stderr: undefined,
    ended: Promise.resolve(end),
    kill() {},
    hold() {},
  };
}
