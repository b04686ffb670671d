/** The handle of a lock in memory: how it is waited for, until it is closed. */

import { ClosedError } from "../errors.ts";
import { type Guard, guardOf, isWhole } from "../sys/mod.ts";
import type { EventCount } from "../wait/mod.ts";
import type { FormattedLock } from "./lock_memory.ts";

/** What all locks do alike: they wake, are waited on while they are open, and close once. */
export class LockHandle {
  readonly #kind: string;
  readonly #name: string;
  readonly #events: EventCount;
  readonly #guard: Guard | undefined;
  #isClosed = false;

  constructor(kind: string, { name, events, buffer }: FormattedLock) {
    this.#kind = kind;
    this.#name = name;
    this.#events = events;
    this.#guard = guardOf(buffer);
  }

  /**
   * @throws {ClosedError} After {@linkcode LockHandle.close}.
   * @throws {LayoutError} If a peer cut the memory off: what is there now is nobody else's.
   */
  checkOpen(): void {
    if (this.#isClosed) throw new ClosedError(this.#kind, this.#name);
    if (!isWhole(this.#guard)) throw this.#guard!.refusal(this.#kind, this.#name);
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
