/** `postbox shm create` */

import { type Owner, SharedMemory } from "../../src/shm/mod.ts";
import { type Flags, UsageError } from "../parser.ts";
import { given, wholeNumber } from "../values.ts";

/** Flags of `shm create`. */
export interface CreateFlags extends Flags {
  readonly mode: number | undefined;
  readonly ifMissing: boolean | undefined;
  readonly owner: Owner | undefined;
  readonly json: boolean | undefined;
}

export default async function create(
  { mode, ifMissing, owner, json }: CreateFlags,
  name: string,
  bytes: string,
): Promise<number> {
  const options = { byteLength: lengthOf(bytes), ...given({ mode, owner }) };
  const memory = ifMissing
    ? SharedMemory.openOrCreate(name, options)
    : SharedMemory.create(name, options);
  try {
    if (json) {
      const [{ printJson }, { describe }] = await Promise.all([
        import("../stdio.ts"),
        import("./shm_stat.ts"),
      ]);
      printJson(describe(memory));
    }
  } finally {
    memory.close();
  }
  return 0;
}

function lengthOf(bytes: string): number {
  try {
    return wholeNumber({ of: "bytes" })(bytes);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UsageError(`Cannot use BYTES ${JSON.stringify(bytes)}: expected ${error.message}`);
  }
}
