/**
 * Standard streams that block, whoever else has them.
 *
 * A program that shares a pipe or a terminal with this one may have made it nonblocking: Node does
 * so with what its `process.stdout` stands for, also where that is the output of `npx postbox`.
 *
 * Rule: nobody in this folder does that to others. So nobody imports `node:process`, which makes
 * all three streams in Node, nor says `console.error`, which makes one; `globalThis` has the
 * process without them.
 */

/** How soon to try again: what a pipe holds is read within microseconds, or much later. */
const FIRST_PAUSE_MS = 0.05, LAST_PAUSE_MS = 5;

const nothing = new Int32Array(new SharedArrayBuffer(4));

/** Makes a call of a standard stream, again and again while it would have to wait. */
export function blocking<T>(call: () => T): T {
  for (let pauseMs = FIRST_PAUSE_MS;; pauseMs = Math.min(pauseMs * 2, LAST_PAUSE_MS)) {
    try {
      return call();
    } catch (error) {
      if (codeOf(error) !== "EAGAIN") throw error;
    }
    Atomics.wait(nothing, 0, 0, pauseMs);
  }
}

/** The code of a system error. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "EIO";
}
