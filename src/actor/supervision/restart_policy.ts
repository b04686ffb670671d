/**
 * What is restarted after which end, and how often: the options of a restart, judged once.
 *
 * Rule: an end is normal when it was meant: asked for, or exit code 0. All else is a failure.
 */

import type { Exit } from "../errors.ts";
import type { Keep, RestartOptions } from "../protocol/spawn_options.ts";
import { checkChoice } from "../protocol/options.ts";

export type { Keep };

/** All of {@linkcode RestartOptions}, judged. */
export type RestartPolicy = Readonly<
  { [K in keyof RestartOptions]-?: NonNullable<RestartOptions[K]> }
>;

const KEEPS: readonly Keep[] = ["permanent", "transient", "temporary"];

/**
 * The options with what they leave out.
 *
 * @throws {TypeError} If `keep` is none.
 * @throws {RangeError} If a number is out of range.
 */
export function restartPolicy(options: RestartOptions = {}): RestartPolicy {
  const { keep = "transient", max = 3, withinMs = 5_000, backoffMs = [50, 5_000] } = options;
  checkChoice(keep, "keep", KEEPS);
  if (!(Number.isSafeInteger(max) && max >= 0) && max !== Infinity) {
    throw new RangeError(
      `Cannot allow ${max} restarts: expected a whole number of 0 or more, or Infinity`,
    );
  }
  if (!(withinMs >= 1)) {
    throw new RangeError(`Cannot count restarts within ${withinMs} ms: expected 1 or more`);
  }
  const [firstMs, mostMs] = backoffMs;
  if (!(firstMs >= 0 && firstMs <= mostMs && mostMs < Infinity)) {
    throw new RangeError(
      `Cannot back off from ${firstMs} to ${mostMs} ms: expected two finite numbers of 0 or more, ` +
        "the smaller first",
    );
  }
  return { keep, max, withinMs, backoffMs: [firstMs, mostMs] };
}

/** Whether an end was meant. */
export function isNormal(exit: Exit): boolean {
  return exit.kind === "stopped" || (exit.kind === "exit" && exit.code === 0);
}

/**
 * Whether one that ended so by itself is restarted. Who stopped, by its own wish or another's, is
 * not, whatever it is: in OTP a permanent one would be.
 */
export function isKept(keep: Keep, exit: Exit): boolean {
  if (exit.kind === "stopped" || keep === "temporary") return false;
  return keep === "permanent" || !isNormal(exit);
}
