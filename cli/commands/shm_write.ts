/** `postbox shm write` */

import { type Owner, SharedMemory } from "../../src/shm/mod.ts";
import { type Flags, UsageError } from "../parser.ts";
import { inputInsteadOf } from "../terminal.ts";
import { given } from "../values.ts";

/** Flags of `shm write`. */
export interface WriteFlags extends Flags {
  readonly offset: number | undefined;
  readonly owner: Owner | undefined;
}

export default async function write(
  { offset = 0, owner }: WriteFlags,
  name: string,
  data?: string,
): Promise<number> {
  if (data === undefined) await inputInsteadOf("DATA");
  // A name that is refused should not wait for the input's end.
  SharedMemory.open(name, given({ owner })).close();
  const { chunks, byteLength } = data === undefined || data === "-"
    ? await standardInput()
    : textOf(data);
  // As write(2): nothing is written nowhere.
  if (byteLength === 0) return 0;
  const endOffset = offset + byteLength;
  if (!Number.isSafeInteger(endOffset)) {
    throw new UsageError(
      `Cannot use --offset "${offset}": ${byteLength} bytes from there end nowhere`,
    );
  }
  const memory = SharedMemory.open(name, { maxByteLength: endOffset, ...given({ owner }) });
  try {
    // All room first: what does not fit changes nothing.
    memory.grow(endOffset);
    let at = offset;
    for (const chunk of chunks) {
      memory.write(chunk, { offset: at });
      at += chunk.byteLength;
    }
  } finally {
    memory.close();
  }
  return 0;
}

function textOf(data: string) {
  const bytes = new TextEncoder().encode(data);
  return { chunks: [bytes], byteLength: bytes.byteLength };
}

async function standardInput() {
  const { readInput } = await import("../stdio.ts");
  return readInput();
}
