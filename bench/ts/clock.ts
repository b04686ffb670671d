// deno-lint-ignore-file postbox/deno-in-driver -- the clock that Deno lacks
/**
 * A clock that all processes of the machine share, and that costs little.
 *
 * Node's process.hrtime is one. Deno's starts with the process, so Deno reads CLOCK_MONOTONIC of C,
 * in less than half the time that performance.now() takes there.
 */

// Not imported: see loop.ts.
const { process } = globalThis as unknown as { process: typeof import("node:process") };

const CLOCK_MONOTONIC = 1;

/** Nanoseconds of CLOCK_MONOTONIC. */
export const nowNs: () => number = "Deno" in globalThis ? clockOfC() : () => {
  const [seconds, ns] = process.hrtime();
  return seconds * 1e9 + ns;
};

function clockOfC(): () => number {
  const { clock_gettime } = Deno.dlopen("libc.so.6", {
    clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  }).symbols;
  const timespec = new Float64Array(2), words = new Uint32Array(timespec.buffer);
  return () => {
    clock_gettime(CLOCK_MONOTONIC, words);
    return words[0]! * 1e9 + words[2]!; // the lower words of two 64-bit numbers
  };
}
