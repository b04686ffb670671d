/**
 * Gives the items of a stream to who asked for it, as fast as that one takes them.
 *
 * Rule: an item leaves only for a credit of the asker's, so the asker's buffer is bounded; the
 * generator is always told when nobody wants more.
 */

import { nextTurn } from "../../wait/mod.ts";
import type { MessageTurn } from "./turn.ts";

/** How items and the end leave. */
export interface StreamSink {
  item(value: unknown): Promise<void> | undefined;
  end(): void;
  failed(error: unknown): void;
}

/** One stream that is served. */
export class StreamServer {
  readonly #turn: MessageTurn;
  readonly #sink: StreamSink;
  #credit: number;
  #onCredit: (() => void) | undefined;
  #onCancel: (() => void) | undefined;
  #isCancelled = false;

  constructor(turn: MessageTurn, sink: StreamSink, credit: number) {
    this.#turn = turn;
    this.#sink = sink;
    this.#credit = Math.min(credit, MAX_CREDIT);
  }

  /** Room for so many more items. */
  credited(count: number): void {
    this.#credit = Math.min(this.#credit + count, MAX_CREDIT);
    this.#onCredit?.();
  }

  /** Nobody wants more. */
  cancelled(reason: unknown = new DOMException("The stream was cancelled", "AbortError")): void {
    this.#isCancelled = true;
    this.#turn.abort(reason);
    this.#onCredit?.();
    this.#onCancel?.();
  }

  /** Runs until the items, or the wish for them, end. */
  async run(items: AsyncIterable<unknown> | Iterable<unknown>): Promise<void> {
    try {
      const iterator = Symbol.asyncIterator in items
        ? items[Symbol.asyncIterator]()
        : items[Symbol.iterator]();
      for (let sent = 1; await this.#hasCredit(); sent++) {
        const next = await this.#next(iterator);
        if (next === undefined) break;
        if (next.done) return this.#sink.end();
        this.#credit--;
        await this.#leave(iterator, next.value);
        if (sent % IN_A_ROW === 0) await new Promise<void>((resolve) => nextTurn(resolve));
      }
      this.#sink.end();
      // A generator that waits for something else hears of it when it comes back.
      await iterator.return?.();
    } catch (error) {
      this.#sink.failed(error);
    }
  }

  /** Lets an item out. One that cannot leave is the last, and the generator is told that. */
  async #leave(iterator: AsyncIterator<unknown> | Iterator<unknown>, item: unknown): Promise<void> {
    try {
      await this.#sink.item(item);
    } catch (error) {
      this.#sink.failed(error);
      await iterator.return?.();
      throw error;
    }
  }

  /** Waits for room; false when nobody wants more. */
  async #hasCredit(): Promise<boolean> {
    while (this.#credit === 0 && !this.#isCancelled) {
      await new Promise<void>((resolve) => this.#onCredit = resolve);
      this.#onCredit = undefined;
    }
    return !this.#isCancelled;
  }

  /** What comes next; undefined as soon as nobody wants more. */
  #next(
    iterator: Iterator<unknown> | AsyncIterator<unknown>,
  ): Promise<IteratorResult<unknown> | undefined> {
    if (this.#isCancelled) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      this.#onCancel = () => resolve(undefined);
      Promise.resolve(iterator.next()).then(resolve, reject);
    });
  }
}

/** So many items leave before others get a turn. */
const IN_A_ROW = 64;

/** No more items than that are let out unseen, whatever an asker says. */
export const MAX_CREDIT = 65_536;
