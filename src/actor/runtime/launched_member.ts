/**
 * An actor that lives in a worker or a process of its own.
 *
 * Rule: the endpoint is launched when no incarnation of it runs, and stays when only the actor in
 * it ended: its inbox, and what came in, is there for the next. What an incarnation left is taken
 * away before the next is launched.
 */

import { watchHandler } from "../delivery/hung.ts";
import { noteEnd } from "../delivery/recovery.ts";
import type { SlotMemory } from "../delivery/slots.ts";
import { ActorError, describeExit, type Exit } from "../errors.ts";
import type { Launched, LaunchOptions } from "../launch/launched.ts";
import type { AnyActorDefinition } from "../protocol/definition.ts";
import type { Address } from "../protocol/ref.ts";
import { isNormal, type Keep } from "../supervision/restart_policy.ts";
import type { Endpoint } from "./endpoint.ts";
import { exitToSend } from "./exit_to_send.ts";
import { actorKey } from "./incarnations.ts";
import { inherit } from "./inheritance.ts";
import type { Member } from "./member.ts";
import type { Reception } from "./slots.ts";

/** What makes it. */
export interface LaunchedParts {
  readonly endpoint: Endpoint;
  /** Where it lives. */
  readonly place: { readonly endpoint: number; readonly actor: number };
  readonly address: Address;
  readonly definition: AnyActorDefinition;
  readonly init: unknown;
  readonly keep: Keep;
  readonly capacity: number;
  readonly stopMs: number;
  launch(options: LaunchOptions): Launched;
  readonly options: Partial<LaunchOptions>;
  /** Where it keeps what it has taken; undefined where nothing must not be lost. */
  readonly slots?: LaunchedSlots | undefined;
}

/** The slots of an actor that is launched, as who launches it has them. */
export interface LaunchedSlots {
  readonly memory: SlotMemory;
  readonly reception: Reception;
  /** How long a handler may run, in milliseconds; undefined: for ever. */
  readonly deadlineMs: number | undefined;
}

/** An incarnation of the endpoint. */
interface Running {
  readonly launched: Launched;
  readonly incarnation: number;
  /** Why it is being ended, if it is. */
  end?: Exit;
  isKilled?: boolean;
}

/** How long an endpoint without actors may take to end by itself. */
const SHUTDOWN_MS = 1000;

/** Launches its endpoint, and starts the actor in it by an order. */
export class LaunchedMember implements Member {
  readonly #parts: LaunchedParts;
  #running: Running | undefined;
  /** What the last incarnation of the endpoint left is gone then. */
  #inherited: Promise<void> = Promise.resolve();
  /** The incarnation of the actor that is started, or was last. */
  #incarnation = 0;
  /** The incarnation of the endpoint that was launched last. */
  #launchedAs = 0;
  #onExit: (exit: Exit) => void = () => {};

  constructor(parts: LaunchedParts) {
    this.#parts = parts;
  }

  get address(): Address {
    return this.#parts.address;
  }

  get place(): { endpoint: number; actor: number } {
    return this.#parts.place;
  }

  get label(): string {
    return this.address.label;
  }

  get keep(): Keep {
    return this.#parts.keep;
  }

  /** The process, or that of the worker. */
  get pid(): number | undefined {
    return this.#running?.launched.pid;
  }

  async start(incarnation: number, onExit: (exit: Exit) => void): Promise<void> {
    const { endpoint, place, address, definition, init, capacity, stopMs, slots } = this.#parts;
    this.#incarnation = incarnation;
    this.#onExit = onExit;
    await this.#inherited;
    const running = this.#running ?? this.#launch();
    const started = endpoint.requests.order(place.endpoint, "start", {
      address,
      actor: place.actor,
      incarnation,
      moduleUrl: definition.url,
      exportName: definition.exportName,
      init: endpoint.encode("messagepack", init),
      capacity,
      stopMs,
      supervisor: endpoint.id,
      reception: slots?.reception,
    }, { incarnation: running.incarnation });
    started.catch(() => {}); // where the endpoint ended it says the same
    try {
      const exit = await Promise.race([started, running.launched.exited]);
      if (exit === undefined) return;
      throw new ActorError({ action: "start", actor: this.label, code: "ESTART", exit });
    } catch (error) {
      // What threw is the actor: its endpoint stays, and with it what came in for the next.
      if (this.#running !== running) await this.#inherited;
      throw error;
    }
  }

  async stop(timeoutMs: number): Promise<void> {
    const running = this.#running;
    if (running === undefined) return await this.#inherited;
    running.end ??= { kind: "stopped" };
    const { endpoint, place } = this.#parts;
    const order = { actor: place.actor, drainMs: timeoutMs };
    const drained = endpoint.requests
      .order(place.endpoint, "stop", order, { incarnation: running.incarnation });
    await this.#shutDown(running, drained, timeoutMs + SHUTDOWN_MS);
  }

  async leave(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return await this.#inherited;
    running.end ??= { kind: "stopped" };
    await this.#shutDown(running, Promise.resolve(), this.#parts.stopMs + SHUTDOWN_MS);
  }

  async crash(exit: Exit): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    if (exit.kind === "signal" || exit.kind === "terminated") {
      running.launched.kill(exit.kind === "signal" ? exit.signal : undefined);
      await running.launched.exited;
      return;
    }
    const { endpoint, place } = this.#parts;
    await endpoint.requests.order(place.endpoint, "crash", {
      actor: place.actor,
      exit: exitToSend(exit),
    });
  }

