/** Where a cell takes its messages from: its own buffer, or a kernel queue of its own. */

/** Frames, one after the other. */
export interface Source {
  /** The priority of the frame that was taken last. */
  readonly priority: number;
  /** What keeps frames until they are acknowledged, where something does. */
  readonly receipts?: Receipts;
  /** A frame that is there now; valid until the next is taken. */
  tryNext(): Uint8Array | undefined;
  /** The next frame; undefined when the signal is aborted first. */
  next(signal: AbortSignal): Promise<Uint8Array | undefined>;
  /** Puts a frame back that was taken and not handled, before those of its priority; it is kept. */
  giveBack(bytes: Uint8Array, priority: number): void;
}

/** What keeps frames that were taken until they are acknowledged: each has a receipt. */
export interface Receipts {
  /** The receipt of the frame that was taken last; 0 for one that is not kept. */
  readonly last: number;
  /** How often a frame is given to a handler, at most. */
  readonly maxAttempts: number;
  /** Whether another frame can be kept without being handled. */
  readonly canSetAside: boolean;
  /**
   * A frame is about to be handled. @returns Which attempt that is, from 1; the same one for a frame
   * that was set aside in between.
   */
  begin(receipt: number): number;
  /** What the last attempt ended by, in words; empty where nobody knows. */
  lastError(receipt: number): string;
  /** Acknowledges a frame: it is kept no longer. */
  done(receipt: number): void;
  /** Its handler ended the actor, in words: it is given again, to the next incarnation. */
  failed(receipt: number, error: string): void;
  /** It was not handled: it is given again. */
  back(receipt: number): void;
  /** No handler has the frame in hand any more, and it is kept: set aside, or its answer waits. */
  outOfHand(): void;
}
