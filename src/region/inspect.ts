/** What can be told of a region by those who do not know its schema. */

import type { Struct } from "../layout/mod.ts";
import { descriptorOf } from "../shm/inside.ts";
import { type Owner, SharedMemory } from "../shm/mod.ts";
import { checkOptions, isLocked, shown } from "../sys/mod.ts";
import { judgeHeader, stateOfCopy } from "./header.ts";
import { FIELDS_OFFSET, HEADER_BYTES } from "./region_layout.ts";
import { parseText } from "./schema.ts";

/** How {@linkcode Region.inspect} opens an object. */
export interface InspectOptions {
  /**
   * Who may own it.
   * @default {"self"}
   */
  owner?: Owner;
}

/** What a region that is ready says of itself. */
export interface ReadyRegionStatus {
  /** It may be used. */
  state: "ready";
  /** All of the region; the object may be longer. */
  byteLength: number;
  /** Where its fields begin, in bytes. */
  fieldsOffset: number;
  /** Of its schema and of the locks of the machine that it was made on. */
  schemaHash: bigint;
  /** Its schema, where its creator left it there and it can be read. */
  schema: Struct | undefined;
}

/** A region that somebody is making, or did not live to make. */
export interface UnreadyRegionStatus {
  /** `abandoned` is one whose maker died; `openOrCreate` makes it anew. */
  state: "being made" | "abandoned";
}

/** What {@linkcode Region.inspect} tells. */
export type RegionStatus = ReadyRegionStatus | UnreadyRegionStatus;

/** Looks at an object by name; `undefined` if it is no region. */
export function inspectRegion(name: string, options: InspectOptions): RegionStatus | undefined {
  checkOptions(options, `inspect region ${shown(name)}`, '{ owner: "any" }');
  const { owner = "self" } = options;
  const memory = SharedMemory.open(name, { access: "r", owner });
  try {
    return statusOf(memory);
  } finally {
    memory.close();
  }
}

function statusOf(memory: SharedMemory): RegionStatus | undefined {
  const { name } = memory;
  const copy = memory.read({ byteLength: HEADER_BYTES });
  const state = stateOfCopy(copy);
  if (state === undefined || state === "blank") return undefined;
  if (state === "begun") {
    return { state: isLocked(descriptorOf(memory), name) ? "being made" : "abandoned" };
  }
  const { hash, plan } = judgeHeader(copy, memory.byteLength, name);
  const text = memory.read({ offset: plan.textOffset, byteLength: plan.textBytes });
  return {
    state,
    byteLength: plan.byteLength,
    fieldsOffset: FIELDS_OFFSET,
    schemaHash: hash,
    schema: plan.textBytes === 0 ? undefined : parseText(text, name),
  };
}
