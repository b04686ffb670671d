/** How anything waits. The reactor, the spin and the futex come into this room. */

export { blockUntil, type Readiness } from "./block.ts";
