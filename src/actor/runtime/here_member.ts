/** An actor that lives in the thread of its supervisor. */

import type { Exit } from "../errors.ts";
import { SlotSource } from "../delivery/slot_source.ts";
import type { AnyActorDefinition } from "../protocol/definition.ts";
import type { Address } from "../protocol/ref.ts";
import type { Keep } from "../supervision/restart_policy.ts";
import { Cell } from "./cell.ts";
import type { Endpoint } from "./endpoint.ts";
import { actorKey } from "./incarnations.ts";
import type { Member } from "./member.ts";
import type { Source } from "./source.ts";

/** What makes it. */
export interface HereParts {
  readonly endpoint: Endpoint;
  readonly address: Address;
  readonly actor: number;
  readonly definition: AnyActorDefinition;
  readonly init: unknown;
  readonly keep: Keep;
  readonly stopMs: number;
  readonly source: Source;
  /** Called when it is over and not started any more. */
  onLeft(): void;
}

/** Starts a cell per incarnation. */
export class HereMember implements Member {
  readonly #parts: HereParts;
  #cell: Cell | undefined;
  /** When nothing is left of all incarnations but the present. */
  #over: Promise<void> = Promise.resolve();

  constructor(parts: HereParts) {
    this.#parts = parts;
  }

  get address(): Address {
    return this.#parts.address;
  }

  get place(): { endpoint: number; actor: number } {
    return { endpoint: this.#parts.endpoint.id, actor: this.#parts.actor };
  }

  get label(): string {
    return this.address.label;
  }

  get keep(): Keep {
    return this.#parts.keep;
  }

  async start(incarnation: number, onExit: (exit: Exit) => void): Promise<void> {
    const { endpoint, actor } = this.#parts;
    const cell = new Cell({
      ...this.#parts,
      incarnation,
      onExit: (exit) => {
        // Who waits for an answer is told at once, whatever the supervisor is busy with.
        endpoint.deaths.announce({
          key: actorKey(endpoint.id, actor),
          label: this.label,
          incarnation,
          exit,
          restarting: undefined,
          endpoint: undefined,
        });
        onExit(exit);
      },
    });
    if (this.#cell !== undefined) this.#over = this.#cell.over;
    this.#cell = cell;
    await this.#over;
    endpoint.cells.set(actor, cell);
    void cell.over.then(() => {
      if (endpoint.cells.get(actor) === cell) endpoint.cells.delete(actor);
    });
    await cell.start();
  }

  async stop(timeoutMs: number): Promise<void> {
    await this.#over;
    await this.#cell?.stop(timeoutMs);
  }

  async leave(): Promise<void> {
    await this.stop(0);
    this.#parts.onLeft();
  }

  async crash(exit: Exit): Promise<void> {
    await this.#cell?.crash(exit);
  }

  adopt(): void {
    const { source } = this.#parts;
    if (source instanceof SlotSource) source.adopt();
  }
}
