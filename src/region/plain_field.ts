/** A text or bytes outside of a record: shared, and not atomic. */

import { type BytesType, readValue, type TextType, writeValue } from "../layout/mod.ts";
import type { PlainField } from "./field.ts";
import type { FieldMemory } from "./field_memory.ts";

/** A text or bytes. */
export class PlainBytes<V extends string | Uint8Array> implements PlainField<V> {
  readonly #type: TextType | BytesType;
  readonly #view: DataView;
  readonly #memory: FieldMemory;
  readonly #path: string;

  constructor(
    type: TextType | BytesType,
    memory: FieldMemory,
    byteOffset: number,
    path: string,
  ) {
    this.#type = type;
    this.#view = new DataView(memory.buffer, byteOffset, type.byteLength);
    this.#memory = memory;
    this.#path = path;
  }

  read(): V {
    this.#memory.checkOpen();
    return readValue(this.#type, this.#view, 0) as V;
  }

  write(value: V): void {
    this.#memory.checkWritable(this.#path);
    writeValue(this.#type, this.#view, 0, value as never, this.#path);
    // No SYNC: whoever needs an order takes a lock, or stores into an atomic field afterwards.
    this.#memory.changed();
  }
}
