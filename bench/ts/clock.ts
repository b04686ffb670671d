// deno-lint-ignore-file postbox/deno-in-driver -- the clock that Deno lacks
/**
 * A clock that all processes of the machine share.
 *
 * Node's process.hrtime is one. Deno's starts with the process, so Deno reads CLOCK_MONOTONIC of C.
 */

// Not imported: see loop.ts.
const { process } = globalThis as unknown as { process: typeof import("node:process") };

const CLOCK_MONOTONIC = 1;

/** Nanoseconds of CLOCK_MONOTONIC. */
export const monotonicNs: () => bigint = "Deno" in globalThis ? clockOfC() : process.hrtime.bigint;

function clockOfC(): () => bigint {
  const { clock_gettime } = Deno.dlopen("libc.so.6", {
    clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  }).symbols;
  const timespec = new BigInt64Array(2);
  return () => {
    clock_gettime(CLOCK_MONOTONIC, timespec);
    return timespec[0]! * 1_000_000_000n + timespec[1]!;
  };
}
