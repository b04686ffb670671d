/** How the end of a process is told. */

import type { ProcessEnd } from "../../life/inside.ts";
import type { Exit } from "../errors.ts";

/** The ways in which V8 ends a process whose heap is full: abort(3), or a trap in its own code. */
const FATAL_SIGNALS: readonly string[] = ["SIGABRT", "SIGTRAP", "SIGILL"];

/** What V8, in Node and in Deno, and JavaScriptCore say then. */
const OUT_OF_MEMORY = /heap out of memory|JavaScript out of memory|process OOM|Out of memory/;

/**
 * How a process ended.
 *
 * @param lastWords The end of what it printed to its standard error, where that is known: only it
 * tells a full heap from another fault of the engine.
 */
export function exitOf(end: ProcessEnd, lastWords: string): Exit {
  if ("error" in end) return { kind: "threw", error: end.error };
  if ("code" in end) return { kind: "exit", code: end.code };
  const { signal } = end;
  if (FATAL_SIGNALS.includes(signal) && OUT_OF_MEMORY.test(lastWords)) {
    return { kind: "out-of-memory" };
  }
  return { kind: "signal", signal };
}
