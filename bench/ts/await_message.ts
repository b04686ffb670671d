/**
 * What the processes of the `await` benchmarks say to each other; bench/c/await.c speaks it too.
 *
 * ```text
 * byte    0       1         8            16          64
 *         +-------+-- x … --+------------+---- x … ---+
 *         | kind  |         | number     |            |    number: i64, little-endian
 *         +-------+---------+------------+------------+
 * kind    e   to be sent back; in an answer to `p` the number is when it was sent, in nanoseconds
 *         p   asks for so many messages, one a millisecond
 *         s   asks for so many messages, as fast as it goes
 *         q   the end
 * ```
 */

export const MESSAGE_BYTES = 64;
const NUMBER_OFFSET = 8;

const X = 0x78;

export type Kind = "e" | "p" | "s" | "q";

/** A message; without a number it is all text. */
export function messageOf(kind: Kind, number?: number): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(MESSAGE_BYTES).fill(X);
  message[0] = kind.charCodeAt(0);
  if (number !== undefined) setNumber(message, number);
  return message;
}

export function kindOf(message: Uint8Array): Kind {
  return String.fromCharCode(message[0]!) as Kind;
}

export function numberOf(message: Uint8Array): number {
  return Number(viewOf(message).getBigInt64(NUMBER_OFFSET, true));
}

export function setNumber(message: Uint8Array, number: number): void {
  viewOf(message).setBigInt64(NUMBER_OFFSET, BigInt(number), true);
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
