/** What crosses as something else than its bytes: refs as addresses, regions as name and schema. */

import type { Address } from "../protocol/ref.ts";

/** A region as it crosses: whoever gets it opens it by its name. */
export interface RegionDescriptor {
  /** The name in the kernel. */
  readonly name: string;
  /** The text of its schema, as `schemaText()` gives it. */
  readonly schema: string;
}

/** Makes descriptions of what cannot be copied, and the thing again where it arrives. */
export interface Crossing {
  /** The address of a ref; undefined for a ref that may not leave. */
  encodeRef(ref: object): Address | undefined;
  /** A ref to that address. Its fields have the right types, and may say anything. */
  decodeRef(address: Address): unknown;
  /** The descriptor of a region; undefined for what is none, or has no name. */
  encodeRegion(value: object): RegionDescriptor | undefined;
  /** The region. Its name and its schema may be anything. */
  openRegion(descriptor: RegionDescriptor): unknown;
}
