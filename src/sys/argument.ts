/**
 * Arguments that are judged before C sees them: C would take another number for them.
 *
 * The wrong kind is a TypeError, the wrong amount a RangeError, and both show the value as it came.
 */

/** A value as an error message shows it: texts in quotes, BigInts with their n. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  return typeof value === "bigint" ? `${value}n` : String(value);
}

/** Which whole numbers are accepted, and how the errors call them. */
export interface WholeNumberRule {
  /** The option or parameter: `maxMessages`. */
  name: string;
  min?: number;
  max?: number;
}

/**
 * A whole number, with -0 made 0.
 *
 * @throws {TypeError} If it is no number.
 * @throws {RangeError} If it has a fraction or is out of range.
 */
export function wholeNumber(value: number, { name, min, max }: WholeNumberRule): number {
  const what = `Cannot use ${name} ${shown(value)}`;
  if (typeof value !== "number") throw new TypeError(`${what}: expected a number`);
  const low = min ?? -Number.MAX_SAFE_INTEGER, high = max ?? Number.MAX_SAFE_INTEGER;
  if (Number.isSafeInteger(value) && value >= low && value <= high) return value + 0;
  if (max !== undefined) {
    throw new RangeError(`${what}: expected a whole number, ${low} to ${high}`);
  }
  const from = min === undefined ? "" : ` from ${min}`;
  throw new RangeError(`${what}: expected a whole number${from}`);
}

/**
 * Permission bits of a queue or of memory: rw for owner, group and others.
 *
 * @throws {RangeError} Above 0o777; a decimal 600 is 0o1130 and such a mistake.
 */
export function permissionBits(mode: number): number {
  if (wholeNumber(mode, { name: "mode" }) >= 0 && mode <= 0o777) return mode + 0;
  throw new RangeError(`Cannot use mode ${mode}: expected 0 to 0o777, octal as in 0o600`);
}

/**
 * Keeps a constructor to the library, also where types are not looked at.
 *
 * @throws {TypeError} If `making` is not the key that the class keeps to itself.
 */
export function checkMaking(making: symbol, key: symbol, what: string, instead: string): void {
  if (making !== key) throw new TypeError(`Cannot make ${what} by new: expected ${instead}`);
}

/**
 * Refuses what stands in the place of options and is none: nothing in it would be found, and a
 * priority or a deadline forgotten in silence.
 *
 * @param example What was meant, perhaps.
 */
export function checkOptions(options: unknown, action: string, example: string): void {
  if (typeof options === "object" && options !== null) return;
  throw new TypeError(
    `Cannot ${action}: the options are ${shown(options)}, expected an object such as ${example}`,
  );
}

/** The error for a value of the wrong kind. */
export function kindError(action: string, value: unknown, expected: string): TypeError {
  const kind = Object.prototype.toString.call(value).slice(8, -1);
  return new TypeError(`Cannot ${action} a value of type ${kind}: expected ${expected}`);
}
