/** Carries out the orders that other endpoints send to this one. */

import { ActorError } from "../errors.ts";
import type { Frame } from "../wire/frame.ts";
import { KIND } from "../wire/frame_layout.ts";
import type { Endpoint } from "./endpoint.ts";
import { ENDPOINT, type OrderName, type Orders } from "./orders.ts";

/** The orders of one endpoint: those that all have, and those that its role adds. */
export class OrderHandler {
  readonly #endpoint: Endpoint;
  #orders: Partial<Orders>;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
    this.#orders = {
      down: (death) => endpoint.heard(death),
      gone: (place) => endpoint.forget(place),
      ended: (order) => endpoint.ended(order.endpoint, order.incarnation, order.exit),
    };
  }

  /** Takes more orders from now on. */
  add(orders: Partial<Orders>): void {
    this.#orders = { ...this.#orders, ...orders };
  }

  /** A frame for actor 0. */
  take(frame: Frame): void {
    const endpoint = this.#endpoint;
    // An order to an incarnation that died is not for this one.
    if (frame.toIncarnation !== 0 && frame.toIncarnation !== endpoint.incarnation) return;
    void this.#carryOut(frame);
  }

  async #carryOut(frame: Frame): Promise<void> {
    const endpoint = this.#endpoint;
    const spec = ENDPOINT.byTag.get(frame.tag);
    try {
      const run = spec === undefined ? undefined : this.#orders[spec.kind as OrderName];
      if (spec === undefined || run === undefined || frame.kind !== KIND.ASK) {
        throw new ActorError({
          action: "order",
          actor: `endpoint ${endpoint.id}`,
          code: "EKIND",
          description: `order ${spec?.kind ?? frame.tag} is none of its own`,
        });
      }
      const payload = endpoint.payloadOf(frame);
      if (payload === undefined) throw new TypeError(`Cannot read an order: its payload is lost`);
      const value = endpoint.decode(spec.codec, frame, payload);
      const result = await (run as (value: unknown) => unknown).call(this.#orders, value);
      endpoint.answers.reply(spec, frame, result, 0);
    } catch (error) {
      endpoint.log.debug("An order failed", { order: spec?.kind, error });
      endpoint.answers.failed(frame, error, 0);
    }
  }
}
