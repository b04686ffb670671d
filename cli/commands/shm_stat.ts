/** `postbox shm stat` */

import { SharedMemory } from "../../src/shm/mod.ts";
import type { Flags } from "../parser.ts";
import { print, printJson } from "../stdio.ts";
import { octal } from "../values.ts";

/** Flags of `shm stat`. */
export interface StatFlags extends Flags {
  readonly json: boolean | undefined;
}

export default function stat({ json }: StatFlags, name: string): number {
  // Whoever owns it: nothing here depends on what it holds.
  const memory = SharedMemory.open(name, { access: "r", owner: "any" });
  try {
    const facts = describe(memory);
    if (json) {
      printJson(facts);
      return 0;
    }
    const { byteLength, allocatedBytes, mode, uid, gid } = facts;
    print(
      `bytes      ${byteLength}\n` +
        `allocated  ${allocatedBytes}\n` +
        `mode       ${mode}\n` +
        `owner      ${uid}:${gid}`,
    );
  } finally {
    memory.close();
  }
  return 0;
}

/** What there is to tell of an object. */
export function describe(memory: SharedMemory) {
  const { mode, ...status } = memory.status();
  return { name: memory.name, ...status, mode: octal(mode) };
}
