/**
 * The protocol of the runtime itself: what endpoints order of each other, as messages to actor 0.
 *
 * Rule: an order is an ask or a tell like any other on the wire; it goes before messages and needs no
 * credit.
 */

import type { Exit } from "../errors.ts";
import { msg } from "../protocol/msg.ts";
import { type KindSpec, protocol } from "../protocol/protocol.ts";
import type { Address } from "../protocol/ref.ts";
import type { StandardSchema } from "../protocol/standard_schema.ts";
import type { LetterParts } from "../flow/dead_letters.ts";
import type { ActorKey, Death, JudgedDeath } from "./incarnations.ts";
import type { Reception } from "./slots.ts";

/** An actor to be started in another endpoint. */
export interface StartOrder {
  readonly address: Address;
  readonly actor: number;
  readonly incarnation: number;
  readonly moduleUrl: string;
  readonly exportName: string;
  /** In MessagePack; no bytes for undefined. Refs in it need the protocols that the module makes. */
  readonly init: Uint8Array;
  readonly capacity: number;
  readonly stopMs: number;
  /** The endpoint that supervises it, and hears how it ends. */
  readonly supervisor: number;
  /** How it takes messages that must not be lost. */
  readonly reception?: Reception | undefined;
}

/** What was taken away: an endpoint with its inbox, or the queue of a mailbox. */
export type Gone = { readonly endpoint: number } | { readonly queue: string };

/** Who carries orders out. */
export interface Orders {
  /** Imports the module and starts the actor. */
  start(order: StartOrder): Promise<void>;
  /** Ends an actor: it handles what is there first, for so long. */
  stop(order: { actor: number; drainMs: number }): Promise<void>;
  /** Ends an actor as an error of its own would. */
  crash(order: { actor: number; exit: Exit }): Promise<void>;
  /** Takes over slots of its mailbox that another actor has left for good. */
  adopt(actor: number): void;
  /** Ends the endpoint, when no actor is left in it. */
  shutdown(order: null): Promise<void>;
  /** An incarnation died. */
  down(death: Death): void;
  /** How an actor of that endpoint ended for good, when it did: for who was not there to be told. */
  endOf(key: ActorKey): JudgedDeath | undefined;
  /** What has that name in the kernel is another's from now on, or nobody's. */
  gone(place: Gone): void;
  /** An actor that the asked endpoint supervises ended by itself. */
  ended(order: { endpoint: number; incarnation: number; exit: Exit }): void;
  /** A message for the dead letters, which the main endpoint keeps. */
  dead(letter: LetterParts): void;
}

/** The name of an order. */
export type OrderName = keyof Orders;

/** Orders come from endpoints of the same system: their types are those of the functions above. */
function trusted<T>(): StandardSchema<T, T> {
  return {
    "~standard": { version: 1, vendor: "postbox", validate: (value) => ({ value: value as T }) },
  };
}

const order = <N extends OrderName>() =>
  msg(trusted<Parameters<Orders[N]>[0]>()).reply(trusted<Awaited<ReturnType<Orders[N]>>>());

/** The protocol of actor 0. */
export const ENDPOINT = protocol("postbox.endpoint", {
  start: order<"start">(),
  stop: order<"stop">(),
  crash: order<"crash">(),
  adopt: order<"adopt">(),
  shutdown: order<"shutdown">(),
  down: order<"down">(),
  endOf: order<"endOf">(),
  gone: order<"gone">(),
  ended: order<"ended">(),
  dead: msg(trusted<LetterParts>()),
});

/** What the runtime reads of an order. */
export function orderSpec(name: OrderName): KindSpec {
  return ENDPOINT.kinds[name];
}
