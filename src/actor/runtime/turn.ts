/** What a handler is told of the message in its hands. */

import type { Turn } from "../protocol/handlers.ts";
import type { Frame } from "../wire/frame.ts";
import { askKey } from "./servings.ts";

/** A turn whose signal is made when somebody looks at it: most handlers do not. */
export class MessageTurn implements Turn {
  readonly priority: number;
  readonly attempt: number;
  readonly deadlineMs: number | undefined;
  readonly #frame: Frame;
  readonly #run: string;
  #controller: AbortController | undefined;
  #aborted: { reason: unknown } | undefined;

  /**
   * @param run What tells this run of the system from others: endpoints count from 1 in each.
   * @param attempt How often it was given to a handler, this time included.
   */
  constructor(frame: Frame, priority: number, run: string, attempt: number) {
    this.#frame = frame;
    this.#run = run;
    this.priority = priority;
    this.attempt = attempt;
    this.deadlineMs = frame.expires === 0 ? undefined : frame.expires;
  }

  get id(): string {
    return `${this.#run}.${askKey(this.#frame)}`;
  }

  get from(): number | undefined {
    return this.#frame.from === 0 ? undefined : this.#frame.from - 1;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted !== undefined) this.#controller.abort(this.#aborted.reason);
    }
    return this.#controller.signal;
  }

  /** Aborts the signal; the first reason counts. */
  abort(reason: unknown): void {
    if (this.#aborted !== undefined) return;
    this.#aborted = { reason };
    this.#controller?.abort(reason);
  }
}
