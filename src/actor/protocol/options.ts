/** Judges of what is given for options. */

import { shown } from "../../layout/mod.ts";

/**
 * Refuses what stands in the place of options and is none: a priority or a deadline would be
 * forgotten in silence.
 *
 * @param example What was meant, perhaps.
 * @throws {TypeError} If it is no object.
 */
export function checkOptions(options: unknown, action: string, example: string): void {
  if (typeof options === "object" && options !== null) return;
  throw new TypeError(
    `Cannot ${action}: the options are ${shown(options)}, expected an object such as ${example}`,
  );
}

/**
 * Refuses what is not one of a few texts.
 *
 * @throws {TypeError} If it is none of them.
 */
export function checkChoice(value: unknown, what: string, choices: readonly string[]): void {
  if (choices.some((choice) => choice === value)) return;
  const expected = choices.map((choice) => JSON.stringify(choice)).join(" or ");
  throw new TypeError(`Cannot use ${what} ${shown(value)}: expected ${expected}`);
}
