/** `postbox shm read` */

import { type Owner, SharedMemory } from "../../src/shm/mod.ts";
import type { Flags } from "../parser.ts";
import { write } from "../stdio.ts";
import { given } from "../values.ts";

/** Flags of `shm read`. */
export interface ReadFlags extends Flags {
  readonly offset: number | undefined;
  readonly length: number | undefined;
  readonly owner: Owner | undefined;
}

/** What is in our memory at a time. */
const CHUNK_BYTES = 1024 * 1024;

export default function read(
  { offset = 0, length = Infinity, owner }: ReadFlags,
  name: string,
): number {
  const memory = SharedMemory.open(name, { access: "r", ...given({ owner }) });
  try {
    const endOffset = Math.min(offset + length, memory.byteLength);
    for (let at = offset; at < endOffset;) {
      const chunk = memory.read({
        offset: at,
        byteLength: Math.min(CHUNK_BYTES, endOffset - at),
      });
      if (chunk.byteLength === 0) break; // somebody made it shorter
      write(chunk);
      at += chunk.byteLength;
    }
  } finally {
    memory.close();
  }
  return 0;
}
