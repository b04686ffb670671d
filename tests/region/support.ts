/** Regions for one test: closed, and without their name, when the test ends. */

import "../support/loaded.ts";
import {
  type CreateRegionOptions,
  type Fields,
  Region,
  type Struct,
} from "../../src/region/mod.ts";
import { memoryName } from "../support/names.ts";

/** A region that others can open by its name until the end of the scope. */
export function namedRegion<F extends Fields>(
  schema: Struct<F>,
  options: CreateRegionOptions = {},
): Disposable & { name: string; region: Region<F>; fields: Region<F>["fields"] } {
  const { name, [Symbol.dispose]: unlink } = memoryName();
  const region = Region.create(name, schema, options);
  return {
    name,
    region,
    fields: region.fields,
    [Symbol.dispose]() {
      region.close();
      unlink();
    },
  };
}

/** A region whose name is gone at once. */
export function privateRegion<F extends Fields>(schema: Struct<F>): Region<F> {
  return Region.anonymous(schema);
}
