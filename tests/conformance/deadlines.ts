/** Deadlines for the rows on waiting: points of CLOCK_REALTIME, good ones and others. */

import { readFileSync } from "node:fs";
import type { Row } from "./engine.ts";
import { timespec } from "./raw.ts";

export const WAIT_MS = 40;

/** Runs a call that ends at a deadline of its own; how long it took is a minimum, never a maximum. */
export function tookMs(run: () => void): number {
  const started = performance.now();
  run();
  return performance.now() - started;
}

/** Long past on CLOCK_REALTIME, an hour ahead on CLOCK_MONOTONIC: tells the two clocks apart. */
export function hourAheadOfMonotonic(): Uint8Array {
  const uptimeSeconds = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
  return timespec(Math.ceil(uptimeSeconds) + 3600, 0);
}

export const PAST = timespec(1, 0);
export const BAD_NANOSECONDS = [-1, 1_000_000_000, 2 ** 40];

/** A deadline in the far future with nanoseconds that are none. */
export function badDeadline(nanoseconds: number): Uint8Array {
  return timespec(Math.ceil(Date.now() / 1000) + 600, nanoseconds);
}

export const CLOCK_RESOLUTION: Omit<Extract<Row, { why: string }>, "number"> = {
  says: "the resolution of the deadline is that of its clock",
  kind: "N",
  why: "one nanosecond on Linux, which no call can observe",
};
