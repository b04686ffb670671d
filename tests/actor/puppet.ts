/** Something to supervise that does what a test says, and notes what is done with it. */

import type { Clock } from "../../src/actor/flow/clock.ts";
import type { Exit } from "../../src/actor/errors.ts";
import type { Supervised } from "../../src/actor/supervision/supervised.ts";
import type { Keep } from "../../src/actor/supervision/restart_policy.ts";

/** How the next start goes. */
export type StartManner =
  | { readonly kind: "runs"; readonly afterMs?: number }
  /** It runs, and ends before anybody could do anything else. */
  | { readonly kind: "ends at once"; readonly exit: Exit }
  | { readonly kind: "throws" | "rejects"; readonly error: unknown }
  /** It ends before it runs. */
  | { readonly kind: "exits"; readonly exit: Exit }
  | { readonly kind: "hangs" };

/** How a stop goes. */
export type StopManner =
  | { readonly kind: "stops"; readonly afterMs?: number; readonly exit?: Exit }
  | { readonly kind: "rejects"; readonly error: unknown };

/** What is done with puppets. */
export interface Stage {
  readonly clock: Clock;
  /** A start was asked for. */
  starting(puppet: Puppet, incarnation: number): void;
  /** A stop was asked for. */
  stopping(puppet: Puppet, timeoutMs: number): void;
  /** An incarnation is over. */
  over(puppet: Puppet): void;
}

/** A member of a group, on strings. */
export class Puppet implements Supervised {
  /** The incarnation that is there, from the call of start() until it is over. */
  incarnation: number | undefined;
  isRunning = false;
  nextStart: StartManner = { kind: "runs" };
  nextStop: StopManner = { kind: "stops" };
  #onExit: (exit: Exit) => void = () => {};
  #endStart: ((error: unknown) => void) | undefined;

  constructor(readonly label: string, readonly keep: Keep, readonly stage: Stage) {}

  start(incarnation: number, onExit: (exit: Exit) => void): Promise<void> {
    const manner = this.nextStart;
    this.nextStart = { kind: "runs" };
    this.stage.starting(this, incarnation);
    this.incarnation = incarnation;
    this.#onExit = onExit;
    if (manner.kind === "throws") {
      this.#over();
      throw manner.error;
    }
    return this.#start(manner, incarnation);
  }

  /** Ends as if by itself. */
  exit(exit: Exit): void {
    this.#over();
    this.#onExit(exit);
  }

  async stop(timeoutMs: number): Promise<void> {
    const manner = this.nextStop;
    this.nextStop = { kind: "stops" };
    this.stage.stopping(this, timeoutMs);
    const { afterMs, exit } = manner.kind === "stops" ? manner : {};
    if (afterMs !== undefined) {
      await new Promise<void>((resolve) => this.stage.clock.after(afterMs, resolve));
    }
    this.#endStart?.(new Error("stopped while it started"));
    if (this.incarnation !== undefined) {
      this.#over();
      if (exit !== undefined) this.#onExit(exit);
    }
    if (manner.kind === "rejects") throw manner.error;
  }

  async #start(manner: StartManner, incarnation: number): Promise<void> {
    const ended = new Promise<never>((_, reject) => this.#endStart = reject);
    ended.catch(() => {});
    switch (manner.kind) {
      case "rejects":
        await undefined;
        this.#over();
        throw manner.error;
      case "exits":
        this.exit(manner.exit);
        throw new Error("it ended before it ran");
      case "hangs":
        return await ended;
      case "runs":
        if (manner.afterMs !== undefined) {
          const ready = new Promise<void>((resolve) =>
            this.stage.clock.after(manner.afterMs!, resolve)
          );
          await Promise.race([ready, ended]);
        }
    }
    this.#endStart = undefined;
    // It may have ended on the way.
    if (this.incarnation !== incarnation) throw new Error("it ended while it started");
    this.isRunning = true;
    if (manner.kind === "ends at once") this.exit(manner.exit);
  }

  #over(): void {
    this.incarnation = undefined;
    this.isRunning = false;
    this.stage.over(this);
  }
}
