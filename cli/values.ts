/** Values of flags: text on the command line to numbers. What is refused says what was expected. */

/** Whole numbers in decimal digits, no signs, no exponents; `of` is what they count. */
export function wholeNumber(
  { of, min = 0 }: { of?: string; min?: number } = {},
): (input: string) => number {
  return (input) => {
    const value = /^[0-9]+$/.test(input) ? Number(input) : NaN;
    if (Number.isSafeInteger(value) && value >= min) return value;
    throw new RangeError(`a whole number ${of === undefined ? "" : `of ${of} `}from ${min}`);
  };
}

/** A duration, fractions allowed. */
export function milliseconds(input: string): number {
  const value = /^[0-9]+(\.[0-9]+)?$/.test(input) ? Number(input) : NaN;
  if (Number.isFinite(value)) return value;
  throw new RangeError("a number of milliseconds from 0");
}

/** Permission bits as chmod(1) takes them: octal. */
export function permissionBits(input: string): number {
  if (/^0?[0-7]{1,3}$/.test(input)) return parseInt(input, 8);
  throw new RangeError("octal permission bits like 600");
}

/** The way back, for printing. */
export function octal(mode: number): string {
  return mode.toString(8).padStart(3, "0");
}

/** A hash of 64 bits, for printing. */
export function hexOf(hash: bigint): string {
  return `0x${hash.toString(16).padStart(16, "0")}`;
}

/** Drops what was not given, so that the library's defaults apply. */
export function given<T extends object>(
  options: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
