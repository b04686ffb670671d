/** Carries out the orders that other endpoints send to this one. */

import { ActorError } from "../errors.ts";
import type { KindSpec } from "../protocol/protocol.ts";
import type { Frame } from "../wire/frame.ts";
import { KIND } from "../wire/frame_layout.ts";
import type { Endpoint } from "./endpoint.ts";
import { ENDPOINT, type OrderName, type Orders } from "./orders.ts";
import { frameKindOf } from "./shapes.ts";

/** The orders of one endpoint: those that all have, and those that its role adds. */
export class OrderHandler {
  readonly #endpoint: Endpoint;
  #orders: Partial<Orders>;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
    this.#orders = {
      down: (death) => endpoint.deaths.heard(death),
      endOf: (key) => endpoint.incarnations.gone(key),
      crash: ({ actor, exit }) => endpoint.deaths.crashHere(actor, exit),
      gone: (place) => endpoint.forget(place),
      ended: (order) => endpoint.deaths.ended(order.endpoint, order.incarnation, order.exit),
    };
  }

  /** Takes more orders from now on. */
  add(orders: Partial<Orders>): void {
    this.#orders = { ...this.#orders, ...orders };
  }

  /** A frame for actor 0; the bytes are valid during this call. */
  take(frame: Frame, bytes: Uint8Array): void {
    const endpoint = this.#endpoint;
    // An order to an incarnation that died is not for this one.
    if (frame.toIncarnation !== 0 && frame.toIncarnation !== endpoint.incarnation) return;
    const spec = ENDPOINT.byTag.get(frame.tag);
    const run = spec && this.#orders[spec.kind as OrderName];
    if (spec !== undefined && run !== undefined && frameKindOf(spec) === frame.kind) {
      return void this.#carryOut(frame, spec, run as (value: unknown) => unknown);
    }
    const error = new ActorError({
      action: "order",
      actor: `endpoint ${endpoint.id}`,
      code: "EKIND",
      description: `order ${spec?.kind ?? frame.tag} is none of its own`,
    });
    endpoint.dead("unknown-kind", undefined, bytes, { frame, error });
    if (frame.kind !== KIND.TELL) endpoint.answers.failed(frame, error, 0);
  }

  async #carryOut(frame: Frame, spec: KindSpec, run: (value: unknown) => unknown): Promise<void> {
    const endpoint = this.#endpoint;
    const isAsk = frame.kind === KIND.ASK;
    try {
      const payload = endpoint.payloadOf(frame);
      if (payload === undefined) throw new TypeError(`Cannot read an order: its payload is lost`);
      const value = endpoint.decode(spec.codec, frame, payload);
      const result = await run.call(this.#orders, value);
      if (isAsk) endpoint.answers.reply(spec, frame, result, 0);
    } catch (error) {
      endpoint.log.debug("An order failed", { order: spec.kind, error });
      if (isAsk) endpoint.answers.failed(frame, error, 0);
    }
  }
}
