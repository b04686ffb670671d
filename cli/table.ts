/** Facts as a table for people. Programs ask for `--json`, where nothing is cut or escaped. */

/** A cell; `undefined` is what may not be known. */
export type Cell = string | number | undefined;

/**
 * Lines of columns, the numbers flush right.
 *
 * Control characters of names are escaped: others may have chosen them, and a terminal obeys.
 */
export function table(headers: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const texts = [headers, ...rows].map((row) => row.map((cell) => printable(String(cell ?? "?"))));
  const widths = headers.map((_, column) => Math.max(...texts.map((row) => row[column]!.length)));
  const isNumber = headers.map((_, column) =>
    rows.some((row) => typeof row[column] === "number") &&
    rows.every((row) => typeof row[column] !== "string")
  );
  return texts.map((row) =>
    row.map((text, column) =>
      isNumber[column] ? text.padStart(widths[column]!) : text.padEnd(widths[column]!)
    ).join("  ").trimEnd()
  ).join("\n");
}

/** A text without characters that would move a terminal's cursor or turn its writing round. */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}
