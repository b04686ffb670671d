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

import { PosixError } from "../errors.ts";
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

/** An entry, and what the epoll set tells it of: nothing at first. */
interface Interest {
  readonly entry: Entry;
  fd: number;
  events: number;
  target: string;
}

/** The epoll set of this thread, and how the event loop waits for it. */
class Reactor {
  #set = epollCreate(TARGET);
  readonly #events = new EpollEvents(EVENTS_A_TURN);
  #watch: Watch;
  readonly #interests = new Map<number, Interest>();
  #lastId = 0;
  #waiting = 0;
  /** Whom the set told of in the last turn though nobody had that number. */
  #stranger: number | undefined;

  constructor() {
    this.#watch = this.#watchSet();
  }

  /** Takes an entry in, and gives the number that its interests carry. */
  enter(entry: Entry): number {
    do this.#lastId = (this.#lastId + 1) >>> 0; while (this.#interests.has(this.#lastId));
    this.#interests.set(this.#lastId, { entry, fd: -1, events: 0, target: TARGET });
    return this.#lastId;
  }

  /** Forgets an entry; an event that is under way for it reaches nobody. */
  leave(id: number, fd: number, target: string): void {
    this.#interests.delete(id);
    epollCtl(this.#set, "remove", fd, { events: 0, data: 0 }, target);
  }

  /** Says which events of a descriptor are of interest. Works while the event loop waits, too. */
  want(id: number, fd: number, events: number, target: string): void {
    Object.assign(this.#interests.get(id)!, { fd, events, target });
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

  #watchSet(): Watch {
    try {
      return watchReadable(this.#set, () => this.#serve(), TARGET);
    } catch (error) {
      close(this.#set, TARGET);
      throw error;
    }
  }

  #serve(): void {
    // Alone in the set, it is the one that is ready: no need to ask, mostly.
    if (this.#interests.size === 1) {
      for (const { entry } of this.#interests.values()) if (entry.serve()) return;
    }
    let stranger: number | undefined;
    const count = this.#events.take(this.#set, TARGET);
    for (let index = 0; index < count; index++) {
      const id = this.#events.data(index);
      const interest = this.#interests.get(id);
      if (interest === undefined) stranger = id; // one that has just left, or
      else interest.entry.ready(this.#events.events(index));
    }
    if (stranger !== undefined && stranger === this.#stranger) this.#renew();
    this.#stranger = stranger;
  }

  /**
   * Puts a new set in the place of this one.
   *
   * LINUX: a descriptor that is closed past its handle stays in the set while a duplicate of it is
   * open, and cannot be taken out any more: epoll(7), Q6. It would be told of again and again.
   */
  #renew(): void {
    const old = { set: this.#set, watch: this.#watch };
    this.#set = epollCreate(TARGET);
    this.#watch = this.#watchSet();
    old.watch.stop();
    close(old.set, TARGET);
    for (const [id, { entry, fd, events, target }] of this.#interests) {
      if (fd === -1) continue;
      try {
        epollCtl(this.#set, "add", fd, { events, data: id }, target);
      } catch (error) {
        if (!(error instanceof PosixError)) throw error;
        entry.serve(); // its descriptor is closed, too: its own attempt says so
      }
    }
    if (this.#waiting > 0) this.#watch.resume();
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
