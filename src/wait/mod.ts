/** How anything waits: blocking, asynchronously, and a short while of trying before either. */

export { blockUntil, interruptHint, type Readiness } from "./block.ts";
export { deadlineOf } from "./deadline.ts";
export { bellBehind, isDead } from "./doorbell.ts";
export { lookAgain } from "./look_again.ts";
export { nextTurn } from "./turn.ts";
export { Waiters, type WaitOptions } from "./waiters.ts";
export { EVENT_COUNT_BYTES, EventCount, type EventCountOptions } from "./futex.ts";
export { blockInSlices } from "./slices.ts";
export { NOTIFY_C, NOTIFY_C_HEADERS } from "./notify_c.ts";
