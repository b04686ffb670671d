/** Values in error messages. */

const MAX_SHOWN = 60;

/** A value as an error message shows it: short, and also what cannot be made a text. */
export function shown(value: unknown): string {
  switch (typeof value) {
    case "string":
      if (value.length <= MAX_SHOWN) return JSON.stringify(value);
      return `${JSON.stringify(value.slice(0, MAX_SHOWN))}… (${value.length} characters)`;
    case "bigint":
      return `${value}n`;
    case "function":
      return "a function";
    case "object":
      if (value === null) return "null";
      return Array.isArray(value) ? `an array of ${value.length}` : "an object";
    default:
      return String(value);
  }
}

/**
 * Judges a whole number, from 1 on where nothing else is said.
 *
 * @throws {TypeError} If it is no number.
 * @throws {RangeError} If it has a fraction or is out of range.
 */
export function checkAmount(value: unknown, what: string, max: number, min = 1): void {
  const cannot = `Cannot use ${what} ${shown(value)}`;
  if (typeof value !== "number") throw new TypeError(`${cannot}: expected a number`);
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new RangeError(`${cannot}: expected a whole number, ${min} to ${max}`);
}
