/** Children that get more than the three standard descriptors. */

import type { StdioEntry } from "../../mod.ts";
import { type Finished, run } from "./process.ts";

/**
 * Runs a program to its end.
 *
 * @param stdioFrom Makes the `stdio` from that of the first three: input ignored, the rest piped.
 */
export function runWith(
  stdioFrom: (stdio: readonly StdioEntry[]) => StdioEntry[],
  command: string,
  args: readonly string[],
): Promise<Finished> {
  return run(command, { args, stdio: stdioFrom(["ignore", "pipe", "pipe"]) });
}
