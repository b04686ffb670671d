/** Options that the producer and the consumer of a ring share. */

/** How long a blocking call on a ring may block. */
export interface RingBlockOptions {
  /**
   * Milliseconds, at least 0; measured on the monotonic clock.
   * @default {for ever}
   */
  timeoutMs?: number | undefined;
}

/** How long an awaited call on a ring may wait. */
export interface RingAwaitOptions extends RingBlockOptions {
  /** Ends the wait: the promise rejects with the signal's reason, and nothing was pushed or popped. */
  signal?: AbortSignal | undefined;
}
