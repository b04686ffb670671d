/** What a count is told as: a table for people, an object for programs, lines while it runs. */

import { Buffer } from "node:buffer";
import type { CountEvent, CountResult, WorkerEnd, WorkerReport } from "./parent.ts";

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
  const { messages, seconds, pieces, workers, parentPieces } = result;
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
    `  words    ${grouped(totalOf(result.words))}, ${grouped(result.words.size)} different, in ` +
    `${amount(files, "file")} of ${sized(bytes)}`,
    `  queue    ${amount(messages, "message")} for ${amount(pieces, "piece")} in ` +
    `${seconds.toFixed(3)} s: ${grouped(rate(messages, seconds))} messages/s, ` +
    `${sized(rate(bytes, seconds))}/s`,
    ...workers.map((worker) =>
      `  worker ${worker.worker} ${worker.pid === undefined ? "" : `process ${worker.pid}, `}` +
      `${amount(worker.pieces, "piece")}${hasFailed(worker.end) ? `, ${ended(worker.end)}` : ""}`
    ),
    ...(parentPieces > 0 ? [`  parent   ${amount(parentPieces, "piece")}`] : []),
    `  serial   ${serialSeconds.toFixed(3)} s by node:fs; ` +
    (differences.length === 0
      ? "the result equals it"
      : `DIFFERS in ${amount(differences.length, "word")}`),
  ];
  for (const { word, shared, serial } of differences.slice(0, 10)) {
    lines.push(`    ${shortened(readable(word))}: ${grouped(shared)}, serial ${grouped(serial)}`);
  }
  return `${lines.join("\n")}\n`;
}

/** The same for programs. */
export function asJson(summary: Summary): string {
  const { files, bytes, result, differences, serialSeconds, top } = summary;
  const { messages, seconds, pieces, workers, parentPieces } = result;
  return `${
    JSON.stringify(
      {
        files,
        bytes,
        words: totalOf(result.words),
        differentWords: result.words.size,
        top: topWords(result.words, top).map(([word, count]) => ({ word: readable(word), count })),
        pieces,
        messages,
        seconds,
        messagesPerSecond: rate(messages, seconds),
        bytesPerSecond: rate(bytes, seconds),
        workers,
        parentPieces,
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

/** What is said when a worker is lost. */
export function lostLine({ worker, pid, pieces, end, left }: WorkerReport & { left: number }) {
  const who = `worker ${worker}${pid === undefined ? "" : ` (process ${pid})`}`;
  const rest = left === 0
    ? "none is left, the parent goes on alone"
    : `${left} ${left === 1 ? "goes" : "go"} on`;
  return `${who} ${ended(end)} after ${amount(pieces, "piece")}; what it left open is counted ` +
    `again, ${rest}`;
}

/** What `--verbose` says of an event. */
export function verboseLine(event: CountEvent): string | undefined {
  if (event.kind === "started") return `worker ${event.worker} is process ${event.pid}`;
  if (event.kind === "progress") return `${event.done} of ${event.pieces} pieces are counted`;
  return undefined; // a lost worker is told in any case
}

function hasFailed(end: WorkerEnd): boolean {
  return !("code" in end) || end.code !== 0;
}

function ended(end: WorkerEnd): string {
  if ("signal" in end) return `was killed by ${end.signal}`;
  if ("error" in end) return `could not be started: ${end.error}`;
  return `ended with code ${end.code}`;
}

function totalOf(words: Map<string, number>): number {
  let total = 0;
  for (const count of words.values()) total += count;
  return total;
}

function rate(quantity: number, seconds: number): number {
  return seconds === 0 ? 0 : Math.round(quantity / seconds);
}

function amount(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
}

function grouped(value: number): string {
  return value.toLocaleString("en");
}

function sized(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
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
