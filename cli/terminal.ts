/** Where standard input and output lead; some defaults are for people, others for programs. */

import { UsageError } from "./parser.ts";

/**
 * Standard input stands for an argument that was left out, unless somebody is typing there.
 *
 * @throws {UsageError} If it is a terminal: the argument was forgotten, and we would seem to hang.
 */
export async function inputInsteadOf(placeholder: string): Promise<void> {
  if (!(await isTerminal(0))) return;
  throw new UsageError(
    `Missing ${placeholder}: standard input is a terminal; to type it there, give - instead`,
  );
}

/** Whether a standard stream, 0 to 2, is a terminal. */
export async function isTerminal(descriptor: number): Promise<boolean> {
  const { isatty } = await import("node:tty");
  return isatty(descriptor);
}
