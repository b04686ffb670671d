/** Structs of C as buffers: what every caller of the table needs, and no more. */

let lastNumber = 0;
let lastSize = 0n;

/** A `size_t`. The last one is kept: messages of one stream mostly have one length. */
export function size(value: number): bigint {
  if (value !== lastNumber) {
    lastSize = BigInt(value);
    lastNumber = value;
  }
  return lastSize;
}

/** Memory for a struct, seen as bytes for C and as fields for us. Fields are little-endian. */
export class Struct {
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(byteLength: number) {
    this.bytes = new Uint8Array(byteLength);
    this.#view = new DataView(this.bytes.buffer);
  }

  u16(offset: number): number {
    return this.#view.getUint16(offset, true);
  }

  u32(offset: number): number {
    return this.#view.getUint32(offset, true);
  }

  /** An unsigned 64-bit field; what no Number holds exactly is far above any limit here. */
  u64(offset: number): number {
    return Number(this.#view.getBigUint64(offset, true));
  }

  setU16(offset: number, value: number): void {
    this.#view.setUint16(offset, value, true);
  }

  setI32(offset: number, value: number): void {
    this.#view.setInt32(offset, value, true);
  }

  setI64(offset: number, value: number): void {
    this.#view.setBigInt64(offset, BigInt(value), true);
  }
}
