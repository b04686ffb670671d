/**
 * Who waits for one descriptor: first come, first served, in each direction.
 *
 * Rule: a wait ends once, by what it waited for, its signal, its deadline or the end of the handle;
 * whatever ends it first takes it out of the line before anything is taken for it.
 */

import { C, shown } from "../sys/mod.ts";
import type { Readiness } from "./block.ts";
import { checkSignal } from "./abort.ts";
import { deadlineOf } from "./deadline.ts";
import { reactor } from "./reactor.ts";
import { spinner } from "./spin.ts";
import { foundAtOnce, turnBegins } from "./turn.ts";
import { type Waiter, waiting } from "./waiter.ts";

/** When a wait is over before what it waits for. */
export interface WaitOptions {
  /**
   * Milliseconds, at least 0; measured on the monotonic clock.
   * @default {for ever}
   */
  timeoutMs?: number | undefined;
  /** Ends the wait; it rejects with the signal's reason then. */
  signal?: AbortSignal | undefined;
  /** Is called once, when it is clear that the wait is not over at once. */
  beforeParking?: (() => void) | undefined;
}

/**
 * What can be waited for: a readiness, or `changed`, which is anything that another one did to the
 * descriptor that may have made room. Who waits for a change looks at each whether it is enough,
 * also while the descriptor is writable all the time.
 */
export type Awaited = Readiness | "changed";

/** In the order in which they are served: who waits for any room goes before who wants more. */
const LINES = ["writable", "changed", "readable"] as const;

/** The events that an epoll set tells of, wanted or not. */
const ALWAYS_TOLD = C.EPOLLERR | C.EPOLLHUP;

// LINUX: with EPOLLET the set tells of each wake-up of who polls, and a queue's mq_receive() and
// mq_send() are one each (ipc/mqueue.c); who waits has looked in vain since the last. The flag is
// for the whole descriptor: a wait for readiness looks first, too, and loses nothing by it.
const EVENTS: Record<Awaited, number> = {
  readable: C.EPOLLIN,
  writable: C.EPOLLOUT,
  changed: C.EPOLLOUT | C.EPOLLET,
};

const NO_OPTIONS: WaitOptions = {};

/** What is waited for, in errors. */
const AWAITED: Record<Awaited, string> = {
  readable: "a message in",
  writable: "room in",
  changed: "room in",
};

