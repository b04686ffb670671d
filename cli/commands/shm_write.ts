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
  if (data !== undefined && data !== "-") {
    writeAll(name, { offset, owner }, [new TextEncoder().encode(data)]);
    return 0;
  }
  const input: SharedMemory[] = [];
  try {
    writeAll(name, { offset, owner }, await collect(input));
  } finally {
    for (const memory of input) memory.close();
  }
  return 0;
}

/** As much as is in one memory; Node 20 and Bun reserve no more than 4 GiB of address space. */
const MEMORY_BYTES = 1024 ** 3;
/** How much room for input is made at least. */
const MIN_STEP_BYTES = 64 * 1024;
/** How much at most, and how much is looked at in one view. */
const MAX_STEP_BYTES = 32 * 1024 ** 2;

/**
 * Collects standard input to its end in memories that the caller closes, and gives the pieces.
 *
 * In shared memory rather than the heap, for that asks how much the machine has left before it
 * takes more: an endless input is refused instead of killed, along with others.
 */
async function collect(memories: SharedMemory[]): Promise<Uint8Array[]> {
  const { readInputInto } = await import("../stdio.ts");
  const pieces: Uint8Array[] = [];
  for (;;) {
    const memory = SharedMemory.anonymous({
      byteLength: 0,
      maxByteLength: MEMORY_BYTES,
      seal: [],
      label: "standard input",
    });
    memories.push(memory);
    const byteLength = fill(memory, readInputInto);
    pieces.push(...piecesOf(memory, byteLength));
    if (byteLength < MEMORY_BYTES) return pieces;
  }
}

/** Reads as much as a memory can hold, and tells how much that was. */
function fill(memory: SharedMemory, read: (into: Uint8Array) => number): number {
  let length = 0;
  while (length < MEMORY_BYTES) {
    if (length === memory.byteLength) {
      const step = Math.min(Math.max(length, MIN_STEP_BYTES), MAX_STEP_BYTES);
      memory.grow(Math.min(length + step, MEMORY_BYTES));
    }
    const room = Math.min(memory.byteLength - length, MAX_STEP_BYTES);
    const bytes = read(new Uint8Array(memory.buffer, length, room));
    if (bytes === 0) break;
    length += bytes;
  }
  return length;
}

function piecesOf(memory: SharedMemory, byteLength: number): Uint8Array[] {
  return Array.from(
    { length: Math.ceil(byteLength / MAX_STEP_BYTES) },
    (_, i) => {
      const at = i * MAX_STEP_BYTES;
      return new Uint8Array(memory.buffer, at, Math.min(MAX_STEP_BYTES, byteLength - at));
    },
  );
}

function writeAll(
  name: string,
  { offset, owner }: { offset: number; owner: Owner | undefined },
  chunks: Uint8Array[],
): void {
  const byteLength = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  // As write(2): nothing is written nowhere.
  if (byteLength === 0) return;
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
}
