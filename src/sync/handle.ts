/** The handle of a lock in memory: how it is waited for, until it is closed. */

import { ClosedError } from "../errors.ts";
import type { EventCount } from "../wait/mod.ts";
import type { FormattedLock } from "./lock_memory.ts";

/** What all locks do alike: they wake, are waited on while they are open, and close once. */
export class LockHandle {
  readonly #kind: string;
  readonly #name: string;
  readonly #events: EventCount;
  #isClosed = false;

  constructor(kind: string, { name, events }: FormattedLock) {
    this.#kind = kind;
    this.#name = name;
    this.#events = events;
  }

  /** @throws {ClosedError} After {@linkcode LockHandle.close}. */
  checkOpen(): void {
    if (this.#isClosed) throw new ClosedError(this.#kind, this.#name);
  }

  /**
   * What is waited on.
   *
   * @throws {ClosedError} After {@linkcode LockHandle.close}.
   */
  get events(): EventCount {
    this.checkOpen();
    return this.#events;
  }

  /** Wakes who waits, also after it was closed: what is held then is given back later. */
  notify(): void {
    this.#events.notify();
  }

  /** Ends the waits of this thread's event loop. Closing twice does nothing. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#events.end(new ClosedError(this.#kind, this.#name));
  }
}
