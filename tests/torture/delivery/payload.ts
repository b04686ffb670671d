/** Bytes that tell by themselves whether they are what was sent. */

/**
 * ```text
 * byte    0      4          8       12       16
 *         +------+----------+-------+--------+------------------------------------+
 *         | life | sequence | class | length | each by its place, life, sequence  |
 *         +------+----------+-------+--------+------------------------------------+
 * ```
 */
const HEADER_BYTES = 16;

/** What such bytes say. */
export interface Said {
  readonly life: number;
  readonly sequence: number;
  /** Its class. */
  readonly of: number;
}

/** Makes so many bytes, and the header at least. */
export function makePayload({ life, sequence, of }: Said, byteLength: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(byteLength, HEADER_BYTES));
  const header = new DataView(bytes.buffer);
  header.setUint32(0, life, true);
  header.setUint32(4, sequence, true);
  header.setUint32(8, of, true);
  header.setUint32(12, bytes.length, true);
  for (let at = HEADER_BYTES; at < bytes.length; at++) bytes[at] = byteAt(at, life, sequence);
  return bytes;
}

/** What bytes say; undefined when they are not what was sent. */
export function readPayload(bytes: Uint8Array): Said | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const life = header.getUint32(0, true), sequence = header.getUint32(4, true);
  if (header.getUint32(12, true) !== bytes.length) return undefined;
  for (let at = HEADER_BYTES; at < bytes.length; at++) {
    if (bytes[at] !== byteAt(at, life, sequence)) return undefined;
  }
  return { life, sequence, of: header.getUint32(8, true) };
}

function byteAt(at: number, life: number, sequence: number): number {
  return (Math.imul(at, 31) + Math.imul(sequence, 7) + life) & 0xff;
}
