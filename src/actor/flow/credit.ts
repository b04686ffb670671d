/**
 * Credit between an endpoint that sends to an actor, and the endpoint in which that actor is: a
 * sender has at most so many messages on the way that the actor has not taken. So what an endpoint
 * buffers is bounded by who sends and not by how fast its actors are, and it can always drain its
 * inbox.
 *
 * Rule: each message that took a credit gives it back exactly once, however it ends.
 *
 * ```text
 * how a message ends                        who gives its credit back, and when
 * ----------------------------------------  ---------------------------------------------------------
 * not sent: no room and "fail", "drop-new"  the sender, at once: grant(1)
 *   or its wait for room was given up
 * handed to its handler, the first time     the receiver: took(), whatever the handler does after
 * set aside by stash() and handed over      nobody: it was taken. A stash has a bound of its own
 *   again after unstash()
 * expired, cancelled, of an unknown kind,   the receiver: took(), when it takes the message out of
 *   undecodable or invalid                    the buffer
 * waits for an actor that ends for good     the receiver: forgetActor() says how many
 * to an actor that is none (any more)       the receiver: a grant of 1, at once; there is no account
 * in the buffer of a cell that crashes      nobody yet: the buffer stays, the next cell takes it
 * in flight to an endpoint that dies, or    the sender: reset(), when the endpoint begins anew. What
 *   in the buffers of one                     was in its inbox is taken later, and granted again:
 *                                             above the limit, and so without effect
 * of a sender that dies                     nobody: its credit was its own, and its next incarnation
 *                                             begins with all. The receiver forgets the old one
 * not attributable to a sender: damaged,    nobody: carriers do not damage frames, and who forges
 *   forged                                    them has no credit to lose
 * ```
 *
 * A reply is no message in this sense, and needs no credit. Grants are frames of the control lane,
 * which no carrier loses; those from a former life of either side are capped.
 */

import { checkSignal, onAbort, timeoutError } from "../../wait/mod.ts";
import { type Clock, realClock } from "./clock.ts";

/** So many messages of a sender may be on the way to one actor. */
export const CREDIT_LIMIT = 32;

/** So many credits the receiver collects before it says so: half of them keep a sender going. */
export const GRANT_BATCH: number = CREDIT_LIMIT / 2;

/**
 * So many an honest sender may seem to have on the way, and more than enough: what a killed endpoint
 * left in its inbox comes on top of what its next incarnation is sent, and who hears late of several
 * deaths has all its credit again at each.
 */
const MAX_HELD = 8 * CREDIT_LIMIT;

/** How long a sender waits for credit. */
export interface CreditWaitOptions {
  /** Milliseconds by the clock, at least 0. @default {for ever} */
  readonly timeoutMs?: number | undefined;
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
  /** Measures the time. @default {the machine's} */
  readonly clock?: Clock | undefined;
}

/** One that waits for credit. */
interface Waiter {
  resolve(): void;
  reject(reason: unknown): void;
}

/** The sender's side: what may still be sent to one actor. */
export class CreditSender {
  #available: number = CREDIT_LIMIT;
  /** First come, first served. As long as somebody waits, nothing is available. */
  readonly #waiting = new Set<Waiter>();
  #closed: { readonly error: unknown } | undefined;

  /** So many messages may be sent now. */
  get available(): number {
    return this.#available;
  }

