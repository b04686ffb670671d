/** Programs in a process that was prepared: lower limits, namespaces of its own, another user. */

import process from "node:process";
import { test } from "../harness.ts";
import { type Finished, run } from "./process.ts";
import { evalArgs, execPath, FFI_ONLY } from "./runtime.ts";

const isRoot = process.getuid!() === 0;

/** A test that only root can prepare; for anybody else it is reported as not run, with why. */
export function rootTest(name: string, fn: () => Promise<void>): void {
  test(name, { missing: isRoot ? undefined : "only root can prepare the process" }, fn);
}

/** A user without a name, a file or a privilege. */
export const OTHER_UID = 54321;

/** Becomes that user for good, with everything it may look at in /proc, as after a login. */
export const BECOME_OTHER_USER = `
  {
    const { bind } = await import("@postbox/postbox/src/sys/load.ts");
    const { c } = bind({
      setgroups: { parameters: ["size size", "buffer list"], result: "i32" },
      setresgid: { parameters: ["u32 rgid", "u32 egid", "u32 sgid"], result: "i32" },
      setresuid: { parameters: ["u32 ruid", "u32 euid", "u32 suid"], result: "i32" },
      prctl: { parameters: ["i32 op", "i64 a", "i64 b", "i64 c", "i64 d"], result: "i32" },
    });
    const PR_SET_DUMPABLE = 4, id = ${OTHER_UID};
    const results = [
      c.setgroups(0n, null),
      c.setresgid(id, id, id),
      c.setresuid(id, id, id),
      c.prctl(PR_SET_DUMPABLE, 1n, 0n, 0n, 0n),
    ];
    if (results.some((result) => result !== 0)) throw new Error("cannot become another user");
  }
`;

/** Defines attempt(label, call): tries the call and prints how it went, as one line of JSON. */
export const ATTEMPT = `
  const attempt = (label, call) => {
    try {
      console.log(JSON.stringify({ label, value: call() }));
    } catch (error) {
      const { name, code, syscall, target, hint } = error;
      if (code === undefined) throw error;
      console.log(JSON.stringify({ label, name, code, syscall, target, hint }));
    }
  };
`;

/** A line that attempt() prints. */
export interface Attempt {
  label: string;
  value?: unknown;
  name?: string;
  code?: string;
  syscall?: string;
  target?: string;
  hint?: string;
}

/** Reads what attempt() printed, by label; throws when the program did not end well. */
export function attemptsOf({ code, signal, stdout, stderr }: Finished): Map<string, Attempt> {
  if (code !== 0 || signal !== null || stderr !== "") {
    throw new Error(`the program ended with ${signal ?? code}: ${stderr}\n${stdout}`);
  }
  const lines = stdout.trim().split("\n").map((line) => JSON.parse(line) as Attempt);
  return new Map(lines.map((line) => [line.label, line]));
}

/** How a process is prepared: the words of a command that runs the command after them. */
export type Preparation = readonly [string, ...string[]];

/** A preparation by a shell, in namespaces of its own (`-m`: mounts, `-i`: queues). */
export function inNamespaces(flags: readonly string[], script: string): Preparation {
  return ["unshare", ...flags, "sh", "-ec", `${script}\nexec "$@"`, "sh"];
}

/** Runs TypeScript given as text, with attempt(), in a prepared process of its own. */
export function runPrepared(
  [command, ...words]: Preparation,
  code: string,
  { args = [], permissions = FFI_ONLY }: { args?: string[]; permissions?: readonly string[] } = {},
): Promise<Finished> {
  const program = evalArgs(ATTEMPT + code, { permissions });
  return run(command, { args: [...words, execPath(), ...program, ...args] });
}
