/**
 * The actors that one owner has spawned: a system, or an actor.
 *
 * Rule: children stop in the reverse order of their start, and what they had in the kernel goes
 * with them.
 */

import { shown } from "../../layout/mod.ts";
import { ActorError, describeError, describeExit, type Exit } from "../errors.ts";
import type { AnyActorDefinition } from "../protocol/definition.ts";
import { addressOf, type AnyRef } from "../protocol/ref.ts";
import type { ChildSpec } from "../protocol/child.ts";
import type { RestartOptions } from "../protocol/spawn_options.ts";
import { type RestartPolicy, restartPolicy } from "../supervision/restart_policy.ts";
import { checkStrategy, type Strategy } from "../supervision/strategy.ts";
import type { Down } from "../supervision/supervised.ts";
import { Supervisor } from "../supervision/supervisor.ts";
import type { Endpoint } from "./endpoint.ts";
import { actorKey, keyOf } from "./incarnations.ts";
import type { Member } from "./member.ts";
import { type Plan, planOf } from "./plan.ts";
import { makeSpawned, type Spawned } from "./spawned.ts";

/** Children that are supervised together. */
interface Group {
  readonly children: Spawned[];
  readonly supervisor: Supervisor;
}

/** The children of one owner. */
export class Family {
  readonly #endpoint: Endpoint;
  readonly #onGaveUp: (exit: Exit, labels: readonly string[]) => void;
  /** In the order in which they were started. */
  readonly #groups: Group[] = [];
  /** Children that have left, and of which something is still there. */
  readonly #leaving = new Set<Promise<void>>();
  #isStopping = false;

  /** @param onGaveUp Hears that a group of children ended more often than is allowed. */
  constructor(endpoint: Endpoint, onGaveUp: (exit: Exit, labels: readonly string[]) => void) {
    this.#endpoint = endpoint;
    this.#onGaveUp = onGaveUp;
  }

  /** Starts an actor, or a pool of them. */
  async spawn(definition: AnyActorDefinition, options: unknown): Promise<AnyRef> {
    const plan = planOf(definition, options);
    const [ref] = await this.#start([plan], "one-for-one", plan.restart);
    return ref!;
  }

  /** Starts actors in their order, which are supervised together. */
  supervise(
    strategy: Strategy,
    children: readonly ChildSpec[],
    restart: RestartOptions = {},
  ): Promise<AnyRef[]> {
    checkStrategy(strategy);
    const plans = children.map(({ definition, options }) => {
      const plan = planOf(definition, options);
      // A group is there to be restarted: who says nothing else is restarted after a failure.
      const { keep } = restartPolicy(options?.restart);
      return { ...plan, restart: { ...plan.restart, keep } };
    });
    return this.#start(plans, strategy, restartPolicy(restart));
  }

  /** Stops one child for good. */
  async stopChild(ref: AnyRef): Promise<void> {
    const group = this.#groupOf(ref);
    const child = childOf(group, ref)!;
    for (const member of [...child.members].reverse()) await group.supervisor.remove(member);
    this.#remove(group, child);
    await this.#left();
  }

