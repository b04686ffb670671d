/** Bytes as a copy. */

/** A copy of its own. Not by `slice()`: that of a Buffer, which is a Uint8Array too, gives a view. */
export function copyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}
