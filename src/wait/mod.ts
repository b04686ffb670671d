/** How anything waits: blocking, asynchronously, and a short while of trying before either. */

export { blockUntil, type Readiness } from "./block.ts";
export { lookAgain } from "./look_again.ts";
export { Waiters, type WaitOptions } from "./waiters.ts";
export { EVENT_COUNT_BYTES, EventCount, type EventCountOptions } from "./futex.ts";
