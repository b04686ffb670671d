/**
 * The reactor of a thread: every asynchronous wait for a descriptor is one entry of one epoll set.
 *
 * ```text
 *   receive() ──► Waiters of the queue ──► epoll set ◄── one watch of the event loop:
 *   receive()     first come, first        an interest       resumed while anybody waits,
 *                 served                   per descriptor    paused otherwise
 * ```
 *
 * Rules: somebody who waits keeps the process running, nobody else does; a turn of the event loop
 * serves each descriptor that is ready and no more than there were waiters, so no queue starves
 * another, a timer or a socket; nothing is taken for a waiter that has given up.
 */

import {
  close,
  epollCreate,
  epollCtl,
  EpollEvents,
  type Watch,
  watchReadable,
} from "../sys/mod.ts";

/** How many descriptors a turn serves; the others are served in the next. */
const EVENTS_A_TURN = 64;

const TARGET = "the event loop";

/** Something in the epoll set. */
export interface Entry {
  /** Serves who waits, now that the descriptor has these events. */
  ready(events: number): void;
  /** Serves who waits, as far as that works; whether it did for anybody. */
  serve(): boolean;
}

/** The epoll set of this thread, and how the event loop waits for it. */
class Reactor {
  readonly #set = epollCreate(TARGET);
  readonly #events = new EpollEvents(EVENTS_A_TURN);
  readonly #watch: Watch;
  readonly #entries = new Map<number, Entry>();
  #lastId = 0;
  #waiting = 0;

  constructor() {
    try {
      this.#watch = watchReadable(this.#set, () => this.#serve(), TARGET);
    } catch (error) {
      close(this.#set, TARGET);
      throw error;
    }
  }

  /** Takes an entry in, and gives the number that its interests carry. */
  enter(entry: Entry): number {
    do this.#lastId = (this.#lastId + 1) >>> 0; while (this.#entries.has(this.#lastId));
    this.#entries.set(this.#lastId, entry);
    return this.#lastId;
  }

  /** Forgets an entry; an event that is under way for it reaches nobody. */
  leave(id: number, fd: number, target: string): void {
    this.#entries.delete(id);
    epollCtl(this.#set, "remove", fd, { events: 0, data: 0 }, target);
  }

  /** Says which events of a descriptor are of interest. Works while the event loop waits, too. */
  want(id: number, fd: number, events: number, target: string): void {
    const interest = { events, data: id };
    // LINUX: the set forgets a descriptor that was closed everywhere; its number may be a new one.
    if (epollCtl(this.#set, "change", fd, interest, target)) return;
    epollCtl(this.#set, "add", fd, interest, target);
  }

  /** Whether a call waits in a thread of the runtime's, for a moment perhaps that nobody wants. */
  isParked(): boolean {
    return this.#watch.isParked();
  }

  /** One more waits. */
  begin(): void {
    if (this.#waiting++ === 0) this.#watch.resume();
  }

  /** One fewer waits. */
  end(): void {
    if (--this.#waiting === 0) this.#watch.pause();
  }

  #serve(): void {
    // Alone in the set, it is the one that is ready: no need to ask, mostly.
    if (this.#entries.size === 1) {
      for (const entry of this.#entries.values()) if (entry.serve()) return;
    }
    const count = this.#events.take(this.#set, TARGET);
    for (let index = 0; index < count; index++) {
      this.#entries.get(this.#events.data(index))?.ready(this.#events.events(index));
    }
  }
}

let thisThreads: Reactor | undefined;

/** The reactor of this thread, made when the first waits. */
export function reactor(): Reactor {
  return thisThreads ??= new Reactor();
}

/** Whether this thread has a reactor that is parked; makes none. */
export function isReactorParked(): boolean {
  return thisThreads?.isParked() ?? false;
}
