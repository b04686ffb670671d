/**
 * Those who wait to send by one outbox in one lane: the highest priority first, then who came first.
 *
 * Rule: who is served, or gives up, has left the line before its promise is settled.
 */

import { type GivingUp, type Waiter, waiting } from "../../wait/mod.ts";

/**
 * Tries, then tries again whenever there may be more room, until it works.
 *
 * @returns A promise that rejects with the signal's reason, or with what the carrier died of.
 */
export type AwaitRoom = (attempt: () => true | undefined, signal: AbortSignal) => Promise<unknown>;

/** One that waits to send. */
interface Place {
  readonly waiter: Waiter;
  readonly priority: number;
}

/** A line of those who wait for room. */
export class SendLine {
  readonly #awaited: string;
  readonly #awaitRoom: AwaitRoom;
  /** In the order in which they are served. */
  readonly #places: Place[] = [];
  /** Ends the wait for room, when nobody wants it any more; undefined when there is none. */
  #unwanted: AbortController | undefined;
  readonly #attempt = () => this.#serve();

  /** @param awaited In errors: `room in "/shop.1"`. */
  constructor(awaited: string, awaitRoom: AwaitRoom) {
    this.#awaited = awaited;
    this.#awaitRoom = awaitRoom;
  }

  /** Whether somebody waits who goes before one of such a priority that comes now. */
  holdsBack(priority: number): boolean {
    return this.#places.length > 0 && this.#places[0]!.priority >= priority;
  }

  /** Waits until a frame was sent. */
  wait(
    send: () => boolean,
    priority: number,
    givingUp: Omit<GivingUp, "awaited">,
  ): Promise<void> {
    const attempt = () => send() || undefined;
    return waiting(attempt, { ...givingUp, awaited: this.#awaited }, {
      enter: (waiter) => this.#enter({ waiter, priority }),
      leave: (waiter) => this.#leave(waiter),
      isNext: (waiter) => this.#places[0]?.waiter === waiter,
    }).then(nothing);
  }

  /** Rejects all who wait. */
  end(error: unknown): void {
    for (const { waiter } of this.#places.splice(0)) {
      waiter.release();
      waiter.reject(error);
    }
    this.#forgetRoom();
  }

  #enter(place: Place): void {
    const places = this.#places;
    let index = places.length;
    while (index > 0 && places[index - 1]!.priority < place.priority) index--;
    places.splice(index, 0, place);
    this.#wantRoom();
  }

  /** Somebody gives up, or was served at the deadline. */
  #leave(waiter: Waiter): void {
    const wasFirst = this.#places[0]?.waiter === waiter;
    this.#remove(waiter);
    // Who was behind a long frame may fit where that did not.
    if (wasFirst) this.#serve();
    this.#forgetRoom();
  }

  /** Sends for who waits, as far as there is room; true when nobody waits any more. */
  #serve(): true | undefined {
    for (let place; (place = this.#places[0]) !== undefined;) {
      const { waiter } = place;
      try {
        const isSent = waiter.attempt();
        if (isSent === undefined) return undefined;
        this.#remove(waiter);
        waiter.resolve(isSent);
      } catch (error) {
        this.#remove(waiter);
        waiter.reject(error);
      }
    }
    return true;
  }

  /** Takes a waiter out, wherever it is now: an attempt is somebody else's code. */
  #remove(waiter: Waiter): void {
    const index = this.#places.findIndex((place) => place.waiter === waiter);
    if (index !== -1) this.#places.splice(index, 1);
    waiter.release();
  }

  #wantRoom(): void {
    if (this.#unwanted !== undefined) return;
    const unwanted = this.#unwanted = new AbortController(), { signal } = unwanted;
    this.#awaitRoom(this.#attempt, signal).catch((error) => {
      if (!signal.aborted) this.end(error);
    }).then(() => {
      if (this.#unwanted === unwanted) this.#unwanted = undefined;
      if (this.#places.length > 0) this.#wantRoom(); // who came since
    });
  }

  #forgetRoom(): void {
    if (this.#places.length > 0 || this.#unwanted === undefined) return;
    this.#unwanted.abort();
    this.#unwanted = undefined;
  }
}

function nothing(): void {}
