/** Children that get more than the three standard descriptors, which only node:child_process gives. */

import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import type { StdioEntry } from "../../mod.ts";
import type { Finished } from "./process.ts";

/**
 * Runs a program to its end.
 *
 * @param stdioFrom Makes the `stdio` from that of the first three: input ignored, the rest piped.
 */
export async function runWith(
  stdioFrom: (stdio: readonly StdioEntry[]) => StdioEntry[],
  command: string,
  args: readonly string[],
): Promise<Finished> {
  const child = spawn(command, args, { stdio: stdioFrom(["ignore", "pipe", "pipe"]) });
  const ended = new Promise<{ code: number; signal: Deno.Signal | null }>((resolve, reject) => {
    child.once("error", reject);
    child.once(
      "close",
      (code, signal) => resolve({ code: code ?? -1, signal: signal as Deno.Signal | null }),
    );
  });
  const [stdout, stderr, { code, signal }] = await Promise.all([
    textOf(child.stdout!),
    textOf(child.stderr!),
    ended,
  ]);
  return { code, signal, stdout, stderr };
}

async function textOf(stream: Readable): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) text += decoder.decode(chunk, { stream: true });
  return text;
}
