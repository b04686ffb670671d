/**
 * Shares pieces out: each is asked of whoever is free, and asked again when who had it died.
 *
 * Rule: a piece counts with its reply and never without, so the count is exact whoever dies.
 */

import { ActorError } from "../../mod.ts";
import type { Counter } from "./crew.ts";
import type { Piece } from "./pieces.ts";

/** What a share-out has come to. */
export class Tally {
  /** The words and their counts so far. */
  readonly words: Map<string, number> = new Map();
  /** How many pieces each counter has counted. */
  readonly piecesOf: Map<Counter, number> = new Map();
  /** How many each has in hand. */
  readonly inHandOf: Map<Counter, number> = new Map();
  pieces = 0;
  bytes = 0;
  /** Words, each as often as it came. */
  total = 0;
  /** How often a piece was asked for, those that were asked for again included. */
  asks = 0;
}

/** How a share-out is watched and ended. */
export interface ShareOptions {
  /** Ends it: it rejects with the signal's reason. */
  signal: AbortSignal;
  /** Told after each piece. */
  onCounted: (tally: Tally) => void;
}

/**
 * Has all pieces counted.
 *
 * @throws {Error} If a piece cannot be counted, or nobody is left to count.
 */
export async function share(
  pieces: readonly Piece[],
  counters: readonly Counter[],
  { signal, onCounted }: ShareOptions,
): Promise<Tally> {
  const tally = new Tally();
  const again: Piece[] = [];
  let next = 0;

  /** Asks for one piece after the other, until there is no more or the counter is gone for good. */
  async function work(counter: Counter): Promise<boolean> {
    for (;;) {
      const piece = again.pop() ?? pieces[next++];
      if (piece === undefined) return true;
      try {
        await countOne(counter, piece);
      } catch (error) {
        if (!isDeath(error)) throw error;
        again.push(piece);
        if (!await counter.isBack(signal)) return false;
      }
    }
  }

  async function countOne(counter: Counter, piece: Piece): Promise<void> {
    tally.asks++;
    add(tally.inHandOf, counter, 1);
    try {
      const words = await counter.count(piece, signal);
      for (const [word, count] of words) {
        add(tally.words, word, count);
        tally.total += count;
      }
    } finally {
      add(tally.inHandOf, counter, -1);
    }
    add(tally.piecesOf, counter, 1);
    tally.pieces++;
    tally.bytes += piece.byteLength;
    onCounted(tally);
  }

  // Somebody may die with the last piece when the others are through with theirs.
  let living = counters;
  while (tally.pieces < pieces.length) {
    if (living.length === 0) throw new Error("Cannot go on: all who counted have died");
    const rounds = living.map(async (counter) => {
      const lines = Array.from({ length: counter.atOnce }, () => work(counter));
      return (await Promise.all(lines)).every(Boolean);
    });
    const stays = await Promise.all(rounds);
    living = living.filter((_, index) => stays[index]);
  }
  return tally;
}

/** Whether a counter died, or does not answer; everything else is about the piece. */
function isDeath(error: unknown): boolean {
  return error instanceof ActorError || (error as Error)?.name === "TimeoutError";
}

function add<K>(counts: Map<K, number>, key: K, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}
