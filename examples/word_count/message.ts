/**
 * The messages of the queue: 8 bytes, little-endian.
 *
 * ```text
 * byte 0          4
 *      +----------+----------+
 *      | kind u32 | piece u32|    priority: the file's rank, the biggest first; a stop has 0,
 *      +----------+----------+    so it is received when no piece is waiting
 * ```
 */

/** How long a message is. */
export const MESSAGE_BYTES = 8;

/** The priority of a stop: behind every piece. */
export const STOP_PRIORITY = 0;

const KIND_OFFSET = 0;
const PIECE_OFFSET = 4;
const PIECE_KIND = 1;
const STOP_KIND = 2;

/** What a worker is told. */
export type Order = { kind: "piece"; piece: number } | { kind: "stop" };

export function encodeOrder(order: Order): Uint8Array {
  const bytes = new Uint8Array(MESSAGE_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(KIND_OFFSET, order.kind === "piece" ? PIECE_KIND : STOP_KIND, true);
  view.setUint32(PIECE_OFFSET, order.kind === "piece" ? order.piece : 0, true);
  return bytes;
}

/** @returns The order, or `undefined` for bytes that are none: whoever may open the queue can send. */
export function decodeOrder(bytes: Uint8Array, pieces: number): Order | undefined {
  if (bytes.byteLength !== MESSAGE_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kind = view.getUint32(KIND_OFFSET, true), piece = view.getUint32(PIECE_OFFSET, true);
  if (kind === STOP_KIND) return { kind: "stop" };
  return kind === PIECE_KIND && piece < pieces ? { kind: "piece", piece } : undefined;
}