  /** So many wait to send one. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Takes a credit; false when there is none, as while others wait for one.
   *
   * @throws {unknown} The error it was closed with.
   */
  tryTake(): boolean {
    if (this.#closed !== undefined) throw this.#closed.error;
    if (this.#available === 0) return false;
    this.#available--;
    return true;
  }

  /**
   * Takes a credit as soon as there is one. Who has one and does not send gives it back by
   * {@linkcode CreditSender.grant}; a wait that rejects has taken none.
   *
   * @returns Rejects with the signal's reason, a `TimeoutError`, or the error it was closed with.
   */
  async wait({ timeoutMs, signal, clock = realClock }: CreditWaitOptions = {}): Promise<void> {
    checkSignal(signal);
    if (this.tryTake()) return;
    await new Promise<void>((resolve, reject) => {
      const release = () => {
        this.#waiting.delete(waiter);
        stopTimer?.();
        stopListening?.();
      };
      const waiter: Waiter = {
        resolve() {
          release();
          resolve();
        },
        reject(reason) {
          release();
          reject(reason);
        },
      };
      const stopTimer = timeoutMs === undefined ? undefined : clock.after(
        timeoutMs,
        () => waiter.reject(timeoutError("the actor to take messages", timeoutMs)),
      );
      const stopListening = signal && onAbort(signal, () => waiter.reject(signal.reason));
      this.#waiting.add(waiter);
    });
  }

  /**
   * So many messages ended. Who waits longest is served first. Nobody has more credit than
   * {@linkcode CREDIT_LIMIT} by it, whatever a receiver says; no number from 1 up is no grant.
   */
  grant(count: number): void {
    if (!(count >= 1)) return;
    let left = Math.min(Math.trunc(count), CREDIT_LIMIT);
    for (const waiter of this.#waiting) {
      if (left === 0) return;
      left--;
      waiter.resolve();
    }
    this.#available = Math.min(this.#available + left, CREDIT_LIMIT);
  }

  /** The endpoint of the actor began anew: nothing is on the way to it that counts. */
  reset(): void {
    this.grant(CREDIT_LIMIT);
  }

  /** Nothing can be sent any more: rejects who waits, and who tries later. */
  close(error: unknown): void {
    this.#closed ??= { error };
    for (const waiter of this.#waiting) waiter.reject(error);
  }
}

/** What one sender has on the way to one actor. */
interface Account {
  /** Its messages that arrived and were not taken yet. */
  held: number;
  /** Those that were taken, and not granted again yet. */
  ungranted: number;
}

/** Accounts by the number of their actor. */
type Accounts = Map<number, Account>;

/** A sending endpoint. */
interface Sender {
  /** Its latest incarnation that is known. */
  readonly epoch: number;
  readonly accounts: Accounts;
  /** Those of its incarnations that are over: what they sent is still taken, and still bounded. */
  readonly past: Accounts;
}

/**
 * The receiver's side, of one endpoint.
 *
 * A message is told by the endpoint that sent it, the incarnation of that endpoint, and the actor
 * it is for, which is one of this endpoint's. An incarnation that is over is granted nothing.
 */
export class CreditReceiver {
  readonly #senders = new Map<number, Sender>();

  /**
   * Counts a message that arrived; false when its sender cannot have had credit for it: it is to be
   * refused, and not to be counted as taken.
   */
  admit(from: number, epoch: number, actor: number): boolean {
    const account = accountOf(this.#sender(from, epoch), epoch, actor);
    if (account.held === MAX_HELD) return false;
    account.held++;
    return true;
  }

  /**
   * Counts a message as taken, or as ended without that.
   *
   * @returns So many credits are to be granted now; mostly 0.
   */
  took(from: number, epoch: number, actor: number): number {
    const sender = this.#sender(from, epoch), account = accountOf(sender, epoch, actor);
    if (account.held > 0) account.held--;
    if (epoch !== sender.epoch) return 0;
    account.ungranted++;
    return account.ungranted < GRANT_BATCH ? 0 : granted(account);
  }

  /** A sender is gone. */
  forgetSender(from: number): void {
    this.#senders.delete(from);
  }

  /**
   * An actor is gone, and none of its messages is kept.
   *
   * @returns Who is to be granted how many credits for those that it did not take.
   */
  forgetActor(actor: number): { readonly from: number; readonly count: number }[] {
    const owed = [];
    for (const [from, { accounts, past }] of this.#senders) {
      const { held, ungranted } = accounts.get(actor) ?? { held: 0, ungranted: 0 };
      if (held + ungranted > 0) owed.push({ from, count: held + ungranted });
      accounts.delete(actor);
      past.delete(actor);
    }
    return owed;
  }

  #sender(from: number, epoch: number): Sender {
    const known = this.#senders.get(from);
    if (known !== undefined && known.epoch >= epoch) return known;
    const sender = { epoch, accounts: new Map(), past: known?.accounts ?? new Map() };
    this.#senders.set(from, sender);
    return sender;
  }
}

function accountOf(sender: Sender, epoch: number, actor: number): Account {
  const accounts = epoch === sender.epoch ? sender.accounts : sender.past;
  let account = accounts.get(actor);
  if (account === undefined) accounts.set(actor, account = { held: 0, ungranted: 0 });
  return account;
}

function granted(account: Account): number {
  const count = account.ungranted;
  account.ungranted = 0;
  return count;
}
