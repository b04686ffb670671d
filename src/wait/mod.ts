/** How anything waits: blocking, asynchronously, and a short while of trying before either. */

export { checkSignal, onAbort } from "./abort.ts";
export { blockUntil, interruptHint, type Readiness } from "./block.ts";
export { at, deadlineOf, timeoutError } from "./deadline.ts";
export { bellBehind, bellOfThisThread, isDead } from "./doorbell.ts";
export { lookAgain } from "./look_again.ts";
export { foundAtOnce, nextTurn, turnBegins } from "./turn.ts";
export { type Awaited, Waiters, type WaitOptions } from "./waiters.ts";
export { type GivingUp, type Line, type Waiter, waiting } from "./waiter.ts";
export { EVENT_COUNT_BYTES, EventCount, type EventCountOptions } from "./futex.ts";
export { blockInSlices } from "./slices.ts";
export { NOTIFY_C, NOTIFY_C_HEADERS } from "./notify_c.ts";
