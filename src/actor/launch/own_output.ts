/**
 * Puts a label in front of what this worker prints, where its parent does not read it.
 *
 * Rule: what the runtime itself prints, as for an error that nobody caught, has no label: it does
 * not come by here.
 */

import { Console } from "node:console";
import type { ChildOutput } from "./launched.ts";
import { LabelledLines } from "./labelled_lines.ts";
import type { StandardStream } from "./standard_streams.ts";

/** What is replaced of `process.stdout`. */
interface Stream {
  write(chunk: unknown, ...rest: unknown[]): boolean;
}

type Process = Record<StandardStream, Stream> & { on(event: "exit", listener: () => void): void };

/** What prints a line as it is, before anything returns; a terminated worker has printed it too. */
const PRINT = { stdout: "log", stderr: "error" } as const;

/** From now on the console and the standard streams of this thread print with the label. */
export function labelOwnOutput({ label, stdio }: { label: string; stdio: ChildOutput }): void {
  if (stdio === "inherit") return;
  const { process } = globalThis as unknown as { process: Process };
  const printer = globalThis.console;
  for (const name of ["stdout", "stderr"] as const) {
    const lines = new LabelledLines(label);
    const print = (bytes: Uint8Array) => {
      if (stdio === "ignore" || bytes.byteLength === 0) return;
      printer[PRINT[name]](new TextDecoder().decode(bytes).slice(0, -1)); // it ends the line itself
    };
    process[name].write = (chunk, ...rest) => {
      print(lines.push(bytesOf(chunk)));
      const done = rest.at(-1);
      if (typeof done === "function") queueMicrotask(() => done());
      return true;
    };
    process.on("exit", () => print(lines.end()));
  }
  globalThis.console = new Console(process.stdout as never, process.stderr as never);
}

function bytesOf(chunk: unknown): Uint8Array {
  return chunk instanceof Uint8Array ? chunk : new TextEncoder().encode(String(chunk));
}