  adopt(): void {
    const running = this.#running;
    if (running === undefined) return; // it finds them when it begins
    const { endpoint, place } = this.#parts;
    const { incarnation } = running;
    endpoint.requests.order(place.endpoint, "adopt", place.actor, { incarnation })
      .catch((error) => endpoint.log.debug("It looks when it begins again", { error }));
  }

  /** The actor ended by itself, and its endpoint, which runs on, says so. */
  ended(incarnation: number, exit: Exit): void {
    if (incarnation === this.#incarnation) this.#exited(exit, undefined);
  }

  /** Ends an endpoint whose actor is drained, and kills it when that takes too long. */
  async #shutDown(running: Running, drained: Promise<void>, withinMs: number): Promise<void> {
    const { endpoint, place } = this.#parts;
    const { launched, incarnation } = running;
    const order = () => endpoint.requests.order(place.endpoint, "shutdown", null, { incarnation });
    // It may end before it has answered.
    drained.then(order).catch((error) => endpoint.log.debug("No answer to a stop", { error }));
    const cancel = endpoint.clock.after(withinMs, () => {
      running.isKilled = true;
      launched.kill();
    });
    await launched.exited;
    cancel();
    await this.#inherited;
  }

  #launch(): Running {
    const { endpoint, place, definition, launch, options, slots } = this.#parts;
    // One that was killed before it began has had its number: orders to it are not for the next.
    const begun = endpoint.directory.incarnationOf(place.endpoint);
    const incarnation = Math.max(begun, this.#launchedAs) + 1;
    this.#launchedAs = incarnation;
    const launched = launch({
      ...options,
      system: endpoint.system,
      run: endpoint.directory.run,
      ...place,
      incarnation,
      label: this.label,
      moduleUrl: definition.url,
    });
    const running: Running = { launched, incarnation };
    const endWatch = this.#watchHandler(launched);
    void launched.exited.then((how) => {
      this.#running = undefined;
      endWatch?.();
      const isMeant = running.end !== undefined && (running.isKilled || isNormal(how));
      const exit = isMeant ? running.end! : how;
      if (slots !== undefined) noteEnd(slots.memory, slots.reception.row, describeExit(exit));
      this.#exited(exit, running);
      this.#inherited = inherit(endpoint, { id: place.endpoint, incarnation, exit })
        .catch((error) => endpoint.log.error("What a dead endpoint left is there", { error }));
    });
    return this.#running = running;
  }

  /** Kills what it lives in when a handler takes too long: the message is for the next one then. */
  #watchHandler(launched: Launched): (() => void) | undefined {
    const { endpoint, slots } = this.#parts;
    if (slots?.deadlineMs === undefined) return;
    const { memory, reception: { row }, deadlineMs } = slots;
    return watchHandler(memory, row, deadlineMs, () => {
      endpoint.log.error("A handler hangs, and is killed", { actor: this.label, deadlineMs });
      launched.kill();
    });
  }

  #exited(exit: Exit, running: Running | undefined): void {
    const { endpoint, place } = this.#parts;
    // Who waits for an answer is told at once, whatever the supervisor is busy with.
    endpoint.deaths.announce({
      // Of a pool nobody knows the members, but who asked one of them.
      key: actorKey(place.endpoint, place.actor),
      label: this.label,
      incarnation: this.#incarnation,
      exit,
      restarting: undefined,
      endpoint: running && { id: place.endpoint, incarnation: running.incarnation },
    });
    this.#onExit(exit);
  }
}
