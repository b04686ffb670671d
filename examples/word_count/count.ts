/**
 * A count from its first process to its last: cuts the files, hires a crew, shares the pieces out,
 * kills one who works on them, and waits for its successor.
 *
 * Rule: whatever happens, nobody runs and nothing is left in the kernel when it is over.
 */

import process from "node:process";
import { type MappedFile, system } from "../../mod.ts";
import { type Counter, type Crew, type CrewOptions, hire, type Lost } from "./crew.ts";
import { cut, type Piece } from "./pieces.ts";
import { share, type Tally } from "./share.ts";

/** How a count is made. */
export interface CountOptions extends CrewOptions {
  /** Whether one of the processes is killed in the middle. */
  kill: boolean;
  /** Ends the count: it rejects with the signal's reason when everything is cleaned up. */
  signal: AbortSignal;
  /** Told what happens, as it does. */
  onEvent: (event: CountEvent) => void;
}

/** What happens during a count. */
export type CountEvent =
  | { kind: "started"; name: string; pid: number }
  | { kind: "progress"; tally: Tally; pieces: number; seconds: number }
  | { kind: "killing"; name: string; pid: number; inHand: number }
  | ({ kind: "lost" } & Lost);

/** What became of a counter. */
export interface CounterReport {
  name: string;
  /** The process that it was last. */
  pid: number;
  /** How many pieces it has counted. */
  pieces: number;
  /** How it ended each time that it was not asked to, in words. */
  lost: string[];
}

/** A finished count. */
export interface CountResult {
  /** The words, as strings with one character a byte. */
  words: Map<string, number>;
  /** Words, each as often as it came. */
  total: number;
  pieces: number;
  /** How often a piece was asked for, those that were asked for again included. */
  asks: number;
  /** From the first ask to the last piece, without the start of the processes. */
  seconds: number;
  counters: CounterReport[];
  /** Why no program in C was among them, if one was wanted. */
  whyNoC: string | undefined;
}

const NOTHING: CountResult = {
  words: new Map(),
  total: 0,
  pieces: 0,
  asks: 0,
  seconds: 0,
  counters: [],
  whyNoC: undefined,
};

/** Counts the words of files. */
export async function countWords(
  files: readonly MappedFile[],
  options: CountOptions,
): Promise<CountResult> {
  const pieces = files.flatMap(({ bytes }, file) => [...cut(file, bytes, options.pieceBytes)]);
  if (pieces.length === 0) return NOTHING;

  const lost: Lost[] = [];
  // What it kills, and what comes of that, it tells itself.
  const shop = await system(`word-count-${process.pid}`, { log: { level: "error" } });
  let isOver = false; // from then on those who end were asked to
  let crew: Crew | undefined;
  try {
    const onLost = (one: Lost) => {
      if (isOver) return;
      lost.push(one);
      options.onEvent({ kind: "lost", ...one });
    };
    crew = await hire(shop, files.map(({ path }) => path), options, onLost);
    const { tally, seconds } = await shareAndKill(pieces, crew.counters, options);
    for (const { counter } of lost) await counter.isBack(options.signal);
    const { words, total, asks, piecesOf } = tally;
    return {
      words,
      total,
      asks,
      pieces: pieces.length,
      seconds,
      counters: crew.counters.map((counter) => ({
        name: counter.name,
        pid: counter.pid,
        pieces: piecesOf.get(counter) ?? 0,
        lost: lost.filter((one) => one.counter === counter).map(({ how }) => how),
      })),
      whyNoC: crew.whyNoC,
    };
  } finally {
    isOver = true;
    await crew?.dismiss();
    await shop.close();
  }
}

/** Shares the pieces out. When a third is counted, a process that has some in hand is killed. */
async function shareAndKill(
  pieces: readonly Piece[],
  counters: readonly Counter[],
  { kill, signal, onEvent }: CountOptions,
): Promise<{ tally: Tally; seconds: number }> {
  signal.throwIfAborted();
  for (const { name, pid } of counters) onEvent({ kind: "started", name, pid });
  let toKill = kill ? counters.find((counter) => counter.kind === "process") : undefined;
  const start = performance.now();
  let seconds = 0;

  const onCounted = (tally: Tally) => {
    seconds = (performance.now() - start) / 1000;
    onEvent({ kind: "progress", tally, pieces: pieces.length, seconds });
    const inHand = toKill && tally.inHandOf.get(toKill);
    if (!toKill || !inHand || tally.pieces * 3 < pieces.length) return;
    const { name, pid } = toKill;
    toKill = undefined;
    onEvent({ kind: "killing", name, pid, inHand });
    process.kill(pid, "SIGKILL");
  };
  const tally = await share(pieces, counters, { signal, onCounted });
  return { tally, seconds };
}
