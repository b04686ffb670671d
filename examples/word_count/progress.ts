/** One line on a terminal that says how far the count is; nothing where no person looks. */

import process from "node:process";
import { grouped, sized } from "./figures.ts";
import type { Tally } from "./share.ts";

/** How often the line is drawn at most. */
const PERIOD_MS = 100;

/** The line. */
export class Progress {
  #drawnAt = -Infinity;
  #isShown = false;

  /** Draws how far the crew is. */
  counting(tally: Tally, pieces: number, seconds: number, restarts: number): void {
    this.#draw(() =>
      `${grouped(tally.pieces)} of ${grouped(pieces)} pieces, ${sized(tally.bytes)}, ` +
      `${grouped(Math.round(tally.total / seconds))} words/s, ${restarts} ` +
      (restarts === 1 ? "restart" : "restarts")
    );
  }

  /** Draws how far the serial count is. */
  countingSerially(bytes: number, all: number): void {
    this.#draw(() => `counting serially: ${sized(bytes)} of ${sized(all)}`);
  }

  /** Takes the line away, so that another can be printed. */
  clear(): void {
    if (this.#isShown) process.stderr.write("\r\x1b[K");
    this.#isShown = false;
  }

  #draw(line: () => string): void {
    const now = performance.now();
    if (!process.stderr.isTTY || now - this.#drawnAt < PERIOD_MS) return;
    this.#drawnAt = now;
    this.#isShown = true;
    process.stderr.write(`\r\x1b[K${line()}`);
  }
}
