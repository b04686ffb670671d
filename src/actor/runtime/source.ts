/** Where a cell takes its messages from: its own buffer, or a kernel queue of its own. */

/** Frames, one after the other. */
export interface Source {
  /** The priority of the frame that was taken last. */
  readonly priority: number;
  /** A frame that is there now; valid until the next is taken. */
  tryNext(): Uint8Array | undefined;
  /** The next frame; undefined when the signal is aborted first. */
  next(signal: AbortSignal): Promise<Uint8Array | undefined>;
  /** Puts a frame back that was taken and not handled, before those of its priority; it is kept. */
  giveBack(bytes: Uint8Array, priority: number): void;
}
