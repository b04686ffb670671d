/**
 * Refs: plain objects whose methods send messages to an address.
 *
 * Rule: a ref holds nothing open; where its actor is gone, its calls say so.
 */

import type { AnyProtocol, KindSpec } from "../protocol/protocol.ts";
import { protocolNamed } from "../protocol/protocol.ts";
import { ADDRESS, type Address, type AnyRef } from "../protocol/ref.ts";
import type { Endpoint } from "./endpoint.ts";

/** Makes the refs that send from one endpoint. */
export class Refs {
  readonly #endpoint: Endpoint;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  /** A ref with the methods of a protocol. */
  // deno-lint-ignore no-explicit-any -- the methods are those of the protocol, known at run time
  make(protocol: AnyProtocol, address: Address): any {
    const ref: Record<string | symbol, unknown> = {};
    for (const spec of Object.values(protocol.kinds) as KindSpec[]) {
      ref[spec.kind] = this.#method(spec, address);
    }
    // Not enumerable: who prints or compares refs sees their methods.
    Object.defineProperty(ref, ADDRESS, { value: address });
    return ref;
  }

  /**
   * A ref that came in a message. Its methods are those of the protocol of that name in this
   * thread; where there is none, it can be sent on and nothing else.
   */
  arrived(address: Address): AnyRef {
    const protocol = protocolNamed(address.protocol);
    if (protocol !== undefined) return this.make(protocol, address);
    return Object.defineProperty({}, ADDRESS, { value: address }) as AnyRef;
  }

  #method(spec: KindSpec, address: Address): (...args: unknown[]) => unknown {
    const { requests } = this.#endpoint;
    const send = (payload: unknown, options: object | undefined): unknown =>
      requests[spec.shape](address, spec, payload, options);
    if (spec.payload !== undefined) {
      return (payload, options) => send(payload, options as object | undefined);
    }
    return (options) => send(undefined, options as object | undefined);
  }
}
