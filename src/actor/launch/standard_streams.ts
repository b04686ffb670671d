/**
 * This process's own standard output and standard error, for the lines of its children.
 *
 * Rule: one write at a time on each, so that lines stay whole. A stream that nobody reads any more
 * loses the lines, not the process.
 */

/** Which of the two. */
export type StandardStream = "stdout" | "stderr";

/** What is used of `process.stdout`. */
interface Writable {
  write(bytes: Uint8Array, done: (error?: Error | null) => void): boolean;
  on(event: "error", listener: () => void): void;
  off(event: "error", listener: () => void): void;
}

/** The write after which the next may begin. */
const last: Record<StandardStream, Promise<void>> = {
  stdout: Promise.resolve(),
  stderr: Promise.resolve(),
};

/** Those that cannot be written to any more: a pipe whose reader has gone. */
const broken = new Set<StandardStream>();

/** Writes after all that was to be written before. Resolves when it is written, or cannot be. */
export function writeTo(name: StandardStream, bytes: Uint8Array): Promise<void> {
  return last[name] = last[name].then(() => broken.has(name) ? undefined : written(name, bytes));
}

function written(name: StandardStream, bytes: Uint8Array): Promise<void> {
  const stream = streamOf(name);
  return new Promise((resolve) => {
    const failed = () => {
      broken.add(name);
      resolve();
    };
    stream.on("error", failed);
    stream.write(bytes, (error) => {
      if (error) return failed(); // and goes on listening: the event comes after this
      stream.off("error", failed);
      resolve();
    });
  });
}

/** Asked for when it is needed: in Deno a look at `process` loads the whole of its Node. */
function streamOf(name: StandardStream): Writable {
  return (globalThis as unknown as { process: Record<StandardStream, Writable> }).process[name];
}
