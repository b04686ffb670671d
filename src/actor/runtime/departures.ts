/**
 * The messages of this endpoint to one destination that wait to leave.
 *
 * Rule: the highest priority leaves first, and the first of equals; who comes later overtakes
 * nobody of its priority, whatever each waits for: credit, a block of the slab, room.
 */

import { onAbort } from "../../wait/mod.ts";
import type { Clock } from "../flow/clock.ts";
import type { CreditSender } from "../flow/credit.ts";

/** A message that waits. */
export interface Departure {
  readonly priority: number;
  /** Sends it if there is room now, with a credit that was taken for it. */
  tryLeave(): boolean;
  /** Sends it as soon as there is room; rejects with the signal's reason. */
  leave(signal: AbortSignal | undefined): Promise<void>;
}

/** How long one waits. */
export interface DepartureWait {
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly clock: Clock;
}

interface Waiting extends Departure {
  /** Aborted when it is given up; undefined for one that cannot be. */
  readonly gaveUp: AbortController | undefined;
  resolve(): void;
  reject(reason: unknown): void;
}

/** A line of messages. */
export class Departures {
  readonly #credit: () => CreditSender | undefined;
  readonly #onEmpty: () => void;
  readonly #waiting: Waiting[] = [];
  #leaving: Waiting | undefined;
  #isRunning = false;
  /** Aborted when nobody waits for credit any more. */
  #unwanted = new AbortController();

  /**
   * @param credit What each message takes one of; undefined where none is needed.
   * @param onEmpty Is called when nobody waits any more.
   */
  constructor(credit: () => CreditSender | undefined, onEmpty: () => void) {
    this.#credit = credit;
    this.#onEmpty = onEmpty;
  }

  /** Whether somebody waits who goes before one of such a priority that comes now. */
  holdsBack(priority: number): boolean {
    const first = this.#waiting[0];
    return (this.#leaving !== undefined && this.#leaving.priority >= priority) ||
      (first !== undefined && first.priority >= priority);
  }

  /**
   * Waits until a message has left.
   *
   * @returns Rejects with what its `leave` rejects with, with the signal's reason, with a
   * `TimeoutError` at the deadline.
   */
  wait(departure: Departure, { timeoutMs, signal, clock }: DepartureWait): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        cancel?.();
        stopListening?.();
        settle();
      };
      const waiting: Waiting = {
        priority: departure.priority,
        tryLeave: () => departure.tryLeave(),
        leave: (signal) => departure.leave(signal),
        gaveUp: timeoutMs === undefined && signal === undefined ? undefined : new AbortController(),
        resolve: () => end(resolve),
        reject: (reason) => end(() => reject(reason)),
      };
      const cancel = timeoutMs === undefined ? undefined : clock.after(
        timeoutMs,
        () =>
          this.#giveUp(
            waiting,
            new DOMException(`The message could not leave within ${timeoutMs} ms`, "TimeoutError"),
          ),
      );
      const stopListening = signal &&
        onAbort(signal, () => this.#giveUp(waiting, signal.reason));
      this.#enter(waiting);
    });
  }

  #enter(waiting: Waiting): void {
    const line = this.#waiting;
    let index = line.length;
    while (index > 0 && line[index - 1]!.priority < waiting.priority) index--;
    line.splice(index, 0, waiting);
    if (!this.#isRunning) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.length > 0) {
      const { signal } = this.#unwanted;
      const credit = this.#credit();
      try {
        if (credit?.tryTake() === false) await credit.wait({ signal });
      } catch (error) {
        if (!signal.aborted) this.#fail(error);
        continue;
      }
      const first = this.#waiting.shift();
      if (first === undefined) { // it was given up in between
        credit?.grant(1);
        continue;
      }
      this.#leaving = first;
      try {
        if (!first.tryLeave()) await first.leave(first.gaveUp?.signal);
        first.resolve();
      } catch (error) {
        credit?.grant(1);
        first.reject(error);
      }
      this.#leaving = undefined;
    }
    this.#isRunning = false;
    this.#onEmpty();
  }

  #giveUp(waiting: Waiting, reason: unknown): void {
    const index = this.#waiting.indexOf(waiting);
    if (index === -1) return waiting.gaveUp?.abort(reason);
    this.#waiting.splice(index, 1);
    waiting.reject(reason);
    if (this.#waiting.length > 0) return;
    this.#unwanted.abort();
    this.#unwanted = new AbortController();
  }

  #fail(error: unknown): void {
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error);
  }
}
