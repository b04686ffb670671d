/** What a count is told as: a table for people, an object for programs, lines while it runs. */

import { Buffer } from "node:buffer";
import type { CounterReport, CountEvent, CountResult } from "./count.ts";
import { amount, grouped, rate, sized } from "./figures.ts";

/** Everything there is to tell about a finished count. */
export interface Summary {
  files: number;
  bytes: number;
  result: CountResult;
  /** What the serial count found that the shared one did not, or the other way round. */
  differences: Difference[];
  serialSeconds: number;
  /** How many words to show. */
  top: number;
}

/** A word that was counted differently. */
export interface Difference {
  word: string;
  shared: number;
  serial: number;
}

/** Compares two counts, word by word. */
export function compare(shared: Map<string, number>, serial: Map<string, number>): Difference[] {
  const words = new Set([...shared.keys(), ...serial.keys()]);
  return [...words]
    .map((word) => ({ word, shared: shared.get(word) ?? 0, serial: serial.get(word) ?? 0 }))
    .filter((difference) => difference.shared !== difference.serial);
}

/** The most frequent words; of equals the one whose bytes come first. */
export function topWords(words: Map<string, number>, count: number): [string, number][] {
  return [...words]
    .sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))
    .slice(0, count);
}

/** The whole report, with its last newline. */
export function asText(summary: Summary): string {
  const { files, bytes, result, differences, serialSeconds, top } = summary;
  const { asks, seconds, pieces, counters, whyNoC } = result;
  const rows = topWords(result.words, top).map(([word, count]): [string, string] => [
    shortened(readable(word)),
    grouped(count),
  ]);
  const wordWidth = Math.max(4, ...rows.map(([word]) => [...word].length));
  const countWidth = Math.max(5, ...rows.map(([, count]) => count.length));
  const row = ([word, count]: [string, string]) =>
    `  ${word.padEnd(wordWidth)}  ${count.padStart(countWidth)}`;

  const lines = [
    ...(rows.length === 0 ? [] : [row(["word", "count"]), ...rows.map(row), ""]),
    line(
      "words",
      `${grouped(result.total)}, ${grouped(result.words.size)} different, in ` +
        `${amount(files, "file")} of ${sized(bytes)}`,
    ),
    line(
      "asked",
      `${amount(asks, "time")} for ${amount(pieces, "piece")} in ${seconds.toFixed(3)} s: ` +
        `${grouped(rate(result.total, seconds))} words/s, ${sized(rate(bytes, seconds))}/s`,
    ),
    ...counters.map(counterLine),
    ...(whyNoC === undefined ? [] : [line("C program", `none: ${whyNoC}`)]),
    line(
      "serial",
      `${serialSeconds.toFixed(3)} s by node:fs; ` +
        (differences.length === 0
          ? "the result equals it"
          : `DIFFERS in ${amount(differences.length, "word")}`),
    ),
  ];
  for (const { word, shared, serial } of differences.slice(0, 10)) {
    lines.push(`    ${shortened(readable(word))}: ${grouped(shared)}, serial ${grouped(serial)}`);
  }
  return `${lines.join("\n")}\n`;
}

function line(what: string, text: string): string {
  return `  ${what.padEnd(9)}  ${text}`;
}

function counterLine({ name, pid, pieces, lost }: CounterReport): string {
  const before = lost.map((how) => `; one before it ${how}`).join("");
  return line(name, `pid ${pid}, ${amount(pieces, "piece")}${before}`);
}

/** The same for programs. */
export function asJson(summary: Summary): string {
  const { files, bytes, result, differences, serialSeconds, top } = summary;
  const { total, asks, seconds, pieces, counters, whyNoC } = result;
  return `${
    JSON.stringify(
      {
        files,
        bytes,
        words: total,
        differentWords: result.words.size,
        top: topWords(result.words, top).map(([word, count]) => ({ word: readable(word), count })),
        pieces,
        asks,
        seconds,
        wordsPerSecond: rate(total, seconds),
        bytesPerSecond: rate(bytes, seconds),
        counters,
        whyNoC,
        serialSeconds,
        equalsSerial: differences.length === 0,
        differences: differences.map((difference) => ({
          ...difference,
          word: readable(difference.word),
        })),
      },
      undefined,
      2,
    )
  }\n`;
}

/** What is said of an event without being asked for. */
export function eventLine(event: CountEvent): string | undefined {
  if (event.kind === "killing") {
    const { name, pid, inHand } = event;
    return `killing ${name} (${pid}) by SIGKILL, with ${amount(inHand, "piece")} in hand`;
  }
  if (event.kind !== "lost") return undefined;
  const { counter, how, restarting } = event;
  return `${counter.name} ${how}; what it had in hand is asked for again, ` +
    (restarting ? "and it is started anew" : "and it is not started anew");
}

/** What `--verbose` says beside that. */
export function verboseLine(event: CountEvent): string | undefined {
  if (event.kind === "started") return `${event.name} is process ${event.pid}`;
  if (event.kind !== "progress") return undefined;
  return `${event.tally.pieces} of ${event.pieces} pieces are counted`;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A word as text; one that is no UTF-8 with its high bytes as `\xff`. No word has a backslash. */
function readable(word: string): string {
  try {
    return utf8.decode(Buffer.from(word, "latin1"));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return word.replace(
      /[\x80-\xff]/g,
      (byte) => `\\x${byte.charCodeAt(0).toString(16)}`,
    );
  }
}

const SHOWN_CHARACTERS = 40;

function shortened(word: string): string {
  const characters = [...word];
  if (characters.length <= SHOWN_CHARACTERS) return word;
  return `${characters.slice(0, SHOWN_CHARACTERS - 1).join("")}…`;
}