  /** The members of a child. */
  membersOf(ref: AnyRef): readonly Member[] {
    return childOf(this.#groupOf(ref), ref)!.members;
  }

  /** Stops all, the last first. */
  async stop(timeoutMs?: number): Promise<void> {
    this.#isStopping = true;
    for (let group; (group = this.#groups.at(-1)) !== undefined;) {
      await group.supervisor.stop(timeoutMs);
      this.#release(group.children);
      this.#leave(group);
      await this.#left();
    }
    await this.#left();
  }

  async #start(
    plans: readonly Plan[],
    strategy: Strategy,
    restart: RestartPolicy,
  ): Promise<AnyRef[]> {
    this.#checkRunning();
    if (this.#leaving.size > 0) {
      await this.#left(); // a mailbox may be another's as soon as nobody has it
      this.#checkRunning();
    }
    const children: Spawned[] = [];
    try {
      for (const plan of plans) {
        const child = makeSpawned(
          this.#endpoint,
          plan,
          (leaving) => this.#track(plan.definition.exportName, leaving),
        );
        children.push(child);
        this.#endpoint.incarnations.learn(keyOf(child.address), 1);
      }
    } catch (error) {
      this.#release(children);
      await this.#left();
      throw error;
    }
    const refs = children.map(({ ref }) => ref), labels = children.map(({ label }) => label);
    const stopMs = Math.max(0, ...plans.map(({ stopMs }) => stopMs));
    const group = this.#group(children, strategy, restart, stopMs);
    try {
      await group.supervisor.start();
    } catch (cause) {
      this.#release(group.children);
      this.#leave(group);
      await this.#left();
      if (cause instanceof ActorError && cause.code === "ESTART") throw cause;
      const actor = refs.length === 1 ? labels[0]! : labels.join(", ");
      const description = describeError(cause);
      throw new ActorError({ action: "start", actor, code: "ESTART", description, cause });
    }
    return refs;
  }

  #group(
    children: Spawned[],
    strategy: Strategy,
    restart: RestartPolicy,
    stopTimeoutMs: number,
  ): Group {
    const supervisor = new Supervisor(children.flatMap(({ members }) => members), {
      strategy,
      ...restart,
      stopTimeoutMs,
      clock: this.#endpoint.clock,
      onDown: (down) => this.#down(group, down),
      onGaveUp: (exit) => {
        this.#leave(group);
        this.#release(group.children);
        this.#onGaveUp(exit, labels);
      },
    });
    const labels = children.map(({ label }) => label);
    const group: Group = { children, supervisor };
    this.#groups.push(group);
    return group;
  }

  /** An incarnation of a child ended. Everybody hears of it; who comes back keeps its mailbox. */
  #down(group: Group, { member, label, incarnation, exit, restarting }: Down): void {
    const { address, place } = member as Member;
    const child = group.children.find(({ members }) => members.includes(member as Member))!;
    const key = actorKey(place.endpoint, place.actor);
    this.#endpoint.deaths.announce({
      key,
      label,
      incarnation,
      exit,
      restarting,
      endpoint: undefined,
    });
    if (exit.kind !== "stopped") {
      const then = restarting ? "it is started anew" : "it is not started again";
      this.#endpoint.log.warn(`"${label}" ${describeExit(exit)}; ${then}`, {
        incarnation,
        ...("error" in exit && { error: exit.error }),
      });
    }
    if (restarting) return;
    this.#track(child.label, child.left(member as Member));
    if (child.members.length === 0) {
      if (address.pool) {
        this.#endpoint.deaths.announce({
          key: keyOf(address),
          label: child.label,
          incarnation,
          exit,
          restarting,
          endpoint: undefined,
        });
      }
      this.#remove(group, child);
    }
  }

  #remove(group: Group, child: Spawned): void {
    const index = group.children.indexOf(child);
    if (index === -1) return;
    this.#release(group.children.splice(index, 1));
    if (group.children.length === 0) this.#leave(group);
  }

  /** Gives back what children had that have left, the last first. */
  #release(children: readonly Spawned[]): void {
    for (const child of [...children].reverse()) this.#track(child.label, child.release());
  }

  /** Something ends that is waited for before others have its names. */
  #track(label: string, leaving: Promise<void>): void {
    const left = leaving
      .catch((error) => this.#endpoint.log.error(`${label} left something`, { error }))
      .then(() => void this.#leaving.delete(left));
    this.#leaving.add(left);
  }

  /** Waits until nothing of those is there any more that have left. */
  async #left(): Promise<void> {
    while (this.#leaving.size > 0) await Promise.all(this.#leaving);
  }

  #leave(group: Group): void {
    const index = this.#groups.indexOf(group);
    if (index !== -1) this.#groups.splice(index, 1);
  }

  #groupOf(ref: AnyRef): Group {
    const group = this.#groups.find((group) => childOf(group, ref) !== undefined);
    if (group !== undefined) return group;
    throw new ActorError({
      action: "find",
      actor: addressOf(ref).label,
      code: "ENOACTOR",
      description: "it is none of the actors that were spawned here and run",
    });
  }

  #checkRunning(): void {
    this.#endpoint.checkOpen();
    if (!this.#isStopping) return;
    throw new TypeError(`Cannot spawn: ${shown(this.#endpoint.system)} is being stopped`);
  }
}

function childOf({ children }: Group, ref: AnyRef): Spawned | undefined {
  const key = keyOf(addressOf(ref));
  return children.find(({ address }) => keyOf(address) === key);
}
