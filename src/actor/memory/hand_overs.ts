/**
 * Hand-overs: says when this endpoint may be between giving a block away and sending it, or between
 * taking a message and taking its block; and looks whether others are.
 *
 * Rule: a count in the directory is odd meanwhile. It is counted before anything else, and counted
 * on when the turn of the event loop ends, which both are over by. slab_layout.ts has the proof.
 */

import { MAX_ENDPOINTS } from "./directory_layout.ts";
import type { DirectoryMemory } from "./directory_memory.ts";
import { endpointIn, type Owner } from "./owner.ts";

/** The hand-overs of one endpoint, and its view of those of the others. */
export class HandOvers {
  readonly #directory: DirectoryMemory;
  readonly #endpoint: number;
  #underWay = false;

  constructor(directory: DirectoryMemory, endpoint: number) {
    this.#directory = directory;
    this.#endpoint = endpoint;
  }

  /** One may be under way from here to the end of this turn. */
  begin(): void {
    if (this.#underWay) return;
    this.#underWay = true;
    this.#directory.endpoints.countHandOver(this.#endpoint);
    queueMicrotask(() => this.end());
  }

  /** None is under way. */
  end(): void {
    if (!this.#underWay) return;
    this.#underWay = false;
    this.#directory.endpoints.countHandOver(this.#endpoint);
  }

  /** The count of a sender that is at no attempt, or is dead; `undefined` for one that may be. */
  settledAt(sender: Owner): number | undefined {
    const count = this.#directory.endpoints.handOversOf(endpointIn(sender));
    return (count & 1) === 0 || !this.#directory.isRunning(sender) ? count : undefined;
  }

  /** Whether a sender has been at no attempt since it had that count, or is dead. */
  isStill(sender: Owner, count: number): boolean {
    return this.#directory.endpoints.handOversOf(endpointIn(sender)) === count ||
      !this.#directory.isRunning(sender);
  }

  /** Whether no other endpoint that is alive may be about to take the block of a message it has. */
  nobodyTakes(): boolean {
    for (let id = 0; id < MAX_ENDPOINTS; id++) {
      if (id === this.#endpoint || (this.#directory.endpoints.handOversOf(id) & 1) === 0) continue;
      if (this.#directory.isAlive(id)) return false;
    }
    return true;
  }
}
