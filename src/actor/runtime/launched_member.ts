/**
 * An actor that lives in a worker or a process of its own.
 *
 * Rule: the endpoint is launched when no incarnation of it runs, and stays when only the actor in
 * it ended: its inbox, and what came in, is there for the next.
 */

import { ActorError, type Exit } from "../errors.ts";
import type { Launched, LaunchOptions } from "../launch/launched.ts";
import type { AnyActorDefinition } from "../protocol/definition.ts";
import type { Address } from "../protocol/ref.ts";
import type { Keep } from "../supervision/restart_policy.ts";
import type { Endpoint } from "./endpoint.ts";
import { keyOf } from "./incarnations.ts";
import type { Member } from "./member.ts";

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
  launch(options: LaunchOptions): Launched;
  readonly options: Partial<LaunchOptions>;
}

/** How long an endpoint without actors may take to end by itself. */
const SHUTDOWN_MS = 2000;

/** Launches its endpoint, and starts the actor in it by an order. */
export class LaunchedMember implements Member {
  readonly #parts: LaunchedParts;
  #launched: Launched | undefined;
  #incarnation = 0;
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
    return this.#launched?.pid;
  }

  async start(incarnation: number, onExit: (exit: Exit) => void): Promise<void> {
    const { endpoint, place, address, definition, init, capacity } = this.#parts;
    this.#incarnation = incarnation;
    this.#onExit = onExit;
    // The incarnation of the endpoint that is to read the order: the one that runs, or the next.
    const runs = this.#launched !== undefined;
    const meant = endpoint.directory.incarnationOf(place.endpoint) + (runs ? 0 : 1);
    const launched = this.#launched ?? this.#launch();
    const started = endpoint.requests.order(place.endpoint, "start", {
      address,
      actor: place.actor,
      incarnation,
      moduleUrl: definition.url,
      exportName: definition.exportName,
      init,
      capacity,
      supervisor: endpoint.id,
    }, { incarnation: meant });
    const exit = await Promise.race([started, launched.exited]);
    if (exit === undefined) return;
    started.catch(() => {}); // it says the same
    throw new ActorError({ action: "start", actor: this.label, code: "ESTART", exit });
  }

  async stop(timeoutMs: number): Promise<void> {
    const launched = this.#launched;
    if (launched === undefined) return;
    const { endpoint, place } = this.#parts;
    const incarnation = endpoint.directory.incarnationOf(place.endpoint);
    const { requests } = endpoint;
    const asked = requests
      .order(place.endpoint, "stop", { actor: place.actor, drainMs: timeoutMs }, { incarnation })
      .then(() => requests.order(place.endpoint, "shutdown", null, { incarnation }))
      .then(() => launched.exited)
      .catch(() => launched.exited); // it ended meanwhile, or will be killed
    const late = new Promise<"late">((resolve) => {
      const cancel = endpoint.clock.after(timeoutMs + SHUTDOWN_MS, () => resolve("late"));
      void launched.exited.then(cancel);
    });
    if (await Promise.race([asked, late]) === "late") launched.kill();
    await launched.exited;
  }

  async crash(exit: Exit): Promise<void> {
    const launched = this.#launched;
    if (launched === undefined) return;
    if (exit.kind === "signal" || exit.kind === "terminated") {
      launched.kill(exit.kind === "signal" ? exit.signal : undefined);
      await launched.exited;
      return;
    }
    const { endpoint, place } = this.#parts;
    await endpoint.requests.order(place.endpoint, "crash", { actor: place.actor, exit });
  }

  /** The actor ended by itself, and its endpoint, which runs on, says so. */
  ended(incarnation: number, exit: Exit): void {
    if (incarnation === this.#incarnation) this.#exited(exit, undefined);
  }

  #launch(): Launched {
    const { endpoint, place, definition, launch, options } = this.#parts;
    const launched = launch({
      ...options,
      system: endpoint.system,
      run: endpoint.directory.run,
      ...place,
      label: this.label,
      moduleUrl: definition.url,
    });
    this.#launched = launched;
    void launched.exited.then((exit) => {
      this.#launched = undefined;
      this.#exited(exit, place.endpoint);
    });
    return launched;
  }

  #exited(exit: Exit, endpoint: number | undefined): void {
    // Who waits for an answer is told at once, whatever the supervisor is busy with.
    this.#parts.endpoint.announce({
      key: keyOf(this.address),
      label: this.label,
      incarnation: this.#incarnation,
      exit,
      restarting: undefined,
      endpoint,
    });
    this.#onExit(exit);
  }
}
