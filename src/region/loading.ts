/**
 * Loading words of shared memory, also of memory that must not be written.
 *
 * Rule: what is loaded is there now, and what is loaded after it is not older.
 */

import { sys } from "../sys/mod.ts";
import type { Words } from "./scalars.ts";

/** Loads a word. */
export type Load = <W>(words: Words<W>, index: number) => W;

const atomicLoad = Atomics.load as unknown as Load;

/** Of this thread's own. */
const fence = new Int32Array(1);

/**
 * A load that writes nothing, whatever the engine makes of an atomic one.
 *
 * SYNC: a plain read is one instruction for an aligned word, and no engine keeps its value over an
 * operation of Atomics, on whatever memory. On arm64 the read stays before the store-release, that
 * before the load-acquire, and that before what is read next.
 */
function plainLoad<W>(words: Words<W>, index: number): W {
  const word = words[index]!;
  Atomics.store(fence, 0, 0);
  Atomics.load(fence, 0);
  return word;
}

/** How words are loaded from memory that may be written, or not. */
export function loadFor(access: "r" | "rw"): Load {
  return access === "r" && sys().loadsWrite ? plainLoad : atomicLoad;
}
