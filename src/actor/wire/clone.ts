/**
 * The clone codec: what V8's structured clone takes, between programs of one engine.
 *
 * Rule: refused bytes are an error like any other. What the format lets its writer do is said in
 * docs/wire.md.
 */

import { copyOf } from "./bytes.ts";

type V8 = typeof import("node:v8");

let v8: V8 | undefined;

/** Loads the serializer; before that nothing can be encoded. */
export async function loadClone(): Promise<void> {
  v8 ??= await import("node:v8");
}

function loaded(): V8 {
  if (v8 !== undefined) return v8;
  throw new Error("Cannot clone: the codec is not loaded, expected loadCodecs() before");
}

/**
 * A value as bytes.
 *
 * @throws {TypeError} If a part of it cannot be cloned: a function, a ref.
 */
export function encodeClone(value: unknown): Uint8Array {
  const { serialize } = loaded();
  try {
    return serialize(value);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TypeError(`Cannot send payload: ${why}`, { cause });
  }
}

/** Bytes of anybody as a value. */
export function decodeClone(bytes: Uint8Array): unknown {
  // A copy: what it has of bytes, the deserializer gives as views.
  return loaded().deserialize(copyOf(bytes));
}
