/** The command line as a child process, with the one permission it needs and no other. */

// With the tests, or in an empty cache the first child would report its downloads.
import "../../cli/main.ts";
import process from "node:process";
import { Child, runForBytes, type Signal } from "../support/process.ts";
import { commandLine } from "../support/runtime.ts";

/** The words of a command line that runs `postbox`. */
export const POSTBOX: readonly string[] = commandLine();

/** What a finished command did. */
export interface Result {
  code: number;
  signal: Signal | null;
  /** Standard output, byte for byte. */
  bytes: Uint8Array;
  /** The same as text. */
  stdout: string;
  stderr: string;
}

/** How long any command may take; one that hangs fails its test instead of the whole run. */
const BOUND_MS = 120_000;

/** Runs any command line to its end. */
export async function command(
  [program, ...args]: readonly string[],
  stdin?: Uint8Array | string,
): Promise<Result> {
  const { stdout, stderr, ...end } = await runForBytes(program!, {
    args,
    timeoutMs: BOUND_MS,
    ...(stdin !== undefined && { stdin }),
  });
  const decoder = new TextDecoder();
  return { ...end, bytes: stdout, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Runs `postbox` with these words. */
export function postbox(...args: string[]): Promise<Result> {
  return command([...POSTBOX, ...args]);
}

/** Runs `postbox` with something on its standard input. */
export function postboxReading(stdin: Uint8Array | string, ...args: string[]): Promise<Result> {
  return command([...POSTBOX, ...args], stdin);
}

/** Runs `postbox` on a terminal of its own, with all that it says as standard output. */
export function onTerminal(...args: string[]): Promise<Result> {
  return command(["script", "-qec", [...POSTBOX, ...args].join(" "), "/dev/null"]);
}

/** Starts `postbox` on a terminal of its own; what is written to it is typed there. */
export function startOnTerminal(...args: string[]): Child {
  return new Child("script", ["-qec", ["exec", ...POSTBOX, ...args].join(" "), "/dev/null"]);
}

/** Starts `postbox`; it is killed at the end of the scope. */
export function startPostbox(...args: string[]): Child {
  return new Child(POSTBOX[0]!, [...POSTBOX.slice(1), ...args]);
}

/** Runs a script in bash in which `postbox` is a command. */
export function shell(script: string): Promise<Result> {
  const words = POSTBOX.map((word) => `'${word}'`).join(" ");
  return command(["bash", "-c", `postbox() { ${words} "$@"; }\n${script}`]);
}

/** Every byte there is, once. */
export const ALL_BYTES: Uint8Array<ArrayBuffer> = Uint8Array.from({ length: 256 }, (_, i) => i);

/** Words in front of a command that take capabilities from it; none for who has none anyway. */
export function without(...capabilities: string[]): string[] {
  if (process.getuid!() !== 0) return [];
  return ["setpriv", `--bounding-set=${capabilities.map((name) => `-${name}`)}`];
}
