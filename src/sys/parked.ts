/** The end of a call that a thread left parked when it was ended itself. */

import { sys } from "./load.ts";
import { Parking } from "./parking.ts";
import type { Parked } from "./record.ts";

/**
 * Ends the call. Sooner or later it comes back, also when its thread is only about to make it:
 * nobody takes the bell's sound away any more.
 */
export function endParked({ bell }: Parked): void {
  // Refused only for a bell that rings already, or that is none any more: the same end.
  sys().c.eventfd_write(bell, 1n);
}

/**
 * Whether the call has come back, or none was under way.
 *
 * SAFETY: the memory is there until {@linkcode freeParked}.
 */
export function isParkedBack({ place }: Parked): boolean {
  return new Parking(sys().viewOf(place, Parking.bytes())).isBack;
}

/** Gives the memory of a call back that has come back. */
export function freeParked({ place }: Parked): void {
  sys().c.free(place);
}
