/** What becomes of refs and regions in messages: they cross as address, and as name and schema. */

import { parseSchema, schemaText } from "../../layout/mod.ts";
import { Region } from "../../region/mod.ts";
import { ADDRESS, type Address } from "../protocol/ref.ts";
import type { Crossing, RegionDescriptor } from "../wire/crossing.ts";
import type { Endpoint } from "./endpoint.ts";

/** The crossing of one endpoint. */
export class EndpointCrossing implements Crossing {
  readonly #endpoint: Endpoint;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  encodeRef(ref: object): Address | undefined {
    return (ref as { [ADDRESS]?: Address })[ADDRESS];
  }

  decodeRef(address: Address): unknown {
    return this.#endpoint.refs.arrived(address);
  }

  encodeRegion(value: object): RegionDescriptor | undefined {
    if (!(value instanceof Region) || value.name === undefined) return undefined;
    return { name: value.name, schema: schemaText(value.schema) };
  }

  openRegion({ name, schema }: RegionDescriptor): unknown {
    return Region.open(name, parseSchema(schema, name));
  }
}
