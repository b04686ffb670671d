/**
 * One that is supervised: which incarnation of it there is, and how far that has come.
 *
 * ```text
 *          start()            it started             it ended
 *   down ----------> starting ----------> running ---------------> ended
 *    ^                  |                    |                       |
 *    +------------------+------ stop() ------+--------- reap() ------+
 * ```
 *
 * Rule: what comes from an incarnation that is over changes nothing.
 */

import type { Clock } from "../flow/clock.ts";
import type { Exit } from "../errors.ts";
import { Backoff } from "./backoff.ts";
import type { Supervised } from "./supervised.ts";

type State = "down" | "starting" | "running" | "stopping" | "ended";

/** What a member is made with. */
export interface MemberOptions {
  readonly clock: Clock;
  readonly backoffMs: readonly [firstMs: number, mostMs: number];
  readonly withinMs: number;
  /** Is called when an incarnation that had started ended by itself. */
  readonly onEnded: (member: Member) => void;
}

/** How far a start came. */
export type Started =
  | { readonly kind: "running" }
  | { readonly kind: "failed"; readonly exit: Exit; readonly error: unknown }
  /** Nobody waits for it any more: it is to be stopped. */
  | { readonly kind: "interrupted" };

/** A member of a supervised group. */
export class Member {
  readonly supervised: Supervised;
  /** Whether those who watch were told that another incarnation will follow, and none has. */
  isAwaited = false;
  /** Whether it was asked to leave the group. */
  isLeaving = false;
  readonly #options: MemberOptions;
  readonly #backoff: Backoff;
  #state: State = "down";
  #incarnation = 0;
  /** How the present incarnation ended, or the last. */
  #exit: Exit | undefined;
  #startedMs = 0;
  #ranMs = 0;
  #interrupt: (() => void) | undefined;

  constructor(supervised: Supervised, options: MemberOptions) {
    this.supervised = supervised;
    this.#options = options;
    this.#backoff = new Backoff(options.backoffMs, options.withinMs);
  }

  /** The present incarnation, or the last; 0 before the first. */
  get incarnation(): number {
    return this.#incarnation;
  }

  /** Whether there is something to stop, or to reap. */
  get isUp(): boolean {
    return this.#state !== "down";
  }

  /** Starts the next incarnation, which must be wanted: the last is over. */
  async start(): Promise<Started> {
    const incarnation = ++this.#incarnation;
    this.#state = "starting";
    this.#exit = undefined;
    this.#ranMs = 0;
    const started = await new Promise<Started>((resolve) => {
      this.#interrupt = () => resolve({ kind: "interrupted" });
      this.#call(incarnation).then(() => resolve({ kind: "running" }), (error) => {
        if (this.#state !== "starting") return; // one that is being stopped may well reject
        const exit = this.#exit ??= { kind: "threw", error };
        resolve({ kind: "failed", exit, error });
      });
    });
    if (started.kind === "failed") this.#state = "down";
    if (started.kind === "running") this.#run();
    return started;
  }

  /** Ends the wait for a start that is under way. */
  interrupt(): void {
    this.#interrupt?.();
  }

  /** Ends the present incarnation, which is up. @returns How it ended. */
  async stop(timeoutMs: number): Promise<Exit> {
    if (this.#state !== "ended") {
      this.#state = "stopping";
      try {
        await this.supervised.stop(timeoutMs);
        this.#exit ??= { kind: "stopped" };
      } catch (error) {
        this.#exit ??= { kind: "threw", error };
      }
    }
    return this.#down();
  }

  /** Takes note of the end of an incarnation; undefined when another has begun since, or none ended. */
  reap(): Exit | undefined {
    return this.#state === "ended" ? this.#down() : undefined;
  }

  /** The milliseconds to wait before the restart that is due now. */
  backoffMs(): number {
    return this.#backoff.next(this.#ranMs);
  }

  /** So that one that throws at once rejects as well. */
  async #call(incarnation: number): Promise<void> {
    await this.supervised.start(incarnation, (exit) => this.#onExit(incarnation, exit));
  }

  #run(): void {
    this.#startedMs = this.#options.clock.monotonic();
    this.#state = "running";
    // It may have ended before the start settled.
    if (this.#exit !== undefined) this.#end();
  }

  #onExit(incarnation: number, exit: Exit): void {
    if (incarnation !== this.#incarnation || this.#exit !== undefined) return;
    this.#exit = exit;
    if (this.#state === "running") this.#end();
  }

  #end(): void {
    this.#ranMs = this.#options.clock.monotonic() - this.#startedMs;
    this.#state = "ended";
    this.#options.onEnded(this);
  }

  #down(): Exit {
    this.#state = "down";
    return this.#exit!;
  }
}
