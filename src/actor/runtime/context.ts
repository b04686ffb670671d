/** What an actor's setup is given: itself, its children, its timers, its log. */

import { describeExit } from "../errors.ts";
import { inTime } from "../flow/in_time.ts";
import type { Log } from "../flow/log.ts";
import type { Context } from "../protocol/context.ts";
import type { ActorDefinition } from "../protocol/definition.ts";
import type { AnyProtocol } from "../protocol/protocol.ts";
import type { AnyRef, Ref } from "../protocol/ref.ts";
import type { Down, SpawnArguments } from "../protocol/spawn_options.ts";
import type { Cell } from "./cell.ts";
import { Family } from "./family.ts";

/** The context of one incarnation; with it end its timers, its watches and its children. */
export class CellContext implements Context<AnyProtocol> {
  readonly self: Ref<AnyProtocol>;
  readonly name: string;
  readonly incarnation: number;
  readonly log: Log;
  readonly family: Family;
  readonly #cell: Cell;
  readonly #ended = new AbortController();
  readonly #cancels = new Set<() => void>();
  readonly #onStop: (() => void | Promise<void>)[] = [];

  constructor(cell: Cell) {
    const { endpoint, address, definition, incarnation } = cell.parts;
    this.#cell = cell;
    this.self = endpoint.refs.make(definition.protocol, address);
    this.name = address.label;
    this.incarnation = incarnation;
    this.log = endpoint.log.named(address.label);
    this.family = new Family(endpoint, (exit, labels) => {
      const reason = `its group of ${labels.join(", ")} ${describeExit(exit)}`;
      void cell.crash({ kind: "lost", reason });
    });
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  spawn<P extends AnyProtocol, Init>(
    definition: ActorDefinition<P, Init>,
    ...[options]: SpawnArguments<NoInfer<Init>>
  ): Promise<Ref<P>> {
    return this.family.spawn(definition, options) as Promise<Ref<P>>;
  }

  stop(): void {
    this.#cell.leave();
  }

  watch(ref: AnyRef, onDown: (down: Down) => void): () => void {
    const { endpoint } = this.#cell.parts;
    return this.#whileAlive(
      endpoint.deaths.watch(ref, (down) => this.#guarded(() => onDown(down))),
    );
  }

  after(ms: number, run: () => void | Promise<void>): () => void {
    const cancel = this.#cell.parts.endpoint.clock.after(ms, () => {
      this.#cancels.delete(stop);
      this.#guarded(run);
    });
    const stop = this.#whileAlive(cancel);
    return stop;
  }

  every(ms: number, run: () => void | Promise<void>): () => void {
    const { clock } = this.#cell.parts.endpoint;
    let cancel = () => {};
    const next = () => {
      cancel = clock.after(ms, () => {
        next();
        this.#guarded(run);
      });
    };
    next();
    return this.#whileAlive(() => cancel());
  }

  stash(): void {
    this.#cell.stash();
  }

  unstash(): void {
    this.#cell.unstash();
  }

  become(handlers: unknown): void {
    this.#cell.become(handlers);
  }

  onStop(run: () => void | Promise<void>): void {
    if (this.signal.aborted) void this.#stopped(run);
    else this.#onStop.push(run);
  }

  /**
   * Ends what belongs to it: first the children, the last first, then what was asked for.
   *
   * @param onStopMs How long that may take altogether; it is not waited for longer.
   */
  async end(reason: unknown, onStopMs: number): Promise<void> {
    for (const cancel of [...this.#cancels]) cancel();
    this.#ended.abort(reason);
    try {
      await this.family.stop();
    } catch (error) {
      this.log.error("Children were left", { error });
    }
    if (this.#onStop.length === 0) return;
    if (await inTime(this.#runOnStop(), onStopMs, this.#cell.parts.endpoint.clock)) return;
    this.log.error("onStop is not waited for any longer", { stopMs: onStopMs });
  }

  async #runOnStop(): Promise<void> {
    for (const run of this.#onStop.splice(0).reverse()) await this.#stopped(run);
  }

  async #stopped(run: () => void | Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.log.error("onStop failed", { error });
    }
  }

  /** What is begun by a handler that outlives its actor ends at once. */
  #whileAlive(cancel: () => void): () => void {
    if (this.signal.aborted) cancel();
    const stop = () => {
      this.#cancels.delete(stop);
      cancel();
    };
    this.#cancels.add(stop);
    return stop;
  }

  /** Runs what is no message; what it throws ends the actor as a message's handler would. */
  #guarded(run: () => void | Promise<void>): void {
    const crash = (error: unknown) => void this.#cell.crash({ kind: "threw", error });
    try {
      const result = run();
      if (result !== undefined) result.then(undefined, crash);
    } catch (error) {
      crash(error);
    }
  }
}
