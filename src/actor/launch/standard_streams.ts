/**
 * This process's own standard output and standard error, for the lines of its children.
 *
 * Rule: one write at a time on each, so that lines stay whole and nobody else's listeners are in the
 * way. A stream that nobody reads any more loses the lines, not the process.
 */

/** Which of the two. */
export type StandardStream = "stdout" | "stderr";

/** What is used of `process.stdout`. */
interface Writable {
  write(bytes: Uint8Array, done: () => void): boolean;
  on(event: "error", listener: () => void): void;
  off(event: "error", listener: () => void): void;
}

const last: Record<StandardStream, Promise<void>> = {
  stdout: Promise.resolve(),
  stderr: Promise.resolve(),
};

/** Writes after all that was to be written before. Resolves when it is written, or cannot be. */
export function writeTo(name: StandardStream, bytes: Uint8Array): Promise<void> {
  return last[name] = last[name].then(() => written(streamOf(name), bytes));
}

/** Asked for when it is needed: in Deno a look at `process` loads the whole of its Node. */
function streamOf(name: StandardStream): Writable {
  return (globalThis as unknown as { process: Record<StandardStream, Writable> }).process[name];
}

function written(stream: Writable, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off("error", done);
      resolve();
    };
    stream.on("error", done);
    stream.write(bytes, done);
  });
}
