/** `postbox shm unlink` */

import { SharedMemory } from "../../src/shm/mod.ts";
import { forEach } from "../each.ts";
import type { Flags } from "../parser.ts";

export default async function unlink(_flags: Flags, ...names: string[]): Promise<number> {
  return await forEach(names, SharedMemory.unlink);
}
