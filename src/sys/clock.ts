/** time.h: absolute times, as C's waits want them. */

import { C, STRUCTS } from "./abi.ts";
import { Struct } from "./bytes.ts";
import { check } from "./check.ts";
import { sys } from "./load.ts";

const NS_PER_MS = 1e6, NS_PER_S = 1e9;

/** The clocks that C's waits can be measured on. */
export type Clock = "CLOCK_REALTIME" | "CLOCK_MONOTONIC";

const time = new Struct(STRUCTS.timespec.bytes);

/**
 * clock_gettime(2): the time on a clock in so many milliseconds, as a `struct timespec` that is
 * valid until the next call.
 *
 * @param ms At least 0; never shorter.
 */
export function timeIn(clock: Clock, ms: number): Uint8Array {
  check(sys().c.clock_gettime(C[clock], time.bytes), "clock_gettime", "read", clock);
  const { tv_sec, tv_nsec } = STRUCTS.timespec;
  const ns = time.u64(tv_nsec) + Math.ceil(ms * NS_PER_MS);
  time.setI64(tv_sec, time.u64(tv_sec) + Math.floor(ns / NS_PER_S));
  time.setI64(tv_nsec, ns % NS_PER_S);
  return time.bytes;
}
