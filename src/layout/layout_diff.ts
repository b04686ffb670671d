/** Two schemas side by side, for errors. */

/** So many lines are compared; the rest of larger schemas is only counted. */
const MAX_LINES = 400;

/** So much of a line is shown. */
const MAX_LINE_LENGTH = 400;

/**
 * What differs between two schemas, line by line: `-` is only in what was found, `+` only in what
 * was expected, and what stands unmarked is in both.
 *
 * The longest run of lines that both have in order stays unmarked, as in diff(1).
 *
 * @param found A schema's text, or anything: it may come from memory that others write.
 * @param expected A schema's text.
 */
export function layoutDiff(found: string, expected: string): string {
  const [old, oldRest] = firstLines(found), [now, nowRest] = firstLines(expected);
  const common = commonLengths(old, now);
  const lines: string[] = [];
  let i = 0, j = 0;
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      lines.push(`  ${old[i++]}`);
      j++;
    } else if (j === now.length || (i < old.length && common[i + 1]![j]! >= common[i]![j + 1]!)) {
      lines.push(`- ${old[i++]}`);
    } else {
      lines.push(`+ ${now[j++]}`);
    }
  }
  if (oldRest > 0) lines.push(`- … ${oldRest} more lines`);
  if (nowRest > 0) lines.push(`+ … ${nowRest} more lines`);
  return lines.join("\n");
}

function firstLines(text: string): [lines: string[], more: number] {
  const lines = text.split("\n");
  return [lines.slice(0, MAX_LINES).map(harmless), Math.max(0, lines.length - MAX_LINES)];
}

/** A line that does nothing to the terminal that it is shown on. */
function harmless(line: string): string {
  const short = line.length > MAX_LINE_LENGTH ? `${line.slice(0, MAX_LINE_LENGTH)} …` : line;
  return short.replace(/\p{C}/gu, "\ufffd");
}

/** At [i][j]: how many lines can stay of `old` from i and `now` from j on. */
function commonLengths(old: readonly string[], now: readonly string[]): Uint16Array[] {
  const lengths = Array.from({ length: old.length + 1 }, () => new Uint16Array(now.length + 1));
  for (let i = old.length - 1; i >= 0; i--) {
    const row = lengths[i]!, below = lengths[i + 1]!;
    for (let j = now.length - 1; j >= 0; j--) {
      row[j] = old[i] === now[j] ? below[j + 1]! + 1 : Math.max(below[j]!, row[j + 1]!);
    }
  }
  return lengths;
}
