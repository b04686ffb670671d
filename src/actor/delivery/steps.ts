/**
 * The steps of taking, handling, acknowledging and recovering a message, by name: a test stops the
 * process at each of them and looks at what is left.
 *
 * Rule: a step is where a kill would leave something else than at the one before it. Nothing here
 * does anything unless a test has said so.
 */

/** One of the steps, in the order in which a message meets them. */
export const STEPS = [
  /** A slot is ready for the next message; nothing was taken. */
  "armed",
  /** A message of a ring was copied into it; the ring has it still. */
  "copied",
  /** The kernel has put a message into it; its length is not written. */
  "received",
  /** Its length is. */
  "kept",
  /** The attempt is counted, and its handler is about to be called. */
  "begun",
  /** The handler is done. */
  "handled",
  /** A message with a block of the slab is marked; the block is not free yet. */
  "freeing",
  /** The block is free; the slot is not yet. */
  "freed",
  /** The slot is free. */
  "acknowledged",
  /** A dead letter was told; its slot is not free yet. */
  "told",
  /** A receiver began, and has not looked at the slots that it found. */
  "claimed",
  /** It found one that is not empty, and has changed nothing about it. */
  "found",
  /** It has looked at all. */
  "recovered",
] as const;

/** The name of a step. */
export type Step = (typeof STEPS)[number];

/** Called at each step. */
export let step: (name: Step) => void = nothing;

/** Calls a function at each step from now on; without one, nothing. For tests alone. */
export function onStep(hook: (name: Step) => void = nothing): void {
  step = hook;
}

function nothing(): void {}
