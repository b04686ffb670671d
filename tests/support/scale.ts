/** How long the long tests take. */

import process from "node:process";
import { RUNTIME } from "./runtime.ts";

/**
 * A number of rounds: all of them under Deno, an eighth elsewhere, where the same is tried once more.
 * With POSTBOX_LONG=1 all of them everywhere; `deno task test:node` and `test:bun` set it.
 */
export function scaled(rounds: number): number {
  const isLong = RUNTIME === "deno" || process.env.POSTBOX_LONG === "1";
  return isLong ? rounds : Math.ceil(rounds / 8);
}
