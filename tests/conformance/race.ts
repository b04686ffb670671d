/** Processes that try the same thing at the same moment, again and again: a race in rounds. */

import { SharedMemory } from "../../mod.ts";
import { schedYield } from "../../src/sys/mod.ts";
import { assertEquals } from "../assert.ts";
import { memoryName } from "../support/names.ts";

export const RACERS = 3;

/** How long a racer waits for the others before it gives up: a broken start must not hang. */
const PATIENCE_MS = 20_000;

/** In a child: runs every round as soon as all others are there; the rounds that it has won. */
export function raceThrough(gate: string, rounds: number, wins: (round: number) => boolean) {
  using memory = SharedMemory.open(gate);
  const arrived = new Int32Array(memory.buffer, 0, 1);
  const deadline = performance.now() + PATIENCE_MS;
  const won: number[] = [];
  for (let round = 0; round < rounds; round++) {
    Atomics.add(arrived, 0, 1);
    while (Atomics.load(arrived, 0) < (round + 1) * RACERS) {
      if (performance.now() > deadline) throw new Error(`the others never came to round ${round}`);
      schedYield();
    }
    if (wins(round)) won.push(round);
  }
  return won;
}

/** Starts the racers and holds them to one winner in each round. */
export async function assertOneWinnerEach(
  rounds: number,
  racer: (gate: string) => Promise<number[]>,
): Promise<void> {
  using gate = memoryName();
  using _memory = SharedMemory.create(gate.name, { byteLength: 64 });
  const racers = await Promise.all(Array.from({ length: RACERS }, () => racer(gate.name)));
  const wins = racers.flat().sort((a, b) => a - b);
  assertEquals(wins, Array.from({ length: rounds }, (_, round) => round));
}
