/**
 * Signals: who waits is told once when its signal aborts.
 *
 * Rule: a signal has one listener of ours, however many wait with it: a program has one signal for
 * its end and gives it to every wait, and Node warns of a leak at eleven listeners. And nothing of
 * the caller's is called while somebody is served: what it throws would be another's loss.
 */

import { shown } from "../sys/mod.ts";

const { addEventListener, removeEventListener } = EventTarget.prototype;
const { throwIfAborted } = AbortSignal.prototype;

/** Who is told of each signal, in their order. */
const listening = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Throws the reason of a signal that has aborted.
 *
 * @throws {TypeError} If it is none.
 */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  if (!(signal instanceof AbortSignal)) {
    throw new TypeError(`Cannot wait with signal ${shown(signal)}: expected an AbortSignal`);
  }
  throwIfAborted.call(signal);
}

/** Calls a function when a signal aborts, unless that is taken back by what this gives. */
export function onAbort(signal: AbortSignal, told: () => void): () => void {
  let all = listening.get(signal);
  if (all === undefined) listening.set(signal, all = new Set());
  if (all.size === 0) addEventListener.call(signal, "abort", tellAll);
  all.add(told);
  return () => {
    if (all.delete(told) && all.size === 0) removeEventListener.call(signal, "abort", tellAll);
  };
}

function tellAll(this: AbortSignal): void {
  // A copy, and each is looked for: who is told may take others back, or wait anew.
  const all = listening.get(this)!;
  for (const told of [...all]) if (all.delete(told)) told();
  if (all.size === 0) removeEventListener.call(this, "abort", tellAll);
}
