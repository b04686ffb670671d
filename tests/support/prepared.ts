/** Programs in a process that was prepared: lower limits, namespaces of its own, another user. */

import { evalArgs, FFI_ONLY, type Finished, run } from "./process.ts";

const isRoot = Deno.uid() === 0;

/** A test that only root can prepare; for anybody else it is reported as not run, with why. */
export function rootTest(name: string, fn: () => Promise<void>): void {
  const suffix = isRoot ? "" : " (not run: only root can prepare the process)";
  Deno.test({ name: name + suffix, ignore: !isRoot, fn });
}

/** A user without a name, a file or a privilege. */
export const OTHER_UID = 54321;

/** Becomes that user for good, with everything it may look at in /proc, as after a login. */
export const BECOME_OTHER_USER = `
  {
    const i32 = "i32", u32 = "u32", u64 = "u64";
    const { symbols } = Deno.dlopen("librt.so.1", {
      setgroups: { parameters: ["usize", "buffer"], result: i32 },
      setresgid: { parameters: [u32, u32, u32], result: i32 },
      setresuid: { parameters: [u32, u32, u32], result: i32 },
      prctl: { parameters: [i32, u64, u64, u64, u64], result: i32 },
    });
    const PR_SET_DUMPABLE = 4, id = ${OTHER_UID};
    const results = [
      symbols.setgroups(0n, null),
      symbols.setresgid(id, id, id),
      symbols.setresuid(id, id, id),
      symbols.prctl(PR_SET_DUMPABLE, 1n, 0n, 0n, 0n),
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
  const program = evalArgs(ATTEMPT + code, permissions);
  return run(command, { args: [...words, Deno.execPath(), ...program, ...args] });
}
