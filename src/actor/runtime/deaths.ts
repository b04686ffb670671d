/**
 * The ends of actors and endpoints, as one endpoint hears of them, tells of them and brings them
 * about.
 *
 * Rule: what the dead has answered before counts, so it is taken in before anybody is told.
 */

import { ActorError, type Exit } from "../errors.ts";
import { type Address, addressOf, type AnyRef } from "../protocol/ref.ts";
import type { Down } from "../protocol/spawn_options.ts";
import type { Endpoint } from "./endpoint.ts";
import { exitToSend } from "./exit_to_send.ts";
import { type Death, keyOf, placeOf } from "./incarnations.ts";
import type { Gone, Orders } from "./orders.ts";

/** What an endpoint does about deaths. */
export class Deaths {
  readonly #endpoint: Endpoint;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  /** What has a name in the kernel is not there any more, or soon another's: all are to know. */
  async tellGone(place: Gone): Promise<void> {
    this.#endpoint.forget(place);
    await this.#tellOthers("gone", place);
  }

  /** Gives back the number of an endpoint that this one launched, and that ended for good. */
  freeEndpoint(id: number): void {
    void this.tellGone({ endpoint: id });
    // The thread of a worker that goes on keeps it.
    if (!this.#endpoint.directory.isAlive(id)) this.#endpoint.directory.free(id);
  }

  /** Calls a function at each end of an incarnation of an actor. @returns Takes it back. */
  watch(ref: AnyRef, onDown: (down: Down) => void): () => void {
    const address = addressOf(ref);
    this.#askForEnd(address);
    return this.#endpoint.incarnations.watch(
      address,
      ({ label, exit, incarnation, restarting }) =>
        onDown({ ref, label, exit, incarnation, restarting }),
    );
  }

  /** It may have ended for good before this endpoint began, and was told of deaths. */
  #askForEnd(address: Address): void {
    const key = keyOf(address), { system, endpoint, label } = address;
    if (system !== this.#endpoint.system || endpoint === this.#endpoint.id) return;
    this.#endpoint.requests.order(endpoint, "endOf", key).then(
      (death) => {
        if (death !== undefined) this.#endpoint.incarnations.judged(death);
      },
      (error) => {
        // One that dies meanwhile is heard of; one that is not there is not.
        if (!(error instanceof ActorError) || error.code !== "ENOACTOR") return;
        const exit: Exit = { kind: "lost", reason: "what it lived in is gone" };
        const incarnation = Math.max(1, this.#endpoint.incarnations.current(key));
        const restarting = false;
        this.#endpoint.incarnations.judged({
          key,
          label,
          incarnation,
          exit,
          restarting,
          endpoint: undefined,
        });
      },
    );
  }

  /** Ends an actor, or all of a pool, as errors of their own would, or their processes by a signal. */
  async crash({ endpoint, actor }: Address, exit: Exit): Promise<void> {
    const launched = this.#endpoint.launched.get(endpoint);
    if (endpoint === this.#endpoint.id) await this.crashHere(actor, exit);
    else if (launched?.place.actor === actor) await launched.crash(exit);
    else await this.#endpoint.requests.order(endpoint, "crash", { actor, exit: exitToSend(exit) });
  }

  /** The same for one that lives here, or a pool that was made here. */
  async crashHere(actor: number, exit: Exit): Promise<void> {
    const members = this.#endpoint.pools.get(actor);
    if (members === undefined) await this.#endpoint.cells.get(actor)?.crash(exit);
    else await Promise.all(members.map((member) => member.crash(exit)));
  }

  /** An actor of an endpoint that this one launched ended, and the endpoint runs on. */
  ended(endpoint: number, incarnation: number, exit: Exit): void {
    this.#endpoint.launched.get(endpoint)?.ended(incarnation, exit);
  }

  /** A death is known here from now on. */
  heard(death: Death): void {
    // What the dead has answered before counts.
    this.#endpoint.takeWhatIsThere();
    const { endpoint, restarting } = death;
    const place = restarting === false ? placeOf(death.key) : undefined;
    if (place !== undefined) this.#endpoint.post.actorEnded(place);
    if (endpoint !== undefined) {
      this.#endpoint.post.endpointDied(endpoint.id);
      this.#endpoint.servings.askerDied(endpoint);
      this.#endpoint.lookForLostBlocks();
    }
    for (const [sequence, call] of this.#endpoint.calls.down(death)) {
      // The next incarnation must not take an ask that was not said to be for another.
      const isForAny = call.incarnation === 0 && restarting !== false;
      if (isForAny && call.isSent) this.#endpoint.requests.cancel(sequence, call);
    }
    this.#endpoint.incarnations.died(death);
    if (endpoint !== undefined) this.#endpoint.incarnations.endpointDied(death);
    if (restarting !== undefined) this.#endpoint.incarnations.judged({ ...death, restarting });
  }

  /** Tells every endpoint of a death, this one first. */
  announce(death: Death): void {
    this.heard(death);
    void this.#tellOthers("down", { ...death, exit: exitToSend(death.exit) });
  }

  /** @returns When all have answered, or ended. */
  async #tellOthers<N extends "down" | "gone">(
    order: N,
    value: Parameters<Orders[N]>[0],
  ): Promise<void> {
    if (this.#endpoint.closed) return;
    const others = this.#endpoint.directory.endpoints().filter(({ id, alive }) =>
      alive && id !== this.#endpoint.id
    );
    await Promise.all(others.map(async ({ id }) => {
      try {
        await this.#endpoint.requests.order(id, order, value);
      } catch (error) {
        this.#endpoint.log.debug("An endpoint was not told", { id, order, error });
      }
    }));
  }
}
