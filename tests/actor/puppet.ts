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
  /** Until it is let go, stopped, or ends. */
  | { readonly kind: "hangs" };

/** How the next stop goes. */
export type StopManner =
  | { readonly kind: "stops"; readonly afterMs?: number; readonly exit?: Exit }
  | { readonly kind: "rejects"; readonly error: unknown };

/** Who sees what is done with puppets. */
export interface Stage {
  readonly clock: Clock;
  /** A start was asked for. */
  starting(puppet: Puppet, incarnation: number): void;
  /** It runs. */
  ran(puppet: Puppet): void;
  /** A stop was asked for. */
  stopping(puppet: Puppet, timeoutMs: number): void;
  /** The incarnation is over. */
  over(puppet: Puppet): void;
}

/** A start that has not come to an end. */
interface Starting {
  letGo(): void;
  fail(error: unknown): void;
}

/** A member of a group, on strings. */
export class Puppet implements Supervised {
  /** The incarnation that is there, from the call of start() until it is over. */
  incarnation: number | undefined;
  /** Whether its start came to a good end. */
  isRunning = false;
  nextStart: StartManner = { kind: "runs" };
  nextStop: StopManner = { kind: "stops" };
  /** By incarnation. */
  readonly #onExits: ((exit: Exit) => void)[] = [];
  /** While it starts. */
  #starting: Starting | undefined;

  constructor(readonly label: string, readonly keep: Keep, readonly stage: Stage) {}

  start(incarnation: number, onExit: (exit: Exit) => void): Promise<void> {
    const manner = this.nextStart;
    this.nextStart = { kind: "runs" };
    this.stage.starting(this, incarnation);
    this.incarnation = incarnation;
    this.#onExits[incarnation] = onExit;
    if (manner.kind === "throws") {
      this.#over();
      throw manner.error;
    }
    return this.#start(manner);
  }

  /** Lets a start that hangs come to its good end. */
  letGo(): void {
    this.#starting?.letGo();
  }

  /** Ends as if by itself. */
  exit(exit: Exit): void {
    const starting = this.#starting, last = this.#onExits.at(-1);
    this.#over();
    last?.(exit);
    starting?.fail(new Error("it ended before it ran"));
  }

  /** Says that an incarnation ended, which may be over for long. */
  exitOf(incarnation: number, exit: Exit): void {
    this.#onExits[incarnation]!(exit);
  }

  async stop(timeoutMs: number): Promise<void> {
    const manner = this.nextStop;
    this.nextStop = { kind: "stops" };
    this.stage.stopping(this, timeoutMs);
    this.#starting?.fail(new Error("it was stopped before it ran"));
    const { afterMs, exit } = manner.kind === "stops" ? manner : {};
    if (afterMs !== undefined) {
      await new Promise<void>((resolve) => this.stage.clock.after(afterMs, resolve));
    }
    if (this.incarnation !== undefined) {
      this.#over();
      if (exit !== undefined) this.#onExits.at(-1)!(exit);
    }
    if (manner.kind === "rejects") throw manner.error;
  }

  async #start(manner: StartManner): Promise<void> {
    let starting!: Starting;
    const started = new Promise<void>((letGo, fail) => starting = { letGo, fail });
    this.#starting = starting;
    switch (manner.kind) {
      case "runs":
        if (manner.afterMs === undefined) starting.letGo();
        else this.stage.clock.after(manner.afterMs, starting.letGo);
        break;
      case "ends at once":
        starting.letGo();
        break;
      case "exits":
        this.exit(manner.exit);
        break;
      case "rejects":
        await undefined;
        if (this.#starting === starting) this.#over();
        starting.fail(manner.error);
    }
    await started;
    // It may have ended meanwhile, and another may have begun.
    if (this.#starting !== starting) throw new Error("it ended before it ran");
    this.#starting = undefined;
    this.isRunning = true;
    this.stage.ran(this);
    if (manner.kind === "ends at once") this.exit(manner.exit);
  }

  #over(): void {
    this.incarnation = undefined;
    this.isRunning = false;
    this.#starting = undefined;
    this.stage.over(this);
  }
}