/** Those who wait for one descriptor. */
export class Waiters {
  readonly #fd: number;
  readonly #target: string;
  readonly #spin: boolean;
  readonly #lines: Record<Awaited, Set<Waiter>> = {
    readable: new Set(),
    writable: new Set(),
    changed: new Set(),
  };
  /** In the reactor; undefined before anybody had to wait. */
  #id: number | undefined;
  /**
   * The events that the epoll set tells of. More than are waited for, mostly: an interest is given
   * up when the set tells of what nobody wants, so a steady exchange costs no epoll_ctl(2).
   */
  #interest = 0;
  /** Whether the event loop waits for those who wait. */
  #parked = false;

  /**
   * @param fd A nonblocking descriptor that epoll takes; stays open until {@linkcode end}.
   * @param spin Whether a wait tries for a short while before it parks.
   */
  constructor(fd: number, target: string, spin: boolean) {
    this.#fd = fd;
    this.#target = target;
    this.#spin = spin;
  }

  /**
   * Tries, then waits and tries again, until it works.
   *
   * @param attempt Does the work, or gives `undefined` when it has to wait. What it throws rejects.
   * @returns What `attempt` gave. Rejects with the signal's reason, or a `TimeoutError`.
   */
  wait<T>(awaited: Awaited, attempt: () => T | undefined, options?: WaitOptions): Promise<T> {
    try {
      return Promise.resolve(this.take(awaited, attempt, options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * The same for who makes a promise of its own: gives and throws at once what need not wait.
   *
   * @returns What `attempt` gave, or a promise of it.
   */
  take<T>(
    awaited: Awaited,
    attempt: () => T | undefined,
    options: WaitOptions = NO_OPTIONS,
  ): T | Promise<T> {
    const { timeoutMs, signal } = options;
    const deadline = deadlineOf(timeoutMs);
    checkSignal(signal);
    // Who came before is served before.
    if (this.#lines[awaited].size === 0) {
      const value = this.#soon(awaited, attempt, timeoutMs !== 0);
      if (value !== undefined) return foundAtOnce(value);
    }
    return this.#park(awaited, attempt, deadline, options);
  }

  /** What there is without parking. */
  #soon<T>(awaited: Awaited, attempt: () => T | undefined, mayWait: boolean): T | undefined {
    const spins = this.#spin && mayWait;
    // There is room for a message mostly, whatever the peer does.
    const value = spins && awaited === "readable" ? spinner.look(attempt) : attempt();
    return value === undefined && spins ? spinner.spin(attempt) : value;
  }

  #park<T>(
    awaited: Awaited,
    attempt: () => T | undefined,
    deadline: number,
    { timeoutMs, signal, beforeParking }: WaitOptions,
  ): Promise<T> {
    const line = this.#lines[awaited];
    // Both may be refused: before anything is held for this wait.
    reactor();
    beforeParking?.();
    const what = `${AWAITED[awaited]} ${shown(this.#target)}`;
    return waiting(attempt, { deadline, timeoutMs, signal, awaited: what }, {
      enter: (waiter) => {
        line.add(waiter);
        this.#arm();
      },
      leave: (waiter) => this.#leave(line, waiter),
      isNext: (waiter) => line.values().next().value === waiter,
    });
  }

  #leave(line: Set<Waiter>, waiter: Waiter): void {
    line.delete(waiter);
    waiter.release();
    if (!this.#parked || this.#wanted() !== 0) return;
    this.#parked = false;
    reactor().end();
  }

  /** The events that somebody waits for. */
  #wanted(): number {
    let events = 0;
    for (const line of LINES) {
      if (this.#lines[line].size > 0) events |= EVENTS[line];
    }
    return events;
  }

  /** Makes sure that the event loop waits, and the epoll set tells of what is waited for. */
  #arm(): void {
    const wanted = this.#wanted(), events = this.#interest | wanted;
    if (wanted !== 0 && !this.#parked) {
      this.#parked = true;
      reactor().begin();
    }
    if (events === this.#interest) return;
    this.#id ??= reactor().enter(this);
    try {
      reactor().want(this.#id, this.#fd, events, this.#target);
      this.#interest = events;
    } catch (error) {
      this.#rejectAll(error); // the descriptor is none any more
    }
  }

  /** Serves who waits, each at most once. */
  ready(events: number): void {
    const unwanted = events & this.#interest & ~this.#wanted();
    this.serve();
    // What nobody wanted would bring the event loop back again and again.
    if (this.#wanted() === 0 && (unwanted !== 0 || (events & ALWAYS_TOLD) !== 0)) this.#leaveSet();
    else if (unwanted !== 0) {
      this.#interest &= ~unwanted;
      reactor().want(this.#id!, this.#fd, this.#interest, this.#target);
    }
  }

  serve(): boolean {
    const before = this.#waiting();
    turnBegins();
    for (const line of LINES) this.#serve(this.#lines[line]);
    return this.#waiting() < before;
  }

  /** How many wait. */
  #waiting(): number {
    let count = 0;
    for (const line of LINES) count += this.#lines[line].size;
    return count;
  }

  #leaveSet(): void {
    if (this.#id !== undefined) reactor().leave(this.#id, this.#fd, this.#target);
    this.#id = undefined;
    this.#interest = 0;
  }

  #serve(line: Set<Waiter>): void {
    // Nobody new gets into the line meanwhile: who is served goes on in a microtask.
    for (const waiter of line) {
      let value;
      try {
        value = waiter.attempt();
      } catch (error) {
        this.#leave(line, waiter);
        waiter.reject(error);
        continue;
      }
      if (value === undefined) return;
      this.#leave(line, waiter);
      waiter.resolve(value);
    }
  }

  /** Rejects all who wait, and leaves the reactor. The descriptor may be closed then. */
  end(error: Error): void {
    this.#rejectAll(error);
    this.#leaveSet();
  }

  #rejectAll(error: unknown): void {
    for (const line of Object.values(this.#lines)) {
      for (const waiter of line) {
        this.#leave(line, waiter);
        waiter.reject(error);
      }
    }
  }
}
