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
  #controller: AbortController | undefined;
  #aborted: { reason: unknown } | undefined;

  constructor(frame: Frame, priority: number) {
    this.#frame = frame;
    this.priority = priority;
    this.attempt = Math.max(1, frame.attempt);
    this.deadlineMs = frame.expires === 0 ? undefined : frame.expires;
  }

  get id(): string {
    return askKey(this.#frame);
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
