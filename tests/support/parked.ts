/** The one call of the reactor that waits in a thread of the runtime's. */

import { isReactorParked } from "../../src/wait/reactor.ts";

/** Far longer than a thread takes to come back; what is parked then, somebody waits for. */
const BOUND_MS = 1000;

/** Comes back when the reactor's parked call has; at once when nothing is parked. */
export async function parkedCallIsBack(): Promise<void> {
  const deadline = performance.now() + BOUND_MS;
  while (isReactorParked() && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
