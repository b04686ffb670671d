/** Waiting for something, and no longer than a deadline allows. */

import type { Clock } from "./clock.ts";

/**
 * Waits for something, at most so long.
 *
 * @param ms Milliseconds.
 * @returns Whether it came in time. Rejects as the promise does, if that is in time.
 */
export async function inTime(
  promise: Promise<unknown>,
  ms: number,
  clock: Clock,
): Promise<boolean> {
  let cancel = () => {};
  const late = new Promise<boolean>((resolve) => cancel = clock.after(ms, () => resolve(false)));
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    cancel();
  }
}
