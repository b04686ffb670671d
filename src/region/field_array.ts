/** Fields one behind the other that are no scalars; each is made when it is first asked for. */

import { shown } from "../sys/mod.ts";
import type { FieldArray } from "./field.ts";

/** Fields by their index. */
export class LazyFields<F> implements FieldArray<F> {
  readonly length: number;
  readonly #made = new Map<number, F>();
  readonly #make: (index: number) => F;
  readonly #path: string;

  constructor(length: number, path: string, make: (index: number) => F) {
    this.length = length;
    this.#path = path;
    this.#make = make;
  }

  at(index: number): F {
    const known = this.#made.get(index);
    if (known !== undefined) return known;
    const what = `Cannot use index ${shown(index)} of "${this.#path}"`;
    if (typeof index !== "number") throw new TypeError(`${what}: expected a number`);
    if (!Number.isInteger(index) || index < 0 || index >= this.length) {
      throw new RangeError(`${what}: expected a whole number, 0 to ${this.length - 1}`);
    }
    const field = this.#make(index);
    this.#made.set(index, field);
    return field;
  }

  *[Symbol.iterator](): IterableIterator<F> {
    for (let index = 0; index < this.length; index++) yield this.at(index);
  }
}
